//! `lexiform eval`: measure a model on files, on features, or on generated shapes.

mod attributes;
mod classify;
mod compare;
mod few_shot;
mod generated;
mod models;
mod probe;
mod protocol;
mod resampling;
mod retrieval;
mod shapes;
mod show;
mod watch;
mod words;
mod zero_shot;

use clap::{Args, Subcommand};

use crate::error::Outcome;

/// Measure a model
#[derive(Args)]
pub(crate) struct EvalArgs {
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
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
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
