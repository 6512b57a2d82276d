//! Results of several runs on the same files, pair by pair.

use std::path::{Path, PathBuf};

use lexiform_metrics::Interval;
use lexiform_metrics::bootstrap::{Resampling, intervals};
use lexiform_metrics::paired::PairedComparison;
use serde::Serialize;

use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::item_results::{ItemResult, compare};
use crate::report::read_predictions;

/// The table of items in a report's folder.
const PREDICTIONS_CSV: &str = "predictions.csv";

/// A run, and how it compares with the first.
#[derive(Clone, Debug, Serialize)]
pub struct RunComparison {
    /// The run's folder or table.
    pub run: String,
    /// Its files.
    pub shapes: usize,
    /// Its top-1 accuracy.
    pub top_1: f64,
    /// The 95 % confidence interval of it.
    pub interval: Interval,
    /// The difference to the first run, on files that both have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_first: Option<PairedComparison>,
}

/// Compares runs with the first. A run is a folder with a report, or a table with the columns `file`, `label` and
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
            || EvalError::input(format!("{}: no file is also in {}", name.display(), runs[0].display()));
        let paired = compare(&tables[0], run, resampling)?.ok_or_else(none)?;
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
    match items.is_empty() {
        true => Err(failed(&"expected a line for each file, found none")),
        false => Ok(items),
    }
}
