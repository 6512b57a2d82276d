//! The workers of an indexing run: find out whether a file must be embedded, and read and render it if so.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};

use lexiform_store::{Entry, IndexState, Payload, RecordId, StoreError};

use super::outcome::{IndexOutcome, NewRecord};
use super::plan::{Candidate, set_fingerprint};
use super::task::IndexTask;
use crate::fingerprint::{Fingerprint, fingerprint};
use crate::read_limits::LARGE_FILE_BYTES;
use crate::{Error, ModelInput};

/// A shape ready for the model.
pub(super) struct Prepared {
    pub candidate: Candidate,
    pub input: ModelInput,
    pub payload: Payload,
    pub index_state: IndexState,
    pub thumbnail: Vec<u8>,
}

/// Result of looking up a candidate.
enum Lookup {
    /// The outcome is known without the model.
    Done(Box<IndexOutcome>),
    /// As `Done`, but the outcome replaces a record; see [`Workers::deferred`].
    Deferred(Box<IndexOutcome>),
    /// To be embedded.
    Prepared(Box<Prepared>),
}

/// State shared by the workers.
pub(super) struct Workers<'a> {
    task: &'a IndexTask<'a>,
    /// Index of the next candidate.
    next: AtomicUsize,
    /// Workers that have not finished.
    busy: AtomicUsize,
    /// Copies of records that replace records with other contents. They are written last, because another file may
    /// still need the replaced record: when two files swap paths, each is copied from the record of the other.
    deferred: Mutex<Vec<IndexOutcome>>,
    /// Records of missing files that a new path has taken over.
    claimed: Mutex<HashSet<RecordId>>,
    /// Locked while a large file is in memory.
    large_file: Mutex<()>,
}

impl<'a> Workers<'a> {
    /// State for `jobs` threads, each of which must call [`work`](Self::work) once.
    pub(super) fn new(task: &'a IndexTask<'a>, jobs: usize) -> Self {
        Self {
            task,
            next: AtomicUsize::new(0),
            busy: AtomicUsize::new(jobs),
            deferred: Mutex::default(),
            claimed: Mutex::default(),
            large_file: Mutex::new(()),
        }
    }

    /// Processes candidates until there are no more, or the receivers have stopped.
    pub(super) fn work(
        &self,
        to_model: &SyncSender<Prepared>,
        to_store: &SyncSender<Result<IndexOutcome, Error>>,
    ) {
        while let Some(candidate) = self.task.candidates.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let is_received = match self.look_up(candidate) {
                Ok(Lookup::Prepared(prepared)) => to_model.send(*prepared).is_ok(),
                Ok(Lookup::Done(outcome)) => to_store.send(Ok(*outcome)).is_ok(),
                Ok(Lookup::Deferred(outcome)) => {
                    self.deferred.lock().unwrap_or_else(PoisonError::into_inner).push(*outcome);
                    true
                }
                Err(error) => to_store.send(Err(error.into())).is_ok_and(|()| false),
            };
            if !is_received {
                return;
            }
        }
        // The last worker to finish: all other outcomes that need a replaced record have been copied.
        if self.busy.fetch_sub(1, Ordering::AcqRel) == 1 {
            let deferred = std::mem::take(&mut *self.deferred.lock().unwrap_or_else(PoisonError::into_inner));
            // A closed queue means that the run has failed: the remaining outcomes are not written.
            let _ = deferred.into_iter().all(|outcome| to_store.send(Ok(outcome)).is_ok());
        }
    }

    /// Determines whether a candidate is unchanged, moved, a copy of another file, or must be embedded; cheapest checks
    /// first.
    fn look_up(&self, candidate: &Candidate) -> Result<Lookup, StoreError> {
        let fingerprint = match fingerprint(&candidate.path, self.task.now) {
            Ok(fingerprint) => fingerprint,
            Err(error) => return Ok(failed(candidate, None, error.to_string())),
        };
        let hash = &fingerprint.content_hash;
        let failure = candidate.failure.as_ref().filter(|f| f.content_hash.as_ref() == Some(hash));
        if let Some(failure) = failure.filter(|_| !self.task.retry_failed) {
            return Ok(done(IndexOutcome::FailedBefore(failure.clone())));
        }
        // Only the modification time differs: the embedding is still valid.
        let same = candidate.known.as_ref().filter(|entry| entry.payload.content_hash == *hash);
        if let Some(entry) = same {
            let entry = with_fingerprint(entry.clone(), candidate, &fingerprint);
            return Ok(done(IndexOutcome::Unchanged(entry)));
        }
        if let Some(entry) = self.claim(candidate, hash) {
            let from = entry.payload.path.clone();
            let entry = with_fingerprint(entry, candidate, &fingerprint);
            return Ok(done(IndexOutcome::Moved { entry, from }));
        }
        // Another file has the same bytes: its embedding and thumbnail are copied.
        if let Some(new) = self.copy(candidate, &fingerprint)? {
            let outcome = Box::new(IndexOutcome::Embedded(Box::new(new)));
            let replaces = candidate.known.is_some();
            return Ok(if replaces { Lookup::Deferred(outcome) } else { Lookup::Done(outcome) });
        }
        Ok(self.prepare(candidate, &fingerprint))
    }

    /// An entry with the same content whose file is missing, for a path without an entry.
    fn claim(&self, candidate: &Candidate, content_hash: &str) -> Option<Entry> {
        let origins = self.task.rename_candidates.get(content_hash).filter(|_| candidate.known.is_none())?;
        // Of several new copies of a missing file, only one takes over its record.
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        origins.iter().find(|entry| claimed.insert(entry.id)).cloned()
    }

    /// A copy of the record of another file with the same content.
    fn copy(
        &self,
        candidate: &Candidate,
        fingerprint: &Fingerprint,
    ) -> Result<Option<NewRecord>, StoreError> {
        let store = self.task.library.store();
        let copies = store.find_by_content(&fingerprint.content_hash)?;
        // The extension selects the reader: the same bytes with another extension may be another shape.
        let copy = copies.iter().find(|copy| extension(&copy.payload.path) == extension(&candidate.key));
        let Some(copy) = copy else { return Ok(None) };
        // The record may have been replaced since.
        let Some(record) = store.get(&[copy.id])?.into_iter().flatten().next() else { return Ok(None) };
        let entry = Entry { id: record.id, payload: record.payload, index_state: record.index_state };
        let Entry { payload, index_state, .. } = with_fingerprint(entry, candidate, fingerprint);
        let (vector, thumbnail) = (record.vector, record.thumbnail);
        Ok(Some(NewRecord { payload, index_state, vector, thumbnail }))
    }

    /// Reads and renders a candidate for the model.
    fn prepare(&self, candidate: &Candidate, fingerprint: &Fingerprint) -> Lookup {
        // Large files one at a time, whatever the number of workers.
        let guard = (fingerprint.bytes > LARGE_FILE_BYTES)
            .then(|| self.large_file.lock().unwrap_or_else(PoisonError::into_inner));
        let processed = self.task.library.preprocessor().process(&candidate.path);
        drop(guard);
        let processed = match processed {
            Ok(processed) => processed,
            Err(error) => {
                // The event names the file: the reason alone does not repeat it.
                let reason = match error {
                    Error::Shape { reason, .. } => reason,
                    error => error.to_string(),
                };
                return failed(candidate, Some(fingerprint.content_hash.clone()), reason);
            }
        };
        let (mut payload, mut index_state) = (processed.payload, IndexState::default());
        payload.path.clone_from(&candidate.key);
        set_fingerprint(&mut payload, &mut index_state, fingerprint);
        Lookup::Prepared(Box::new(Prepared {
            candidate: candidate.clone(),
            input: processed.input,
            payload,
            index_state,
            thumbnail: processed.thumbnail,
        }))
    }
}

fn done(outcome: IndexOutcome) -> Lookup {
    Lookup::Done(Box::new(outcome))
}

fn failed(candidate: &Candidate, content_hash: Option<String>, error: String) -> Lookup {
    done(IndexOutcome::Failed { candidate: candidate.clone(), content_hash, error })
}

/// The entry with the candidate's path and fingerprint.
fn with_fingerprint(mut entry: Entry, candidate: &Candidate, fingerprint: &Fingerprint) -> Entry {
    entry.payload.path.clone_from(&candidate.key);
    set_fingerprint(&mut entry.payload, &mut entry.index_state, fingerprint);
    entry
}

/// The file extension in lower case.
fn extension(path: &str) -> String {
    Path::new(path).extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}
