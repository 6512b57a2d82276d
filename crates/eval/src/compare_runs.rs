//! Paired comparison of several runs on the same files.

use std::path::{Path, PathBuf};

use lexiform_metrics::Interval;
use lexiform_metrics::bootstrap::{Resampling, intervals};
use lexiform_metrics::paired::PairedComparison;
use serde::Serialize;

use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::item_results::{ItemResult, compare};
use crate::report::read_predictions;

/// The table of predictions in a report's folder.
const PREDICTIONS_CSV: &str = "predictions.csv";

/// A run, and how it compares with the first.
#[derive(Clone, Debug, Serialize)]
pub struct RunComparison {
    /// The folder or table of the run.
    pub run: String,
    /// Number of files.
    pub shapes: usize,
    /// Its top-1 accuracy.
    pub top_1: f64,
    /// Its 95 % confidence interval.
    pub interval: Interval,
    /// Comparison with the first run, on common files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_first: Option<PairedComparison>,
}

/// Compares runs with the first. A run is the folder of a report, or a CSV file with the columns `file`, `label` and
/// `predicted`.
///
/// # Errors
/// If a table cannot be read, or has no file in common with the first.
pub fn compare_runs(
    runs: &[PathBuf],
    resampling: Resampling,
    events: &mut OnEvent<'_>,
) -> Result<Vec<RunComparison>, EvalError> {
    let tables = runs.iter().map(|run| item_results(run)).collect::<Result<Vec<_>, _>>()?;
    let mut comparisons = Vec::new();
    for (i, (name, run)) in runs.iter().zip(&tables).enumerate() {
        let none =
            || EvalError::input(format!("{}: no file in common with {}", name.display(), runs[0].display()));
        let paired = compare(&tables[0], run, resampling)?.ok_or_else(none)?;
        // Top-1 is over all files of a run, the comparison over common files only: say so if they differ.
        if paired.items < run.len().max(tables[0].len()) {
            let (first, run) = (runs[0].clone(), name.clone());
            events(EvalEvent::FilesInCommon { first, run, files: paired.items });
        }
        let share = |right: usize| right as f64 / run.len() as f64;
        let [interval] = intervals(run.len(), resampling, |draw| {
            [share(draw.iter().filter(|item| run[**item].is_correct).count())]
        });
        comparisons.push(RunComparison {
            run: name.display().to_string(),
            shapes: run.len(),
            top_1: share(run.iter().filter(|case| case.is_correct).count()),
            interval,
            against_first: (i > 0).then_some(paired),
        });
    }
    Ok(comparisons)
}

/// Files of a run, and whether each is predicted correctly.
fn item_results(run: &Path) -> Result<Vec<ItemResult>, EvalError> {
    let path = if run.is_dir() { run.join(PREDICTIONS_CSV) } else { run.to_owned() };
    let failed = |reason: &dyn std::fmt::Display| EvalError::input(format!("{}: {reason}", path.display()));
    let mut reader = csv::Reader::from_path(&path).map_err(|error| failed(&error))?;
    let header = reader.headers()?.clone();
    let records = reader.records().collect::<Result<Vec<_>, _>>().map_err(|error| failed(&error))?;
    let header: Vec<&str> = header.iter().collect();
    let rows = records.iter().map(|record| record.iter().collect::<Vec<&str>>());
    let items = read_predictions(&header, rows).map_err(|error| failed(&error))?;
    if items.is_empty() { Err(failed(&"expected one line per file, found none")) } else { Ok(items) }
}
