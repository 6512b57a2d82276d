//! `lexiform eval`: how well a model does, on files, on features, or on shapes made by rule.

mod attributes;
mod beside;
mod classify;
mod compare;
mod data;
mod few_shot;
mod in_set;
mod looks;
mod page;
mod probe;
mod retrieval;
mod show;
mod windows;
mod words;
mod zero_shot;

use clap::{Args, Subcommand};
use lexiform_eval::bootstrap::Resampling;

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

/// How intervals are found.
#[derive(Args, Clone, Copy, Debug)]
struct ResamplingArgs {
    /// Times the files, or queries, are drawn anew for the 95 % intervals
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rounds: u32,
    /// Seed of all draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl ResamplingArgs {
    fn resampling(self) -> Resampling {
        Resampling { rounds: self.rounds as usize, seed: self.seed }
    }
}
