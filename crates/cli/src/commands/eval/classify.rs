//! `lexiform eval classify`: accuracy of a classifier's own scores; several augmented views of the same shapes vote.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lexiform_eval::protocol::{Values, cloud_options};
use lexiform_eval::report::Measured;
use lexiform_eval::{ClassScoresConfig, ClassScoresReport, ScoreSource, class_scores};
use lexiform_metrics::vote::Vote;
use lexiform_model::Device;
use serde::Serialize;

use super::protocol::{ProtocolArgs, note_protocol};
use super::resampling::ResamplingArgs;
use super::shapes::ShapesArgs;
use super::show;
use super::watch::{verdict, watched};
use crate::classifier;
use crate::commands::classify::lines;
use crate::error::Outcome;
use crate::output;

/// How often a fine-tuned classifier names shapes rightly: overall and as the mean over labels. It is a checkpoint of a point
/// encoder with a head that names classes (--model), or anything else whose scores (logits) were written to files (--scores).
/// Several looks at the same shapes vote: as in Point-BERT, whose protocol ULIP-2 and CG3D follow, by their mean.
#[derive(Args)]
pub(crate) struct ClassifyArgs {
    /// Scores of the labels for each shape, [shapes, labels]: .npy with a row for each line of the CSV file, or .safetensors
    /// whose rows are found by the names inside; again for each further look, of other views, crops or turns
    #[arg(long, required_unless_present = "model", value_name = "FILE[#TENSOR]")]
    scores: Vec<String>,
    /// Fine-tuned checkpoint whose head names the labels
    #[arg(long, value_name = "NAME|PATH", conflicts_with = "scores")]
    model: Option<String>,
    /// Augmented copies of each shape that vote: other points, randomly scaled and shifted [default: the shape alone]
    #[arg(long, value_name = "N", requires = "model", default_value_t = 1, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    votes: u32,
    /// Points the model is given [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N", requires = "model", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    points: Option<u32>,
    #[command(flatten)]
    shapes: ShapesArgs,
    /// The labels in the order of the scores' columns, one a line [default: the model's own, or those of
    /// the CSV file, sorted]
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
    /// How several looks become one answer
    #[arg(long, value_name = "HOW", default_value = "mean")]
    vote: VoteArg,
    #[command(flatten)]
    by: ProtocolArgs,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// The names of [`Vote`]'s variants.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum VoteArg {
    /// The largest mean of the scores
    Mean,
    /// The largest mean of their softmax
    Probabilities,
    /// The label that most looks put first; among equally many, the larger mean
    Majority,
}

/// The result as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    measured: &'a Measured,
    looks: usize,
    vote: VoteArg,
}

impl ClassifyArgs {
    /// Counts and shows.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = self.config()?;
        let ClassScoresReport { measured, votes, unusable } = match &self.model {
            Some(name) => {
                let clouds = cloud_options(config.protocol, self.points.map(|n| n as usize));
                let model = &classifier::open(name, clouds, &Device::flex())?;
                let source = ScoreSource::Model { name, model, votes: self.votes };
                watched(|events| class_scores(&config, &source, events))?
            }
            None => watched(|events| class_scores(&config, &ScoreSource::Files(&self.scores), events))?,
        };
        let Some(measured) = measured else { return Ok(Outcome::Failed) };
        if let Some(protocol) = config.protocol {
            note_protocol(protocol, measured.shapes, Values::is_fine_tuned);
        }
        if self.json {
            output::json(&Line { measured: &measured, looks: votes, vote: self.vote })?;
        } else {
            show::classes(&measured)?;
            show::totals(&measured)?;
        }
        Ok(verdict(self.strict, &unusable))
    }

    fn config(&self) -> anyhow::Result<ClassScoresConfig> {
        let vote = match self.vote {
            VoteArg::Mean => Vote::Mean,
            VoteArg::Probabilities => Vote::Probabilities(1.0),
            VoteArg::Majority => Vote::Majority,
        };
        Ok(ClassScoresConfig {
            protocol: self.by.chosen()?,
            shapes: self.shapes.source()?,
            columns: self.columns.as_deref().map(lines).transpose()?,
            vote,
            resampling: self.resampling.resampling(),
        })
    }
}
