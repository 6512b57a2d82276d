//! Errors of readers.

use std::path::PathBuf;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Neither the name nor the content is of a known format.
    #[error("{}: unknown 3D format ({found})", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What its ending or first bytes say.
        found: String,
    },
    /// The content breaks the format's rules.
    #[error("{}: invalid {format}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// Where, expected, found.
        message: String,
    },
    /// Valid, but it needs an unsupported feature.
    #[error("{}: {format} needs {feature}, which is not supported", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// What it needs.
        feature: String,
    },
    /// It exceeds a limit on memory.
    #[error("{}: {what} is {found}, the limit is {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Which quantity.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// It has no triangles and no points.
    #[error("{}: no triangles and no points{}", path.display(), listed(notes))]
    Empty {
        /// The file.
        path: PathBuf,
        /// What the file has instead, or lacks.
        notes: Vec<String>,
    },
}

impl ReadError {
    /// The message for a note, which does not repeat the file's name.
    pub(crate) fn note(&self) -> String {
        match self {
            Self::Invalid { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }

    /// The same error of another file.
    pub(crate) fn at(self, file: &std::path::Path) -> Self {
        let path = file.to_owned();
        match self {
            Self::Io(error) => Self::Io(error),
            Self::UnknownFormat { found, .. } => Self::UnknownFormat { path, found },
            Self::Invalid { format, message, .. } => Self::Invalid { path, format, message },
            Self::Unsupported { format, feature, .. } => Self::Unsupported { path, format, feature },
            Self::TooLarge { what, found, limit, .. } => Self::TooLarge { path, what, found, limit },
            Self::Empty { notes, .. } => Self::Empty { path, notes },
        }
    }
}

/// Notes after a colon, if there are any.
fn listed(notes: &[String]) -> String {
    if notes.is_empty() { String::new() } else { format!(": {}", notes.join("; ")) }
}
