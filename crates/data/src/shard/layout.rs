//! Paths of the files of a data set.
//!
//! ```text
//! DATASET/manifest.json                                  summary, with the SHA-256 of every shard
//! DATASET/index.parquet                                  one row per shape: shard, offsets, labels, captions, split
//! DATASET/shards/00000-of-00004-000012.tar               a shard; its sidecar has the same name with .parquet
//! DATASET/parts/00000-of-00004.json                      state of one partition of a run
//! DATASET/parts/00000-of-00004.failed.jsonl              shapes that could not be used, and why
//! DATASET/parts/00000-of-00004.missing_captions.jsonl    shapes with missing captions, and why
//! ```

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::{DataError, Partition};

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

    pub fn partitions(&self) -> PathBuf {
        self.folder.join("parts")
    }

    pub fn shard(&self, file: &str) -> PathBuf {
        self.shards().join(file)
    }

    pub fn state(&self, partition: Partition) -> PathBuf {
        self.partitions().join(format!("{}.json", partition.name()))
    }

    pub fn failed(&self, partition: Partition) -> PathBuf {
        self.partitions().join(format!("{}.failed.jsonl", partition.name()))
    }

    pub fn missing_captions(&self, partition: Partition) -> PathBuf {
        self.partitions().join(format!("{}.missing_captions.jsonl", partition.name()))
    }

    pub fn lock(&self, partition: Partition) -> PathBuf {
        self.partitions().join(format!("{}.lock", partition.name()))
    }

    /// Names of all finished shards, sorted.
    pub fn shard_names(&self) -> Result<Vec<String>, DataError> {
        names(&self.shards(), ".tar")
    }

    /// Finished shards of a partition, with their numbers.
    pub fn shards_of(&self, partition: Partition) -> Result<Vec<(u32, String)>, DataError> {
        let prefix = format!("{}-", partition.name());
        let number = |name: &str| name.strip_prefix(&prefix)?.strip_suffix(".tar")?.parse::<u32>().ok();
        Ok(self.shard_names()?.into_iter().filter_map(|name| Some((number(&name)?, name))).collect())
    }

    /// Names of the state files of all partitions, sorted.
    pub fn state_names(&self) -> Result<Vec<String>, DataError> {
        names(&self.partitions(), ".json")
    }

    /// State files and shards of a run with another number of partitions, sorted.
    pub fn other_partition_counts(&self, count: u32) -> Result<Vec<String>, DataError> {
        let other = |name: &&String| partition_count(name).is_some_and(|found| found != count);
        let all = [self.state_names()?, self.shard_names()?].concat();
        Ok(all.iter().filter(other).cloned().collect())
    }
}

/// The sidecar of a shard.
pub(crate) fn sidecar_of(shard: &Path) -> PathBuf {
    shard.with_extension("parquet")
}

/// File name of shard `number` of a partition.
pub(super) fn shard_name(partition: Partition, number: u32) -> String {
    format!("{}-{number:06}.tar", partition.name())
}

/// The number of partitions in a file name that starts with [`Partition::name`].
fn partition_count(name: &str) -> Option<u32> {
    let (index, rest) = name.split_once("-of-")?;
    index.parse::<u32>().ok()?;
    // Followed by `-` in names of shards, by `.` in names of state files.
    rest.split(['-', '.']).next()?.parse().ok()
}

/// Names in a folder with an extension, sorted; empty if the folder does not exist.
fn names(folder: &Path, extension: &str) -> Result<Vec<String>, DataError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        if let Some(name) = entry?.file_name().to_str().filter(|name| name.ends_with(extension)) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
