//! Updating a library, with a progress bar or JSON lines, and the list of files that failed.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use lexiform_search::{FileStatus, IndexEvent, IndexOptions, IndexSummary, Library};
use serde::Serialize;

use crate::display_path::PathDisplay;
use crate::embedding_sources::FilelessSource;
use crate::output;
use crate::progress::Progress;

/// How a run is reported.
#[derive(Debug)]
pub(crate) struct IndexReporting {
    /// One JSON object per file on standard output, instead of a bar on standard error.
    pub(crate) json: bool,
    /// How paths are displayed.
    pub(crate) paths: PathDisplay,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct IndexReport {
    /// Counts.
    pub(crate) summary: IndexSummary,
    /// Files that cannot be used, with the reason.
    pub(crate) failed: Vec<(String, String)>,
    /// Files that are missing, and whether they were removed from the library.
    pub(crate) removed: Vec<(String, bool)>,
    /// Numbers of files in 3D formats that are not supported, by extension.
    pub(crate) unsupported: BTreeMap<&'static str, usize>,
    /// How long it took.
    pub(crate) seconds: f64,
}

/// Largest number of files listed in text output.
const MAX_LISTED: usize = 20;

/// Indexes sources without files, then files, and reports progress.
pub(crate) fn update(
    library: &Library,
    (sources, files): (&[FilelessSource], &[PathBuf]),
    options: &IndexOptions,
    reporting: &IndexReporting,
) -> anyhow::Result<IndexReport> {
    let started = Instant::now();
    let mut listener = Listener::new(library, reporting);
    let mut summary = IndexSummary::default();
    for source in sources {
        summary += source.index(library, options.prune, &mut |event| listener.on_event(event))?;
    }
    // Without paths, nothing is known to be missing.
    if !files.is_empty() || sources.is_empty() {
        summary += library.index(files, options, &mut |event| listener.on_event(event))?;
    }
    let Listener { failed, removed, unsupported, output_result, .. } = listener;
    output_result?;
    let seconds = started.elapsed().as_secs_f64();
    let mut report = IndexReport { summary, failed, removed, unsupported, seconds };
    // Files finish in the order of the threads.
    report.failed.sort();
    Ok(report)
}

/// Shows the events of a run and collects what is listed at its end.
struct Listener<'a> {
    library: &'a Library,
    reporting: &'a IndexReporting,
    progress: Option<Progress>,
    failed: Vec<(String, String)>,
    removed: Vec<(String, bool)>,
    unsupported: BTreeMap<&'static str, usize>,
    output_result: anyhow::Result<()>,
}

impl<'a> Listener<'a> {
    fn new(library: &'a Library, reporting: &'a IndexReporting) -> Self {
        let (failed, removed, unsupported) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { library, reporting, progress: None, failed, removed, unsupported, output_result: Ok(()) }
    }

    fn on_event(&mut self, event: IndexEvent) {
        match event {
            IndexEvent::Unsupported { extensions } => self.unsupported = extensions,
            IndexEvent::Planned { to_check, .. } => {
                self.progress = (!self.reporting.json && to_check > 0).then(|| Progress::new(to_check));
            }
            IndexEvent::File { path, status } => self.on_file(&path, status),
        }
    }

    fn on_file(&mut self, path: &str, status: FileStatus) {
        let show = |path: &str| self.reporting.paths.path(&self.library.library_path().resolve(path));
        let path = show(path);
        if self.reporting.json && self.output_result.is_ok() {
            self.output_result = output::json(&FileLine::new(&path, &status, show));
        }
        if let Some(progress) = self.progress.as_ref().filter(|_| status != FileStatus::Unchanged) {
            progress.step(path.rsplit('/').next().unwrap_or(&path));
        }
        match status {
            FileStatus::Failed { error } => self.failed.push((path, error)),
            FileStatus::Removed { pruned } => self.removed.push((path, pruned)),
            _ => {}
        }
    }
}

/// A file as a line of JSON.
#[derive(Serialize)]
struct FileLine<'a> {
    path: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pruned: Option<bool>,
}

impl<'a> FileLine<'a> {
    fn new(path: &'a str, status: &'a FileStatus, show: impl Fn(&str) -> String) -> Self {
        let line = |status| Self { path, status, error: None, from: None, pruned: None };
        match status {
            FileStatus::Indexed => line("indexed"),
            FileStatus::Unchanged => line("unchanged"),
            FileStatus::Renamed { from } => Self { from: Some(show(from)), ..line("renamed") },
            FileStatus::Failed { error } => Self { error: Some(error), ..line("failed") },
            FileStatus::Removed { pruned } => Self { pruned: Some(*pruned), ..line("removed") },
        }
    }
}

impl IndexReport {
    /// Lists the files that cannot be used, with the reasons.
    pub(crate) fn list_failed(&self) {
        list_failed(&self.failed);
    }

    /// Counts the files in formats that are not supported: `3 files not read: .blend 2, .step 1`.
    pub(crate) fn list_unsupported(&self) {
        if !self.unsupported.is_empty() {
            let count = self.unsupported.values().sum();
            let mut formats: Vec<(&str, usize)> = self.unsupported.iter().map(|(e, n)| (*e, *n)).collect();
            // Sorted by name before.
            formats.sort_by_key(|(_, n)| Reverse(*n));
            let formats: Vec<String> = formats.iter().map(|(e, n)| format!(".{e} {n}")).collect();
            output::note(format!("{} not read: {}", output::quantity(count, "file"), formats.join(", ")));
        }
    }

    /// Lists the missing files.
    pub(crate) fn list_removed(&self) {
        let Some((_, pruned)) = self.removed.first() else { return };
        let what = if *pruned {
            "missing and removed from the library"
        } else {
            "missing (--prune removes them from the library)"
        };
        output::note(format!("{} {what}:", output::quantity(self.removed.len(), "file")));
        let paths: Vec<&str> = self.removed.iter().map(|(path, _)| path.as_str()).collect();
        list(&paths, |path| format!("  {path}"));
    }

    /// One line of counts.
    pub(crate) fn totals(&self) -> String {
        let IndexSummary { indexed, unchanged, renamed, failed, removed } = self.summary;
        let counts = [
            (indexed, "indexed"),
            (unchanged, "unchanged"),
            (renamed, "renamed"),
            (failed, "failed"),
            (removed, "removed"),
        ];
        let counts = counts.iter().filter(|(n, what)| *n > 0 || *what == "indexed");
        let counts: Vec<String> = counts.map(|(n, what)| format!("{n} {what}")).collect();
        format!("{} in {:.1} s", counts.join(", "), self.seconds)
    }
}

/// Lists files that cannot be used, with the reasons.
pub(crate) fn list_failed(failed: &[(String, String)]) {
    if !failed.is_empty() {
        output::note(format!("{} could not be used:", output::quantity(failed.len(), "file")));
        list(failed, |(path, error)| format!("  {path}: {error}"));
    }
}

fn list<T>(items: &[T], line: impl Fn(&T) -> String) {
    items.iter().take(MAX_LISTED).for_each(|item| output::note(output::single_line(&line(item))));
    if items.len() > MAX_LISTED {
        output::note(format!("  … and {} more (all with --json)", items.len() - MAX_LISTED));
    }
}
