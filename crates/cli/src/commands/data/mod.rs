//! `lexiform data`: prepare, merge, caption, inspect, copy, import, export and download data sets of shapes.

mod annotations;
mod blip_captioner;
mod captions;
mod combine_four;
mod copy;
mod featurizer;
mod import_export;
mod inspect;
mod prepare;
mod pull;
mod reporting;
mod shape_captioner;
mod summary;
mod update;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lexiform_data::{concat_datasets, merge_partitions};

use crate::error::Outcome;

/// Prepare, merge, caption, check, copy, import and export data sets of shapes
#[derive(Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Prepare(Box<prepare::PrepareArgs>),
    Merge(MergeArgs),
    Caption(Box<update::CaptionSetArgs>),
    Features(update::FeaturesArgs),
    Inspect(inspect::InspectArgs),
    Copy(copy::CopyArgs),
    Import(import_export::ImportArgs),
    Export(import_export::ExportArgs),
    Pull(pull::PullArgs),
    CombineFour(combine_four::CombineFourArgs),
    Formats(import_export::FormatsArgs),
}

/// Merge the partitions that `prepare --partition` or `import --partition` wrote, or several data sets, into one
#[derive(Args)]
struct MergeArgs {
    /// Folder of the data set
    dataset: PathBuf,
    /// Data sets to merge into a new one [default: the partitions in DATASET]
    inputs: Vec<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl DataArgs {
    /// Runs the subcommand.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.action {
            Action::Prepare(args) => args.run(),
            Action::Merge(args) => args.run(),
            Action::Caption(args) => args.run(),
            Action::Features(args) => args.run(),
            Action::Inspect(args) => args.run(),
            Action::Copy(args) => args.run(),
            Action::Import(args) => args.run(),
            Action::Export(args) => args.run(),
            Action::Pull(args) => args.run(),
            Action::CombineFour(args) => args.run(),
            Action::Formats(args) => args.run(),
        }
    }
}

impl MergeArgs {
    fn run(self) -> anyhow::Result<Outcome> {
        let manifest = if self.inputs.is_empty() {
            merge_partitions(&self.dataset)?
        } else {
            concat_datasets(&self.dataset, &self.inputs)?
        };
        summary::print(&self.dataset, &manifest, self.json)?;
        Ok(Outcome::Done)
    }
}
