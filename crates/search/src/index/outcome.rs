//! The outcome of indexing one file.

use lexiform_store::{Entry, Failure, IndexState, Payload, RecordId};

use super::plan::Candidate;
use crate::FileStatus;

/// The outcome for a candidate, ready to be stored.
pub(super) enum IndexOutcome {
    /// The content is the same; the entry has the new file times.
    Unchanged(Entry),
    /// The file was renamed or moved; the entry has the new path.
    Moved { entry: Entry, from: String },
    /// Embedded in this run, or copied from a file with the same content.
    Embedded(Box<NewRecord>),
    /// The file cannot be used. Without a hash, it could not even be read.
    Failed { candidate: Candidate, content_hash: Option<String>, error: String },
    /// The file failed in an earlier run and has not changed.
    FailedBefore(Failure),
}

/// A record without its id.
pub(super) struct NewRecord {
    pub payload: Payload,
    pub index_state: IndexState,
    pub vector: Vec<f32>,
    pub thumbnail: Option<Vec<u8>>,
}

impl IndexOutcome {
    /// The id of a moved entry.
    pub(super) fn moved(&self) -> Option<RecordId> {
        match self {
            Self::Moved { entry, .. } => Some(entry.id),
            _ => None,
        }
    }

    /// Path and status for the event about the file.
    pub(super) fn status(&self) -> (String, FileStatus) {
        match self {
            Self::Unchanged(entry) => (entry.payload.path.clone(), FileStatus::Unchanged),
            Self::Moved { entry, from } => {
                (entry.payload.path.clone(), FileStatus::Renamed { from: from.clone() })
            }
            Self::Embedded(new) => (new.payload.path.clone(), FileStatus::Indexed),
            Self::Failed { candidate, error, .. } => {
                (candidate.key.clone(), FileStatus::Failed { error: error.clone() })
            }
            Self::FailedBefore(failure) => {
                (failure.path.clone(), FileStatus::Failed { error: failure.error.clone() })
            }
        }
    }
}
