//! `lexiform eval`: measure a model on files, on features, or on generated shapes.

mod attributes;
mod classify;
mod compare;
mod few_shot;
mod generated;
mod models;
mod probe;
mod protocol;
mod retrieval;
mod shapes;
mod show;
mod watch;
mod words;
mod zero_shot;

use clap::{Args, Subcommand};
use lexiform_metrics::bootstrap::Resampling;

use crate::failure::Verdict;

/// Measure a model
#[derive(Args)]
pub struct EvalArgs {
    #[command(subcommand)]
    measure: Measure,
}

#[derive(Subcommand)]
enum Measure {
    ZeroShot(Box<zero_shot::ZeroShotArgs>),
    Retrieval(Box<retrieval::RetrievalArgs>),
    Probe(probe::ProbeArgs),
    FewShot(few_shot::FewShotArgs),
    Attributes(attributes::AttributesArgs),
    Classify(classify::ClassifyArgs),
    Compare(compare::CompareArgs),
}

impl EvalArgs {
    /// Measures and shows.
    pub fn run(self) -> anyhow::Result<Verdict> {
        match self.measure {
            Measure::ZeroShot(args) => args.run(),
            Measure::Retrieval(args) => args.run(),
            Measure::Probe(args) => args.run(),
            Measure::FewShot(args) => args.run(),
            Measure::Attributes(args) => args.run(),
            Measure::Classify(args) => args.run(),
            Measure::Compare(args) => args.run(),
        }
    }
}

/// How intervals are computed.
#[derive(Args, Clone, Copy, Debug)]
struct ResamplingArgs {
    /// Bootstrap rounds for the 95 % confidence intervals
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rounds: u32,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl ResamplingArgs {
    fn resampling(self) -> Resampling {
        Resampling { rounds: self.rounds as usize, seed: self.seed }
    }
}

/// A run that left files out fails where that is asked for.
fn verdict(strict: bool, unusable: &[lexiform_eval::UnusableFile]) -> Verdict {
    if strict && !unusable.is_empty() { Verdict::Failed } else { Verdict::Done }
}
