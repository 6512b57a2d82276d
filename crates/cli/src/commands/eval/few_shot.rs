//! `lexiform eval few-shot`: classification after a few examples of each label.

use clap::{Args, ValueEnum};
use lexiform_eval::{FewShotConfig, FewShotReport, few_shot};
use lexiform_metrics::few_shot::{Episodes, Learner};
use serde_json::json;

use super::models;
use super::shapes::DataArgs;
use super::watch::{verdict, watched};
use crate::error::Outcome;
use crate::models::ModelArg;
use crate::output;

/// Accuracy after a few examples: in each episode some labels are sampled, some examples of each, and other files of these
/// labels are classified.
#[derive(Args)]
pub(crate) struct FewShotArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Labels of an episode
    #[arg(long, value_name = "K", default_value_t = 5)]
    way: usize,
    /// Examples of each label
    #[arg(long, value_name = "N", default_value_t = 1)]
    shot: usize,
    /// Most files of each label asked for in an episode
    #[arg(long, value_name = "N", default_value_t = 15)]
    queries: usize,
    /// Number of episodes
    #[arg(long, value_name = "N", default_value_t = 600)]
    episodes: usize,
    /// How examples become an answer
    #[arg(long, value_name = "NAME", default_value = "prototype")]
    learner: LearnerArg,
    /// Seed of the draws
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
    /// The nearest mean of a label's examples
    Prototype,
    /// A linear classifier
    Probe,
}

impl FewShotArgs {
    /// Samples episodes and shows their mean.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let learner = match self.learner {
            LearnerArg::Prototype => Learner::Prototype,
            LearnerArg::Probe => Learner::Probe,
        };
        let Self { way: ways, shot: shots, queries, episodes, seed, .. } = self;
        let config = FewShotConfig {
            data: self.data.config()?,
            episodes: Episodes { ways, shots, queries, episodes, seed, learner },
        };
        let models = models::one(&self.model);
        let FewShotReport { model, result, unusable } = watched(|events| few_shot(&config, &models, events))?;
        if self.json {
            output::json(&json!({
                "model": model, "episodes": result.episodes, "labels": result.classes,
                "accuracy": result.accuracy, "margin": result.margin,
            }))?;
        } else {
            output::line(format!(
                "{ways}-way {shots}-shot: {:.2} ± {:.2} % ({episodes} episodes, {} labels with enough files, {model})",
                100.0 * result.accuracy,
                100.0 * result.margin,
                result.classes
            ))?;
        }
        Ok(verdict(self.strict, &unusable))
    }
}
