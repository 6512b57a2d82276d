//! `parts/I-of-N.json`: the state of one partition of a run.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{read_json, write_json};
use super::layout::Layout;
use super::manifest::ShardEntry;
use super::settings::{Difference, difference};
use crate::{DataError, Part};

/// The state of one partition of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartState {
    /// Index of the partition, from 0.
    pub index: u32,
    /// Number of partitions.
    pub of: u32,
    /// Whether every shape of the partition was written or failed.
    pub complete: bool,
    /// The settings that shapes were made with.
    pub settings: Value,
    /// The shards of a complete partition; absent in files of early versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<Vec<ShardEntry>>,
}

impl PartState {
    /// The states of all partitions, sorted by file name.
    pub fn read_all(layout: &Layout) -> Result<Vec<Self>, DataError> {
        layout.state_names()?.iter().map(|name| read_json(&layout.parts().join(name))).collect()
    }

    pub fn write(&self, layout: &Layout) -> Result<(), DataError> {
        write_json(&layout.state(self.part()), self)
    }

    /// Which partition it is.
    pub fn part(&self) -> Part {
        Part { index: self.index, of: self.of }
    }

    /// Checks that a run with `settings` may add to this partition, or be merged with it.
    ///
    /// # Errors
    /// [`DataError::Settings`] with the first setting that differs.
    pub fn made_alike(&self, layout: &Layout, settings: &Value) -> Result<(), DataError> {
        let Some(Difference { setting, first, second }) = difference(&self.settings, settings) else {
            return Ok(());
        };
        Err(DataError::Settings { path: layout.folder.clone(), setting, recorded: first, asked: second })
    }
}
