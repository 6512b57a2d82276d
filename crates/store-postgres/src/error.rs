//! Errors of the server as errors of a store, and which of them pass.

use std::path::PathBuf;

use lexiform_store::{RecordId, StoreError};
use postgres::error::SqlState;

use crate::PostgresAddress;
use crate::address::reason;

/// An error inside a transaction, converted by [`DatabaseError::into_store_error`] at its end.
#[derive(Debug)]
pub(crate) enum DatabaseError {
    Sql(postgres::Error),
    Store(StoreError),
}

impl From<postgres::Error> for DatabaseError {
    fn from(error: postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for DatabaseError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<serde_json::Error> for DatabaseError {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(StoreError::invalid("column of JSON", error.to_string()))
    }
}

impl DatabaseError {
    /// Whether the same work may succeed when it is tried again: another writer was faster, or the connection was lost.
    pub(crate) fn is_transient(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        match error.code() {
            // Class 08: the connection; HV00N: that to a shard.
            Some(code) => {
                code.code().starts_with("08")
                    || [
                        SqlState::T_R_SERIALIZATION_FAILURE,
                        SqlState::T_R_DEADLOCK_DETECTED,
                        SqlState::ADMIN_SHUTDOWN,
                        SqlState::CRASH_SHUTDOWN,
                        SqlState::CANNOT_CONNECT_NOW,
                        SqlState::FDW_UNABLE_TO_ESTABLISH_CONNECTION,
                    ]
                    .contains(code)
            }
            None => Self::is_broken(error),
        }
    }

    /// Whether the connection cannot be used again.
    pub(crate) fn breaks_connection(&self) -> bool {
        matches!(self, Self::Sql(error) if Self::is_broken(error) || error.code().is_some_and(|code| {
            [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN].contains(code)
        }))
    }

    fn is_broken(error: &postgres::Error) -> bool {
        let is_io = std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>());
        error.is_closed() || is_io
    }

    /// Adds the library and what was attempted.
    pub(crate) fn into_store_error(self, address: &PostgresAddress, action: &'static str) -> StoreError {
        let error = match self {
            Self::Store(error) => return error,
            Self::Sql(error) => error,
        };
        if error.code() == Some(&SqlState::DISK_FULL) {
            return StoreError::DiskFull { path: PathBuf::from(address.to_string()) };
        }
        let hint = hint(&error);
        StoreError::Remote { library: address.to_string(), action, reason: reason(&error), hint }
    }
}

/// What the user can do about an error of the server.
fn hint(error: &postgres::Error) -> Option<&'static str> {
    let Some(code) = error.code() else {
        return DatabaseError::is_broken(error)
            .then_some("check that the server runs and that the address is right; what was indexed is kept");
    };
    Some(match code.code() {
        "28P01" | "28000" => "check the user and the password; `PGPASSWORD` sets it without showing it",
        "3D000" => "create the database with `createdb`",
        "42501" => {
            "ask for the rights to create schemas and extensions in the database, or let its owner create the library"
        }
        // The files of an extension, or an extension itself.
        "58P01" | "0A000" => {
            "install pgvector 0.8 or later on the server (and postgres_fdw and dblink for shards)"
        }
        "HV00N" | "08001" | "08006" | "08000" => "start the shard again; what was indexed is kept",
        "53300" => "wait, or raise `max_connections` on the server",
        _ => return None,
    })
}

/// The record that a violated constraint is about, from the server's message: the path that another record has.
pub(crate) fn violated_path(error: &postgres::Error) -> Option<String> {
    let error = error.as_db_error().filter(|error| *error.code() == SqlState::UNIQUE_VIOLATION)?;
    if error.constraint() != Some("records_path_key") {
        return None;
    }
    // In every language: `Key (path)=(a/b.glb) already exists.`
    let detail = error.detail()?;
    let start = detail.find("(path)=(")? + "(path)=(".len();
    let end = detail.rfind(')')?;
    Some(detail.get(start..end)?.to_owned())
}

/// A record id from a column.
pub(crate) fn record_id(value: i64) -> Result<RecordId, DatabaseError> {
    RecordId::from_i64(value).ok_or_else(|| {
        StoreError::invalid("record id", format!("expected no negative number, found {value}")).into()
    })
}
