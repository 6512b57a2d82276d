//! [`SqliteStore`]: opening libraries, and the trait [`VectorStore`] as one transaction per call.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use rusqlite::Connection;

use super::database::Database;
use super::spaces::StoredSpace;
use super::transaction_error::TransactionError;
use super::vector_cache::{VectorCache, Vectors};
use super::write_records::{self, Upsert};
use super::{captions, failures, metadata, read_records, search, search_names, spaces, vectors, verify};
use crate::engine::validate;
use crate::vectors::VectorFiles;
use crate::{
    Captions, EmbeddingSpace, Entry, Failure, FileState, Filter, Hit, ListRequest, NameRequest, NameSearch,
    Payload, Record, RecordId, SearchRequest, StoreError, VectorStore,
};

/// SQLite's page cache while many records are written, in kibibytes (negative, as the pragma has it): ids are random, so
/// every insertion is at another page.
const BULK_CACHE: i64 = -(256 << 10);
/// SQLite's default.
const USUAL_CACHE: i64 = -2000;
/// Maximum number of problems that [`SqliteStore::verify`] reports.
const MAX_PROBLEMS: usize = 20;

/// A library in a folder on the local disk.
///
/// Exact: every search scores every record that the filter selects. Changes that `upsert` and the other methods
/// acknowledge survive the end of the process and power failures.
///
/// ```
/// use lexiform_store::{EmbeddingSpace, SqliteStore, StoreError, VectorStore as _};
///
/// let folder = tempfile::tempdir()?;
/// let space = EmbeddingSpace { model: "nano".into(), dim: 2, preprocessing: "12 views at 224 px".into() };
/// let writer = SqliteStore::open_or_create(folder.path(), &space)?;
/// assert!(writer.is_empty()?);
///
/// // One process writes, any number read.
/// assert!(matches!(SqliteStore::open_for_writing(folder.path()), Err(StoreError::Locked { .. })));
/// assert_eq!(SqliteStore::open(folder.path())?.space(), &space);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) database: Database,
    space: StoredSpace,
    vectors: VectorCache,
}

impl SqliteStore {
    /// Whether a folder contains a library (of any version, intact or not).
    pub fn exists(folder: &Path) -> bool {
        Database::exists(folder)
    }

    /// Opens a library for reading, at its oldest space. Another process may write to it at the same time: every call
    /// reads the last commit.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NotALibrary`], [`StoreError::SchemaTooNew`],
    /// [`StoreError::SchemaTooOld`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_reader(folder, None)
    }

    /// Opens a library for reading at one of its spaces.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and [`StoreError::ModelMismatch`] if it has no such space.
    pub fn open_space(folder: &Path, space: &EmbeddingSpace) -> Result<Self, StoreError> {
        let store = Self::open_reader(folder, Some(space))?;
        store.check_space(space)?;
        Ok(store)
    }

    /// The spaces of a library, oldest first.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn spaces(folder: &Path) -> Result<Vec<EmbeddingSpace>, StoreError> {
        let database = Database::open_for_reading(folder)?;
        let spaces =
            database.read("cannot list the models", |connection| spaces::all(connection, database.path()))?;
        Ok(spaces.into_iter().map(|stored| stored.space).collect())
    }

    /// Opens a library for reading and writing, at its oldest space.
    ///
    /// # Errors
    /// [`StoreError::Locked`] immediately if another writer has it open; otherwise as for [`open`](Self::open), except
    /// for [`StoreError::SchemaTooOld`]: an older library is migrated.
    pub fn open_for_writing(folder: &Path) -> Result<Self, StoreError> {
        if !Self::exists(folder) {
            return Err(StoreError::NotFound { folder: folder.into() });
        }
        Self::open_writer(folder, None)
    }

    /// Opens a library for reading and writing; creates it for vectors of `space` if it does not exist.
    ///
    /// # Errors
    /// As for [`open_for_writing`](Self::open_for_writing), and [`StoreError::ModelMismatch`] if the library has only
    /// other spaces.
    pub fn open_or_create(folder: &Path, space: &EmbeddingSpace) -> Result<Self, StoreError> {
        let store = Self::open_or_create_any(folder, space)?;
        store.check_space(space)?;
        Ok(store)
    }

    /// Opens a library for reading and writing; creates it if it does not exist, and adds `space` to it if it has only
    /// other spaces.
    ///
    /// # Errors
    /// As for [`open_for_writing`](Self::open_for_writing).
    pub fn open_or_add_space(folder: &Path, space: &EmbeddingSpace) -> Result<Self, StoreError> {
        let store = Self::open_or_create_any(folder, space)?;
        // `find_space` opens the oldest space if the library does not have this one.
        if store.space.space == *space {
            return Ok(store);
        }
        let action = "cannot add a model";
        store.database.write(action, |connection| spaces::add(connection, space))?;
        let space = Self::find_space(&store.database, action, Some(space))?;
        Ok(Self { space, ..store })
    }

    fn open_or_create_any(folder: &Path, space: &EmbeddingSpace) -> Result<Self, StoreError> {
        if !(1..=65_536).contains(&space.dim) {
            return Err(StoreError::invalid("dim", format!("expected 1 to 65536, found {}", space.dim)));
        }
        fs_err::create_dir_all(folder).map_err(|source| StoreError::Io {
            path: folder.into(),
            action: "cannot create the library's folder",
            source,
        })?;
        Self::open_writer(folder, Some(space))
    }

    fn open_reader(folder: &Path, wanted: Option<&EmbeddingSpace>) -> Result<Self, StoreError> {
        let database = Database::open_for_reading(folder)?;
        let space = Self::find_space(&database, "cannot open the library", wanted)?;
        Ok(Self { database, space, vectors: VectorCache::default() })
    }

    fn open_writer(folder: &Path, wanted: Option<&EmbeddingSpace>) -> Result<Self, StoreError> {
        let database = Database::open_for_writing(folder, wanted)?;
        let action = "cannot open the library for writing";
        let space = Self::find_space(&database, action, wanted)?;
        // Left by a process that was killed while it copied them.
        database.read(action, |connection| Ok(vectors::remove_unknown_files(connection, folder)?))?;
        Ok(Self { database, space, vectors: VectorCache::default() })
    }

    /// The space `wanted` if the library has it, the oldest one otherwise.
    fn find_space(
        database: &Database,
        action: &'static str,
        wanted: Option<&EmbeddingSpace>,
    ) -> Result<StoredSpace, StoreError> {
        database.read(action, |connection| spaces::find(connection, database.path(), wanted))
    }

    /// The library's folder.
    pub fn folder(&self) -> &Path {
        self.database.folder()
    }

    /// Checks the whole library: pages, indexes and references of the database, and every vector. Reads everything.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the problems found.
    pub fn verify(&self) -> Result<(), StoreError> {
        let mut problems = self
            .database
            .read("cannot check the library", |connection| verify::problems(connection, self.folder()))?;
        problems.truncate(MAX_PROBLEMS);
        let path = self.database.path().to_path_buf();
        if problems.is_empty() { Ok(()) } else { Err(StoreError::Corrupt { path, problems }) }
    }

    /// Searches a snapshot.
    fn with_vectors<T>(
        &self,
        request: &SearchRequest,
        search: impl Fn(&Connection, &Vectors, &SearchRequest) -> Result<Vec<T>, TransactionError>,
    ) -> Result<Vec<T>, StoreError> {
        validate::vector("query", &request.vector, self.space.space.dim)?;
        if request.k == 0 {
            return Ok(Vec::new());
        }
        self.database.read("cannot search", |connection| {
            let vectors = self.vectors.vectors(connection, self.folder(), &self.space)?;
            search(connection, &vectors, request)
        })
    }

    /// Changes records in one transaction, and then copies files of vectors that have become sparse.
    fn change<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, TransactionError>,
    ) -> Result<T, StoreError> {
        let (result, outdated) = self.database.write(action, |connection| {
            let result = work(connection)?;
            Ok((result, vectors::compact(connection, self.folder())?))
        })?;
        // Only now: until the commit, the old files are the valid ones.
        outdated.iter().for_each(VectorFiles::remove);
        Ok(result)
    }

    /// Checks that vectors of a space can be stored here.
    fn check_space(&self, found: &EmbeddingSpace) -> Result<(), StoreError> {
        let expected = &self.space.space;
        if found == expected {
            return Ok(());
        }
        let (expected, found) = (Box::new(expected.clone()), Box::new(found.clone()));
        Err(StoreError::ModelMismatch { folder: self.folder().to_path_buf(), expected, found })
    }
}

impl VectorStore for SqliteStore {
    fn space(&self) -> &EmbeddingSpace {
        &self.space.space
    }

    fn len(&self) -> Result<usize, StoreError> {
        self.database.read("cannot count records", |connection| read_records::len(connection, self.space.id))
    }

    fn generation(&self) -> Result<Option<u64>, StoreError> {
        self.database.generation().map(Some)
    }

    fn upsert(&self, space: &EmbeddingSpace, records: &[Record]) -> Result<(), StoreError> {
        self.check_space(space)?;
        validate::records(records, space.dim)?;
        // No transaction, and no new generation that would make readers refresh their vectors.
        if records.is_empty() {
            return Ok(());
        }
        self.change("cannot write records", |connection| {
            let mut upsert = Upsert::new(connection, self.folder(), self.space.id)?;
            records.iter().try_for_each(|record| upsert.add(record))?;
            upsert.finish()
        })
    }

    fn upsert_from(
        &self,
        space: &EmbeddingSpace,
        records: &mut dyn Iterator<Item = Result<Record, StoreError>>,
    ) -> Result<usize, StoreError> {
        self.check_space(space)?;
        let mut ids = HashSet::new();
        let mut records = records.peekable();
        if records.peek().is_none() {
            return Ok(0);
        }
        self.change("cannot write records", |connection| {
            connection.pragma_update(None, "cache_size", BULK_CACHE)?;
            let written = (|| {
                let mut upsert = Upsert::new(connection, self.folder(), self.space.id)?;
                for record in records {
                    let record = record?;
                    validate::record(&record, space.dim, &mut ids)?;
                    upsert.add(&record)?;
                }
                upsert.finish()
            })();
            connection.pragma_update(None, "cache_size", USUAL_CACHE)?;
            written
        })?;
        Ok(ids.len())
    }

    fn update(&self, entries: &[Entry]) -> Result<(), StoreError> {
        entries.iter().try_for_each(|entry| validate::payload(&entry.payload))?;
        self.change("cannot write payloads", |connection| {
            write_records::update(connection, self.space.id, entries)
        })
    }

    fn set_captions(&self, captions: &[(RecordId, Option<Captions>)]) -> Result<(), StoreError> {
        captions
            .iter()
            .try_for_each(|(id, captions)| validate::captions(&format!("record {id}"), captions.as_ref()))?;
        self.database.write("cannot write captions", |connection| captions::set(connection, captions))
    }

    fn rename(&self, moves: &[(RecordId, String)]) -> Result<(), StoreError> {
        moves.iter().try_for_each(|(_, path)| validate::path(path))?;
        self.database
            .write("cannot rename", |connection| write_records::rename(connection, self.space.id, moves))
    }

    fn delete(&self, ids: &[RecordId]) -> Result<usize, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.change("cannot delete records", |connection| {
            write_records::delete(connection, self.space.id, ids)
        })
    }

    fn get(&self, ids: &[RecordId]) -> Result<Vec<Option<Record>>, StoreError> {
        self.database.read("cannot read records", |connection| {
            let vectors = self.vectors.vectors(connection, self.folder(), &self.space)?;
            read_records::get(connection, &self.space, &vectors, ids)
        })
    }

    fn vectors(&self, ids: &[RecordId]) -> Result<Vec<Option<Vec<f32>>>, StoreError> {
        self.database.read("cannot read vectors", |connection| {
            let vectors = self.vectors.vectors(connection, self.folder(), &self.space)?;
            read_records::vectors(connection, &self.space, &vectors, ids)
        })
    }

    fn thumbnail(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        self.database
            .read("cannot read a thumbnail", |connection| Ok(read_records::thumbnail(connection, id)?))
    }

    fn search(&self, request: &SearchRequest) -> Result<Vec<Hit>, StoreError> {
        self.with_vectors(request, search::search)
    }

    fn nearest(&self, request: &SearchRequest) -> Result<Vec<(RecordId, f32)>, StoreError> {
        self.with_vectors(request, search::nearest)
    }

    fn payloads(&self, ids: &[RecordId]) -> Result<Vec<Option<Payload>>, StoreError> {
        self.database.read("cannot read records", |connection| {
            let payload =
                |id: &RecordId| Ok(read_records::entry(connection, *id)?.map(|entry| entry.payload));
            ids.iter().map(payload).collect()
        })
    }

    fn search_names(&self, request: &NameRequest) -> Result<NameSearch, StoreError> {
        self.database
            .read("cannot search names", |connection| search_names::search(connection, &self.space, request))
    }

    fn list(&self, request: &ListRequest) -> Result<Vec<Entry>, StoreError> {
        self.database
            .read("cannot list records", |connection| read_records::list(connection, &self.space, request))
    }

    fn count(&self, filter: &Filter) -> Result<usize, StoreError> {
        self.database
            .read("cannot count records", |connection| read_records::count(connection, &self.space, filter))
    }

    fn count_by_format(&self, filter: &Filter) -> Result<BTreeMap<String, usize>, StoreError> {
        self.database.read("cannot count records", |connection| {
            read_records::count_by_format(connection, &self.space, filter)
        })
    }

    fn find_by_path(&self, path: &str) -> Result<Option<Entry>, StoreError> {
        self.database.read("cannot find a record", |connection| {
            read_records::find_by_path(connection, &self.space, path)
        })
    }

    fn find_in_any_space(&self, path: &str) -> Result<Option<Entry>, StoreError> {
        self.database
            .read("cannot find a record", |connection| read_records::find_in_any_space(connection, path))
    }

    fn find_by_content(&self, content_hash: &str) -> Result<Vec<Entry>, StoreError> {
        self.database.read("cannot find records", |connection| {
            read_records::find_by_content(connection, &self.space, content_hash)
        })
    }

    fn file_states(&self) -> Result<Vec<FileState>, StoreError> {
        self.database
            .read("cannot list files", |connection| read_records::file_states(connection, &self.space))
    }

    fn assign_id(&self, path: &str, content_hash: &str) -> Result<RecordId, StoreError> {
        self.database.read("cannot find a record", |connection| {
            read_records::assign_id(connection, path, content_hash)
        })
    }

    fn metadata(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.database.read("cannot read metadata", |connection| metadata::get(connection, key))
    }

    fn set_metadata(&self, key: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.database.write("cannot write metadata", |connection| metadata::set(connection, key, value))
    }

    fn failures(&self) -> Result<Vec<Failure>, StoreError> {
        self.database.read("cannot list failed files", |connection| failures::list(connection, self.space.id))
    }

    fn record_failures(&self, failures: &[Failure]) -> Result<(), StoreError> {
        validate::failures(failures)?;
        self.database.write("cannot record failed files", |connection| {
            failures::record(connection, self.space.id, failures)
        })
    }

    fn clear_failures(&self, paths: &[&str]) -> Result<(), StoreError> {
        self.database.write("cannot clear failed files", |connection| {
            failures::clear(connection, self.space.id, paths)
        })
    }
}
