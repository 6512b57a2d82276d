//! Opens connections for writing and for reading.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::schema::SchemaState;
use super::transaction_error::TransactionError;
use crate::StoreError;
use crate::filter;

/// Opens the connection that writes.
pub(super) fn open_writer(database: &Path, create: bool) -> Result<Connection, TransactionError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let connection = Connection::open_with_flags(database, flags)?;
    prepare(&connection)?;
    // FULL: a commit is on the disk before it is acknowledged, so a power failure cannot undo it. One disk flush per
    // batch is cheap compared to embedding the batch.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Sets WAL mode, and the page size of a new database.
pub(super) fn set_journal(connection: &Connection, state: SchemaState) -> Result<(), TransactionError> {
    if state == SchemaState::Empty {
        // 16 kB holds several thumbnails per page; with 4 kB, each of them would need pages of its own.
        connection.pragma_update(None, "page_size", 16_384)?;
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    let reason = format!("expected journal mode wal, found {mode}; concurrent readers and a writer need it");
    Err(StoreError::invalid("file system", reason).into())
}

/// Opens a connection for reading; also returns whether the database is immutable.
pub(super) fn open_reader(database: &Path) -> Result<(Connection, bool), StoreError> {
    let probe = |immutable: bool| {
        let connection = connect_reader(database, immutable)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    let error: rusqlite::Error = match probe(false) {
        Ok(connection) => return Ok((connection, false)),
        Err(error) => error,
    };
    // On a read-only medium, readers cannot create the files that coordinate them with a writer. If no writer left
    // changes in the log, those files are not needed.
    let mut wal = database.as_os_str().to_owned();
    wal.push("-wal");
    let is_checkpointed = std::fs::metadata(&wal).map_or(true, |wal| wal.len() == 0);
    let is_unwritable = error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)
        || error.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly);
    if is_checkpointed
        && is_unwritable
        && let Ok(connection) = probe(true)
    {
        return Ok((connection, true));
    }
    Err(StoreError::sqlite(database, "cannot open the library", error))
}

/// Opens another connection for reading.
pub(super) fn connect_reader(database: &Path, immutable: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if immutable {
        let escaped = database.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let uri = format!("file:{escaped}?immutable=1");
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(database, flags)?
    };
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // The lock file excludes other writers of ours; this waits for other SQLite tools and for a recovery in progress.
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // A library may come from an untrusted source: its schema must not call functions with side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    filter::register(connection)
}
