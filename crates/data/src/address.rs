//! What an argument points at: a path on this machine, or a place in an object store.

use std::path::{Path, PathBuf};

use crate::DataError;

/// Schemes of object stores: S3 and what speaks like it, Google Cloud Storage, Azure.
const STORES: [&str; 8] = ["s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss"];

/// An argument, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A path on this machine.
    Here(PathBuf),
    /// The address of an object store, as it was written.
    Store(String),
}

impl Address {
    /// Understands a path, a `file://` address, or the address of an object store.
    ///
    /// # Errors
    /// If the address is of another kind.
    pub fn of(text: &str) -> Result<Self, DataError> {
        match text.split_once("://") {
            Some(("file", rest)) => {
                Ok(Self::Here(PathBuf::from(unescaped(rest.strip_prefix("localhost").unwrap_or(rest)))))
            }
            Some((scheme, _)) if STORES.contains(&scheme) => Ok(Self::Store(text.to_owned())),
            Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                let message = format!("expected a path, file://, s3://, gs:// or az://, found {scheme}://");
                Err(DataError::invalid(Path::new(text), message))
            }
            _ => Ok(Self::Here(PathBuf::from(text))),
        }
    }

    /// The same of a path as arguments give it. What is not Unicode is a path.
    pub fn of_path(path: &Path) -> Result<Self, DataError> {
        path.to_str().map_or_else(|| Ok(Self::Here(path.to_owned())), Self::of)
    }
}

/// Whether a path is the address of an object store.
pub fn is_remote(path: &Path) -> bool {
    matches!(Address::of_path(path), Ok(Address::Store(_)))
}

/// `%20` → a space, and so on.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|_| bytes[at] == b'%') {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
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
