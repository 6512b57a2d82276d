//! `lexiform eval caption`: captions compared with references.

use std::path::{Path, PathBuf};

use clap::Args;
use lexiform_eval::caption::{
    CaptionBenchmark, CaptionScoresConfig, CaptionScoresReport, CosineConfig, caption_scores,
};

use super::models;
use super::progress::{verdict, with_progress};
use crate::error::Outcome;
use crate::models::ModelArg;
use crate::output::{self, Align};
use crate::output_file::ForceArg;

/// Evaluate captions against references: BLEU, METEOR, ROUGE-L, CIDEr and cosines
///
/// Tokens and scores equal those of pycocoevalcap. Files are JSON as for COCO (results and annotations), an object from keys to
/// captions, results of PointLLM, .jsonl with the same objects, or .csv with the columns key and caption.
#[derive(Args)]
pub(crate) struct CaptionArgs {
    /// Captions of a model, one per key
    #[arg(value_name = "PREDICTIONS")]
    predictions: PathBuf,
    /// Captions by others, one or several per key [default: those in the file of predictions]
    #[arg(value_name = "REFERENCES")]
    references: Option<PathBuf>,
    /// Compute METEOR too, with the tables in this folder: `meteor` of the Python package pycocoevalcap, or meteor-1.5.jar next to
    /// data/paraphrase-en.gz
    #[arg(long, value_name = "PATH", env = "LEXIFORM_METEOR")]
    meteor: Option<PathBuf>,
    /// Compute the cosine of each caption with its shape too; keys are paths below this folder, or names of files without extension
    #[arg(long, value_name = "FOLDER")]
    assets: Option<PathBuf>,
    /// Print the published results of a benchmark: cap3d or pointllm
    #[arg(long, value_name = "NAME")]
    protocol: Option<CaptionBenchmark>,
    /// Write tokens and scores of every caption to a CSV file
    #[arg(long, value_name = "FILE")]
    per_item_csv: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
    /// Computes cosines of captions and references, and of captions and shapes
    #[command(flatten)]
    model: ModelArg,
    /// Fail if a shape cannot be used
    #[arg(long)]
    strict: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl CaptionArgs {
    /// Evaluates the captions and prints their scores.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let inputs: Vec<&Path> = [Some(&self.predictions), self.references.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
            .collect();
        let items = self.per_item_csv.as_deref();
        let items = items.map(|path| self.force.file(path, &["csv"], &inputs)).transpose()?;
        let items = items.as_ref().map(|file| file.replaceable()).transpose()?;
        let is_cosine = self.model.model.is_some() || self.assets.is_some();
        let config = CaptionScoresConfig {
            predictions: self.predictions.clone(),
            references: self.references.clone(),
            meteor: self.meteor.clone(),
            cosine: is_cosine
                .then(|| CosineConfig { models: models::one(&self.model), assets: self.assets.clone() }),
        };
        let report = with_progress(|events| caption_scores(&config, events))?;
        if let Some(protocol) = self.protocol {
            note_protocol(protocol, report.predictions);
        }
        if let Some(path) = items {
            report.write_items(path)?;
        }
        if self.json {
            output::json(&report)?
        } else {
            self.show(&report)?
        }
        Ok(verdict(self.strict, &report.unusable))
    }

    fn show(&self, report: &CaptionScoresReport) -> std::io::Result<()> {
        let columns: Vec<(&str, Align)> =
            report.scores.iter().map(|score| (title(score.metric), Align::Right)).collect();
        let row: Vec<String> =
            report.scores.iter().map(|score| format!("{:.2}", 100.0 * score.corpus)).collect();
        output::line(output::table(&columns, &[row]))?;
        let captions = output::quantity(report.predictions, "caption");
        let references = output::quantity(report.references, "reference");
        let model = report.model.iter().map(|model| format!(", {model}")).collect::<String>();
        output::line(format!("× 100 ({captions}, {references}{model})"))?;
        if self.meteor.is_none() {
            output::note(
                "note: for METEOR give its tables: --meteor FOLDER, from the Python package pycocoevalcap",
            );
        }
        Ok(())
    }
}

/// The name of a metric in papers.
fn title(metric: &'static str) -> &'static str {
    match metric {
        "bleu_1" => "BLEU-1",
        "bleu_2" => "BLEU-2",
        "bleu_3" => "BLEU-3",
        "bleu_4" => "BLEU-4",
        "meteor" => "METEOR",
        "rouge_l" => "ROUGE-L",
        "cider" => "CIDEr",
        "shape_cosine" => "shape cosine",
        other => other,
    }
}

/// Prints how a benchmark evaluates and its published results.
fn note_protocol(protocol: CaptionBenchmark, captions: usize) {
    output::note(format!("protocol: {}: {}", protocol.name(), protocol.describe()));
    if let Some(note) = protocol.note() {
        output::note(format!("note: {note}"));
    }
    if let Some(expected) = protocol.num_captions().filter(|expected| *expected != captions) {
        output::note(format!("note: {captions} captions here, {expected} in the paper"));
    }
    for row in protocol.published() {
        output::note(format!("published: {}: {} ({})", row.model, row.describe(), row.source));
    }
}
