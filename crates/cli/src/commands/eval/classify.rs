//! `lexiform eval classify`: accuracy of a fine-tuned classifier, with test-time augmentation.

use clap::{Args, ValueEnum};
use lexiform_eval::protocol::{PublishedMetrics, cloud_options};
use lexiform_eval::report::ClassificationResult;
use lexiform_eval::{ClassScoresConfig, ClassScoresReport, LabelList, ScoreSource, class_scores};
use lexiform_metrics::vote::Voting;
use serde::Serialize;

use super::progress::{verdict, with_progress};
use super::protocol::{ProtocolArgs, note_protocol};
use super::resampling::ResamplingArgs;
use super::shapes::ShapesArgs;
use super::show;
use super::tables::TablesArgs;
use crate::classifier;
use crate::error::Outcome;
use crate::models::DeviceArg;
use crate::output;
use crate::output_file::ForceArg;

/// Evaluate a fine-tuned classifier: overall and mean class accuracy
///
/// The classifier is a point encoder with a classification head (--model), or any model whose logits were written to
/// files (--logits). Several augmentations of the same shapes can vote; by default their logits are averaged, as in
/// Point-BERT, whose protocol ULIP-2 and CG3D follow.
#[derive(Args)]
pub(crate) struct ClassifyArgs {
    /// Logits, [shapes, labels]: .npy with one row per line of the CSV file, or .safetensors with named rows. Repeat the
    /// option for other augmentations of the same shapes
    #[arg(long, required_unless_present = "model", value_name = "FILE[#TENSOR]")]
    logits: Vec<String>,
    /// Fine-tuned checkpoint with a classification head
    #[arg(long, value_name = "NAME|PATH", conflicts_with = "logits")]
    model: Option<String>,
    /// Test-time augmentations per shape: resampled points, random scale and shift [default: none]
    #[arg(long, value_name = "N", requires = "model", default_value_t = 1, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    tta: u32,
    /// Points per shape [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N", requires = "model", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    points: Option<u32>,
    #[command(flatten)]
    shapes: ShapesArgs,
    /// File with the label of each logits column, in the forms of --labels-file [default: the model's own, or the labels of
    /// the CSV file by number, else sorted]
    #[arg(long, value_name = "FILE")]
    class_names: Option<String>,
    /// How to combine augmentations
    #[arg(long, value_name = "METHOD", default_value = "mean")]
    vote: VotingArg,
    #[command(flatten)]
    device_arg: DeviceArg,
    #[command(flatten)]
    tables: TablesArgs,
    #[command(flatten)]
    force: ForceArg,
    #[command(flatten)]
    protocol_args: ProtocolArgs,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// The names of [`Voting`]'s variants.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum VotingArg {
    /// Average the logits
    Mean,
    /// Average the softmax probabilities
    Softmax,
    /// Most frequent prediction; ties go to the larger mean logit
    Majority,
}

/// The result as a JSON line.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    metrics: &'a ClassificationResult,
    augmentations: usize,
    vote: VotingArg,
}

impl ClassifyArgs {
    /// Evaluates the classifier and prints the result.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = self.config()?;
        let files = self.tables.files(self.force)?;
        let ClassScoresReport { metrics, tables, augmentations, unusable } = match &self.model {
            Some(name) => {
                let clouds = cloud_options(config.protocol, self.points.map(|n| n as usize));
                let model = &classifier::open(name, clouds, &self.device_arg.device)?;
                let source = ScoreSource::Model { name, model, augmentations: self.tta };
                with_progress(|events| class_scores(&config, &source, events))?
            }
            None => with_progress(|events| class_scores(&config, &ScoreSource::Files(&self.logits), events))?,
        };
        // All files are unusable; they have been listed.
        let Some(metrics) = metrics else { return Ok(Outcome::Failed) };
        if let Some(protocol) = config.protocol {
            note_protocol(protocol, metrics.shapes, PublishedMetrics::is_fine_tuned);
        }
        tables.iter().try_for_each(|tables| files.write(tables))?;
        if self.json {
            output::json(&Line { metrics: &metrics, augmentations, vote: self.vote })?;
        } else {
            show::classes(&metrics)?;
            show::totals(&metrics)?;
        }
        Ok(verdict(self.strict, &unusable))
    }

    fn config(&self) -> anyhow::Result<ClassScoresConfig> {
        let vote = match self.vote {
            VotingArg::Mean => Voting::Mean,
            // Logits are already scaled.
            VotingArg::Softmax => Voting::Softmax(1.0),
            VotingArg::Majority => Voting::Majority,
        };
        Ok(ClassScoresConfig {
            protocol: self.protocol_args.selected()?,
            shapes: self.shapes.source()?,
            class_names: self.class_names.as_deref().map(LabelList::read).transpose()?.map(|list| list.names),
            vote,
            resampling: self.resampling.resampling(),
        })
    }
}
