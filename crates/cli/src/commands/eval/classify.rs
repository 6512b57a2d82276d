//! `lexiform eval classify`: a classifier's own scores, counted; several looks at the same shapes vote.

use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use clap::{Args, ValueEnum};
use lexiform_eval::Features;
use lexiform_eval::protocol::{Classes, Protocol, Values};
use lexiform_eval::report::Measured;
use lexiform_eval::vote::{self, Vote};
use lexiform_model::Device;
use lexiform_search::Taken;
use serde::Serialize;

use super::data::{self, Entry, Rows, ShapesArgs};
use super::words::{self, ProtocolArgs, tell_protocol};
use super::{ResamplingArgs, looks, show};
use crate::commands::classify::{failure, lines};
use crate::failure::{Verdict, WithHint as _};
use crate::heads;
use crate::indexing;
use crate::output;
use crate::progress::Progress;

/// How often a fine-tuned classifier names shapes rightly: overall and as the mean over labels. It is a checkpoint of a point
/// encoder with a head that names classes (--model), or anything else whose scores (logits) were written to files (--scores).
/// Several looks at the same shapes vote: as in Point-BERT, whose protocol ULIP-2 and CG3D follow, by their mean.
#[derive(Args)]
pub struct ClassifyArgs {
    /// Scores of the labels for each shape, [shapes, labels]: .npy with a row for each line of the CSV file, or .safetensors
    /// whose rows are found by the names inside; again for each further look, of other views, crops or turns
    #[arg(long, required_unless_present = "model", value_name = "FILE[#TENSOR]")]
    scores: Vec<String>,
    /// Fine-tuned checkpoint whose head names the labels
    #[arg(long, value_name = "NAME|PATH", conflicts_with = "scores")]
    model: Option<String>,
    /// Looks of the model that vote: other points, stretched and shifted by chance [default: one look, as it is]
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

/// Shapes with every look's scores of them.
struct Scored {
    /// The classifier.
    name: String,
    entries: Vec<Entry>,
    looks: Vec<Features>,
    failed: Vec<(String, String)>,
    /// What the classifier calls its columns, where it says so.
    columns: Vec<String>,
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
    pub fn run(self) -> anyhow::Result<Verdict> {
        let protocol = self.by.chosen()?;
        let Scored { name, entries, looks, failed, columns: own } = match &self.model {
            Some(model) => self.of_model(model, protocol)?,
            None => self.of_files()?,
        };
        indexing::list_failed(&failed);
        let Some(columns) = looks.first().map(Features::dim).filter(|_| !entries.is_empty()) else {
            return Ok(Verdict::Failed);
        };
        let labels = self.labels(protocol, own, &entries, columns)?;
        let truth = data::truth(&entries, &labels)?;
        let how = match self.vote {
            VoteArg::Mean => Vote::Mean,
            VoteArg::Probabilities => Vote::Probabilities(1.0),
            VoteArg::Majority => Vote::Majority,
        };
        let predictions = vote::of_scores(&looks, &truth, how)?;
        let measured = Measured::of(&name, &predictions, &labels, self.resampling.resampling())?;
        if let Some(protocol) = protocol {
            tell_protocol(protocol, entries.len(), Values::is_fine_tuned);
        }
        if self.json {
            output::json(&Line { measured: &measured, looks: looks.len(), vote: self.vote })?;
        } else {
            show::classes(&measured)?;
            show::totals(&measured)?;
        }
        Ok(if self.strict && !failed.is_empty() { Verdict::Failed } else { Verdict::Done })
    }

    /// The label of each column.
    fn labels(
        &self,
        protocol: Option<&Protocol>,
        own: Vec<String>,
        entries: &[Entry],
        columns: usize,
    ) -> anyhow::Result<Vec<String>> {
        let mut labels = match &self.columns {
            Some(file) => lines(file)?,
            None if !own.is_empty() => own,
            None if let Some(protocol) = protocol
                && let Classes::Known(names) = protocol.classes =>
            {
                names.iter().map(|name| (*name).to_owned()).collect()
            }
            None => data::all_labels(entries),
        };
        if self.model.is_some() && (self.columns.is_some() || protocol.is_some()) {
            // Heads may be wider than the benchmark: CG3D's has 40 columns for ScanObjectNN's 15 labels.
            labels.extend((labels.len()..columns).map(|column| format!("column {column}")));
        }
        if columns != labels.len() {
            let what = self.model.as_ref().or(self.scores.first()).map_or("", String::as_str);
            return Err(anyhow!("{what}: expected {} scores a shape, found {columns}", labels.len()))
                .hint("say by --columns which label each column is of");
        }
        Ok(labels)
    }

    /// Shows the shapes to a fine-tuned point encoder.
    fn of_model(&self, name: &str, protocol: Option<&Protocol>) -> anyhow::Result<Scored> {
        let points = self.points.map(|n| n as usize);
        let clouds = words::clouds_of(protocol, points);
        let model = heads::open(name, clouds, &Device::flex())?;
        let look = heads::look(&model);
        let votes = self.votes;
        let mut scored = Scored {
            name: model.id().to_owned(),
            entries: Vec::new(),
            looks: Vec::new(),
            failed: Vec::new(),
            columns: model.config().labels.clone(),
        };
        let mut rows: Vec<Vec<Vec<f32>>> = vec![Vec::new(); votes as usize];
        let entries = self.shapes.entries(None)?;
        let progress = Progress::new(entries.len());
        for entry in entries {
            progress.step(&entry.label);
            match looks::take(&look, &entry) {
                Ok(Taken::Points(cloud)) => {
                    for (rows, vote) in rows.iter_mut().zip(0..) {
                        let look = (votes > 1).then(|| self.resampling.seed.wrapping_add(vote));
                        rows.extend(model.class_scores(std::slice::from_ref(&cloud), look)?);
                    }
                    scored.entries.push(entry);
                }
                Ok(_) => scored.failed.push((entry.name, "has no points".to_owned())),
                Err(error) => scored.failed.push(failure(&entry.file, error)?),
            }
        }
        let looks = rows.iter().map(|rows| Features::from_rows(rows.iter().map(Vec::as_slice)));
        if !scored.entries.is_empty() {
            scored.looks = looks.collect::<Result<_, _>>()?;
        }
        Ok(scored)
    }

    /// Reads the scores of every look.
    fn of_files(&self) -> anyhow::Result<Scored> {
        let mut first: Option<Vec<Entry>> = None;
        let mut looks = Vec::new();
        for file in &self.scores {
            let Rows { entries, features, .. } = self.shapes.rows(file)?;
            let same = first.get_or_insert_with(|| entries.clone());
            let names =
                |entries: &[Entry]| entries.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>();
            ensure!(
                names(same) == names(&entries),
                "{file}: its rows are not of the shapes of {}",
                self.scores[0]
            );
            looks.push(features);
        }
        let entries = first.ok_or_else(|| anyhow!("no scores were given"))?;
        let (failed, columns) = (Vec::new(), Vec::new());
        Ok(Scored { name: self.scores.join(" + "), entries, looks, failed, columns })
    }
}
