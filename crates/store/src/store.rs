//! The trait every store keeps: change, look up, filter and search records of one space.

use crate::{Entry, Failure, Filter, Payload, Record, RecordId, Space, Stamp, StoreError};

/// What to search for.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Unit vector of the store's dim.
    pub vector: Vec<f32>,
    /// At most so many hits.
    pub k: usize,
    /// Only hits with at least this cosine.
    pub min_score: Option<f32>,
    /// Only among the records it selects. Every selected record is considered, however few they are.
    pub filter: Option<Filter>,
}

impl SearchRequest {
    /// The `k` best of all records.
    pub fn new(vector: Vec<f32>, k: usize) -> Self {
        Self { vector, k, min_score: None, filter: None }
    }
}

/// A record that answers a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Whose payload this is.
    pub id: RecordId,
    /// Cosine of query and record, `-1..=1` up to rounding.
    pub score: f32,
    /// What is known about it.
    pub payload: Payload,
}

/// Which entries to list, a page at a time.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// Only these.
    pub filter: Option<Filter>,
    /// Only ids above this one: the last id of the page before.
    pub after: Option<RecordId>,
    /// At most so many.
    pub limit: usize,
}

impl Default for ListRequest {
    /// Everything, in one page.
    fn default() -> Self {
        Self { filter: None, after: None, limit: usize::MAX }
    }
}

/// A place that keeps records of one [`Space`] and finds the nearest. Shared between threads freely.
///
/// Every change is all or nothing; when a method returns `Ok`, the change survives the death of the process.
/// `contract::check` (feature `contract`) tells whether an implementation keeps what is written here.
pub trait VectorStore: Send + Sync {
    /// Which model's vectors this store holds.
    fn space(&self) -> &Space;

    /// How many records there are.
    fn len(&self) -> Result<usize, StoreError>;

    /// Whether there are none.
    fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.len()? == 0)
    }

    /// Adds records, or replaces those with the same id, thumbnail included. Forgets failures at their paths.
    /// `space` is where the caller's vectors come from.
    ///
    /// # Errors
    /// [`StoreError::ModelMismatch`] if that is not the store's space, [`StoreError::PathTaken`] if its path
    /// belongs to another id, [`StoreError::Invalid`] for vectors that are not finite and of unit norm, two records
    /// with one id, an empty path, extents that are not finite.
    fn upsert(&self, space: &Space, records: &[Record]) -> Result<(), StoreError>;

    /// Replaces payloads and leaves vectors and thumbnails as they are.
    ///
    /// # Errors
    /// [`StoreError::UnknownRecord`], and as for [`upsert`](Self::upsert).
    fn update(&self, entries: &[Entry]) -> Result<(), StoreError>;

    /// Changes paths and nothing else. Files that traded places may be renamed in one call.
    ///
    /// # Errors
    /// [`StoreError::UnknownRecord`]; [`StoreError::PathTaken`] if a path would belong to two records in the end.
    fn rename(&self, moves: &[(RecordId, String)]) -> Result<(), StoreError>;

    /// Removes records; ids that are not there are passed over. Returns how many were removed.
    fn delete(&self, ids: &[RecordId]) -> Result<usize, StoreError>;

    /// Whole records in the order of `ids`; `None` where there is none.
    fn get(&self, ids: &[RecordId]) -> Result<Vec<Option<Record>>, StoreError>;

    /// The small picture of a record, if it is there and has one.
    fn thumbnail(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The `k` records nearest to the request's vector, best first; equal scores in order of id. Exact unless the
    /// store documents otherwise.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if the vector has another dim or is not finite and of unit norm.
    fn search(&self, request: &SearchRequest) -> Result<Vec<Hit>, StoreError>;

    /// Entries in order of id.
    fn list(&self, request: &ListRequest) -> Result<Vec<Entry>, StoreError>;

    /// How many records a filter selects.
    fn count(&self, filter: &Filter) -> Result<usize, StoreError>;

    /// The record at a path.
    fn find_by_path(&self, path: &str) -> Result<Option<Entry>, StoreError>;

    /// All records with this content, in order of id.
    fn find_by_content(&self, content_hash: &str) -> Result<Vec<Entry>, StoreError>;

    /// Path, content and time of every record, in order of path: what an incremental indexer compares with the disk.
    fn stamps(&self) -> Result<Vec<Stamp>, StoreError>;

    /// The id for the asset at `path`: the one it has, or else a new one that no record holds.
    fn assign_id(&self, path: &str, content_hash: &str) -> Result<RecordId, StoreError> {
        if let Some(entry) = self.find_by_path(path)? {
            return Ok(entry.id);
        }
        for turn in 0.. {
            let id = RecordId::derive(path, content_hash, turn);
            if self.get(&[id])?.iter().all(Option::is_none) {
                return Ok(id);
            }
        }
        Err(StoreError::invalid(path, "no id left to give"))
    }

    /// A note about the library as a whole: its root, the date it was made.
    fn note(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// Writes or replaces a note; `None` removes it.
    fn set_note(&self, key: &str, value: Option<&str>) -> Result<(), StoreError>;

    /// Files that could not be indexed, in order of path.
    fn failures(&self) -> Result<Vec<Failure>, StoreError>;

    /// Adds failures, or replaces those at the same path.
    fn record_failures(&self, failures: &[Failure]) -> Result<(), StoreError>;

    /// Forgets the failures at these paths; paths without one are passed over.
    fn clear_failures(&self, paths: &[&str]) -> Result<(), StoreError>;
}
