//! `lexiform data inspect`: contents and integrity of a data set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use lexiform_data::{Dataset, verify};
use serde_json::json;

use super::summary;
use crate::error::{Outcome, UsageError};
use crate::output::{self, Align};

/// Largest number of labels in the text output; `--json` has all.
const LABELS_SHOWN: usize = 15;

/// Show the contents of a data set or of one shape, or verify its checksums
#[derive(Args)]
pub(crate) struct InspectArgs {
    /// Folder of the data set, or its address in an object store
    dataset: PathBuf,
    /// Key of a shape to describe
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// Verify the checksums of shards and index.parquet, and the sidecar table of each shard; damaged files are listed
    #[arg(long)]
    verify: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl InspectArgs {
    /// Describes the data set, or verifies it.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if self.verify {
            return self.check();
        }
        let dataset = Dataset::open(&self.dataset)?;
        match &self.key {
            Some(key) => self.shape(&dataset, key)?,
            None => self.whole(&dataset)?,
        }
        Ok(Outcome::Done)
    }

    fn check(&self) -> anyhow::Result<Outcome> {
        let faults = verify(&self.dataset, &|_: &Path| {})?;
        if self.json {
            let rows: Vec<_> =
                faults.iter().map(|f| json!({ "path": f.path, "message": f.message })).collect();
            output::json(&json!({ "dataset": self.dataset, "errors": rows }))?;
        } else if faults.is_empty() {
            output::line(format!("{}: all shards and tables are intact", self.dataset.display()))?;
        }
        for fault in faults.iter().filter(|_| !self.json) {
            output::line(format!("{}: {}", fault.path.display(), fault.message))?;
        }
        Ok(if faults.is_empty() { Outcome::Done } else { Outcome::Failed })
    }

    fn whole(&self, dataset: &Dataset) -> anyhow::Result<()> {
        let mut labels: BTreeMap<&str, usize> = BTreeMap::new();
        let mut splits: BTreeMap<&str, usize> = BTreeMap::new();
        for shape in 0..dataset.len() {
            *splits.entry(dataset.split(shape)).or_default() += 1;
            if let Some(label) = dataset.label(shape) {
                *labels.entry(label).or_default() += 1;
            }
        }
        let manifest = dataset.manifest();
        if self.json {
            return output::json(&json!({
                "dataset": self.dataset, "shapes": manifest.shapes, "views": manifest.views, "bytes": manifest.bytes,
                "failed": manifest.failed, "shards": manifest.shards.len(), "splits": splits, "labels": labels,
                "settings": manifest.settings,
            }));
        }
        summary::print(&self.dataset, manifest, false)?;
        output::line(serde_json::to_string_pretty(&manifest.settings)?)?;
        let mut rows: Vec<(&str, usize)> = labels.into_iter().collect();
        // The most frequent labels first, equally frequent ones by name.
        rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let cells = |list: &[(&str, usize)]| {
            list.iter().map(|(name, n)| vec![(*name).to_owned(), n.to_string()]).collect::<Vec<_>>()
        };
        let splits: Vec<(&str, usize)> = splits.into_iter().collect();
        output::line(output::table(&[("split", Align::Left), ("shapes", Align::Right)], &cells(&splits)))?;
        if !rows.is_empty() {
            let shown = &rows[..rows.len().min(LABELS_SHOWN)];
            output::line(output::table(&[("label", Align::Left), ("shapes", Align::Right)], &cells(shown)))?;
        }
        if rows.len() > LABELS_SHOWN {
            output::line(format!("… and {} more labels", rows.len() - LABELS_SHOWN))?;
        }
        Ok(())
    }

    fn shape(&self, dataset: &Dataset, key: &str) -> anyhow::Result<()> {
        let shape = dataset.find(key).ok_or_else(|| UsageError(format!("no shape with key {key:?}")))?;
        let members: Vec<&str> = dataset.members(shape).collect();
        let about = dataset.metadata(shape)?;
        let object = json!({ "key": key, "members": members, "about": about });
        if self.json {
            return output::json(&object);
        }
        Ok(output::line(serde_json::to_string_pretty(&object)?)?)
    }
}
