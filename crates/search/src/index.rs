//! Bringing a library up to date with the disk: incremental, resumable, and never stopped by one broken file.
//!
//! Whatever moment a run dies at, the next one goes on from what was stored: each file is judged alone, by
//! comparing it with the library.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use lexiform_mesh_io::walk;
use lexiform_store::{Entry, Failure, Record, RecordId};

use crate::pipeline::{self, New, Settled};
use crate::plan::{self, Plan};
use crate::{Error, Event, Library, Status, Summary};

/// How to index.
#[derive(Clone, Debug, Default)]
pub struct IndexOptions {
    /// Files read at the same time; 0 is one for each processor.
    pub jobs: usize,
    /// Forget files that are gone.
    pub prune: bool,
    /// Try files again that failed before and did not change.
    pub retry_failed: bool,
}

impl Library {
    /// Makes the library know all 3D files below `paths`, and tells of each. Answers are right at any moment.
    ///
    /// # Errors
    /// [`Error::NotFound`] if one of `paths` does not exist, [`Error::Store`] if the library cannot be written,
    /// [`Error::Encode`] if the model fails. Files that cannot be used are events, not errors.
    pub fn index(
        &self,
        paths: &[PathBuf],
        options: &IndexOptions,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Summary, Error> {
        let absolute =
            |path: &PathBuf| fs_err::canonicalize(path).map_err(|_| Error::NotFound { path: path.clone() });
        let roots: Vec<PathBuf> = paths.iter().map(absolute).collect::<Result<_, _>>()?;
        let now = SystemTime::now();
        let plan = plan::plan(self.store(), self.place(), &roots, walk(&roots), now)?;
        let mut run = Run { library: self, options, on_event, summary: Summary::default(), now };
        run.start(&plan);
        let moved = run.read(&plan)?;
        run.remove(plan, &moved)?;
        Ok(run.summary)
    }
}

/// One indexing run.
struct Run<'a> {
    library: &'a Library,
    options: &'a IndexOptions,
    on_event: &'a mut dyn FnMut(Event),
    summary: Summary,
    now: SystemTime,
}

impl Run<'_> {
    fn start(&mut self, plan: &Plan) {
        let to_check = plan.candidates.len();
        (self.on_event)(Event::Planned { files: to_check + plan.unchanged.len(), to_check });
        for path in &plan.unchanged {
            self.tell(path.clone(), Status::Unchanged);
        }
        for (path, error) in &plan.unusable {
            self.tell(path.clone(), Status::Failed { error: error.clone() });
        }
    }

    /// Works through the candidates. Returns which entries turned out to have moved.
    fn read(&mut self, plan: &Plan) -> Result<HashSet<RecordId>, Error> {
        let mut moved = HashSet::new();
        let task = pipeline::Task {
            library: self.library,
            candidates: &plan.candidates,
            movable: &plan.movable,
            jobs: self.options.jobs,
            retry_failed: self.options.retry_failed,
            now: self.now,
        };
        pipeline::run(&task, &mut |batch| {
            moved.extend(batch.iter().filter_map(Settled::moved));
            self.commit(batch)
        })?;
        Ok(moved)
    }

    /// Makes a batch durable, then tells of it.
    fn commit(&mut self, batch: Vec<Settled>) -> Result<(), Error> {
        let store = self.library.store();
        let mut told = Vec::with_capacity(batch.len());
        let (mut records, mut entries, mut failures): (Vec<Record>, Vec<Entry>, Vec<Failure>) =
            Default::default();
        let mut broken: Vec<RecordId> = Vec::new();
        for settled in batch {
            let (path, status) = settled.told();
            told.push((path, status));
            match settled {
                Settled::Unchanged(entry) | Settled::Moved { entry, .. } => entries.push(entry),
                Settled::Embedded(new) => {
                    let id = store.assign_id(&new.payload.path, &new.payload.content_hash)?;
                    let New { payload, vector, thumbnail } = *new;
                    records.push(Record { id, vector, payload, thumbnail });
                }
                Settled::Failed { candidate, content_hash, error } => {
                    // What the entry describes is no longer there; a file that merely could not be opened may be.
                    broken.extend(candidate.known.filter(|_| content_hash.is_some()).map(|entry| entry.id));
                    failures.push(self.failure(&candidate.path, candidate.key, content_hash, error));
                }
                Settled::FailedBefore(_) => {}
            }
        }
        store.delete(&broken)?;
        store.upsert(store.space(), &records)?;
        store.update(&entries)?;
        store.clear_failures(&entries.iter().map(|e| e.payload.path.as_str()).collect::<Vec<_>>())?;
        store.record_failures(&failures)?;
        told.into_iter().for_each(|(path, status)| self.tell(path, status));
        Ok(())
    }

    fn failure(
        &self,
        file: &std::path::Path,
        path: String,
        content_hash: Option<String>,
        error: String,
    ) -> Failure {
        let nanoseconds = |time: SystemTime| {
            i64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or(i64::MAX)
        };
        let metadata = fs_err::metadata(file).ok();
        Failure {
            path,
            content_hash,
            bytes: metadata.as_ref().map_or(0, std::fs::Metadata::len),
            modified_ns: metadata.and_then(|m| m.modified().ok()).map(nanoseconds),
            error,
            at_ns: nanoseconds(self.now),
        }
    }

    /// Tells of files that are gone; forgets them if asked to.
    fn remove(&mut self, plan: Plan, moved: &HashSet<RecordId>) -> Result<(), Error> {
        let dropped = self.options.prune;
        let gone: Vec<Entry> = plan.gone.into_iter().filter(|entry| !moved.contains(&entry.id)).collect();
        if dropped {
            self.library.store().delete(&gone.iter().map(|entry| entry.id).collect::<Vec<_>>())?;
        }
        // A failure is only a note about a file; it goes with the file.
        let failures: Vec<&str> = plan.gone_failures.iter().map(String::as_str).collect();
        self.library.store().clear_failures(&failures)?;
        for entry in gone {
            self.tell(entry.payload.path, Status::Removed { dropped });
        }
        Ok(())
    }

    fn tell(&mut self, path: String, status: Status) {
        self.summary.count(&status);
        (self.on_event)(Event::File { path, status });
    }
}
