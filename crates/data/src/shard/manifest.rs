//! `manifest.json`: the summary of a finished data set.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::write_json;
use super::layout::Layout;
use super::settings::features_in;
use crate::DataError;

/// Name of the format in the manifest.
pub const FORMAT: &str = "lexiform-data";
/// Version of the format in the manifest.
pub const VERSION: u32 = 1;

/// The summary of a data set: `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// Number of shapes.
    pub shapes: u64,
    /// Number of views of all shapes.
    pub views: u64,
    /// Size of all shards in bytes.
    pub bytes: u64,
    /// Number of shapes that could not be used.
    pub failed: u64,
    /// SHA-256 of `index.parquet`.
    pub index_sha256: String,
    /// The settings that shapes were made with.
    pub settings: Value,
    /// The shards, sorted by name.
    pub shards: Vec<ShardEntry>,
}

/// A shard in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// Its name in the folder `shards`.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Number of shapes in it.
    pub shapes: u64,
    /// SHA-256 of the file.
    pub sha256: String,
}

impl Manifest {
    /// Checks format, version and names of shards; errors name the manifest in `root`.
    pub(crate) fn checked(self, root: &Path) -> Result<Self, DataError> {
        let invalid = |message: String| DataError::invalid(&Layout::new(root).manifest(), message);
        if self.format != FORMAT || self.version != VERSION {
            let found = format!("expected format {FORMAT} {VERSION}, found {} {}", self.format, self.version);
            return Err(invalid(found));
        }
        // Manifests are downloaded from object stores: a name with `/` could point outside of the folder.
        let plain = |name: &str| !name.contains(['/', '\\']) && name.ends_with(".tar");
        match self.shards.iter().find(|shard| !plain(&shard.file)) {
            Some(odd) => Err(invalid(format!("{:?} is not the name of a shard", odd.file))),
            None => Ok(self),
        }
    }

    /// The model that computed the features of all shapes, if their length was kept; `None` if there are no features, features
    /// of several models, or of a model that an imported source does not name.
    pub fn features(&self) -> Option<&str> {
        features_in(&self.settings)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), DataError> {
        write_json(&Layout::new(folder).manifest(), self)
    }
}
