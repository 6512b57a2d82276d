//! The trait of all stores: write, read, filter and search records of one space.

use std::collections::BTreeMap;

use crate::{
    Captions, EmbeddingSpace, Entry, Failure, FileState, Filter, NameRequest, NameSearch, Payload, Record,
    RecordId, StoreError,
};

/// A search query.
///
/// ```
/// use lexiform_store::{Filter, SearchRequest};
///
/// let filter = Some(Filter::parse("format = glb")?);
/// let request = SearchRequest { filter, min_score: Some(0.2), ..SearchRequest::new(vec![0.6, 0.8], 10) };
/// assert_eq!(request.k, 10);
/// # Ok::<(), lexiform_store::FilterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Unit vector of length [`EmbeddingSpace::dim`].
    pub vector: Vec<f32>,
    /// Maximum number of hits.
    pub k: usize,
    /// Minimum cosine similarity of hits.
    pub min_score: Option<f32>,
    /// Restricts hits to records it selects. All selected records are considered, even if there are few.
    pub filter: Option<Filter>,
}

impl SearchRequest {
    /// The `k` nearest of all records.
    pub fn new(vector: Vec<f32>, k: usize) -> Self {
        Self { vector, k, min_score: None, filter: None }
    }
}

/// A search result.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Id of the record.
    pub id: RecordId,
    /// Cosine similarity of query and record, `-1..=1` up to rounding.
    pub score: f32,
    /// Metadata of the asset.
    pub payload: Payload,
}

/// Which entries to list, one page per request.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// Restricts the list to entries it selects.
    pub filter: Option<Filter>,
    /// Starts after this id: the last id of the previous page.
    pub after: Option<RecordId>,
    /// Maximum number of entries.
    pub limit: usize,
}

impl Default for ListRequest {
    /// Everything, in one page.
    fn default() -> Self {
        Self { filter: None, after: None, limit: usize::MAX }
    }
}

/// Stores records of one [`EmbeddingSpace`] and finds the nearest ones. Can be shared between threads.
///
/// Every change is atomic and durable: when a method returns `Ok`, the change survives the end of the process.
/// `contract::check` (feature `contract`) tests whether an implementation conforms to this documentation.
///
/// # Errors
/// Every method may also fail with [`StoreError::Sqlite`], [`StoreError::Io`], [`StoreError::DiskFull`] or
/// [`StoreError::Corrupt`], and every change with [`StoreError::ReadOnly`] if the store was opened for reading.
pub trait VectorStore: Send + Sync {
    /// The space of this store's vectors.
    fn space(&self) -> &EmbeddingSpace;

    /// Number of records.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn len(&self) -> Result<usize, StoreError>;

    /// Whether there are no records.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.len()? == 0)
    }

    /// A number that is another one after every change, also of other processes, for callers that keep results; `None` if the store
    /// does not count changes.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn generation(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    /// Inserts records, or replaces those with the same id, including thumbnails. Deletes failures at their paths.
    /// `space` is the space of the given vectors.
    ///
    /// # Errors
    /// [`StoreError::ModelMismatch`] if that is not the store's space, [`StoreError::DuplicatePath`] if another record
    /// has the path, [`StoreError::Invalid`] for vectors that are not finite and of unit norm, two records with one id,
    /// an empty path, extents that are not finite.
    fn upsert(&self, space: &EmbeddingSpace, records: &[Record]) -> Result<(), StoreError>;

    /// As [`upsert`](Self::upsert), for more records than fit into memory: all or none of them are written. An error among
    /// the records ends it. Returns the number of records.
    ///
    /// # Errors
    /// The first error of `records`, and as for [`upsert`](Self::upsert).
    fn upsert_from(
        &self,
        space: &EmbeddingSpace,
        records: &mut dyn Iterator<Item = Result<Record, StoreError>>,
    ) -> Result<usize, StoreError>;

    /// Replaces payloads and index states; keeps vectors and thumbnails.
    ///
    /// # Errors
    /// [`StoreError::UnknownRecord`], and as for [`upsert`](Self::upsert).
    fn update(&self, entries: &[Entry]) -> Result<(), StoreError>;

    /// Replaces the captions of records, in all spaces; `None` deletes them. [`upsert`](Self::upsert) keeps them while the content
    /// hash of a record stays the same and the new payload has none. [`search_names`](Self::search_names) finds their words.
    ///
    /// # Errors
    /// [`StoreError::UnknownRecord`], [`StoreError::Invalid`] for captions without sentences or captioner.
    fn set_captions(&self, captions: &[(RecordId, Option<Captions>)]) -> Result<(), StoreError>;

    /// Changes only paths. Files that swapped paths can be renamed in one call.
    ///
    /// # Errors
    /// [`StoreError::UnknownRecord`]; [`StoreError::DuplicatePath`] if two records would have the same path after the
    /// call.
    fn rename(&self, moves: &[(RecordId, String)]) -> Result<(), StoreError>;

    /// Deletes records; unknown ids are ignored. Returns the number of deleted records.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn delete(&self, ids: &[RecordId]) -> Result<usize, StoreError>;

    /// Whole records in the order of `ids`; `None` for unknown ids.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn get(&self, ids: &[RecordId]) -> Result<Vec<Option<Record>>, StoreError>;

    /// The vectors of records in the order of `ids`; `None` for unknown ids. Reads no payloads and no thumbnails.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn vectors(&self, ids: &[RecordId]) -> Result<Vec<Option<Vec<f32>>>, StoreError> {
        let records = self.get(ids)?.into_iter();
        Ok(records.map(|record| record.map(|record| record.vector)).collect())
    }

    /// The thumbnail of a record, if the record exists and has one.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn thumbnail(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The `k` records nearest to the request's vector, best first; ties in order of id. Exact unless the
    /// implementation documents otherwise.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if the vector does not have the store's dim, or is not finite and of unit norm.
    fn search(&self, request: &SearchRequest) -> Result<Vec<Hit>, StoreError>;

    /// As [`search`](Self::search), without payloads.
    ///
    /// # Errors
    /// As for [`search`](Self::search).
    fn nearest(&self, request: &SearchRequest) -> Result<Vec<(RecordId, f32)>, StoreError> {
        Ok(self.search(request)?.into_iter().map(|hit| (hit.id, hit.score)).collect())
    }

    /// The payloads of records of this space in the order of `ids`; `None` for unknown ids.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn payloads(&self, ids: &[RecordId]) -> Result<Vec<Option<Payload>>, StoreError> {
        let records = self.get(ids)?.into_iter();
        Ok(records.map(|record| record.map(|record| record.payload)).collect())
    }

    /// All records whose names match, best first. Names are those of the file, its folders, objects and materials, and captions;
    /// words are compared by their stems. Two words in a row also match names that write them as one, and a word that no record has
    /// matches names that write it as two. A misspelled word is replaced by the nearest spelling, at most one edit away, or two for
    /// words of more than five letters.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn search_names(&self, request: &NameRequest) -> Result<NameSearch, StoreError>;

    /// Entries in order of id.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn list(&self, request: &ListRequest) -> Result<Vec<Entry>, StoreError>;

    /// Number of records that a filter selects.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn count(&self, filter: &Filter) -> Result<usize, StoreError>;

    /// Numbers of records that a filter selects, by format.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn count_by_format(&self, filter: &Filter) -> Result<BTreeMap<String, usize>, StoreError>;

    /// The record with a path.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn find_by_path(&self, path: &str) -> Result<Option<Entry>, StoreError>;

    /// The record with a path, also if only other spaces of the library have a vector of it.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn find_in_any_space(&self, path: &str) -> Result<Option<Entry>, StoreError> {
        self.find_by_path(path)
    }

    /// All records with a content hash, in order of id.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn find_by_content(&self, content_hash: &str) -> Result<Vec<Entry>, StoreError>;

    /// Path, content hash and modification time of every record, in order of path.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn file_states(&self) -> Result<Vec<FileState>, StoreError>;

    /// The id for the asset at `path`: the id of its record, or a new one that no record has.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn assign_id(&self, path: &str, content_hash: &str) -> Result<RecordId, StoreError> {
        if let Some(entry) = self.find_by_path(path)? {
            return Ok(entry.id);
        }
        // The usual id is in use only if its file was renamed and a copy appeared at the old path.
        for attempt in 0.. {
            let id = RecordId::derive(path, content_hash, attempt);
            if self.get(&[id])?.iter().all(Option::is_none) {
                return Ok(id);
            }
        }
        Err(StoreError::invalid(path, "no free record id"))
    }

    /// A metadata value of the library as a whole.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn metadata(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// Sets a metadata value; `None` deletes it.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn set_metadata(&self, key: &str, value: Option<&str>) -> Result<(), StoreError>;

    /// Files that could not be indexed, in order of path.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn failures(&self) -> Result<Vec<Failure>, StoreError>;

    /// Inserts failures, or replaces those at the same path.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for an empty path, or if the store cannot be written.
    fn record_failures(&self, failures: &[Failure]) -> Result<(), StoreError>;

    /// Deletes the failures at these paths; paths without one are ignored.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn clear_failures(&self, paths: &[&str]) -> Result<(), StoreError>;
}
