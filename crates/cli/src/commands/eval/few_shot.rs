//! `lexiform eval few-shot`: naming shapes after a few examples.

use clap::{Args, ValueEnum};
use lexiform_eval::Features;
use lexiform_eval::few_shot::{Episodes, Learner, few_shot};
use serde_json::json;

use super::data::{self, DataArgs, Entry, Rows};
use super::looks::{self, Variant};
use crate::failure::Verdict;
use crate::indexing;
use crate::models::ModelArg;
use crate::output;

/// How well shapes are named after a few examples: in each episode some labels are drawn, some examples of each, and
/// other files of these labels are asked for.
#[derive(Args)]
pub struct FewShotArgs {
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
    /// Draws episodes and shows their mean.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let (name, entries, features, failed) = gather(&self.data, &self.model)?;
        indexing::list_failed(&failed);
        let labels = data::all_labels(&entries);
        let truth = data::truth(&entries, &labels)?;
        let learner = match self.learner {
            LearnerArg::Prototype => Learner::Prototype,
            LearnerArg::Probe => Learner::Probe,
        };
        let Self { way: ways, shot: shots, queries, episodes, seed, .. } = self;
        let result = few_shot(&features, &truth, Episodes { ways, shots, queries, episodes, seed, learner })?;
        if self.json {
            output::json(&json!({
                "model": name, "episodes": result.episodes, "labels": result.classes,
                "accuracy": result.accuracy, "margin": result.margin,
            }))?;
        } else {
            output::line(format!(
                "{ways}-way {shots}-shot: {:.2} ± {:.2} % ({episodes} episodes, {} labels with enough files, {name})",
                100.0 * result.accuracy,
                100.0 * result.margin,
                result.classes
            ))?;
        }
        Ok(if self.strict && !failed.is_empty() { Verdict::Failed } else { Verdict::Done })
    }
}

/// A model's name, the files it could use, their features, and the files it could not use.
pub type Gathered = (String, Vec<Entry>, Features, Vec<(String, String)>);

/// Embeds the files with a model, or takes their features from a file.
pub fn gather(data: &DataArgs, model: &ModelArg) -> anyhow::Result<Gathered> {
    if let Some(file) = &data.features {
        let Rows { entries, features, model } = data.shapes.rows(file)?;
        return Ok((model.unwrap_or_else(|| file.clone()), entries, features, Vec::new()));
    }
    let entries = data.entries()?;
    let encoder = model.open()?;
    let mut seen = looks::embed_all(&*encoder, None, entries, &[Variant::default()])?;
    let features = seen.features.remove(0);
    Ok((encoder.id().to_owned(), seen.entries, features, seen.failed))
}
