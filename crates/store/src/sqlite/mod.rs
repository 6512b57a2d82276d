//! The embedded store: one SQLite database in WAL mode per library.
//!
//! In the library's folder: `library.sqlite` (the truth; with `-wal` and `-shm` beside it while in use) and
//! `writer.lock`. One process writes, any number read at the same time, each reading what was last committed.
//!
//! A library may hold vectors of several spaces side by side. A [`SqliteStore`] sees one of them: records without a
//! vector there do not exist for it. Records, and what is known about their files, are shared between spaces.

mod connect;
mod lock;
mod rows;
mod schema;
mod search;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params_from_iter};

use crate::{
    Entry, Failure, Filter, Hit, ListRequest, Precision, Record, RecordId, SearchRequest, Space, Stamp,
    StoreError, VectorStore,
};
use lock::WriterLock;
use schema::State;

const DATABASE: &str = "library.sqlite";

/// A library on this machine's disk.
///
/// Exact: every search scores every record that the filter selects. What `upsert` and the other changes acknowledge
/// survives the end of the process and the loss of power.
#[derive(Debug)]
pub struct SqliteStore {
    folder: PathBuf,
    database: PathBuf,
    space: Space,
    space_id: i64,
    precision: Precision,
    /// The folder cannot be written and nobody else writes it.
    immutable: bool,
    loaded: Mutex<Option<search::Loaded>>,
    readers: Mutex<Vec<Connection>>,
    /// Dropped in this order: the lock goes last.
    writer: Option<(Mutex<Connection>, WriterLock)>,
}

/// What goes wrong inside a transaction, before the database file is named.
enum Fault {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    fn at(self, path: &Path, action: &'static str) -> StoreError {
        match self {
            Self::Sql(error) => StoreError::sqlite(path, action, error),
            Self::Store(error) => error,
        }
    }
}

impl SqliteStore {
    /// Whether a folder holds a library (of any version, healthy or not).
    pub fn exists(folder: &Path) -> bool {
        folder.join(DATABASE).is_file()
    }

    /// Opens a library for reading, at its first space. Others may write it meanwhile: every call sees what was last
    /// committed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NotALibrary`], [`StoreError::TooNew`], [`StoreError::TooOld`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_reader(folder, None)
    }

    /// Opens a library for reading at one of its spaces.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and [`StoreError::ModelMismatch`] if it has no such space.
    pub fn open_space(folder: &Path, space: &Space) -> Result<Self, StoreError> {
        let store = Self::open_reader(folder, Some(space))?;
        store.check_space(space)?;
        Ok(store)
    }

    /// The spaces whose vectors a library holds, the first one first.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn spaces(folder: &Path) -> Result<Vec<Space>, StoreError> {
        let store = Self::open_reader(folder, None)?;
        let spaces =
            store.read("cannot list the models", |connection| schema::spaces(connection, &store.database))?;
        Ok(spaces.into_iter().map(|(_, space)| space).collect())
    }

    fn open_reader(folder: &Path, wanted: Option<&Space>) -> Result<Self, StoreError> {
        let database = folder.join(DATABASE);
        if !database.is_file() {
            return Err(StoreError::NotFound { folder: folder.into() });
        }
        let (connection, immutable) = connect::open_reader(&database)?;
        let failed = |fault: Fault| fault.at(&database, "cannot open the library");
        match schema::state(&connection, &database).map_err(failed)? {
            State::Empty => return Err(StoreError::NotFound { folder: folder.into() }),
            State::Version(found) if found < schema::newest() => {
                return Err(StoreError::TooOld { path: database, found, needed: schema::newest() });
            }
            State::Version(_) => {}
        }
        let (space_id, space) = schema::space(&connection, &database, wanted).map_err(failed)?;
        let readers = Mutex::new(vec![connection]);
        Ok(Self::new(folder, (space_id, space), immutable, readers, None))
    }

    /// Opens a library for reading and writing, at its first space.
    ///
    /// # Errors
    /// [`StoreError::Locked`] at once if another writer has it open; else as for [`open`](Self::open), but for
    /// [`StoreError::TooOld`]: an older library is brought up to date.
    pub fn open_for_writing(folder: &Path) -> Result<Self, StoreError> {
        if !Self::exists(folder) {
            return Err(StoreError::NotFound { folder: folder.into() });
        }
        Self::open_writer(folder, None)
    }

    /// Opens a library for reading and writing, and makes it for vectors of `space` if there is none.
    ///
    /// # Errors
    /// As for [`open_for_writing`](Self::open_for_writing), and [`StoreError::ModelMismatch`] if there is a library of
    /// other spaces only.
    pub fn open_or_create(folder: &Path, space: &Space) -> Result<Self, StoreError> {
        let store = Self::make(folder, space)?;
        store.check_space(space)?;
        Ok(store)
    }

    /// Opens a library for reading and writing, makes it if there is none, and makes room in it for vectors of `space`
    /// beside those it has.
    ///
    /// # Errors
    /// As for [`open_for_writing`](Self::open_for_writing).
    pub fn open_or_add(folder: &Path, space: &Space) -> Result<Self, StoreError> {
        let store = Self::make(folder, space)?;
        if store.space == *space {
            return Ok(store);
        }
        store.write("cannot add a model", |connection| schema::add_space(connection, space))?;
        let (space_id, space) = store.read("cannot add a model", |connection| {
            schema::space(connection, &store.database, Some(space))
        })?;
        Ok(Self { space_id, space, ..store })
    }

    fn make(folder: &Path, space: &Space) -> Result<Self, StoreError> {
        if !(1..=65_536).contains(&space.dim) {
            return Err(StoreError::invalid("dim", format!("expected 1 to 65536, found {}", space.dim)));
        }
        fs_err::create_dir_all(folder).map_err(|source| StoreError::Io {
            path: folder.into(),
            action: "cannot make the library's folder",
            source,
        })?;
        Self::open_writer(folder, Some(space))
    }

    /// Keeps vectors in memory at this precision; answers stay the same.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, loaded: Mutex::new(None), ..self }
    }

    /// The library's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Checks the whole database: pages, indexes, references, sizes of vectors. Reads everything.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with what was found.
    pub fn verify(&self) -> Result<(), StoreError> {
        let mut problems = self.read("cannot check the library", |connection| {
            let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
            let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let mut problems: Vec<String> = lines.into_iter().filter(|line| line != "ok").collect();
            let mut count = |select: &str, what: &str| -> Result<(), Fault> {
                let found: i64 = connection.query_row(select, [], |row| row.get(0))?;
                problems.extend((found > 0).then(|| format!("{found} {what}")));
                Ok(())
            };
            count("SELECT count(*) FROM pragma_foreign_key_check", "rows that belong to no record")?;
            count(
                "SELECT count(*) FROM vectors JOIN spaces ON spaces.id = space_id WHERE length(vector) <> 4 * dim",
                "vectors of a wrong size",
            )?;
            Ok(problems)
        })?;
        problems.truncate(20);
        let path = self.database.clone();
        if problems.is_empty() { Ok(()) } else { Err(StoreError::Damaged { path, problems }) }
    }

    fn open_writer(folder: &Path, new_space: Option<&Space>) -> Result<Self, StoreError> {
        let lock = WriterLock::acquire(folder)?;
        let database = folder.join(DATABASE);
        let failed = |fault: Fault| fault.at(&database, "cannot open the library for writing");
        let mut connection = connect::open_writer(&database, new_space.is_some()).map_err(failed)?;
        let state = schema::state(&connection, &database).map_err(failed)?;
        if state == State::Empty && new_space.is_none() {
            return Err(StoreError::NotFound { folder: folder.into() });
        }
        connect::set_journal(&connection, state).map_err(failed)?;
        schema::migrate(&mut connection, state, new_space).map_err(failed)?;
        let space = schema::space(&connection, &database, new_space).map_err(failed)?;
        let writer = Some((Mutex::new(connection), lock));
        Ok(Self::new(folder, space, false, Mutex::default(), writer))
    }

    fn new(
        folder: &Path,
        (space_id, space): (i64, Space),
        immutable: bool,
        readers: Mutex<Vec<Connection>>,
        writer: Option<(Mutex<Connection>, WriterLock)>,
    ) -> Self {
        let (folder, database) = (folder.to_path_buf(), folder.join(DATABASE));
        let (precision, loaded) = (Precision::default(), Mutex::default());
        Self { folder, database, space, space_id, precision, immutable, loaded, readers, writer }
    }

    /// What a row of `records` must fulfill to exist in this space.
    fn is_here(&self) -> String {
        let space = self.space_id;
        format!("EXISTS (SELECT 1 FROM vectors WHERE record_id = records.id AND space_id = {space})")
    }

    fn check_space(&self, found: &Space) -> Result<(), StoreError> {
        if *found == self.space {
            return Ok(());
        }
        let (expected, found) = (Box::new(self.space.clone()), Box::new(found.clone()));
        Err(StoreError::ModelMismatch { folder: self.folder.clone(), expected, found })
    }

    /// Runs `work` on one snapshot of the database.
    fn read<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let pooled = self.pool().pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => connect::connect_reader(&self.database, self.immutable)
                .map_err(|error| Fault::Sql(error).at(&self.database, action))?,
        };
        let result = connection.unchecked_transaction().map_err(Fault::from).and_then(|transaction| {
            let result = work(&transaction)?;
            transaction.finish()?;
            Ok(result)
        });
        self.pool().push(connection);
        result.map_err(|fault| fault.at(&self.database, action))
    }

    fn pool(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in a transaction that is kept if it succeeds, and leaves no trace if not.
    fn write<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let Some((connection, _)) = &self.writer else {
            return Err(StoreError::ReadOnly { folder: self.folder.clone() });
        };
        let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transact = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        transact().map_err(|fault: Fault| fault.at(&self.database, action))
    }
}

impl VectorStore for SqliteStore {
    fn space(&self) -> &Space {
        &self.space
    }

    fn len(&self) -> Result<usize, StoreError> {
        self.read("cannot count records", |connection| {
            let select = "SELECT count(*) FROM vectors WHERE space_id = ?";
            Ok(connection.query_row(select, [self.space_id], |row| row.get(0))?)
        })
    }

    fn upsert(&self, space: &Space, records: &[Record]) -> Result<(), StoreError> {
        write::upsert(self, space, records)
    }

    fn update(&self, entries: &[Entry]) -> Result<(), StoreError> {
        write::update(self, entries)
    }

    fn rename(&self, moves: &[(RecordId, String)]) -> Result<(), StoreError> {
        write::rename(self, moves)
    }

    fn delete(&self, ids: &[RecordId]) -> Result<usize, StoreError> {
        write::delete(self, ids)
    }

    fn get(&self, ids: &[RecordId]) -> Result<Vec<Option<Record>>, StoreError> {
        self.read("cannot read records", |connection| {
            let record = |id: &RecordId| Ok(rows::record(connection, *id, self.space_id, self.space.dim)?);
            ids.iter().map(record).collect()
        })
    }

    fn thumbnail(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("cannot read a thumbnail", |connection| Ok(rows::thumbnail(connection, id)?))
    }

    fn search(&self, request: &SearchRequest) -> Result<Vec<Hit>, StoreError> {
        search::search(self, request)
    }

    fn list(&self, request: &ListRequest) -> Result<Vec<Entry>, StoreError> {
        let mut parameters = Vec::new();
        let filter =
            request.filter.as_ref().map_or_else(|| "1".into(), |filter| filter.to_sql(&mut parameters));
        parameters.push(request.after.map_or(-1, RecordId::to_i64).into());
        parameters.push(i64::try_from(request.limit).unwrap_or(i64::MAX).into());
        let (columns, here) = (rows::ENTRY, self.is_here());
        let select =
            format!("SELECT {columns} FROM records WHERE {filter} AND id > ? AND {here} ORDER BY id LIMIT ?");
        self.read("cannot list records", |connection| {
            let mut statement = connection.prepare(&select)?;
            let entries = statement.query_map(params_from_iter(parameters), rows::entry)?;
            Ok(entries.collect::<Result<_, _>>()?)
        })
    }

    fn count(&self, filter: &Filter) -> Result<usize, StoreError> {
        let mut parameters = Vec::new();
        let (filter, here) = (filter.to_sql(&mut parameters), self.is_here());
        let select = format!("SELECT count(*) FROM records WHERE {filter} AND {here}");
        self.read("cannot count records", |connection| {
            Ok(connection.query_row(&select, params_from_iter(parameters), |row| row.get(0))?)
        })
    }

    fn find_by_path(&self, path: &str) -> Result<Option<Entry>, StoreError> {
        let select = format!("SELECT {} FROM records WHERE path = ? AND {}", rows::ENTRY, self.is_here());
        self.read("cannot find a record", |connection| {
            Ok(connection.prepare_cached(&select)?.query_row([path], rows::entry).optional()?)
        })
    }

    fn find_by_content(&self, content_hash: &str) -> Result<Vec<Entry>, StoreError> {
        let (columns, here) = (rows::ENTRY, self.is_here());
        let select = format!("SELECT {columns} FROM records WHERE content_hash = ? AND {here} ORDER BY id");
        self.read("cannot find records", |connection| {
            let mut statement = connection.prepare_cached(&select)?;
            Ok(statement.query_map([content_hash], rows::entry)?.collect::<Result<_, _>>()?)
        })
    }

    fn stamps(&self) -> Result<Vec<Stamp>, StoreError> {
        let here = self.is_here();
        let select = format!(
            "SELECT id, path, content_hash, bytes, modified_ns FROM records WHERE {here} ORDER BY path"
        );
        self.read("cannot list files", |connection| {
            let mut statement = connection.prepare_cached(&select)?;
            let stamps = statement.query_map([], |row| {
                Ok(Stamp {
                    id: rows::id(row, 0)?,
                    path: row.get(1)?,
                    content_hash: row.get(2)?,
                    bytes: row.get(3)?,
                    modified_ns: row.get(4)?,
                })
            })?;
            Ok(stamps.collect::<Result<_, _>>()?)
        })
    }

    fn assign_id(&self, path: &str, content_hash: &str) -> Result<RecordId, StoreError> {
        // Records are shared between spaces: the file may be known from another one.
        self.read("cannot find a record", |connection| {
            let select = "SELECT id FROM records WHERE path = ?";
            let known =
                connection.prepare_cached(select)?.query_row([path], |row| rows::id(row, 0)).optional()?;
            if let Some(id) = known {
                return Ok(id);
            }
            for turn in 0.. {
                let id = RecordId::derive(path, content_hash, turn);
                if rows::entry_of(connection, id)?.is_none() {
                    return Ok(id);
                }
            }
            Err(StoreError::invalid(path, "no id left to give").into())
        })
    }

    fn note(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.read("cannot read a note", |connection| {
            let select = "SELECT value FROM notes WHERE key = ?";
            Ok(connection.query_row(select, [key], |row| row.get(0)).optional()?)
        })
    }

    fn set_note(&self, key: &str, value: Option<&str>) -> Result<(), StoreError> {
        write::set_note(self, key, value)
    }

    fn failures(&self) -> Result<Vec<Failure>, StoreError> {
        let select = "SELECT path, content_hash, bytes, modified_ns, error, at_ns FROM failures WHERE space_id = ? ORDER BY path";
        self.read("cannot list failed files", |connection| {
            let mut statement = connection.prepare_cached(select)?;
            Ok(statement.query_map([self.space_id], rows::failure)?.collect::<Result<_, _>>()?)
        })
    }

    fn record_failures(&self, failures: &[Failure]) -> Result<(), StoreError> {
        write::record_failures(self, failures)
    }

    fn clear_failures(&self, paths: &[&str]) -> Result<(), StoreError> {
        write::clear_failures(self, paths)
    }
}

#[cfg(test)]
mod tests;
