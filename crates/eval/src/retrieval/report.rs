//! Metrics of every direction and model, and a table of all queries.

use std::path::Path;

use lexiform_formats::FileWriter;
use lexiform_metrics::Interval;
use lexiform_metrics::bootstrap::Resampling;
use lexiform_metrics::paired::PairedComparison;
use lexiform_metrics::retrieval::{CUTOFFS, RetrievalMetrics, RetrievalScores};
use serde::Serialize;

use super::direction::Direction;
use super::run::Run;
use crate::error::EvalError;
use crate::item_results::compare;
use crate::unusable::UnusableFile;

/// The results of a retrieval evaluation.
pub struct RetrievalReport {
    runs: Vec<Run>,
    /// Sorted by direction, then model; empty if a model could use no shape.
    pub results: Vec<DirectionResult>,
    /// Files that a model could not use, each once, sorted.
    pub unusable: Vec<UnusableFile>,
}

/// Metrics of one model in one direction.
#[derive(Clone, Debug, Serialize)]
pub struct DirectionResult {
    /// `text → shape` and the like.
    pub direction: &'static str,
    /// The model.
    pub model: String,
    /// The k of recall@k and NDCG@k.
    pub cutoffs: [usize; CUTOFFS.len()],
    /// The metrics.
    #[serde(flatten)]
    pub counted: RetrievalMetrics,
    /// Their 95 % confidence intervals.
    pub intervals: RetrievalScores<Interval>,
    /// Top results compared with those of the first model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_first: Option<PairedComparison>,
}

impl RetrievalReport {
    pub(super) fn new(runs: Vec<Run>) -> Self {
        let unusable = UnusableFile::merged(runs.iter().map(|run| &run.unusable));
        Self { runs, results: Vec::new(), unusable }
    }

    /// Computes the metrics of every direction and model.
    pub(super) fn count(&mut self, resampling: Resampling) -> Result<(), EvalError> {
        self.results = results(&self.runs, resampling)?;
        Ok(())
    }

    /// Whether every model could use at least one shape.
    pub fn is_complete(&self) -> bool {
        self.runs.iter().all(|run| !run.directions.is_empty())
    }

    /// Shapes that the first model could use.
    pub fn shapes(&self) -> usize {
        self.runs.first().map_or(0, |run| run.shapes)
    }

    /// Writes a CSV file with one line per query: ranks of its relevant items, and its top results.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_queries(&self, path: &Path) -> Result<(), EvalError> {
        let mut table = csv::Writer::from_writer(FileWriter::create(path)?);
        table.write_record(["model", "direction", "query", "ranks", "top_results"])?;
        for run in &self.runs {
            for direction in &run.directions {
                for (query, found) in direction.queries.iter().zip(&direction.results) {
                    let ranks: Vec<String> = found.ranks.iter().map(usize::to_string).collect();
                    let best: Vec<&str> =
                        found.top_k.iter().map(|i| direction.gallery[*i].as_str()).collect();
                    let cells = [&run.model, direction.name, query, &ranks.join(" "), &best.join("; ")];
                    table.write_record(cells)?;
                }
            }
        }
        let file = table.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok(file.commit().map(drop)?)
    }
}

impl Run {
    fn direction(&self, name: &str) -> Option<&Direction> {
        self.directions.iter().find(|direction| direction.name == name)
    }
}

/// Metrics by direction and run, each compared with the first run.
fn results(runs: &[Run], resampling: Resampling) -> Result<Vec<DirectionResult>, EvalError> {
    let Some(first) = runs.first() else { return Ok(Vec::new()) };
    // In order of first appearance: only some models may have photo directions.
    let mut names: Vec<&'static str> = Vec::new();
    for direction in runs.iter().flat_map(|run| &run.directions) {
        if !names.contains(&direction.name) {
            names.push(direction.name);
        }
    }
    let mut results = Vec::new();
    for name in names {
        for (i, run) in runs.iter().enumerate() {
            let Some(direction) = run.direction(name) else { continue };
            let counted = RetrievalMetrics::from_results(&direction.results, direction.gallery.len())?;
            let intervals = counted.intervals(&direction.results, resampling);
            let against_first = match first.direction(name).filter(|_| i > 0) {
                Some(first) => compare(&first.item_results(), &direction.item_results(), resampling)?,
                None => None,
            };
            let (model, cutoffs) = (run.model.clone(), CUTOFFS);
            results.push(DirectionResult {
                direction: name,
                model,
                cutoffs,
                counted,
                intervals,
                against_first,
            });
        }
    }
    Ok(results)
}
