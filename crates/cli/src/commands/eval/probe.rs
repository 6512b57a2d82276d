//! `lexiform eval probe`: what a linear classifier on frozen embeddings can tell apart.

use anyhow::ensure;
use clap::Args;
use lexiform_eval::Features;
use lexiform_eval::probe::{Probe, ProbeConfig, split};
use lexiform_eval::report::Measured;
use serde::Serialize;

use super::data::{self, DataArgs, Entry};
use super::{ResamplingArgs, few_shot, show};
use crate::failure::Verdict;
use crate::indexing;
use crate::models::ModelArg;
use crate::output;

/// How well a linear classifier names shapes from a model's frozen embeddings. It is trained on one part of the files
/// and tested on the other: the CSV file's column `split` says which (train or test), or chance does.
#[derive(Args)]
pub struct ProbeArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Share of each label's files that is tested on, where no column says
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = share)]
    test_share: f64,
    /// Inverse strength of the penalty, as scikit-learn's C [default: chosen on a part of the training files]
    #[arg(long, value_name = "C", value_parser = positive)]
    c: Option<f64>,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// The result as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    measured: &'a Measured,
    trained_on: usize,
    c: f64,
    tried: &'a [(f64, f64)],
}

impl ProbeArgs {
    /// Trains, tests and shows.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let (name, entries, features, failed) = few_shot::gather(&self.data, &self.model)?;
        indexing::list_failed(&failed);
        ensure!(!entries.is_empty(), "no file could be used");
        let labels = data::all_labels(&entries);
        let truth = data::truth(&entries, &labels)?;
        let [train, test] = self.parts(&entries, &truth)?;
        ensure!(!test.is_empty(), "no file is left to test on");
        let of = |part: &[usize]| -> anyhow::Result<(Features, Vec<usize>)> {
            Ok((features.select(part)?, part.iter().map(|i| truth[*i]).collect()))
        };
        let (train, train_truth) = of(&train)?;
        let (test, test_truth) = of(&test)?;
        let config = ProbeConfig { c: self.c, seed: self.resampling.seed, ..ProbeConfig::default() };
        let probe = Probe::train(&train, &train_truth, labels.len(), &config)?;
        let predictions = probe.predict(&test, &test_truth)?;
        let measured = Measured::of(&name, &predictions, &labels, self.resampling.resampling())?;
        if self.json {
            let (trained_on, c, tried) = (train_truth.len(), probe.c, probe.tried.as_slice());
            output::json(&Line { measured: &measured, trained_on, c, tried })?;
        } else {
            show::classes(&measured)?;
            show::totals(&measured)?;
            output::line(format!("linear probe, trained on {} shapes, C {}", train_truth.len(), probe.c))?;
        }
        Ok(if self.strict && !failed.is_empty() { Verdict::Failed } else { Verdict::Done })
    }

    /// Indices of the entries to train and to test on.
    fn parts(&self, entries: &[Entry], truth: &[usize]) -> anyhow::Result<[Vec<usize>; 2]> {
        if entries.iter().all(|e| e.split.is_none()) {
            return Ok(split(truth, self.test_share, self.resampling.seed));
        }
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for (i, entry) in entries.iter().enumerate() {
            match entry.split.as_deref() {
                Some("train") => train.push(i),
                Some("test") => test.push(i),
                _ => {}
            }
        }
        Ok([train, test])
    }
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|x| *x > 0.0 && *x < 1.0);
    number.ok_or_else(|| format!("expected a number between 0 and 1, found {text:?}"))
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|x| x.is_finite() && *x > 0.0);
    number.ok_or_else(|| format!("expected a number above 0, found {text:?}"))
}
