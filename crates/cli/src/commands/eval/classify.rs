//! `lexiform eval classify`: a classifier's own scores, counted; several looks at the same shapes vote.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};
use clap::{Args, ValueEnum};
use lexiform_eval::Features;
use lexiform_eval::protocol::{Classes, Values};
use lexiform_eval::report::Measured;
use lexiform_eval::vote::{self, Vote};
use serde::Serialize;

use super::data::{self, DataArgs, Entry, Rows};
use super::words::{ProtocolArgs, tell_protocol};
use super::{ResamplingArgs, show};
use crate::failure::{Verdict, WithHint as _};
use crate::output;

/// How often a classifier, fine-tuned anywhere, names shapes rightly: overall and as the mean over labels, from the
/// scores (logits) that it gave. Several files of scores are looks at the same shapes, of other views, crops or turns,
/// which vote: as in Point-BERT, whose protocol ULIP-2 and CG3D follow, by their mean.
#[derive(Args)]
pub struct ClassifyArgs {
    /// Scores of the labels for each shape, [shapes, labels]: .npy with a row for each line of the CSV file, or .safetensors
    /// whose rows are found by the names inside; again for each further look
    #[arg(long, required = true, value_name = "FILE[#TENSOR]")]
    scores: Vec<String>,
    /// CSV file with the columns `file` (or `path`) and `label`
    #[arg(long, value_name = "CSV", group = "given")]
    labels: Option<String>,
    /// Data set whose shapes the scores are of, in the file's stead
    #[arg(long, value_name = "SET", group = "given", required_unless_present = "labels")]
    data: Option<PathBuf>,
    /// Only what belongs to this split: train, val or test
    #[arg(long, value_name = "NAME", requires = "given")]
    split: Option<String>,
    /// The labels in the order of the scores' columns, one a line [default: those of the CSV file, sorted]
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
    /// How several looks become one answer
    #[arg(long, value_name = "HOW", default_value = "mean")]
    vote: VoteArg,
    #[command(flatten)]
    by: ProtocolArgs,
    #[command(flatten)]
    resampling: ResamplingArgs,
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
    pub fn run(self) -> anyhow::Result<Verdict> {
        let protocol = self.by.chosen()?;
        let (entries, looks) = self.looks()?;
        let labels = match &self.columns {
            Some(file) => lines(file)?,
            None if let Some(protocol) = protocol
                && let Classes::Known(names) = protocol.classes =>
            {
                names.iter().map(|name| (*name).to_owned()).collect()
            }
            None => data::all_labels(&entries),
        };
        let columns = looks[0].dim();
        if columns != labels.len() {
            let (file, expected) = (&self.scores[0], labels.len());
            return Err(anyhow!("{file}: expected {expected} scores a shape, found {columns}"))
                .hint("say by --columns which label each column is of");
        }
        let truth = data::truth(&entries, &labels)?;
        let how = match self.vote {
            VoteArg::Mean => Vote::Mean,
            VoteArg::Probabilities => Vote::Probabilities(1.0),
            VoteArg::Majority => Vote::Majority,
        };
        let predictions = vote::of_scores(&looks, &truth, how)?;
        let name = self.scores.join(" + ");
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
        Ok(Verdict::Done)
    }

    /// The shapes, and every look's scores of them.
    fn looks(&self) -> anyhow::Result<(Vec<Entry>, Vec<Features>)> {
        let mut first: Option<Vec<Entry>> = None;
        let mut looks = Vec::new();
        for file in &self.scores {
            let data = DataArgs {
                labels: self.labels.clone(),
                data: self.data.clone(),
                split: self.split.clone(),
                assets: None,
                features: Some(file.clone()),
            };
            let Rows { entries, features, .. } = data.rows(file)?;
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
        Ok((entries, looks))
    }
}

/// The lines of a file that say something.
fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs_err::read_to_string(path)?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
