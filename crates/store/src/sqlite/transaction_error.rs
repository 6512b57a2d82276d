//! Errors inside a transaction, without the path of the database.

use std::path::Path;

use crate::StoreError;

/// An error of a transaction, converted by [`TransactionError::into_store_error`] at its end.
pub(super) enum TransactionError {
    Sql(rusqlite::Error),
    Store(StoreError),
    /// The snapshot is older than the files of vectors; a new one is not.
    Outdated(StoreError),
}

impl From<rusqlite::Error> for TransactionError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for TransactionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl TransactionError {
    /// Adds the database file and what was attempted.
    pub(super) fn into_store_error(self, path: &Path, action: &'static str) -> StoreError {
        match self {
            Self::Sql(error) => StoreError::sqlite(path, action, error),
            Self::Store(error) | Self::Outdated(error) => error,
        }
    }
}
