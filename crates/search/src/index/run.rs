//! [`Library::index`]: plans a run, processes the candidates, and handles missing files.
//!
//! A run can be interrupted at any time: the next run compares each file with the store and continues.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::SystemTime;

use lexiform_mesh_io::walk;
use lexiform_store::{Entry, RecordId};

use super::options::IndexOptions;
use super::outcome::IndexOutcome;
use super::plan::{self, Plan};
use super::scenes::SceneRun;
use super::task::IndexTask;
use super::{pipeline, write};
use crate::{Error, FileStatus, IndexEvent, IndexSummary, Library};

impl Library {
    /// Adds all 3D files below `paths` to the library, as shapes or, below paths of [`add_scenes`](Self::add_scenes), as the objects in
    /// them, and reports every file to `on_event`. The library can be searched
    /// at any time during the run.
    ///
    /// # Errors
    /// [`Error::NotFound`] if one of `paths` does not exist, [`Error::Store`] if the library cannot be written,
    /// [`Error::Encode`] if the model fails. Files that cannot be used are events, not errors.
    pub fn index(
        &self,
        paths: &[PathBuf],
        options: &IndexOptions,
        on_event: &mut dyn FnMut(IndexEvent),
    ) -> Result<IndexSummary, Error> {
        let absolute =
            |path: &PathBuf| fs_err::canonicalize(path).map_err(|_| Error::NotFound { path: path.clone() });
        let roots: Vec<PathBuf> = paths.iter().map(absolute).collect::<Result<_, _>>()?;
        let now = SystemTime::now();
        let mut found = walk(&roots);
        let scenes = self.split_scenes(&mut found)?;
        if !found.unsupported.is_empty() {
            on_event(IndexEvent::Unsupported { extensions: found.unsupported.clone() });
        }
        let mut plan = plan::plan(self, &roots, found, now)?;
        plan.leave_out(&scenes.iter().filter_map(|path| self.library_path().key(path)).collect());
        let mut run = IndexRun { library: self, options, on_event, summary: IndexSummary::default(), now };
        run.start(&plan, scenes.len());
        let moved = run.process(&plan)?;
        run.remove_missing(plan, &moved)?;
        let IndexRun { on_event, mut summary, .. } = run;
        let mut on_scene = |path, status| on_event(IndexEvent::File { path, status });
        summary += SceneRun::new(self, options, now, &mut on_scene)?.run(&scenes, &roots)?;
        Ok(summary)
    }
}

/// One indexing run.
struct IndexRun<'a> {
    library: &'a Library,
    options: &'a IndexOptions,
    on_event: &'a mut dyn FnMut(IndexEvent),
    summary: IndexSummary,
    now: SystemTime,
}

impl IndexRun<'_> {
    fn start(&mut self, plan: &Plan, scenes: usize) {
        // Whether a scene has changed is known only when it is its turn.
        let to_check = plan.candidates.len() + scenes;
        (self.on_event)(IndexEvent::Planned { files: to_check + plan.unchanged.len(), to_check });
        for path in &plan.unchanged {
            self.report(path.clone(), FileStatus::Unchanged);
        }
        for (path, error) in &plan.unusable {
            self.report(path.clone(), FileStatus::Failed { error: error.clone() });
        }
    }

    /// Processes the candidates. Returns the entries that turned out to have moved.
    fn process(&mut self, plan: &Plan) -> Result<HashSet<RecordId>, Error> {
        let mut moved = HashSet::new();
        let task = IndexTask {
            library: self.library,
            candidates: &plan.candidates,
            rename_candidates: &plan.rename_candidates,
            jobs: self.options.jobs,
            retry_failed: self.options.retry_failed,
            now: self.now,
        };
        pipeline::run(&task, &mut |batch| {
            moved.extend(batch.iter().filter_map(IndexOutcome::moved));
            self.commit(batch)
        })?;
        Ok(moved)
    }

    /// Stores a batch, then reports it: an event means that the outcome is durable.
    fn commit(&mut self, batch: Vec<IndexOutcome>) -> Result<(), Error> {
        let statuses: Vec<(String, FileStatus)> = batch.iter().map(IndexOutcome::status).collect();
        write::write(self.library.store(), batch, self.now)?;
        statuses.into_iter().for_each(|(path, status)| self.report(path, status));
        Ok(())
    }

    /// Reports missing files, and deletes their records if the options say so.
    fn remove_missing(&mut self, plan: Plan, moved: &HashSet<RecordId>) -> Result<(), Error> {
        let pruned = self.options.prune;
        let missing: Vec<Entry> =
            plan.missing.into_iter().filter(|entry| !moved.contains(&entry.id)).collect();
        if pruned {
            self.library.store().delete(&missing.iter().map(|entry| entry.id).collect::<Vec<_>>())?;
        }
        // A failure only says that a file could not be used: without the file it is obsolete.
        let failures: Vec<&str> = plan.missing_failures.iter().map(String::as_str).collect();
        self.library.store().clear_failures(&failures)?;
        for entry in missing {
            self.report(entry.payload.path, FileStatus::Removed { pruned });
        }
        Ok(())
    }

    fn report(&mut self, path: String, status: FileStatus) {
        self.summary.count(&status);
        (self.on_event)(IndexEvent::File { path, status });
    }
}
