//! `lexiform data`: data sets of shapes, made, joined, looked into, copied, imported and exported.

mod captions;
mod copy;
mod exchange;
mod featurizer;
mod inspect;
mod prepare;
mod telling;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lexiform_data::{Manifest, concat_datasets, merge_partitions};
use serde_json::json;

use crate::failure::Verdict;
use crate::output;

/// Make, join, check, copy, import and export data sets of shapes
#[derive(Args)]
pub struct DataArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Prepare(Box<prepare::PrepareArgs>),
    Merge(MergeArgs),
    Inspect(inspect::InspectArgs),
    Copy(copy::CopyArgs),
    Import(exchange::ImportArgs),
    Export(exchange::ExportArgs),
    Formats(exchange::FormatsArgs),
}

/// Make one data set of the parts that `prepare --shard` or `import --shard` wrote, or of several data sets
#[derive(Args)]
struct MergeArgs {
    /// Folder of the data set
    dataset: PathBuf,
    /// Data sets to bring together in a new one; without any, the parts in DATASET are merged
    inputs: Vec<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl DataArgs {
    /// Does what was asked.
    pub fn run(self) -> anyhow::Result<Verdict> {
        match self.action {
            Action::Prepare(args) => args.run(),
            Action::Merge(args) => args.run(),
            Action::Inspect(args) => args.run(),
            Action::Copy(args) => args.run(),
            Action::Import(args) => args.run(),
            Action::Export(args) => args.run(),
            Action::Formats(args) => args.run(),
        }
    }
}

impl MergeArgs {
    fn run(self) -> anyhow::Result<Verdict> {
        let manifest = if self.inputs.is_empty() {
            merge_partitions(&self.dataset)?
        } else {
            concat_datasets(&self.dataset, &self.inputs)?
        };
        show(&self.dataset, &manifest, self.json)?;
        Ok(Verdict::Done)
    }
}

/// A data set in one line.
fn show(dataset: &Path, manifest: &Manifest, json: bool) -> anyhow::Result<()> {
    let Manifest { shapes, views, bytes, failed, shards, .. } = manifest;
    if json {
        return output::json(&json!({
            "event": "merged", "dataset": dataset, "shapes": shapes, "views": views, "bytes": bytes, "failed": failed,
            "shards": shards.len(),
        }));
    }
    output::note(format!(
        "{}: {} in {} of {:.1} MB, {views} views, {failed} failed",
        dataset.display(),
        output::count(*shapes as usize, "shape"),
        output::count(shards.len(), "shard"),
        *bytes as f64 / 1e6
    ));
    Ok(())
}
