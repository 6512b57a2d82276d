//! Key-value metadata of the whole library, in the table `metadata`.

use rusqlite::{Connection, OptionalExtension as _};

use super::transaction_error::TransactionError;

/// See [`VectorStore::metadata`](crate::VectorStore::metadata).
pub(super) fn get(connection: &Connection, key: &str) -> Result<Option<String>, TransactionError> {
    let select = "SELECT value FROM metadata WHERE key = ?";
    Ok(connection.query_row(select, [key], |row| row.get(0)).optional()?)
}

/// See [`VectorStore::set_metadata`](crate::VectorStore::set_metadata).
pub(super) fn set(connection: &Connection, key: &str, value: Option<&str>) -> Result<(), TransactionError> {
    match value {
        Some(value) => connection.execute(
            "INSERT INTO metadata (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
            (key, value),
        )?,
        None => connection.execute("DELETE FROM metadata WHERE key = ?", [key])?,
    };
    Ok(())
}
