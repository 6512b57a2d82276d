//! `lexiform eval few-shot`: few-shot classification.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lexiform_eval::{FewShotConfig, FewShotReport, FoldResult, FoldsConfig, few_shot, few_shot_folds};
use lexiform_metrics::few_shot::{EpisodeConfig, Learner};
use serde_json::json;

use super::models;
use super::progress::{verdict, with_progress};
use super::shapes::DataArgs;
use crate::error::Outcome;
use crate::models::ModelArg;
use crate::output::{self, Align};

/// Evaluate few-shot classification
///
/// Each episode samples K labels and N examples of each, and classifies other files of the same labels. With --folds, the
/// published folds of a benchmark are the episodes.
#[derive(Args)]
pub(crate) struct FewShotArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Folds of a benchmark in Point-BERT's layout, such as ModelNetFewshot/5way_10shot: .pkl files, or folders of them
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["given", "way", "shot", "queries", "episodes", "seed"])]
    folds: Vec<PathBuf>,
    /// Labels per episode (K-way)
    #[arg(long, value_name = "K", default_value_t = 5)]
    way: usize,
    /// Examples per label (N-shot)
    #[arg(long, value_name = "N", default_value_t = 1)]
    shot: usize,
    /// Maximum queries per label and episode
    #[arg(long, value_name = "N", default_value_t = 15)]
    queries: usize,
    /// Number of episodes
    #[arg(long, value_name = "N", default_value_t = 600)]
    episodes: usize,
    /// Classifier built from the examples
    #[arg(long, value_name = "METHOD", default_value = "prototype")]
    learner: LearnerArg,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    model: ModelArg,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// The names of [`Learner`]'s variants.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LearnerArg {
    /// Nearest class mean
    Prototype,
    /// Linear probe
    Probe,
}

impl FewShotArgs {
    /// Runs the episodes and prints their mean accuracy.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let learner = match self.learner {
            LearnerArg::Prototype => Learner::Prototype,
            LearnerArg::Probe => Learner::Probe,
        };
        if !self.folds.is_empty() {
            return self.run_folds(learner);
        }
        // Options are singular as in "5-way 1-shot", fields are counts.
        let Self { way: ways, shot: shots, queries, episodes, seed, .. } = self;
        let config = FewShotConfig {
            data: self.data.config()?,
            episodes: EpisodeConfig { ways, shots, queries, episodes, seed, learner },
        };
        let models = models::one(&self.model);
        let FewShotReport { model, result, unusable } =
            with_progress(|events| few_shot(&config, &models, events))?;
        if self.json {
            output::json(&json!({
                "model": model, "config": result.config, "labels": result.classes,
                "accuracy": result.accuracy, "ci95": result.ci95,
            }))?;
        } else {
            output::line(format!(
                "{ways}-way {shots}-shot: {:.2} ± {:.2} % ({episodes} episodes, {} labels with enough files, {model})",
                100.0 * result.accuracy,
                100.0 * result.ci95,
                result.classes
            ))?;
        }
        Ok(verdict(self.strict, &unusable))
    }

    /// Evaluates published folds and prints their accuracies.
    fn run_folds(self, learner: Learner) -> anyhow::Result<Outcome> {
        let config = FoldsConfig { folds: self.folds, learner };
        let models = models::one(&self.model);
        let report = with_progress(|events| few_shot_folds(&config, &models, events))?;
        if self.json {
            output::json(&report)?;
            return Ok(verdict(self.strict, &report.unusable));
        }
        let columns = [
            ("fold", Align::Left),
            ("labels", Align::Right),
            ("examples", Align::Right),
            ("queries", Align::Right),
            ("accuracy", Align::Right),
        ];
        let row = |fold: &FoldResult| {
            let counts = [fold.ways, fold.examples, fold.queries].map(|count| count.to_string());
            [std::slice::from_ref(&fold.fold), &counts[..], &[format!("{:.2}", 100.0 * fold.accuracy)]]
                .concat()
        };
        output::line(output::table(&columns, &report.folds.iter().map(row).collect::<Vec<_>>()))?;
        output::line(format!(
            "{:.2} ± {:.2} % (mean ± standard deviation of {} folds, {})",
            100.0 * report.accuracy,
            100.0 * report.deviation,
            report.folds.len(),
            report.model
        ))?;
        Ok(verdict(self.strict, &report.unusable))
    }
}
