//! Where the files of a data set lie, and the small JSON files among them.
//!
//! ```text
//! DATASET/manifest.json                         what it holds, with a sum for every shard
//! DATASET/index.parquet                         every shape: shard, offsets, labels, captions, split
//! DATASET/shards/00000-of-00004-000012.tar      and .parquet beside it
//! DATASET/parts/00000-of-00004.json             state of one part of a divided run
//! DATASET/parts/00000-of-00004.failed.jsonl     what could not be used, and why
//! DATASET/parts/00000-of-00004.refused.jsonl    shapes that a captioner left views of without a sentence, and why
//! ```

use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::durable::write_durably;
use super::home::home;
use crate::{DataError, Part};

/// Name of the format in the manifest.
pub const FORMAT: &str = "lexiform-data";
/// Version of the format in the manifest.
pub const VERSION: u32 = 1;

/// Paths of a data set.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub folder: PathBuf,
}

impl Layout {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub fn manifest(&self) -> PathBuf {
        self.folder.join("manifest.json")
    }

    pub fn index(&self) -> PathBuf {
        self.folder.join("index.parquet")
    }

    pub fn shards(&self) -> PathBuf {
        self.folder.join("shards")
    }

    pub fn parts(&self) -> PathBuf {
        self.folder.join("parts")
    }

    pub fn shard(&self, file: &str) -> PathBuf {
        self.shards().join(file)
    }

    pub fn state(&self, part: Part) -> PathBuf {
        self.parts().join(format!("{}.json", part.name()))
    }

    pub fn failed(&self, part: Part) -> PathBuf {
        self.parts().join(format!("{}.failed.jsonl", part.name()))
    }

    pub fn refused(&self, part: Part) -> PathBuf {
        self.parts().join(format!("{}.refused.jsonl", part.name()))
    }

    pub fn lock(&self, part: Part) -> PathBuf {
        self.parts().join(format!("{}.lock", part.name()))
    }

    /// Names of all finished shards, sorted.
    pub fn shard_names(&self) -> Result<Vec<String>, DataError> {
        names(&self.shards(), ".tar")
    }

    /// State files and shards of a run that is divided into another number of parts, sorted.
    pub fn of_another_division(&self, of: u32) -> Result<Vec<String>, DataError> {
        let other = |name: &&String| divided_into(name).is_some_and(|found| found != of);
        let all = [names(&self.parts(), ".json")?, self.shard_names()?].concat();
        Ok(all.iter().filter(other).cloned().collect())
    }

    /// State files of all parts, sorted.
    pub fn states(&self) -> Result<Vec<PartState>, DataError> {
        let names = names(&self.parts(), ".json")?;
        names.iter().map(|name| read_json(&self.parts().join(name))).collect()
    }
}

/// The sidecar of a shard.
pub(crate) fn sidecar_of(shard: &Path) -> PathBuf {
    shard.with_extension("parquet")
}

/// The number of parts in the name of a part's file, [`Part::name`] and what follows.
fn divided_into(name: &str) -> Option<u32> {
    let (index, rest) = name.split_once("-of-")?;
    index.parse::<u32>().ok()?;
    rest.split(['-', '.']).next()?.parse().ok()
}

/// Names in a folder with an ending, sorted; none where the folder is absent.
fn names(folder: &Path, ending: &str) -> Result<Vec<String>, DataError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        if let Some(name) = entry?.file_name().to_str().filter(|name| name.ends_with(ending)) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// How far one part of a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartState {
    /// Which part, from 0.
    pub index: u32,
    /// How many parts there are.
    pub of: u32,
    /// Whether every shape of the part was written or failed.
    pub complete: bool,
    /// What the shapes were made with.
    pub settings: Value,
    /// The shards of a complete part; those made before this was kept have no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<Vec<ShardEntry>>,
}

/// A data set in short: `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// How many shapes there are.
    pub shapes: u64,
    /// How many views they have together.
    pub views: u64,
    /// Bytes of all shards.
    pub bytes: u64,
    /// Shapes that could not be used.
    pub failed: u64,
    /// SHA-256 of `index.parquet`.
    pub index_sha256: String,
    /// What the shapes were made with.
    pub settings: Value,
    /// The shards, sorted by name.
    pub shards: Vec<ShardEntry>,
}

/// A shard in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// Its name in the folder `shards`.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// How many shapes it holds.
    pub shapes: u64,
    /// SHA-256 of the whole file.
    pub sha256: String,
}

impl Manifest {
    /// Reads a data set's manifest; `place` is a folder or the address of an object store.
    pub fn read(place: &Path) -> Result<Self, DataError> {
        home(place)?.manifest()?.checked(place)
    }

    /// A manifest of this format with plain names.
    pub(crate) fn checked(self, place: &Path) -> Result<Self, DataError> {
        let invalid = |message: String| DataError::invalid(&Layout::new(place).manifest(), message);
        if self.format != FORMAT || self.version != VERSION {
            let found = format!("expected format {FORMAT} {VERSION}, found {} {}", self.format, self.version);
            return Err(invalid(found));
        }
        let plain = |name: &str| !name.contains(['/', '\\']) && name.ends_with(".tar");
        match self.shards.iter().find(|shard| !plain(&shard.file)) {
            Some(odd) => Err(invalid(format!("{:?} is not the name of a shard", odd.file))),
            None => Ok(self),
        }
    }

    /// The model whose features all shapes carry, at the length its towers give them; `None` where they carry none, those of
    /// several models, or those of a model that an imported source does not name.
    pub fn features(&self) -> Option<&str> {
        features_in(&self.settings)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), DataError> {
        write_json(&Layout::new(folder).manifest(), self)
    }
}

/// The model of the features in a data set's settings, or in those of all the data sets it was joined of.
fn features_in(settings: &Value) -> Option<&str> {
    if let Some(joined) = settings.get("joined").and_then(Value::as_array) {
        let first = features_in(joined.first()?)?;
        return joined.iter().all(|one| features_in(one) == Some(first)).then_some(first);
    }
    // Before the second look features were kept at length one.
    let of_own_length = settings.get("look").and_then(Value::as_u64).is_some_and(|look| look >= 2);
    settings.get("features").and_then(Value::as_str).filter(|_| of_own_length)
}

/// Reads a JSON file of known shape.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    serde_json::from_slice(&fs::read(path)?).map_err(|error| DataError::invalid(path, error))
}

/// Writes a JSON file durably.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), DataError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| DataError::invalid(path, error))?;
    write_durably(path, text.as_bytes())
}

/// The first place where two settings differ: its name and both values.
pub(crate) fn difference(name: &str, a: &Value, b: &Value) -> Option<(String, String, String)> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| {
                let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                difference(&inner, a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null))
            })
        }
        _ if a == b => None,
        _ => Some((name.to_owned(), a.to_string(), b.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::features_in;

    #[test]
    fn features_are_of_one_model_or_of_none() {
        let of = |look: u32, model: &str| json!({ "look": look, "features": model });
        assert_eq!(features_in(&of(2, "a@1")), Some("a@1"));
        assert_eq!(features_in(&of(1, "a@1")), None);
        assert_eq!(features_in(&json!({ "made_by": "import openshape", "features": true })), None);
        let joined = |a: &str, b: &str| features_in(&json!({ "joined": [of(2, a), of(2, b)] })).is_some();
        assert!(joined("a@1", "a@1") && !joined("a@1", "b@2"));
    }
}
