//! Parses arguments: a local path or a location in an object store.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use crate::DataError;

/// URL schemes of object stores: S3 and compatible stores, Google Cloud Storage, Azure.
const REMOTE_SCHEMES: [&str; 8] = ["s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss"];

/// A parsed argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// A local path.
    Local(PathBuf),
    /// The address of an object store, as given.
    Remote(String),
}

impl Location {
    /// Parses a path, a `file://` address, or the address of an object store.
    ///
    /// # Errors
    /// If the address has another scheme.
    pub fn parse(text: &str) -> Result<Self, DataError> {
        match text.split_once("://") {
            Some(("file", rest)) => {
                let path =
                    // `file://localhost/a` and `file:///a` name the same file (RFC 8089).
                    percent_decode_str(rest.strip_prefix("localhost").unwrap_or(rest)).decode_utf8_lossy();
                Ok(Self::Local(PathBuf::from(path.into_owned())))
            }
            Some((scheme, _)) if REMOTE_SCHEMES.contains(&scheme) => Ok(Self::Remote(text.to_owned())),
            // Anything else before `://` may be part of an unusual file name.
            Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                let message = format!("expected a path, file://, s3://, gs:// or az://, found {scheme}://");
                Err(DataError::invalid(Path::new(text), message))
            }
            _ => Ok(Self::Local(PathBuf::from(text))),
        }
    }

    /// Parses an argument that was given as a path. If it is not Unicode, it is a local path.
    pub fn from_path(path: &Path) -> Result<Self, DataError> {
        path.to_str().map_or_else(|| Ok(Self::Local(path.to_owned())), Self::parse)
    }
}

/// Whether a path is the address of an object store: `s3://bucket/folder`.
pub fn is_remote(path: &Path) -> bool {
    matches!(Location::from_path(path), Ok(Location::Remote(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_stores() {
        let here = |text: &str| Location::Local(PathBuf::from(text));
        assert_eq!(Location::parse("a/b").unwrap(), here("a/b"));
        assert_eq!(Location::parse("file:///a%20b").unwrap(), here("/a b"));
        assert_eq!(Location::parse("gs://b/x").unwrap(), Location::Remote("gs://b/x".to_owned()));
        assert!(Location::parse("ftp://b/x").is_err());
        assert!(is_remote(Path::new("s3://b")) && !is_remote(Path::new("s3/b")));
    }
}
