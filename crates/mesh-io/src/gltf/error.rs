//! Errors and notes of the glTF reader, without the path.

use std::path::Path;

use crate::ReadError;

/// Most notes per file; a broken exporter can cause thousands.
const MAX_NOTES: usize = 50;

/// Why a document, or a part of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum GltfError {
    #[error("{0}")]
    Invalid(String),
    #[error("{0} is not supported")]
    Unsupported(String),
    #[error("{what} is {found}, the limit is {limit}")]
    TooLarge { what: &'static str, found: u64, limit: u64 },
    #[error("no triangles and no points")]
    Empty,
}

/// The error for content that violates the specification.
pub(super) fn invalid(message: impl Into<String>) -> GltfError {
    GltfError::Invalid(message.into())
}

impl GltfError {
    pub fn too_large(what: &'static str, found: usize, limit: usize) -> Self {
        Self::TooLarge { what, found: found as u64, limit: limit as u64 }
    }

    /// Prepends where the error occurred.
    pub fn context(self, place: &str) -> Self {
        match self {
            Self::Invalid(message) => Self::Invalid(format!("{place}: {message}")),
            other => other,
        }
    }

    /// Converts to the public error.
    pub fn into_read_error(self, path: &Path) -> ReadError {
        let path = path.to_owned();
        match self {
            Self::Invalid(message) => ReadError::Invalid { path, format: "glTF", message },
            Self::Unsupported(feature) => ReadError::Unsupported { path, format: "glTF", feature },
            Self::TooLarge { what, found, limit } => ReadError::TooLarge { path, what, found, limit },
            Self::Empty => ReadError::Empty { path, notes: Vec::new() },
        }
    }
}

/// Notes about a file, each once.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    pub fn add(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.0.len() < MAX_NOTES && !self.0.contains(&note) {
            self.0.push(note);
            if self.0.len() == MAX_NOTES {
                self.0.push("more of the same kind".to_owned());
            }
        }
    }

    pub fn into_vec(self) -> Vec<String> {
        self.0
    }
}

/// A name from a file, short enough for a message.
pub(super) fn quoted(name: &str) -> String {
    let short: String = name.chars().take(80).collect();
    let dots = if short.len() < name.len() { "…" } else { "" };
    format!("{short:?}{dots}")
}

/// Runs a third-party decoder on untrusted bytes. Such decoders may panic, and one invalid file must not end a whole
/// indexing run. Memory and time are bounded by the caller beforehand, because neither can be caught here.
pub(crate) fn catch_decoder_panic<T>(
    what: &str,
    decode: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(format!("the {what} decoder failed on invalid data")))
}
