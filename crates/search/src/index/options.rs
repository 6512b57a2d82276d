//! How an indexing run treats files.

/// Options of [`Library::index`](crate::Library::index).
#[derive(Clone, Debug, Default)]
pub struct IndexOptions {
    /// Number of files read in parallel; 0 for one per processor.
    pub jobs: usize,
    /// Delete records of missing files.
    pub prune: bool,
    /// Retry files that failed before, even if they have not changed.
    pub retry_failed: bool,
}
