//! Bringing a library up to date, with a progress bar or JSON lines, and the list of files that failed.

use std::path::PathBuf;
use std::time::Instant;

use lexiform_search::{FileStatus, IndexEvent, IndexOptions, IndexSummary, Library};
use serde::Serialize;

use crate::output;
use crate::progress::Progress;
use crate::shown::Shown;

/// How a run is shown.
#[derive(Debug)]
pub struct Telling {
    /// One JSON object a file on standard output, instead of a bar on standard error.
    pub json: bool,
    /// How paths are written.
    pub shown: Shown,
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// Counts.
    pub summary: IndexSummary,
    /// Files that cannot be used, with the reason.
    pub failed: Vec<(String, String)>,
    /// Files that are gone, and whether they were forgotten.
    pub removed: Vec<(String, bool)>,
    /// How long it took.
    pub seconds: f64,
}

/// Most files listed one by one to people.
const LISTED: usize = 20;

/// Indexes `paths` and shows how it goes.
pub fn update(
    library: &Library,
    paths: &[PathBuf],
    options: &IndexOptions,
    telling: &Telling,
) -> anyhow::Result<Report> {
    let started = Instant::now();
    let mut progress = None;
    let mut failed = Vec::new();
    let mut removed = Vec::new();
    let mut told = Ok(());
    let show = |path: &str| telling.shown.path(&library.library_path().resolve(path));
    let summary = library.index(paths, options, &mut |event| match event {
        IndexEvent::Planned { to_check, .. } => {
            progress = (!telling.json && to_check > 0).then(|| Progress::new(to_check));
        }
        IndexEvent::File { path, status } => {
            let path = show(&path);
            if telling.json && told.is_ok() {
                told = output::json(&FileLine::new(&path, &status, show));
            }
            if let Some(progress) = progress.as_ref().filter(|_| status != FileStatus::Unchanged) {
                progress.step(path.rsplit('/').next().unwrap_or(&path));
            }
            match status {
                FileStatus::Failed { error } => failed.push((path, error)),
                FileStatus::Removed { pruned } => removed.push((path, pruned)),
                _ => {}
            }
        }
    })?;
    drop(progress);
    told?;
    failed.sort();
    Ok(Report { summary, failed, removed, seconds: started.elapsed().as_secs_f64() })
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

impl Report {
    /// Tells people which files cannot be used, and why.
    pub fn list_failed(&self) {
        list_failed(&self.failed);
    }

    /// Tells people which files are gone.
    pub fn list_removed(&self) {
        let Some((_, pruned)) = self.removed.first() else { return };
        let what = if *pruned { "gone and forgotten" } else { "gone (forget with --prune)" };
        output::note(format!("{} {what}:", output::count(self.removed.len(), "file")));
        let paths: Vec<&str> = self.removed.iter().map(|(path, _)| path.as_str()).collect();
        list(&paths, |path| format!("  {path}"));
    }

    /// One line of counts.
    pub fn totals(&self) -> String {
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

/// Tells people which files cannot be used, and why.
pub fn list_failed(failed: &[(String, String)]) {
    if !failed.is_empty() {
        output::note(format!("{} could not be used:", output::count(failed.len(), "file")));
        list(failed, |(path, error)| format!("  {path}: {error}"));
    }
}

fn list<T>(items: &[T], line: impl Fn(&T) -> String) {
    items.iter().take(LISTED).for_each(|item| output::note(line(item)));
    if items.len() > LISTED {
        output::note(format!("  … and {} more (all with --json)", items.len() - LISTED));
    }
}
