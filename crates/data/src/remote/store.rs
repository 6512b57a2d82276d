//! A location in an object store and operations on the objects below it.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path as Key;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt as _, parse_url_opts};

use super::runtime::{block_on, install_crypto_provider};
use crate::DataError;

/// Prefixes of the environment variables that configure stores.
const ENV_PREFIXES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];
/// Bytes per request: small enough that a response arrives within the client's timeout on slow connections.
pub(super) const CHUNK_BYTES: u64 = if cfg!(test) { 100 << 10 } else { 8 << 20 };
/// Maximum number of concurrent requests per call.
const MAX_IN_FLIGHT: usize = 8;
/// Maximum length of a server's error message, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// A bucket or container, or a folder in it.
#[derive(Clone)]
pub struct RemoteStore {
    pub(super) objects: Arc<dyn ObjectStore>,
    /// `s3://bucket`.
    bucket: String,
    /// The rest of the address.
    folder: Key,
}

impl fmt::Debug for RemoteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri())
    }
}

impl RemoteStore {
    /// Opens an address such as `s3://bucket/folder`, configured by environment variables. No request is sent yet.
    ///
    /// # Errors
    /// If the address or a variable is invalid.
    pub fn open(uri: &str) -> Result<Self, DataError> {
        let known = |name: &String| ENV_PREFIXES.iter().any(|start| name.starts_with(start));
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok().filter(known)?, value.into_string().ok()?))
        });
        Self::open_with(uri, variables)
    }

    /// Opens an address with these settings, which have the names of the environment variables, instead of the environment.
    ///
    /// # Errors
    /// If the address or a setting is invalid.
    pub fn open_with(
        uri: &str,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, DataError> {
        let invalid = |error: &dyn fmt::Display| DataError::invalid(Path::new(uri), error);
        let url = url::Url::parse(uri).map_err(|error| invalid(&error))?;
        install_crypto_provider();
        let (objects, folder) = parse_url_opts(&url, settings).map_err(|error| invalid(&error))?;
        // `object_store` returns only the path, so the bucket is taken from the address.
        let authority = uri.find("://").map_or(0, |at| at + 3);
        let bucket = uri[authority..].split('/').next().map_or(uri, |name| &uri[..authority + name.len()]);
        Ok(Self { objects: Arc::from(objects), bucket: bucket.to_owned(), folder })
    }

    /// A location in an open store.
    #[cfg(test)]
    pub(super) fn from_parts(objects: Arc<dyn ObjectStore>, bucket: &str, folder: Key) -> Self {
        Self { objects, bucket: bucket.to_owned(), folder }
    }

    /// The address.
    pub fn uri(&self) -> String {
        self.uri_of(&self.folder)
    }

    /// The last component of the address.
    pub(super) fn base_name(&self) -> String {
        let bucket = || self.bucket.rsplit('/').next().unwrap_or_default().to_owned();
        self.folder.filename().map_or_else(bucket, str::to_owned)
    }

    /// The part of the address after the bucket.
    pub(super) fn folder(&self) -> &Key {
        &self.folder
    }

    /// The key of the object `name`, a path with `/` relative to the address.
    pub(super) fn key(&self, name: &str) -> Key {
        name.split('/').filter(|part| !part.is_empty()).fold(self.folder.clone(), |key, part| key.join(part))
    }

    /// The address of a key.
    pub(super) fn uri_of(&self, key: &Key) -> String {
        format!("{}/{key}", self.bucket).trim_end_matches('/').to_owned()
    }

    /// The key of an address made by [`RemoteStore::uri_of`], if it is in this bucket.
    pub(super) fn key_of(&self, uri: &str) -> Option<Key> {
        Key::parse(uri.strip_prefix(&self.bucket)?.strip_prefix('/')?).ok()
    }

    /// Keys and sizes of all objects below `folder`, sorted by key.
    pub(super) fn list(&self, folder: &Key) -> Result<Vec<(Key, u64)>, DataError> {
        let (objects, folder_asked) = (Arc::clone(&self.objects), folder.clone());
        let listed = block_on(async move {
            let all = objects.list(Some(&folder_asked)).map_ok(|meta| (meta.location, meta.size));
            all.try_collect::<Vec<_>>().await
        });
        let mut listed = listed.map_err(|error| self.error(folder, &error))?;
        listed.sort_unstable();
        Ok(listed)
    }

    /// The metadata of an object; `None` if it does not exist.
    pub(super) fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, DataError> {
        let (objects, asked) = (Arc::clone(&self.objects), key.clone());
        match block_on(async move { objects.head(&asked).await }) {
            Ok(meta) => Ok(Some(meta)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error(key, &error)),
        }
    }

    /// Downloads an object of at most `limit` bytes.
    ///
    /// # Errors
    /// A message that says why it cannot be downloaded.
    pub(super) fn get(&self, key: &Key, limit: u64) -> Result<Vec<u8>, String> {
        let (objects, asked) = (Arc::clone(&self.objects), key.clone());
        let begun = block_on(async move {
            let found = objects.get(&asked).await?;
            let size = found.meta.size;
            // Large objects are downloaded in pieces, so that each request stays within the client's timeout.
            let bytes = if size <= CHUNK_BYTES.min(limit) { Some(found.bytes().await?) } else { None };
            Ok((size, bytes))
        });
        let (size, bytes) = begun.map_err(|error| error_message(&error))?;
        match bytes {
            Some(bytes) => Ok(bytes.into()),
            None if size > limit => Err(format!("larger than {limit} bytes")),
            None => {
                let pieces = self.get_ranges(key, &chunks(0..size)).map_err(|error| error_message(&error))?;
                Ok(pieces.concat())
            }
        }
    }

    /// Downloads ranges of an object, several at a time. Returns them in the order given.
    pub(super) fn get_ranges(&self, key: &Key, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, Error> {
        let (objects, key, ranges) = (Arc::clone(&self.objects), key.clone(), ranges.to_vec());
        block_on(async move {
            let one = |range: Range<u64>| {
                let (objects, key) = (Arc::clone(&objects), key.clone());
                async move {
                    let wanted = range.end - range.start;
                    let bytes = objects.get_range(&key, range).await?;
                    // Servers may return fewer bytes than requested without an error.
                    if bytes.len() as u64 == wanted {
                        return Ok(Vec::from(bytes));
                    }
                    Err(Error::Generic {
                        store: "object store",
                        source: format!("expected {wanted} bytes, found {}", bytes.len()).into(),
                    })
                }
            };
            stream::iter(ranges).map(one).buffered(MAX_IN_FLIGHT).try_collect().await
        })
    }

    /// The first bytes of many objects; `None` for those that cannot be read.
    pub(super) fn get_prefixes(&self, keys: Vec<Key>, bytes: u64) -> Vec<Option<Vec<u8>>> {
        let objects = Arc::clone(&self.objects);
        let count = keys.len();
        let heads = block_on(async move {
            let one = |key: Key| {
                let objects = Arc::clone(&objects);
                async move { objects.get_range(&key, 0..bytes).await.ok().map(Vec::from) }
            };
            Ok(stream::iter(keys).map(one).buffered(4 * MAX_IN_FLIGHT).collect::<Vec<_>>().await)
        });
        heads.unwrap_or_else(|_| vec![None; count])
    }

    /// An error about a key that names its address.
    pub(super) fn error(&self, key: &Key, error: &Error) -> DataError {
        DataError::Invalid { path: PathBuf::from(self.uri_of(key)), message: error_message(error) }
    }
}

/// A range in pieces of at most [`CHUNK_BYTES`] bytes.
pub(super) fn chunks(range: Range<u64>) -> Vec<Range<u64>> {
    let starts = (range.start..range.end).step_by(CHUNK_BYTES as usize);
    starts.map(|start| start..range.end.min(start + CHUNK_BYTES)).collect()
}

/// The error message, on one line.
pub(super) fn error_message(error: &Error) -> String {
    let text = error.to_string();
    if text.contains("NoSuchBucket") || text.contains("ContainerNotFound") {
        return "no such bucket".to_owned();
    }
    match error {
        Error::NotFound { .. } => "no such object".to_owned(),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            "access denied: expected credentials in environment variables (AWS_…, GOOGLE_…, AZURE_…)"
                .to_owned()
        }
        _ => {
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            words.chars().take(MAX_MESSAGE_CHARS).collect()
        }
    }
}

/// The error message as an I/O error.
pub(super) fn read_error(error: &Error) -> io::Error {
    io::Error::other(error_message(error))
}
