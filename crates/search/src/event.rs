//! Progress events and summary of an indexing run.

use std::collections::BTreeMap;

use serde::Serialize;

/// Progress of an indexing run, reported on the calling thread. [`Library::index`](crate::Library::index) reports a file after its
/// change is durable; [`Library::index_embeddings`](crate::Library::index_embeddings) reports a row before its batch is written.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexEvent {
    /// There are files in 3D formats that are not supported, such as STEP; comes before [`Planned`](Self::Planned).
    Unsupported {
        /// Number of files by extension.
        extensions: BTreeMap<&'static str, usize>,
    },
    /// The search for files is complete; `to_check` files are new or may have changed.
    Planned {
        /// Number of files.
        files: usize,
        /// Number of files to read.
        to_check: usize,
    },
    /// A file, or a row of embeddings, was processed.
    File {
        /// Name of the file in the library.
        path: String,
        /// Outcome.
        status: FileStatus,
    },
}

/// Outcome of indexing a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileStatus {
    /// The file was embedded and can be found.
    Indexed,
    /// The file has not changed.
    Unchanged,
    /// The file was renamed or moved.
    Renamed {
        /// Previous name.
        from: String,
    },
    /// The file cannot be used.
    Failed {
        /// Error message.
        error: String,
    },
    /// The file of a record is missing.
    Removed {
        /// Whether the record was deleted.
        pruned: bool,
    },
}

/// Numbers of files by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IndexSummary {
    /// Files that are new or have changed.
    pub indexed: usize,
    /// Files that have not changed.
    pub unchanged: usize,
    /// Files that were renamed or moved.
    pub renamed: usize,
    /// Files that cannot be used.
    pub failed: usize,
    /// Records whose file is missing.
    pub removed: usize,
}

impl IndexSummary {
    pub(crate) fn count(&mut self, status: &FileStatus) {
        let counter = match status {
            FileStatus::Indexed => &mut self.indexed,
            FileStatus::Unchanged => &mut self.unchanged,
            FileStatus::Renamed { .. } => &mut self.renamed,
            FileStatus::Failed { .. } => &mut self.failed,
            FileStatus::Removed { .. } => &mut self.removed,
        };
        *counter += 1;
    }
}

impl std::ops::AddAssign for IndexSummary {
    fn add_assign(&mut self, other: Self) {
        self.indexed += other.indexed;
        self.unchanged += other.unchanged;
        self.renamed += other.renamed;
        self.failed += other.failed;
        self.removed += other.removed;
    }
}
