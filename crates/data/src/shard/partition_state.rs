//! `parts/I-count-N.json`: the state of one partition of a run.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{read_json, write_json};
use super::layout::Layout;
use super::manifest::ShardEntry;
use super::settings::{Difference, first_difference};
use crate::{DataError, Partition};

/// The state of one partition of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartitionState {
    /// Index of the partition, from 0.
    pub index: u32,
    /// Number of partitions.
    #[serde(alias = "of")]
    pub count: u32,
    /// Whether every shape of the partition was written or failed.
    pub complete: bool,
    /// The settings that shapes were made with.
    pub settings: Value,
    /// The shards of a complete partition; absent in files of early versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<Vec<ShardEntry>>,
}

impl PartitionState {
    /// The states of all partitions, sorted by file name.
    pub fn read_all(layout: &Layout) -> Result<Vec<Self>, DataError> {
        layout.state_names()?.iter().map(|name| read_json(&layout.partitions().join(name))).collect()
    }

    pub fn write(&self, layout: &Layout) -> Result<(), DataError> {
        write_json(&layout.state(self.partition()), self)
    }

    /// Which partition it is.
    pub fn partition(&self) -> Partition {
        Partition { index: self.index, count: self.count }
    }

    /// Checks that a run with `settings` may add to this partition, or be merged with it.
    ///
    /// # Errors
    /// [`DataError::SettingsMismatch`] with the first setting that differs.
    pub fn check_settings(&self, layout: &Layout, settings: &Value) -> Result<(), DataError> {
        let Some(Difference { setting, first, second }) = first_difference(&self.settings, settings) else {
            return Ok(());
        };
        Err(DataError::SettingsMismatch {
            path: layout.folder.clone(),
            setting,
            recorded: first,
            requested: second,
        })
    }
}
