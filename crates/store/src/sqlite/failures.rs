//! Files that could not be indexed, in the table `failures`.

use rusqlite::{Connection, Row, params};

use super::transaction_error::TransactionError;
use crate::Failure;

/// See [`VectorStore::failures`](crate::VectorStore::failures).
pub(super) fn list(connection: &Connection, space_id: i64) -> Result<Vec<Failure>, TransactionError> {
    let mut statement = connection.prepare_cached(
        "SELECT path, content_hash, bytes, modified_ns, error, failed_at_ns FROM failures
         WHERE space_id = ? ORDER BY path",
    )?;
    Ok(statement.query_map([space_id], from_row)?.collect::<Result<_, _>>()?)
}

/// Reads the columns that [`list`] selects.
fn from_row(row: &Row<'_>) -> rusqlite::Result<Failure> {
    Ok(Failure {
        path: row.get(0)?,
        content_hash: row.get(1)?,
        bytes: row.get(2)?,
        modified_ns: row.get(3)?,
        error: row.get(4)?,
        failed_at_ns: row.get(5)?,
    })
}

/// See [`VectorStore::record_failures`](crate::VectorStore::record_failures).
pub(super) fn record(
    connection: &Connection,
    space_id: i64,
    failures: &[Failure],
) -> Result<(), TransactionError> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO failures
             (space_id, path, content_hash, bytes, modified_ns, error, failed_at_ns)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    for Failure { path, content_hash, bytes, modified_ns, error, failed_at_ns } in failures {
        insert.execute(params![space_id, path, content_hash, bytes, modified_ns, error, failed_at_ns])?;
    }
    Ok(())
}

/// See [`VectorStore::clear_failures`](crate::VectorStore::clear_failures).
pub(super) fn clear(connection: &Connection, space_id: i64, paths: &[&str]) -> Result<(), TransactionError> {
    let mut delete = connection.prepare_cached("DELETE FROM failures WHERE path = ? AND space_id = ?")?;
    for path in paths {
        delete.execute((path, space_id))?;
    }
    Ok(())
}
