//! What can go wrong in a store, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::{RecordId, Space};

/// Why a store refused or failed. A failed write changed nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another handle in this one, holds the library for writing.
    #[error("{}: the library is being written by {}", folder.display(), holder_name(*holder))]
    Locked {
        /// The library's folder.
        folder: PathBuf,
        /// The process that holds it, where it can be known.
        holder: Option<u32>,
    },
    /// A change was asked of a store opened for reading.
    #[error("{}: the library was opened for reading, so it cannot be changed", folder.display())]
    ReadOnly {
        /// The library's folder.
        folder: PathBuf,
    },
    /// There is no library there.
    #[error("{}: no library here", folder.display())]
    NotFound {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The file there is something else.
    #[error("{}: not a library: {found}", path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// The library was written by a newer version of this software.
    #[error("{}: the library has schema version {found}, this version reads up to {supported}", path.display())]
    TooNew {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest this software knows.
        supported: i64,
    },
    /// The library was written by an older version and must be brought up to date by a writer.
    #[error("{}: the library has schema version {found}, reading needs {needed}", path.display())]
    TooOld {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version this software reads.
        needed: i64,
    },
    /// Vectors of different models do not compare, so they are never mixed.
    #[error("{}: the library holds vectors of {expected}, found {found}", folder.display())]
    ModelMismatch {
        /// The library's folder.
        folder: PathBuf,
        /// What the library holds.
        expected: Box<Space>,
        /// What was given.
        found: Box<Space>,
    },
    /// A vector, record, payload or request that no store could keep or answer.
    #[error("{subject}: {reason}")]
    Invalid {
        /// Which record (its path) or which part of a request.
        subject: String,
        /// What was expected and what was found.
        reason: String,
    },
    /// Text that is no record id.
    #[error("expected a record id of 16 hexadecimal digits below 8000000000000000, found {found:?}")]
    BadId {
        /// The text.
        found: String,
    },
    /// Two records cannot share a path.
    #[error("{path}: this path already belongs to record {holder}")]
    PathTaken {
        /// The path.
        path: String,
        /// Whose it is.
        holder: RecordId,
    },
    /// No record has this id.
    #[error("no record has the id {id}")]
    UnknownRecord {
        /// The id.
        id: RecordId,
    },
    /// The disk (or quota) is full. The change was rolled back, the library is as it was.
    #[error("{}: no space left to write, nothing was changed", path.display())]
    DiskFull {
        /// The database file.
        path: PathBuf,
    },
    /// The database does not pass its own checks.
    #[error("{}: the library is damaged: {}", path.display(), problems.join("; "))]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What the checks found, first ones first.
        problems: Vec<String>,
    },
    /// A filter expression that does not parse.
    #[error(transparent)]
    Filter(#[from] crate::FilterError),
    /// The database engine refused or failed.
    #[error("{}: {action}: {source}", path.display())]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A file beside the database could not be made, opened or locked.
    #[error("{}: {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl StoreError {
    /// What the user can do about it, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Locked { .. } => "wait until the other run is done, or end it; searching works meanwhile",
            Self::ReadOnly { .. } => "open the library for writing",
            Self::NotFound { .. } => "make one with `lexiform index PATH --library FOLDER`",
            Self::NotALibrary { .. } => "name another folder, or move the file away",
            Self::TooNew { .. } => "update lexiform, or index into a new library",
            Self::TooOld { .. } => {
                "run `lexiform index` on it once: opening for writing brings it up to date"
            }
            Self::ModelMismatch { .. } => {
                "use a model the library knows, or let it know this one too: `lexiform index PATH --model MODEL`"
            }
            Self::DiskFull { .. } => "free some space and run again: finished files are not done twice",
            Self::Damaged { .. } => {
                "delete the library's folder and index again, or restore it from a backup"
            }
            Self::BadId { .. } => "ids are printed by `lexiform search --json`",
            Self::Filter(error) => return error.hint(),
            _ => return None,
        })
    }

    /// Sorts an engine error into the kinds a caller can act on.
    pub(crate) fn sqlite(path: &Path, action: &'static str, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path: path.into() },
            Some(ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path: path.into(), problems: vec![source.to_string()] }
            }
            Some(ErrorCode::NotADatabase) => {
                Self::NotALibrary { path: path.into(), found: "a file that is no SQLite database".into() }
            }
            _ => Self::Sqlite { path: path.into(), action, source },
        }
    }

    pub(crate) fn invalid(subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { subject: subject.into(), reason: reason.into() }
    }
}

fn holder_name(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".into(), |pid| format!("process {pid}"))
}
