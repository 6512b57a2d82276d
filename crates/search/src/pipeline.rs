//! Workers read and draw, one thread embeds, the caller stores. Queues are bounded, so memory is too.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use lexiform_model::Embedding;
use lexiform_store::{Entry, Failure, Payload, RecordId, StoreError};

use crate::fingerprint::{Fingerprint, fingerprint};
use crate::look::panic_text;
use crate::plan::{Candidate, mark};
use crate::query::encode_error;
use crate::{Encoder, Error, Library, Status, Taken};

/// Shapes that go through the model at once.
const BATCH: usize = 8;
/// Results stored at once.
const COMMIT: usize = 64;
/// Files above this are read one at a time, whatever the number of workers.
pub(crate) const HEAVY_BYTES: u64 = 64 << 20;
/// Parsers are bounded in depth, but not tightly.
pub(crate) const STACK_BYTES: usize = 16 << 20;

/// Work for one run of the pipeline.
pub(crate) struct Task<'a> {
    pub library: &'a Library,
    pub candidates: &'a [Candidate],
    /// Entries whose file is gone, by content.
    pub movable: &'a HashMap<String, Vec<Entry>>,
    /// Workers; 0 is one for each processor.
    pub jobs: usize,
    pub retry_failed: bool,
    pub now: SystemTime,
}

/// What became of a candidate, ready to be stored.
pub(crate) enum Settled {
    /// Known as it is; the entry carries new times.
    Unchanged(Entry),
    /// Known from another path; the entry carries the new one.
    Moved { entry: Entry, from: String },
    /// Embedded, now or earlier as a file of the same content.
    Embedded(Box<New>),
    /// It cannot be used. Without a hash it could not even be read.
    Failed { candidate: Candidate, content_hash: Option<String>, error: String },
    /// It could not be used last time and has not changed.
    FailedBefore(Failure),
}

/// A record without its id.
pub(crate) struct New {
    pub payload: Payload,
    pub vector: Vec<f32>,
    pub thumbnail: Option<Vec<u8>>,
}

impl Settled {
    /// The entry that moved, if this is about one.
    pub fn moved(&self) -> Option<RecordId> {
        match self {
            Self::Moved { entry, .. } => Some(entry.id),
            _ => None,
        }
    }

    /// Path and status as an event tells them.
    pub fn told(&self) -> (String, Status) {
        match self {
            Self::Unchanged(entry) => (entry.payload.path.clone(), Status::Unchanged),
            Self::Moved { entry, from } => {
                (entry.payload.path.clone(), Status::Renamed { from: from.clone() })
            }
            Self::Embedded(new) => (new.payload.path.clone(), Status::Indexed),
            Self::Failed { candidate, error, .. } => {
                (candidate.key.clone(), Status::Failed { error: error.clone() })
            }
            Self::FailedBefore(failure) => {
                (failure.path.clone(), Status::Failed { error: failure.error.clone() })
            }
        }
    }
}

/// A shape on its way to the model.
struct Drawn {
    candidate: Candidate,
    taken: Taken,
    payload: Payload,
    thumbnail: Vec<u8>,
}

/// What a worker made of a candidate.
enum Checked {
    Settled(Box<Settled>),
    Replacing(Box<Settled>),
    Drawn(Box<Drawn>),
}

fn settled(settled: Settled) -> Checked {
    Checked::Settled(Box::new(settled))
}

/// Works through the task; `commit` gets the results in batches, on the calling thread. Stops at the first error.
pub(crate) fn run(
    task: &Task<'_>,
    commit: &mut dyn FnMut(Vec<Settled>) -> Result<(), Error>,
) -> Result<(), Error> {
    if task.candidates.is_empty() {
        return Ok(());
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if task.jobs == 0 { processors } else { task.jobs }.min(task.candidates.len());
    let (to_model, drawn) = sync_channel::<Drawn>(BATCH);
    let (to_store, settled) = sync_channel::<Result<Settled, Error>>(COMMIT);
    let workers = Workers {
        task,
        next: AtomicUsize::new(0),
        busy: AtomicUsize::new(jobs),
        claimed: Mutex::default(),
        replacing: Mutex::default(),
        heavy: Mutex::new(()),
    };
    std::thread::scope(|scope| {
        let builder = || std::thread::Builder::new().stack_size(STACK_BYTES);
        for _ in 0..jobs {
            let (workers, to_model, to_store) = (&workers, to_model.clone(), to_store.clone());
            builder().spawn_scoped(scope, move || workers.work(&to_model, &to_store))?;
        }
        let encoder = task.library.encoder();
        builder().spawn_scoped(scope, move || embed_all(encoder, &drawn, &to_store))?;
        // The queues close when their last sender ends.
        drop(to_model);
        store_all(settled, commit)
    })
}

/// Stores results as they come: what is waiting together goes in one batch.
fn store_all(
    settled: Receiver<Result<Settled, Error>>,
    commit: &mut dyn FnMut(Vec<Settled>) -> Result<(), Error>,
) -> Result<(), Error> {
    while let Ok(first) = settled.recv() {
        let mut batch = Vec::new();
        let mut failure = None;
        for result in std::iter::once(first).chain(settled.try_iter()).take(COMMIT) {
            match result {
                Ok(settled) => batch.push(settled),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        // What was done before the failure is kept.
        if !batch.is_empty() {
            commit(batch)?;
        }
        if let Some(error) = failure {
            return Err(error);
        }
    }
    Ok(())
}

/// What the workers share.
struct Workers<'a> {
    task: &'a Task<'a>,
    next: AtomicUsize,
    /// Workers that have not finished.
    busy: AtomicUsize,
    /// Copies that take the place of other contents. They wait for the end, because the contents they replace may have a
    /// new place too: files that traded places.
    replacing: Mutex<Vec<Settled>>,
    /// Entries that a new path has taken over.
    claimed: Mutex<HashSet<RecordId>>,
    /// Held while a heavy file is in memory.
    heavy: Mutex<()>,
}

impl Workers<'_> {
    /// Takes candidates until none is left or nobody wants the results.
    fn work(&self, to_model: &SyncSender<Drawn>, to_store: &SyncSender<Result<Settled, Error>>) {
        while let Some(candidate) = self.task.candidates.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let is_wanted = match self.check(candidate) {
                Ok(Checked::Drawn(drawn)) => to_model.send(*drawn).is_ok(),
                Ok(Checked::Settled(settled)) => to_store.send(Ok(*settled)).is_ok(),
                Ok(Checked::Replacing(settled)) => {
                    self.replacing.lock().unwrap_or_else(PoisonError::into_inner).push(*settled);
                    true
                }
                Err(error) => to_store.send(Err(error.into())).is_ok_and(|()| false),
            };
            if !is_wanted {
                return;
            }
        }
        if self.busy.fetch_sub(1, Ordering::AcqRel) == 1 {
            let replacing =
                std::mem::take(&mut *self.replacing.lock().unwrap_or_else(PoisonError::into_inner));
            // Where nobody listens any more, there is nobody to tell.
            let _ = replacing.into_iter().all(|settled| to_store.send(Ok(settled)).is_ok());
        }
    }

    /// Finds out what a candidate is, as cheaply as can be: known, moved, a copy, or to be drawn.
    fn check(&self, candidate: &Candidate) -> Result<Checked, StoreError> {
        let print = match fingerprint(&candidate.path, self.task.now) {
            Ok(print) => print,
            Err(error) => return Ok(failed(candidate, None, error.to_string())),
        };
        let failure = candidate.failure.as_ref().filter(|f| f.content_hash.as_ref() == Some(&print.content));
        if let Some(failure) = failure.filter(|_| !self.task.retry_failed) {
            return Ok(settled(Settled::FailedBefore(failure.clone())));
        }
        let same = candidate.known.as_ref().filter(|entry| entry.payload.content_hash == print.content);
        if let Some(entry) = same {
            return Ok(settled(Settled::Unchanged(marked(entry.clone(), candidate, &print))));
        }
        if let Some(entry) = self.claim(candidate, &print.content) {
            let from = entry.payload.path.clone();
            let entry = marked(entry, candidate, &print);
            return Ok(settled(Settled::Moved { entry, from }));
        }
        if let Some(new) = self.copy(candidate, &print)? {
            let new = Box::new(Settled::Embedded(Box::new(new)));
            return Ok(if candidate.known.is_some() {
                Checked::Replacing(new)
            } else {
                Checked::Settled(new)
            });
        }
        Ok(self.draw(candidate, &print))
    }

    /// An entry of the same content whose file is gone, for a path that has no entry of its own.
    fn claim(&self, candidate: &Candidate, content: &str) -> Option<Entry> {
        let origins = self.task.movable.get(content).filter(|_| candidate.known.is_none())?;
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        origins.iter().find(|entry| claimed.insert(entry.id)).cloned()
    }

    /// The record of another file with the same content, made this file's.
    fn copy(&self, candidate: &Candidate, print: &Fingerprint) -> Result<Option<New>, StoreError> {
        let store = self.task.library.store();
        let twins = store.find_by_content(&print.content)?;
        // The format decides how bytes are read, so a twin has the same.
        let twin = twins.iter().find(|twin| ending(&twin.payload.path) == ending(&candidate.key));
        let Some(twin) = twin else { return Ok(None) };
        let Some(record) = store.get(&[twin.id])?.into_iter().flatten().next() else { return Ok(None) };
        let entry = marked(Entry { id: record.id, payload: record.payload }, candidate, print);
        Ok(Some(New { payload: entry.payload, vector: record.vector, thumbnail: record.thumbnail }))
    }

    fn draw(&self, candidate: &Candidate, print: &Fingerprint) -> Checked {
        let guard =
            (print.bytes > HEAVY_BYTES).then(|| self.heavy.lock().unwrap_or_else(PoisonError::into_inner));
        let seen = self.task.library.look().see(&candidate.path);
        drop(guard);
        match seen {
            Ok(seen) => {
                let mut payload = seen.payload;
                payload.path.clone_from(&candidate.key);
                mark(&mut payload, print);
                let (taken, thumbnail) = (seen.taken, seen.thumbnail);
                Checked::Drawn(Box::new(Drawn { candidate: candidate.clone(), taken, payload, thumbnail }))
            }
            Err(Error::Shape { reason, .. }) => failed(candidate, Some(print.content.clone()), reason),
            Err(error) => failed(candidate, Some(print.content.clone()), error.to_string()),
        }
    }
}

fn failed(candidate: &Candidate, content_hash: Option<String>, error: String) -> Checked {
    settled(Settled::Failed { candidate: candidate.clone(), content_hash, error })
}

/// The entry with the candidate's path and the content's marks.
fn marked(mut entry: Entry, candidate: &Candidate, print: &Fingerprint) -> Entry {
    entry.payload.path.clone_from(&candidate.key);
    mark(&mut entry.payload, print);
    entry
}

fn ending(path: &str) -> String {
    Path::new(path).extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// Embeds shapes as they come: what is waiting together goes in one batch.
fn embed_all(encoder: &dyn Encoder, drawn: &Receiver<Drawn>, to_store: &SyncSender<Result<Settled, Error>>) {
    while let Ok(first) = drawn.recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match drawn.try_recv() {
                Ok(next) => batch.push(next),
                Err(_) => break,
            }
        }
        for settled in embed_batch(encoder, batch) {
            let is_error = settled.is_err();
            if to_store.send(settled).is_err() || is_error {
                return;
            }
        }
    }
}

/// Embeds a batch at once; if that fails, each shape alone, so that one cannot spoil the others. When none
/// succeeds, or one that did does not any more, it is the model's fault, and an error.
fn embed_batch(encoder: &dyn Encoder, batch: Vec<Drawn>) -> Vec<Result<Settled, Error>> {
    match embed(encoder, batch.iter().map(|drawn| drawn.taken.clone()).collect()) {
        Ok(embeddings) => batch.into_iter().zip(embeddings).map(|(d, e)| Ok(embedded(d, &e))).collect(),
        Err(error) if batch.len() == 1 => vec![Err(error)],
        Err(error) => {
            let alone: Vec<_> = batch.iter().map(|drawn| embed(encoder, vec![drawn.taken.clone()])).collect();
            let good = alone.iter().position(Result::is_ok);
            let still = good.is_some_and(|i| embed(encoder, vec![batch[i].taken.clone()]).is_ok());
            if !still {
                let done =
                    batch.into_iter().zip(alone).filter_map(|(drawn, result)| match result.as_deref() {
                        Ok([embedding]) => Some(Ok(embedded(drawn, embedding))),
                        _ => None,
                    });
                return done.chain([Err(error)]).collect();
            }
            let settle = |(drawn, result): (Drawn, Result<Vec<Embedding>, Error>)| match result.as_deref() {
                Ok([embedding]) => embedded(drawn, embedding),
                other => Settled::Failed {
                    content_hash: Some(drawn.payload.content_hash),
                    candidate: drawn.candidate,
                    error: other.err().map_or_else(|| "no embedding".to_owned(), ToString::to_string),
                },
            };
            batch.into_iter().zip(alone).map(settle).map(Ok).collect()
        }
    }
}

fn embedded(drawn: Drawn, embedding: &Embedding) -> Settled {
    let vector = embedding.as_slice().to_vec();
    Settled::Embedded(Box::new(New { payload: drawn.payload, vector, thumbnail: Some(drawn.thumbnail) }))
}

/// One embedding a shape, or an error; a panic inside the model is an error.
fn embed(encoder: &dyn Encoder, shapes: Vec<Taken>) -> Result<Vec<Embedding>, Error> {
    let expected = shapes.len();
    let embeddings = catch_unwind(AssertUnwindSafe(|| encoder.embed_shapes(shapes)))
        .unwrap_or_else(|panic| Err(format!("internal error: {}", panic_text(&*panic)).into()))
        .map_err(|error| encode_error(encoder, error))?;
    if embeddings.len() == expected {
        return Ok(embeddings);
    }
    let message = format!("expected {expected} embeddings, found {}", embeddings.len());
    Err(encode_error(encoder, message.into()))
}
