//! `lexiform eval probe`: linear probe on frozen embeddings.

use clap::Args;
use lexiform_eval::{LinearProbeConfig, linear_probe};

use super::progress::{verdict, with_progress};
use super::resampling::ResamplingArgs;
use super::shapes::DataArgs;
use super::tables::TablesArgs;
use super::{models, show};
use crate::error::Outcome;
use crate::models::ModelArg;
use crate::output;
use crate::output_file::ForceArg;

/// Evaluate a linear probe: a linear classifier on frozen embeddings
///
/// The probe is trained and tested on the splits `train` and `test` of the CSV file or data set, or on a random split.
#[derive(Args)]
pub(crate) struct ProbeArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Fraction of each label's files to test on, if there are no splits
    #[arg(long, value_name = "FRACTION", default_value_t = 0.5, value_parser = parse_fraction)]
    test_fraction: f64,
    /// Inverse regularization strength, as in scikit-learn [default: selected on a part of the training files]
    #[arg(long, value_name = "C", value_parser = parse_positive)]
    c: Option<f64>,
    /// Train on this percentage of the training files: every n-th, as CG3D's --per_samples [default: all]
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    per_samples: Option<f64>,
    #[command(flatten)]
    tables: TablesArgs,
    #[command(flatten)]
    force: ForceArg,
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

impl ProbeArgs {
    /// Trains and tests the probe and prints the result.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = LinearProbeConfig {
            data: self.data.config()?,
            test_fraction: self.test_fraction,
            c: self.c,
            train_percent: self.per_samples,
            resampling: self.resampling.resampling(),
        };
        let files = self.tables.files(self.force)?;
        let models = models::one(&self.model);
        let report = with_progress(|events| linear_probe(&config, &models, events))?;
        files.write(&report.tables)?;
        if self.json {
            output::json(&report)?;
        } else {
            show::classes(&report.metrics)?;
            show::totals(&report.metrics)?;
            output::line(format!("linear probe: {} training shapes, C = {}", report.train_shapes, report.c))?;
        }
        Ok(verdict(self.strict, &report.unusable))
    }
}

fn parse_fraction(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|x| *x > 0.0 && *x < 1.0);
    number.ok_or_else(|| format!("expected a number between 0 and 1, found {text:?}"))
}

fn parse_positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|x| x.is_finite() && *x > 0.0);
    number.ok_or_else(|| format!("expected a number above 0, found {text:?}"))
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|x| *x > 0.0 && *x <= 100.0);
    number.ok_or_else(|| format!("expected a percentage above 0 and at most 100, found {text:?}"))
}
