//! A database file: pooled connections that read snapshots, and at most one connection that writes.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

use super::lock::WriterLock;
use super::schema::SchemaState;
use super::transaction_error::TransactionError;
use super::{connect, schema};
use crate::{EmbeddingSpace, StoreError};

const FILE_NAME: &str = "library.sqlite";
/// Snapshots tried before an error is reported.
const MAX_ATTEMPTS: u32 = 4;

/// An open library database with the latest schema.
#[derive(Debug)]
pub(super) struct Database {
    folder: PathBuf,
    path: PathBuf,
    /// The folder is read-only, and no other process writes to it.
    immutable: bool,
    readers: Mutex<Vec<Connection>>,
    watcher: Mutex<Watcher>,
    writer: Option<Writer>,
}

/// Counts the commits of others.
#[derive(Debug, Default)]
struct Watcher {
    /// Made when changes are first asked for.
    connection: Option<Connection>,
    /// Connections before this one, whose numbers say nothing about its own.
    before: u32,
}

/// Fields are dropped in this order: the lock is released after the connection is closed.
#[derive(Debug)]
struct Writer {
    connection: Mutex<Connection>,
    _lock: WriterLock,
}

impl Database {
    /// Whether a folder contains a database file.
    pub(super) fn exists(folder: &Path) -> bool {
        folder.join(FILE_NAME).is_file()
    }

    /// Opens a database of the latest schema, read-only.
    pub(super) fn open_for_reading(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        if !path.is_file() {
            return Err(StoreError::NotFound { folder: folder.into() });
        }
        let (connection, immutable) = connect::open_reader(&path)?;
        let state = schema::state(&connection, &path)
            .map_err(|error| error.into_store_error(&path, "cannot open the library"))?;
        match state {
            SchemaState::Empty => return Err(StoreError::NotFound { folder: folder.into() }),
            SchemaState::Version(found) if found < schema::latest_version() => {
                return Err(StoreError::SchemaTooOld { path, found, needed: schema::latest_version() });
            }
            SchemaState::Version(_) => {}
        }
        let readers = Mutex::new(vec![connection]);
        Ok(Self {
            folder: folder.to_path_buf(),
            path,
            immutable,
            readers,
            watcher: Mutex::default(),
            writer: None,
        })
    }

    /// Opens a database for reading and writing and migrates it to the latest schema. With `new_space`, a missing or
    /// empty database is created for vectors of that space.
    pub(super) fn open_for_writing(
        folder: &Path,
        new_space: Option<&EmbeddingSpace>,
    ) -> Result<Self, StoreError> {
        // Before the file is opened: two processes must not create or migrate it at the same time.
        let lock = WriterLock::acquire(folder)?;
        let path = folder.join(FILE_NAME);
        let failed =
            |error: TransactionError| error.into_store_error(&path, "cannot open the library for writing");
        let mut connection = connect::open_writer(&path, new_space.is_some()).map_err(failed)?;
        let state = schema::state(&connection, &path).map_err(failed)?;
        if state == SchemaState::Empty && new_space.is_none() {
            return Err(StoreError::NotFound { folder: folder.into() });
        }
        connect::set_journal(&connection, state).map_err(failed)?;
        schema::migrate(&mut connection, state, folder, new_space).map_err(failed)?;
        let writer = Some(Writer { connection: Mutex::new(connection), _lock: lock });
        let (readers, watcher) = (Mutex::default(), Mutex::default());
        Ok(Self { folder: folder.to_path_buf(), path, immutable: false, readers, watcher, writer })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on one snapshot of the database; again on a newer one if a writer has removed the files of the first.
    pub(super) fn read<T>(
        &self,
        action: &'static str,
        work: impl Fn(&Connection) -> Result<T, TransactionError>,
    ) -> Result<T, StoreError> {
        let mut attempts = 1;
        loop {
            match self.read_once(&work) {
                Err(TransactionError::Outdated(_)) if attempts < MAX_ATTEMPTS => attempts += 1,
                result => return result.map_err(|error| error.into_store_error(&self.path, action)),
            }
        }
    }

    fn read_once<T>(
        &self,
        work: impl Fn(&Connection) -> Result<T, TransactionError>,
    ) -> Result<T, TransactionError> {
        // A separate statement: the pool must not stay locked while a connection opens.
        let pooled = self.pool().pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => connect::connect_reader(&self.path, self.immutable)?,
        };
        let result =
            // Deferred: the first statement takes the snapshot, and all others see the same one.
            connection.unchecked_transaction().map_err(TransactionError::from).and_then(|transaction| {
                let result = work(&transaction)?;
                transaction.finish()?;
                Ok(result)
            });
        // Also after an error: the transaction has been rolled back, so the connection can be reused.
        self.pool().push(connection);
        result
    }

    /// A number that is another one after each commit of any process.
    pub(super) fn generation(&self) -> Result<u64, StoreError> {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = || {
            let connection = match watcher.connection.take() {
                Some(connection) => connection,
                None => {
                    watcher.before += 1;
                    connect::connect_reader(&self.path, self.immutable)?
                }
            };
            let version: u32 =
                connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
            watcher.connection = Some(connection);
            Ok(u64::from(watcher.before) << 32 | u64::from(version))
        };
        read()
            .map_err(|error: TransactionError| error.into_store_error(&self.path, "cannot read the library"))
    }

    fn pool(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in a transaction that is committed if it succeeds and rolled back if it fails.
    pub(super) fn write<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, TransactionError>,
    ) -> Result<T, StoreError> {
        let Some(writer) = &self.writer else {
            return Err(StoreError::ReadOnly { folder: self.folder.clone() });
        };
        let mut connection = writer.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transact = || {
            // Immediate: the write lock is taken at the start, so the snapshot cannot be outdated at the first change.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        transact().map_err(|error: TransactionError| error.into_store_error(&self.path, action))
    }

    /// The writing connection of a database that was opened for writing.
    #[cfg(test)]
    pub(super) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.as_ref().map(|writer| writer.connection.lock().unwrap()).unwrap()
    }
}

/// Path of the database file in a library's folder.
#[cfg(test)]
pub(super) fn file_in(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}
