//! Connections: how a database is opened for writing and for reading.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::Fault;
use super::schema::State;
use crate::StoreError;
use crate::filter::sql;

/// The connection that writes.
pub(super) fn open_writer(database: &Path, create: bool) -> Result<Connection, Fault> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let connection = Connection::open_with_flags(database, flags)?;
    prepare(&connection)?;
    // FULL: a commit is on the disk before it is acknowledged, so not even a power cut takes it back. One wait for
    // the disk per batch is little beside making the batch's embeddings.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Puts the database into WAL mode, a new one also into the right page size.
pub(super) fn set_journal(connection: &Connection, state: State) -> Result<(), Fault> {
    if state == State::Empty {
        // 16 kB: several vectors to a page; with 4 kB, vectors of 512 numbers would leave half of each page unused.
        connection.pragma_update(None, "page_size", 16_384)?;
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    let reason = format!("expected journal mode wal, found {mode}: readers beside a writer need it");
    Err(StoreError::invalid("file system", reason).into())
}

/// A connection for reading and whether the database can be taken for unchanging.
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
    // On a medium that cannot be written, readers cannot make the files they coordinate with writers by. If no
    // writer left changes behind, none are needed.
    let mut wal = database.as_os_str().to_owned();
    wal.push("-wal");
    let is_settled = std::fs::metadata(&wal).map_or(true, |wal| wal.len() == 0);
    let is_unwritable = error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)
        || error.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly);
    if is_settled
        && is_unwritable
        && let Ok(connection) = probe(true)
    {
        return Ok((connection, true));
    }
    Err(StoreError::sqlite(database, "cannot open the library", error))
}

/// One more connection for reading.
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
    // Writers hold each other off by the lock file; this bridges another SQLite tool or a recovery in progress.
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // A library may come from anywhere: nothing in its schema may call functions with side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    sql::register(connection)
}
