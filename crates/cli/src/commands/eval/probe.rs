//! `lexiform eval probe`: what a linear classifier on frozen embeddings can tell apart.

use clap::Args;
use lexiform_eval::{LinearProbeConfig, linear_probe};

use super::resampling::ResamplingArgs;
use super::shapes::DataArgs;
use super::watch::{verdict, watched};
use super::{models, show};
use crate::error::Outcome;
use crate::models::ModelArg;
use crate::output;

/// How well a linear classifier names shapes from a model's frozen embeddings. It is trained on one part of the files
/// and tested on the other: the CSV file's column `split` says which (train or test), or chance does.
#[derive(Args)]
pub(crate) struct ProbeArgs {
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

impl ProbeArgs {
    /// Trains, tests and shows.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = LinearProbeConfig {
            data: self.data.config()?,
            test_share: self.test_share,
            c: self.c,
            resampling: self.resampling.resampling(),
        };
        let models = models::one(&self.model);
        let report = watched(|events| linear_probe(&config, &models, events))?;
        if self.json {
            output::json(&report)?;
        } else {
            show::classes(&report.measured)?;
            show::totals(&report.measured)?;
            output::line(format!("linear probe, trained on {} shapes, C {}", report.trained_on, report.c))?;
        }
        Ok(verdict(self.strict, &report.unusable))
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
