//! A data set in an object store.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use object_store::path::Path as Key;
use tempfile::NamedTempFile;

use super::store::{CHUNK_BYTES, RemoteStore, chunks, read_error};
use crate::DataError;
use crate::shard::{Manifest, Sidecar, sidecar_of};
use crate::storage::{ReadAt, Storage, sha256_reader};

/// Maximum size of a manifest in bytes. It has some hundred bytes per shard.
const MAX_MANIFEST_BYTES: u64 = 1 << 30;
/// Ranges this close together are read with one request, in bytes: a request takes as long as some hundred kilobytes.
const COALESCE_GAP: u64 = 256 << 10;
/// Number of pieces of an object that are requested at the same time.
const CHUNKS_IN_FLIGHT: usize = 8;

/// A data set in an object store.
pub(crate) struct RemoteStorage {
    store: RemoteStore,
    /// A temporary copy of the index. It is read completely, for which one download is faster than requests for column pages.
    index: Mutex<Option<Arc<NamedTempFile>>>,
}

impl RemoteStorage {
    /// The data set in `store`.
    pub fn new(store: RemoteStore) -> Self {
        Self { store, index: Mutex::new(None) }
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(self.store.uri_of(&self.store.key(name)))
    }

    /// The local copy of the index.
    fn local_index(&self) -> Result<Arc<NamedTempFile>, DataError> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = &*index {
            return Ok(Arc::clone(index));
        }
        let file = Arc::new(self.download_to_temp("index.parquet")?);
        *index = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Downloads an object to a temporary file.
    fn download_to_temp(&self, name: &str) -> Result<NamedTempFile, DataError> {
        let key = self.store.key(name);
        let missing = || DataError::invalid(&self.path(name), "no such object");
        let size = self.store.head(&key)?.ok_or_else(missing)?.size;
        let mut file = NamedTempFile::new()?;
        // A few chunks at a time, to bound memory.
        for some in chunks(0..size).chunks(CHUNKS_IN_FLIGHT) {
            for piece in self.store.get_ranges(&key, some).map_err(|error| self.store.error(&key, &error))? {
                io::Write::write_all(&mut file, &piece)?;
            }
        }
        Ok(file)
    }
}

impl Storage for RemoteStorage {
    fn manifest(&self) -> Result<Manifest, DataError> {
        let path = self.path("manifest.json");
        let key = self.store.key("manifest.json");
        if self.store.head(&key)?.is_none() {
            let message = "not a data set: expected a manifest.json".to_owned();
            return Err(DataError::Incomplete { path: PathBuf::from(self.store.uri()), message });
        }
        let bytes = self.store.get(&key, MAX_MANIFEST_BYTES);
        let bytes = bytes.map_err(|reason| DataError::invalid(&path, reason))?;
        serde_json::from_slice(&bytes).map_err(|error| DataError::invalid(&path, error))
    }

    fn index(&self) -> Result<Sidecar, DataError> {
        Sidecar::from_file(self.local_index()?.reopen()?, &self.path("index.parquet"))
    }

    fn sidecar(&self, shard: &str) -> Result<Sidecar, DataError> {
        let name = format!("shards/{}", sidecar_of(Path::new(shard)).display());
        Sidecar::from_file(self.download_to_temp(&name)?.into_file(), &self.path(&name))
    }

    fn shard(&self, file: &str) -> Result<Arc<dyn ReadAt>, DataError> {
        Ok(Arc::new(Object { store: self.store.clone(), key: self.store.key(&format!("shards/{file}")) }))
    }

    fn shard_names(&self) -> Result<Vec<String>, DataError> {
        let listed = self.store.list(&self.store.key("shards"))?;
        let names = listed.iter().filter_map(|(key, _)| key.filename()).filter(|name| name.ends_with(".tar"));
        Ok(names.map(str::to_owned).collect())
    }

    fn index_sha256(&self) -> Result<String, DataError> {
        Ok(sha256_reader(self.local_index()?.reopen()?)?)
    }

    fn coalesce_gap(&self) -> u64 {
        COALESCE_GAP
    }

    fn read_ahead(&self) -> usize {
        CHUNKS_IN_FLIGHT * CHUNK_BYTES as usize
    }
}

/// An object that is read at offsets.
struct Object {
    store: RemoteStore,
    key: Key,
}

impl ReadAt for Object {
    fn read_at(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Vec<u8>>> {
        // An empty range has no pieces: stores reject empty ranges.
        let pieces: Vec<Vec<Range<u64>>> = ranges.iter().cloned().map(chunks).collect();
        let read = self.store.get_ranges(&self.key, &pieces.concat()).map_err(|error| read_error(&error))?;
        let mut read = read.into_iter();
        let mut joined = |pieces: &Vec<Range<u64>>| match pieces.len() {
            1 => read.next().unwrap_or_default(),
            n => read.by_ref().take(n).collect::<Vec<_>>().concat(),
        };
        Ok(pieces.iter().map(&mut joined).collect())
    }
}
