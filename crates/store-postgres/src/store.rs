//! [`PostgresStore`]: opening libraries, and the trait [`VectorStore`].

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lexiform_store::engine::validate;
use lexiform_store::{
    Captions, EmbeddingSpace, Entry, Failure, FileState, Filter, Hit, ListRequest, NameRequest, NameSearch,
    Record, RecordId, SearchRequest, StoreError, VectorStore,
};
use postgres::Transaction;
use postgres::types::Type;

use crate::connection::Connections;
use crate::error::{DatabaseError, violated_path};
use crate::schema::{self, StoredSpace};
use crate::{PostgresAddress, index, names, read, search, write};

/// A library in a database of PostgreSQL with pgvector, on one server or with its vectors on several.
///
/// Any number of processes write and read at the same time. Searches are exact up to some 50,000 records, and where a filter selects at
/// most 20,000; beyond, they use an index of neighbors, which misses one in a hundred.
pub struct PostgresStore {
    connections: Connections,
    space: StoredSpace,
    is_writable: bool,
    /// Whether the vectors have an index: never false again.
    is_indexed: AtomicBool,
    /// Records written since the number of records was compared with that from which there is an index.
    unchecked: AtomicUsize,
}

impl PostgresStore {
    /// Whether the server has the library.
    ///
    /// # Errors
    /// [`StoreError::Remote`] if the server cannot be reached, [`StoreError::SchemaTooNew`].
    pub fn exists(address: &PostgresAddress) -> Result<bool, StoreError> {
        schema::exists(&Connections::new(address))
    }

    /// Creates a library without models whose vectors and thumbnails are on other servers, the shards, which the server of the library
    /// connects to. They cannot be added or removed later.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if the library exists, [`StoreError::Remote`] if a server cannot be reached.
    pub fn create(address: &PostgresAddress, shards: &[PostgresAddress]) -> Result<(), StoreError> {
        let connections = Connections::new(address);
        if schema::exists(&connections)? {
            return Err(StoreError::invalid(address.to_string(), "the library exists already"));
        }
        schema::create(&connections, shards)
    }

    /// The spaces of a library, oldest first; none if it is new.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and as for [`exists`](Self::exists).
    pub fn spaces(address: &PostgresAddress) -> Result<Vec<EmbeddingSpace>, StoreError> {
        let spaces = Self::stored_spaces(&Connections::new(address))?;
        Ok(spaces.into_iter().map(|stored| stored.space).collect())
    }

    /// Opens a library for reading at one of its spaces, or at its oldest one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for a library without spaces; [`StoreError::ModelMismatch`] if it has no such space.
    pub fn open(address: &PostgresAddress, space: Option<&EmbeddingSpace>) -> Result<Self, StoreError> {
        Self::open_at(Connections::new(address), space, false)
    }

    /// Opens a library for reading and writing; creates it for vectors of `space` if it does not exist.
    ///
    /// # Errors
    /// [`StoreError::ModelMismatch`] if the library has only other spaces, and as for [`exists`](Self::exists).
    pub fn open_or_create(address: &PostgresAddress, space: &EmbeddingSpace) -> Result<Self, StoreError> {
        let connections = Connections::new(address);
        let is_new = !schema::exists(&connections)? || Self::stored_spaces(&connections)?.is_empty();
        if is_new {
            schema::create(&connections, &[])?;
            schema::add_space(&connections, space)?;
        }
        Self::open_at(connections, Some(space), true)
    }

    /// Opens a library for reading and writing; creates it if it does not exist, and adds `space` to it if it has only other spaces.
    ///
    /// # Errors
    /// As for [`exists`](Self::exists).
    pub fn open_or_add_space(address: &PostgresAddress, space: &EmbeddingSpace) -> Result<Self, StoreError> {
        let connections = Connections::new(address);
        if !schema::exists(&connections)? {
            schema::create(&connections, &[])?;
        }
        schema::add_space(&connections, space)?;
        Self::open_at(connections, Some(space), true)
    }

    fn stored_spaces(connections: &Connections) -> Result<Vec<StoredSpace>, StoreError> {
        if !schema::exists(connections)? {
            return Err(StoreError::NotFound { folder: folder(connections) });
        }
        connections.read("cannot list the models", schema::spaces)
    }

    fn open_at(
        connections: Connections,
        wanted: Option<&EmbeddingSpace>,
        is_writable: bool,
    ) -> Result<Self, StoreError> {
        let mut spaces = Self::stored_spaces(&connections)?;
        if spaces.is_empty() {
            return Err(StoreError::NotFound { folder: folder(&connections) });
        }
        let position = spaces.iter().position(|stored| Some(&stored.space) == wanted);
        let store = Self {
            space: spaces.swap_remove(position.unwrap_or(0)),
            connections,
            is_writable,
            is_indexed: AtomicBool::new(false),
            unchecked: AtomicUsize::new(0),
        };
        wanted.map_or(Ok(()), |wanted| store.check_space(wanted))?;
        Ok(store)
    }

    /// The address of the library.
    pub fn address(&self) -> &PostgresAddress {
        self.connections.address()
    }

    /// Checks that vectors of a space can be stored here.
    fn check_space(&self, found: &EmbeddingSpace) -> Result<(), StoreError> {
        let expected = &self.space.space;
        if found == expected {
            return Ok(());
        }
        let (expected, found) = (Box::new(expected.clone()), Box::new(found.clone()));
        Err(StoreError::ModelMismatch { folder: folder(&self.connections), expected, found })
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        match self.is_writable {
            true => Ok(()),
            false => Err(StoreError::ReadOnly { folder: folder(&self.connections) }),
        }
    }

    /// One transaction.
    fn change<T>(
        &self,
        action: &'static str,
        mut work: impl FnMut(&mut Transaction<'_>, &Type) -> Result<T, DatabaseError>,
    ) -> Result<T, StoreError> {
        self.check_writable()?;
        let mut path = None;
        let result = self.connections.change(action, |transaction, vector| {
            let result = work(transaction, self.vector_type(vector)?);
            path = result.as_ref().err().and_then(path_of);
            result
        });
        self.name_duplicate(result, path)
    }

    fn vector_type<'a>(&self, vector: Option<&'a Type>) -> Result<&'a Type, StoreError> {
        vector.ok_or_else(|| {
            self.connections
                .refuse("expected the extension vector".into(), "install pgvector 0.8 or later on the server")
        })
    }

    /// If an error is about a path that two records would have, an error that names the other one.
    fn name_duplicate<T>(
        &self,
        result: Result<T, StoreError>,
        path: Option<String>,
    ) -> Result<T, StoreError> {
        let (Err(error), Some(path)) = (&result, path) else { return result };
        if !matches!(error, StoreError::Remote { .. }) {
            return result;
        }
        let find = |client: &mut postgres::Client| read::find_in_any_space(client, &path);
        match self.connections.read("cannot find a record", find)? {
            Some(entry) => Err(StoreError::DuplicatePath { path, existing: entry.id }),
            None => Err(StoreError::invalid(path, "two records with this path")),
        }
    }

    fn is_indexed(&self) -> Result<bool, StoreError> {
        if !self.is_indexed.load(Ordering::Relaxed) {
            let select = "SELECT indexed FROM spaces WHERE id = $1";
            let indexed = self
                .connections
                .read("cannot search", |client| Ok(client.query_one(select, &[&self.space.id])?.get(0)))?;
            self.is_indexed.store(indexed, Ordering::Relaxed);
        }
        Ok(self.is_indexed.load(Ordering::Relaxed))
    }

    /// After records were written: builds the index if there are enough.
    fn maintain(&self, written: usize) -> Result<(), StoreError> {
        let unchecked = self.unchecked.fetch_add(written, Ordering::Relaxed) + written;
        if unchecked < index::CHECK_EVERY || self.is_indexed()? {
            return Ok(());
        }
        self.unchecked.store(0, Ordering::Relaxed);
        index::build_if_large(&self.connections, &self.space)
    }
}

/// The address, where errors of stores have a folder.
fn folder(connections: &Connections) -> PathBuf {
    PathBuf::from(connections.address().to_string())
}

fn path_of(error: &DatabaseError) -> Option<String> {
    match error {
        DatabaseError::Sql(error) => violated_path(error),
        DatabaseError::Store(_) => None,
    }
}

impl VectorStore for PostgresStore {
    fn space(&self) -> &EmbeddingSpace {
        &self.space.space
    }

    fn len(&self) -> Result<usize, StoreError> {
        self.connections.read("cannot count records", |client| read::len(client, &self.space))
    }

    fn upsert(&self, space: &EmbeddingSpace, records: &[Record]) -> Result<(), StoreError> {
        self.check_writable()?;
        self.check_space(space)?;
        validate::records(records, space.dim)?;
        if records.is_empty() {
            return Ok(());
        }
        self.change("cannot write records", |transaction, vector| {
            let mut records = records.iter().map(|record| Ok(Cow::Borrowed(record)));
            write::upsert(transaction, (&self.space, vector), &mut records)
        })?;
        self.maintain(records.len())
    }

    fn upsert_from(
        &self,
        space: &EmbeddingSpace,
        records: &mut dyn Iterator<Item = Result<Record, StoreError>>,
    ) -> Result<usize, StoreError> {
        self.check_writable()?;
        self.check_space(space)?;
        let (mut ids, mut path) = (HashSet::new(), None);
        let mut checked = records.map(|record| {
            let record = record?;
            validate::record(&record, space.dim, &mut ids)?;
            Ok(Cow::Owned(record))
        });
        let result = self.connections.change_once("cannot write records", |transaction, vector| {
            let result = write::upsert(transaction, (&self.space, self.vector_type(vector)?), &mut checked);
            path = result.as_ref().err().and_then(path_of);
            result
        });
        let written = self.name_duplicate(result, path)?;
        self.maintain(written)?;
        Ok(written)
    }

    fn update(&self, entries: &[Entry]) -> Result<(), StoreError> {
        entries.iter().try_for_each(|entry| validate::payload(&entry.payload))?;
        self.change("cannot write payloads", |transaction, _| {
            write::update(transaction, &self.space, entries)
        })
    }

    fn set_captions(&self, captions: &[(RecordId, Option<Captions>)]) -> Result<(), StoreError> {
        captions
            .iter()
            .try_for_each(|(id, captions)| validate::captions(&format!("record {id}"), captions.as_ref()))?;
        self.change("cannot write captions", |transaction, _| write::set_captions(transaction, captions))
    }

    fn rename(&self, moves: &[(RecordId, String)]) -> Result<(), StoreError> {
        moves.iter().try_for_each(|(_, path)| validate::path(path))?;
        self.change("cannot rename", |transaction, _| write::rename(transaction, &self.space, moves))
    }

    fn delete(&self, ids: &[RecordId]) -> Result<usize, StoreError> {
        self.check_writable()?;
        if ids.is_empty() {
            return Ok(0);
        }
        self.change("cannot delete records", |transaction, _| write::delete(transaction, &self.space, ids))
    }

    fn get(&self, ids: &[RecordId]) -> Result<Vec<Option<Record>>, StoreError> {
        self.connections.read("cannot read records", |client| read::get(client, &self.space, ids))
    }

    fn vectors(&self, ids: &[RecordId]) -> Result<Vec<Option<Vec<f32>>>, StoreError> {
        self.connections.read("cannot read vectors", |client| read::vectors(client, &self.space, ids))
    }

    fn thumbnail(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        self.connections.read("cannot read a thumbnail", |client| read::thumbnail(client, id))
    }

    fn search(&self, request: &SearchRequest) -> Result<Vec<Hit>, StoreError> {
        validate::vector("query", &request.vector, self.space.space.dim)?;
        if request.k == 0 {
            return Ok(Vec::new());
        }
        let is_indexed = self.is_indexed()?;
        self.connections
            .read("cannot search", |client| search::search(client, &self.space, is_indexed, request))
    }

    fn search_names(&self, request: &NameRequest) -> Result<NameSearch, StoreError> {
        self.connections.read("cannot search names", |client| names::search(client, &self.space, request))
    }

    fn list(&self, request: &ListRequest) -> Result<Vec<Entry>, StoreError> {
        self.connections.read("cannot list records", |client| read::list(client, &self.space, request))
    }

    fn count(&self, filter: &Filter) -> Result<usize, StoreError> {
        self.connections.read("cannot count records", |client| read::count(client, &self.space, filter))
    }

    fn count_by_format(&self, filter: &Filter) -> Result<BTreeMap<String, usize>, StoreError> {
        self.connections
            .read("cannot count records", |client| read::count_by_format(client, &self.space, filter))
    }

    fn find_by_path(&self, path: &str) -> Result<Option<Entry>, StoreError> {
        self.connections.read("cannot find a record", |client| read::find_by_path(client, &self.space, path))
    }

    fn find_in_any_space(&self, path: &str) -> Result<Option<Entry>, StoreError> {
        self.connections.read("cannot find a record", |client| read::find_in_any_space(client, path))
    }

    fn find_by_content(&self, content_hash: &str) -> Result<Vec<Entry>, StoreError> {
        self.connections
            .read("cannot find records", |client| read::find_by_content(client, &self.space, content_hash))
    }

    fn file_states(&self) -> Result<Vec<FileState>, StoreError> {
        self.connections.read("cannot list files", |client| read::file_states(client, &self.space))
    }

    fn assign_id(&self, path: &str, content_hash: &str) -> Result<RecordId, StoreError> {
        self.connections.read("cannot find a record", |client| read::assign_id(client, path, content_hash))
    }

    fn metadata(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.connections.read("cannot read metadata", |client| {
            let select = "SELECT value FROM metadata WHERE key = $1";
            Ok(client.query_opt(select, &[&key])?.map(|row| row.get(0)))
        })
    }

    fn set_metadata(&self, key: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.change("cannot write metadata", |transaction, _| {
            match value {
                Some(value) => transaction.execute(
                    "INSERT INTO metadata VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2",
                    &[&key, &value],
                )?,
                None => transaction.execute("DELETE FROM metadata WHERE key = $1", &[&key])?,
            };
            Ok(())
        })
    }

    fn failures(&self) -> Result<Vec<Failure>, StoreError> {
        self.connections.read("cannot list failed files", |client| read::failures(client, &self.space))
    }

    fn record_failures(&self, failures: &[Failure]) -> Result<(), StoreError> {
        validate::failures(failures)?;
        self.change("cannot record failed files", |transaction, _| {
            write::record_failures(transaction, &self.space, failures)
        })
    }

    fn clear_failures(&self, paths: &[&str]) -> Result<(), StoreError> {
        self.change("cannot clear failed files", |transaction, _| {
            let delete = "DELETE FROM failures WHERE path = ANY($1) AND space_id = $2";
            transaction.execute(delete, &[&paths, &self.space.id])?;
            Ok(())
        })
    }
}
