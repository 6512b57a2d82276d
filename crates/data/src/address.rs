//! What an argument names: a local path or a location in an object store.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use crate::DataError;

/// URL schemes of object stores: S3 and compatible stores, Google Cloud Storage, Azure.
const STORES: [&str; 8] = ["s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss"];

/// A parsed argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A local path.
    Here(PathBuf),
    /// The address of an object store, as given.
    Store(String),
}

impl Address {
    /// Parses a path, a `file://` address, or the address of an object store.
    ///
    /// # Errors
    /// If the address has another scheme.
    pub fn of(text: &str) -> Result<Self, DataError> {
        match text.split_once("://") {
            Some(("file", rest)) => {
                let path =
                    percent_decode_str(rest.strip_prefix("localhost").unwrap_or(rest)).decode_utf8_lossy();
                Ok(Self::Here(PathBuf::from(path.into_owned())))
            }
            Some((scheme, _)) if STORES.contains(&scheme) => Ok(Self::Store(text.to_owned())),
            Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                let message = format!("expected a path, file://, s3://, gs:// or az://, found {scheme}://");
                Err(DataError::invalid(Path::new(text), message))
            }
            _ => Ok(Self::Here(PathBuf::from(text))),
        }
    }

    /// Parses an argument that was given as a path. If it is not Unicode, it is a local path.
    pub fn of_path(path: &Path) -> Result<Self, DataError> {
        path.to_str().map_or_else(|| Ok(Self::Here(path.to_owned())), Self::of)
    }
}

/// Whether a path is the address of an object store: `s3://bucket/folder`.
pub fn is_remote(path: &Path) -> bool {
    matches!(Address::of_path(path), Ok(Address::Store(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_stores() {
        let here = |text: &str| Address::Here(PathBuf::from(text));
        assert_eq!(Address::of("a/b").unwrap(), here("a/b"));
        assert_eq!(Address::of("file:///a%20b").unwrap(), here("/a b"));
        assert_eq!(Address::of("gs://b/x").unwrap(), Address::Store("gs://b/x".to_owned()));
        assert!(Address::of("ftp://b/x").is_err());
        assert!(is_remote(Path::new("s3://b")) && !is_remote(Path::new("s3/b")));
    }
}
