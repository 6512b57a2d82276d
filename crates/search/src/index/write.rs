//! Writes the outcomes of an indexing run to the store: records, renames and failures.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lexiform_store::{Entry, Failure, Record, RecordId, StoreError, VectorStore};

use super::outcome::{IndexOutcome, NewRecord};

/// The changes of a batch, by method of the store.
#[derive(Default)]
struct Changes {
    records: Vec<Record>,
    entries: Vec<Entry>,
    failures: Vec<Failure>,
    deleted: Vec<RecordId>,
}

/// Stores a batch of outcomes. When it returns `Ok`, the outcomes are durable.
pub(super) fn write(
    store: &dyn VectorStore,
    batch: Vec<IndexOutcome>,
    now: SystemTime,
) -> Result<(), StoreError> {
    let mut changes = Changes::default();
    for outcome in batch {
        changes.add(store, outcome, now)?;
    }
    let Changes { records, entries, failures, deleted } = changes;
    // Deleted first, so that no search finds content that no longer exists. The calls need not be one transaction:
    // each file is compared with the store again in the next run.
    store.delete(&deleted)?;
    store.upsert(store.space(), &records)?;
    store.update(&entries)?;
    store.clear_failures(&entries.iter().map(|entry| entry.payload.path.as_str()).collect::<Vec<_>>())?;
    store.record_failures(&failures)
}

impl Changes {
    fn add(
        &mut self,
        store: &dyn VectorStore,
        outcome: IndexOutcome,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        match outcome {
            IndexOutcome::Unchanged(entry) | IndexOutcome::Moved { entry, .. } => self.entries.push(entry),
            IndexOutcome::Embedded(new) => {
                let NewRecord { payload, index_state, vector, thumbnail } = *new;
                let id = store.assign_id(&payload.path, &payload.content_hash)?;
                self.records.push(Record { id, vector, payload, index_state, thumbnail });
            }
            IndexOutcome::Failed { candidate, content_hash, error } => {
                // The record describes content that no longer exists. If the file could not be opened, it may be
                // unchanged.
                self.deleted.extend(candidate.known.filter(|_| content_hash.is_some()).map(|entry| entry.id));
                let failure = Failure { content_hash, ..failure(&candidate.path, candidate.key, error, now) };
                self.failures.push(failure);
            }
            // Recorded by the earlier run.
            IndexOutcome::FailedBefore(_) => {}
        }
        Ok(())
    }
}

/// A failure with the size and modification time of the file.
pub(super) fn failure(file: &Path, path: String, error: String, now: SystemTime) -> Failure {
    let nanoseconds = |time: SystemTime| {
        i64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or(i64::MAX)
    };
    let metadata = fs_err::metadata(file).ok();
    Failure {
        path,
        content_hash: None,
        bytes: metadata.as_ref().map_or(0, std::fs::Metadata::len),
        modified_ns: metadata.and_then(|m| m.modified().ok()).map(nanoseconds),
        error,
        failed_at_ns: nanoseconds(now),
    }
}
