//! `lexiform eval`: evaluate a model on files, features, captions or generated shapes.

mod attributes;
mod caption;
mod class_text;
mod classify;
mod compare;
mod few_shot;
mod generated;
mod models;
mod probe;
mod progress;
mod protocol;
mod resampling;
mod retrieval;
mod scene;
mod shapes;
mod show;
mod tables;
mod zero_shot;

use clap::{Args, Subcommand};

use crate::error::Outcome;

/// Evaluate a model
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
    Scene(scene::SceneArgs),
    Classify(classify::ClassifyArgs),
    Caption(Box<caption::CaptionArgs>),
    Compare(compare::CompareArgs),
}

impl EvalArgs {
    /// Runs the evaluation and prints its results.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.measure {
            Measure::ZeroShot(args) => args.run(),
            Measure::Retrieval(args) => args.run(),
            Measure::Probe(args) => args.run(),
            Measure::FewShot(args) => args.run(),
            Measure::Attributes(args) => args.run(),
            Measure::Scene(args) => args.run(),
            Measure::Classify(args) => args.run(),
            Measure::Caption(args) => args.run(),
            Measure::Compare(args) => args.run(),
        }
    }
}
