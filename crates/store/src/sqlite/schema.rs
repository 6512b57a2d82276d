//! The tables, their version, and migrations of older files.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::transaction_error::TransactionError;
use super::{names, rows, spaces, vectors};
use crate::{EmbeddingSpace, StoreError};

/// "LXFM": distinguishes libraries from other SQLite files.
const APPLICATION_ID: i64 = 0x4c58_464d;

/// Step `n` migrates a file from version `n` to `n + 1`. Released steps are never edited.
const MIGRATIONS: [Migration; 6] = [
    Migration::Sql(VERSION_1),
    Migration::Sql(VERSION_2),
    Migration::Sql(VERSION_3),
    Migration::Code(move_vectors_to_files),
    Migration::Sql(VERSION_5),
    Migration::Code(add_captions),
];

/// The first version without vectors in the database.
const VECTORS_IN_FILES: i64 = 4;

/// A step from one version to the next.
enum Migration {
    Sql(&'static str),
    /// Gets the folder of the library.
    Code(fn(&Transaction<'_>, &Path) -> Result<(), TransactionError>),
}

/// Vectors have their own table with the id of their space: a library can contain vectors of several models, and
/// filters do not read past vectors. `generation` counts the changes of a space's vectors, so that a reader with
/// vectors in memory reads only later changes.
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

/// Failures belong to a space, as vectors do: a file that fails for one model may work for another.
pub(super) const VERSION_2: &str = "
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

/// The indexer's state gets separate columns: until version 2 it was stored in `extra`, where search results and
/// filters showed it. Keys with values of other types than the indexer's were set by users and stay.
const VERSION_3: &str = "
ALTER TABLE records ADD COLUMN stat_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN dependencies TEXT NOT NULL DEFAULT '[]';
UPDATE records SET stat_hash = json_extract(extra, '$.stamp'), extra = json_remove(extra, '$.stamp')
    WHERE json_type(extra, '$.stamp') = 'text';
UPDATE records SET dependencies = json_extract(extra, '$.sides'), extra = json_remove(extra, '$.sides')
    WHERE json_type(extra, '$.sides') = 'array';
ALTER TABLE notes RENAME TO metadata;
ALTER TABLE failures RENAME COLUMN at_ns TO failed_at_ns;
";

/// `slots` is the number of valid slots in the files of a space (`crate::vectors`); `dead_slots` are those that no record
/// has. Triggers fill it, so that no statement, and no cascade, can forget to.
const VERSION_4: &str = "
DROP TABLE vectors;
ALTER TABLE slots RENAME TO vectors;
CREATE UNIQUE INDEX vectors_by_slot ON vectors (space_id, slot);
CREATE TRIGGER vectors_deleted AFTER DELETE ON vectors BEGIN
    INSERT INTO dead_slots VALUES (old.space_id, old.slot);
END;
CREATE TRIGGER vectors_replaced AFTER UPDATE OF slot ON vectors WHEN old.slot <> new.slot BEGIN
    INSERT INTO dead_slots VALUES (old.space_id, old.slot);
END;
";
/// The tables that [`VERSION_4`] puts in place of the old ones.
const VERSION_4_TABLES: &str = "
ALTER TABLE spaces ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spaces ADD COLUMN slots INTEGER NOT NULL DEFAULT 0;
CREATE TABLE slots (
    record_id INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    space_id  INTEGER NOT NULL REFERENCES spaces (id),
    slot      INTEGER NOT NULL,
    PRIMARY KEY (record_id, space_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_slots (
    space_id INTEGER NOT NULL REFERENCES spaces (id),
    slot     INTEGER NOT NULL,
    PRIMARY KEY (space_id, slot)
) STRICT, WITHOUT ROWID;
";

/// Version 4: vectors move from the table `vectors` to files. If the transaction does not commit, what is in the files
/// does not count.
fn move_vectors_to_files(transaction: &Transaction<'_>, folder: &Path) -> Result<(), TransactionError> {
    transaction.execute_batch(VERSION_4_TABLES)?;
    let mut statement = transaction.prepare("SELECT id, dim FROM spaces")?;
    let spaces = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let spaces: Vec<(i64, usize)> = spaces.collect::<Result<_, _>>()?;
    for (space_id, dim) in spaces {
        let mut appender = vectors::appender(transaction, folder, space_id)?;
        let mut old = transaction.prepare("SELECT record_id, vector FROM vectors WHERE space_id = ?")?;
        let mut new = transaction.prepare("INSERT INTO slots VALUES (?, ?, ?)")?;
        let (mut found, mut vector) = (old.query([space_id])?, Vec::new());
        while let Some(row) = found.next()? {
            rows::vector(row, 1, dim, &mut vector)?;
            new.execute((row.get::<_, i64>(0)?, space_id, appender.push(&vector)?))?;
        }
        vectors::set_slots(transaction, space_id, appender.finish()?)?;
    }
    drop(statement);
    Ok(transaction.execute_batch(VERSION_4)?)
}

/// The index of names, and the vocabulary of their words as they are spelled, both filled by `super::names`. Rows are deleted by a
/// trigger, so that no statement, and no cascade, can forget to.
const VERSION_5: &str = "
ALTER TABLE records ADD COLUMN objects TEXT NOT NULL DEFAULT '[]';
ALTER TABLE records ADD COLUMN materials TEXT NOT NULL DEFAULT '[]';
CREATE VIRTUAL TABLE names USING fts5 (
    stem, objects, folders, materials, captions,
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE spellings USING fts5 (
    words, detail = none, columnsize = 0,
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (spellings, 'row');
CREATE TRIGGER names_deleted AFTER DELETE ON records BEGIN
    DELETE FROM names WHERE rowid = old.id;
    DELETE FROM spellings WHERE rowid = old.id;
END;
";

/// What a captioner wrote, as a list of JSON, and its id.
const VERSION_6: &str = "
ALTER TABLE records ADD COLUMN captions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE records ADD COLUMN captioner TEXT NOT NULL DEFAULT '';
";

/// Version 6: captions, and the names of all records of a library older than version 5, which are written from rows of the latest
/// version. Names of objects and materials follow when files are indexed again.
fn add_captions(transaction: &Transaction<'_>, _folder: &Path) -> Result<(), TransactionError> {
    transaction.execute_batch(VERSION_6)?;
    let has_names = transaction.query_row("SELECT EXISTS (SELECT 1 FROM names)", [], |row| row.get(0))?;
    if has_names { Ok(()) } else { names::write_all(transaction) }
}

/// Schema state of a database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaState {
    /// No tables: new, or its creation was interrupted.
    Empty,
    /// A library of this version.
    Version(i64),
}

/// Reads the state of a file.
///
/// # Errors
/// [`StoreError::NotALibrary`], [`StoreError::SchemaTooNew`].
pub(super) fn state(connection: &Connection, path: &Path) -> Result<SchemaState, TransactionError> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    // An empty file, or one of which only the header was written.
    if tables == 0 && application == 0 {
        return Ok(SchemaState::Empty);
    }
    if application != APPLICATION_ID {
        let found = "a database of another application".into();
        return Err(StoreError::NotALibrary { path: path.into(), found }.into());
    }
    if version > latest_version() {
        return Err(StoreError::SchemaTooNew {
            path: path.into(),
            found: version,
            supported: latest_version(),
        }
        .into());
    }
    Ok(SchemaState::Version(version))
}

/// The schema version that this software reads and writes.
pub(super) fn latest_version() -> i64 {
    MIGRATIONS.len() as i64
}

/// Migrates a file to the latest version, all steps or none. A new file also gets its space.
pub(super) fn migrate(
    connection: &mut Connection,
    state: SchemaState,
    folder: &Path,
    space: Option<&EmbeddingSpace>,
) -> Result<(), TransactionError> {
    let version = match state {
        SchemaState::Empty => 0,
        SchemaState::Version(version) => version,
    };
    if version == latest_version() {
        return Ok(());
    }
    // Version and tables change together: an interrupted migration leaves the old version.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        match step {
            Migration::Sql(step) => transaction.execute_batch(step)?,
            Migration::Code(step) => step(&transaction, folder)?,
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", latest_version())?;
    if let Some(space) = space.filter(|_| state == SchemaState::Empty) {
        spaces::add(&transaction, space)?;
    }
    transaction.commit()?;
    if (1..VECTORS_IN_FILES).contains(&version) {
        // Gives the space of the vectors back to the disk. Without it, later records use that space.
        let _ = connection.execute_batch("VACUUM");
    }
    Ok(())
}
