//! The error of readers and writers that open files themselves.

use std::path::{Path, PathBuf};

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A file cannot be opened, read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The content is not valid, or not supported.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where, expected, found.
        message: String,
    },
}

impl FormatError {
    pub(crate) fn invalid(path: &Path, message: impl std::fmt::Display) -> Self {
        Self::Invalid { path: path.to_owned(), message: message.to_string() }
    }
}
