//! Errors of stores, with hints.

use std::io;
use std::path::{Path, PathBuf};

use crate::{EmbeddingSpace, RecordId};

/// Error of a store. A failed write changed nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another handle in this one, has the library open for writing.
    #[error("{}: the library is being written by {}", folder.display(), process_name(*pid))]
    Locked {
        /// The library's folder.
        folder: PathBuf,
        /// Id of the process that writes, if known.
        pid: Option<u32>,
    },
    /// A write to a store that was opened for reading.
    #[error("{}: the library was opened read-only", folder.display())]
    ReadOnly {
        /// The library's folder.
        folder: PathBuf,
    },
    /// The folder contains no library.
    #[error("{}: no such library", folder.display())]
    NotFound {
        /// The folder.
        folder: PathBuf,
    },
    /// The file is not a library.
    #[error("{}: not a library: {found}", path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        found: String,
    },
    /// The library was written by a newer version of this software.
    #[error("{}: unsupported schema version {found}, expected at most {supported}", path.display())]
    SchemaTooNew {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version this software supports.
        supported: i64,
    },
    /// The library was written by an older version of this software and must be migrated by a writer.
    #[error("{}: old schema version {found}, expected {needed}", path.display())]
    SchemaTooOld {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version this software requires.
        needed: i64,
    },
    /// The library contains embeddings of another model or preprocessing; they cannot be compared.
    #[error("{}: expected model {expected}, found {found}", folder.display())]
    ModelMismatch {
        /// The library's folder.
        folder: PathBuf,
        /// The space of the library.
        expected: Box<EmbeddingSpace>,
        /// The space that was requested.
        found: Box<EmbeddingSpace>,
    },
    /// An invalid vector, record, payload or request.
    #[error("{subject}: {reason}")]
    Invalid {
        /// The record, by its path, or the part of a request.
        subject: String,
        /// Expected and found value.
        reason: String,
    },
    /// An invalid record id.
    #[error("invalid record id {found:?}: expected 16 hexadecimal digits below 8000000000000000")]
    InvalidId {
        /// The text.
        found: String,
    },
    /// Two records cannot share a path.
    #[error("{path}: path already used by record {existing}")]
    DuplicatePath {
        /// The path.
        path: String,
        /// The record with this path.
        existing: RecordId,
    },
    /// No record has this id.
    #[error("no such record: {id}")]
    UnknownRecord {
        /// The id.
        id: RecordId,
    },
    /// The disk or quota is full. The change was rolled back.
    #[error("{}: no space left on device, nothing was changed", path.display())]
    DiskFull {
        /// The database file.
        path: PathBuf,
    },
    /// The database is corrupt.
    #[error("{}: the library is corrupt: {}", path.display(), problems.join("; "))]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// Problems found.
        problems: Vec<String>,
    },
    /// A library on a database server could not be read or written.
    #[error("{library}: {action}: {reason}")]
    Remote {
        /// The library's address, without a password.
        library: String,
        /// What was attempted.
        action: &'static str,
        /// The server's or connection's error.
        reason: String,
        /// How the user can fix it, if there is a way.
        hint: Option<&'static str>,
    },
    /// An error of whoever provides the records to write.
    #[error(transparent)]
    Source(Box<dyn std::error::Error + Send + Sync>),
    /// A filter expression that does not parse.
    #[error(transparent)]
    Filter(#[from] crate::FilterError),
    /// Error of the database engine.
    #[error("{}: {action}: {source}", path.display())]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// A file or folder of the library could not be created, opened or locked.
    #[error("{}: {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// The operating system's error.
        source: io::Error,
    },
}

impl StoreError {
    /// How the user can fix it, if there is a way.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Locked { .. } => {
                "wait for the other process to finish, or stop it; searching works in the meantime"
            }
            Self::ReadOnly { .. } => "open the library for writing",
            Self::NotFound { .. } => "create one with `lexiform index PATH --library FOLDER`",
            Self::NotALibrary { .. } => "choose another folder, or move the file",
            Self::SchemaTooNew { .. } => "update lexiform, or index into a new library",
            Self::SchemaTooOld { .. } => "run `lexiform index` on it once to migrate it",
            Self::ModelMismatch { .. } => {
                "use a model of the library, or add this one: `lexiform index PATH --model MODEL`"
            }
            Self::DiskFull { .. } => "free some space and run again; indexed files are skipped",
            Self::Corrupt { .. } => {
                "delete the library's folder and index again, or restore it from a backup"
            }
            Self::InvalidId { .. } => "`lexiform search --json` prints ids",
            Self::Filter(error) => return error.hint(),
            Self::Remote { hint, .. } => return *hint,
            _ => return None,
        })
    }

    /// Maps an engine error to the variants that a caller can handle.
    pub(crate) fn sqlite(path: &Path, action: &'static str, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path: path.into() },
            Some(ErrorCode::DatabaseCorrupt) => {
                Self::Corrupt { path: path.into(), problems: vec![source.to_string()] }
            }
            // Also what SQLite reports for encrypted databases.
            Some(ErrorCode::NotADatabase) => {
                Self::NotALibrary { path: path.into(), found: "a file that is not an SQLite database".into() }
            }
            _ => Self::Sqlite { path: path.into(), action, source },
        }
    }

    /// An invalid value of the caller.
    pub fn invalid(subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { subject: subject.into(), reason: reason.into() }
    }
}

/// The process in the message about a locked library.
fn process_name(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".into(), |pid| format!("process {pid}"))
}
