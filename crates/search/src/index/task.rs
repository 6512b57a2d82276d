//! The input of an indexing run's threads.

use std::collections::HashMap;
use std::time::SystemTime;

use lexiform_store::Entry;

use super::plan::Candidate;
use crate::Library;

/// Files to process, and the state of the library at the start of the run.
pub(super) struct IndexTask<'a> {
    pub library: &'a Library,
    pub candidates: &'a [Candidate],
    /// Entries whose file is missing, by content hash.
    pub rename_candidates: &'a HashMap<String, Vec<Entry>>,
    /// Number of workers; 0 for one per processor.
    pub jobs: usize,
    pub retry_failed: bool,
    pub now: SystemTime,
}
