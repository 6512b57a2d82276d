//! The tables, their version, and how an older file is brought up to date.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::Fault;
use crate::{Space, StoreError};

/// "LXFM": tells a library from other SQLite files.
const APPLICATION_ID: i64 = 0x4c58_464d;

/// Step `n` takes a file from version `n` to `n + 1`. Steps that were released are never edited.
const MIGRATIONS: [&str; 2] = [VERSION_1, VERSION_2];

/// Vectors stand in a table of their own with a number of their space: another model's vectors can stand beside
/// them, and filters never read past them. `generation` counts the changes of a space's vectors; it lets a reader see
/// what changed since it last looked.
pub(super) const VERSION_1: &str = "
CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE spaces (
    id            INTEGER PRIMARY KEY,
    model         TEXT NOT NULL,
    dim           INTEGER NOT NULL,
    preprocessing TEXT NOT NULL,
    generation    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (model, dim, preprocessing)
) STRICT;

CREATE TABLE records (
    id           INTEGER PRIMARY KEY,
    path         TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    format       TEXT NOT NULL,
    bytes        INTEGER NOT NULL,
    vertices     INTEGER NOT NULL,
    triangles    INTEGER NOT NULL,
    points       INTEGER NOT NULL,
    extent_x     REAL NOT NULL,
    extent_y     REAL NOT NULL,
    extent_z     REAL NOT NULL,
    modified_ns  INTEGER,
    extra        TEXT NOT NULL
) STRICT;
CREATE INDEX records_by_content ON records (content_hash);

CREATE TABLE vectors (
    row        INTEGER PRIMARY KEY,
    space_id   INTEGER NOT NULL REFERENCES spaces (id),
    record_id  INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    vector     BLOB NOT NULL,
    UNIQUE (record_id, space_id)
) STRICT;
CREATE INDEX vectors_by_generation ON vectors (space_id, generation, record_id);

CREATE TABLE thumbnails (
    record_id INTEGER PRIMARY KEY REFERENCES records (id) ON DELETE CASCADE,
    image     BLOB NOT NULL
) STRICT;

CREATE TABLE failures (
    path         TEXT PRIMARY KEY,
    content_hash TEXT,
    bytes        INTEGER NOT NULL,
    modified_ns  INTEGER,
    error        TEXT NOT NULL,
    at_ns        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// A file that one model cannot use may suit another: failures belong to a space, as vectors do.
const VERSION_2: &str = "
CREATE TABLE failures_of_spaces (
    space_id     INTEGER NOT NULL REFERENCES spaces (id),
    path         TEXT NOT NULL,
    content_hash TEXT,
    bytes        INTEGER NOT NULL,
    modified_ns  INTEGER,
    error        TEXT NOT NULL,
    at_ns        INTEGER NOT NULL,
    PRIMARY KEY (space_id, path)
) STRICT, WITHOUT ROWID;
INSERT INTO failures_of_spaces
    SELECT (SELECT min(id) FROM spaces), path, content_hash, bytes, modified_ns, error, at_ns FROM failures;
DROP TABLE failures;
ALTER TABLE failures_of_spaces RENAME TO failures;
";

/// What a database file turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No tables yet: new, or its creation was cut short.
    Empty,
    /// A library of this version.
    Version(i64),
}

/// Looks at a file without changing it.
///
/// # Errors
/// If the file is not a library, or of a version yet to come.
pub(super) fn state(connection: &Connection, path: &Path) -> Result<State, Fault> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    if tables == 0 && application == 0 {
        return Ok(State::Empty);
    }
    if application != APPLICATION_ID {
        let found = "a database of another application".into();
        return Err(StoreError::NotALibrary { path: path.into(), found }.into());
    }
    if version > newest() {
        return Err(StoreError::TooNew { path: path.into(), found: version, supported: newest() }.into());
    }
    Ok(State::Version(version))
}

/// The version this software reads and writes.
pub(super) fn newest() -> i64 {
    MIGRATIONS.len() as i64
}

/// Brings a file to the newest version, all steps or none. A new file also gets its space.
pub(super) fn migrate(connection: &mut Connection, state: State, space: Option<&Space>) -> Result<(), Fault> {
    let version = match state {
        State::Empty => 0,
        State::Version(version) => version,
    };
    if version == newest() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", newest())?;
    if let Some(space) = space.filter(|_| state == State::Empty) {
        add_space(&transaction, space)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Makes room for the vectors of one more space.
pub(super) fn add_space(connection: &Connection, space: &Space) -> Result<(), Fault> {
    let Space { model, dim, preprocessing } = space;
    let insert = "INSERT INTO spaces (model, dim, preprocessing) VALUES (?, ?, ?)";
    connection.execute(insert, (model, i64::try_from(*dim).unwrap_or(i64::MAX), preprocessing))?;
    Ok(())
}

/// All spaces of a library with their numbers, the first one first.
pub(super) fn spaces(connection: &Connection, path: &Path) -> Result<Vec<(i64, Space)>, Fault> {
    let mut statement = connection.prepare("SELECT id, model, dim, preprocessing FROM spaces ORDER BY id")?;
    let found = statement.query_map([], |row| {
        Ok((row.get(0)?, Space { model: row.get(1)?, dim: row.get(2)?, preprocessing: row.get(3)? }))
    })?;
    let found: Vec<(i64, Space)> = found.collect::<Result<_, _>>()?;
    if found.is_empty() {
        let problems = vec!["it does not say which model its vectors come from".into()];
        return Err(StoreError::Damaged { path: path.into(), problems }.into());
    }
    Ok(found)
}

/// The space that is asked for, or else the first one.
pub(super) fn space(
    connection: &Connection,
    path: &Path,
    wanted: Option<&Space>,
) -> Result<(i64, Space), Fault> {
    let mut spaces = spaces(connection, path)?;
    let at = spaces.iter().position(|(_, space)| Some(space) == wanted).unwrap_or(0);
    Ok(spaces.swap_remove(at))
}
