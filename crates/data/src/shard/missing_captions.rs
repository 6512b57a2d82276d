//! `parts/I-of-N.missing_captions.jsonl`: shapes with missing captions, and their removal from the shards so that they are rebuilt.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::Layout;
use super::durable::{partial_path, rename_durably};
use super::json::{read_lines, write_lines};
use super::layout::sidecar_of;
use super::scan::read_shapes;
use super::sidecar::Sidecar;
use super::writer::ShardWriter;
use crate::{DataError, MissingCaptions, Partition, Shape};

/// A shape that was written with missing captions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeMissingCaptions {
    /// Its key in the data set.
    pub key: String,
    /// The missing captions.
    #[serde(flatten)]
    pub missing_captions: MissingCaptions,
}

impl ShapeMissingCaptions {
    pub(super) fn from_shape(shape: &Shape) -> Option<Self> {
        let missing_captions = shape.metadata.missing_captions.clone()?;
        Some(Self { key: shape.key.to_string(), missing_captions })
    }
}

/// The list of earlier runs, without shapes that are in no shard.
pub(super) fn load(
    path: &Path,
    written: &HashSet<String>,
) -> Result<BTreeMap<String, ShapeMissingCaptions>, DataError> {
    let recorded: Vec<ShapeMissingCaptions> = read_lines(path)?;
    let lines = recorded.len();
    let kept: BTreeMap<String, ShapeMissingCaptions> = recorded
        .into_iter()
        .filter(|one| written.contains(&one.key))
        .map(|one| (one.key.clone(), one))
        .collect();
    // Rewritten only if something changed, so that resuming a run does not touch files.
    if kept.len() < lines {
        write_lines(path, kept.values())?;
    }
    Ok(kept)
}

/// Rewrites the finished shards of a partition without the shapes that have missing captions.
pub(super) fn remove_shapes(
    layout: &Layout,
    partition: Partition,
    missing_captions: &BTreeMap<String, ShapeMissingCaptions>,
) -> Result<(), DataError> {
    // The manifest is wrong until the partitions are merged again.
    if layout.manifest().exists() {
        fs::remove_file(layout.manifest())?;
    }
    for (_, name) in layout.shards_of(partition)? {
        let shard = layout.shard(&name);
        let mut holds = false;
        Sidecar::open(&sidecar_of(&shard))?.for_each_row(|row| {
            holds |= missing_captions.contains_key(&row.key);
            Ok(())
        })?;
        if holds {
            rewrite_without(&shard, missing_captions)?;
        }
    }
    Ok(())
}

fn rewrite_without(
    shard: &Path,
    missing_captions: &BTreeMap<String, ShapeMissingCaptions>,
) -> Result<(), DataError> {
    let mut kept = ShardWriter::create(shard)?;
    read_shapes(fs::File::open(shard)?, shard, |scanned| {
        if let Some(member) = scanned.damaged_member() {
            return Err(DataError::invalid(shard, format!("{}.{member} is damaged", scanned.row.key)));
        }
        if !missing_captions.contains_key(&scanned.row.key) {
            kept.push(scanned.shape)?;
        }
        Ok(())
    })?;
    if !kept.rows().is_empty() {
        return kept.close().map(drop);
    }
    drop(kept);
    // A `.tar` counts as a complete shard, so it is deleted first.
    fs::remove_file(shard)?;
    fs::remove_file(sidecar_of(shard))?;
    Ok(fs::remove_file(partial_path(shard))?)
}

/// Completes or reverts an interrupted rewrite of a finished shard. The sidecar is replaced first, so it tells which of the two
/// files is the shard: the new one is always shorter. Without a sidecar this cannot be decided.
pub(super) fn recover_rewrite(shard: &Path) -> Result<(), DataError> {
    let partial = partial_path(shard);
    if !partial.exists() || !sidecar_of(shard).exists() {
        return Ok(());
    }
    let name = shard.file_name().unwrap_or_default().to_string_lossy();
    let bytes = Sidecar::open(&sidecar_of(shard))?.shard(&name)?.bytes;
    if fs::metadata(&partial)?.len() == bytes {
        rename_durably(&partial, shard)
    } else {
        Ok(fs::remove_file(&partial)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, Member, Metadata};

    fn shape(key: &str) -> Shape {
        let members = vec![Member::view(0, "png", key.as_bytes().to_vec())];
        Shape {
            key: Key::from_id(key),
            members,
            metadata: Metadata { id: key.to_owned(), ..Metadata::default() },
        }
    }

    #[test]
    fn a_shard_is_complete_wherever_a_rewrite_was_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.tar");
        let write = |keys: &[&str]| {
            let mut shard = ShardWriter::create(&path).unwrap();
            keys.iter().for_each(|key| shard.push(shape(key)).unwrap());
            shard.close().unwrap();
            std::fs::read(&path).unwrap()
        };
        let (less, all) = (write(&["a", "c"]), write(&["a", "b", "c"]));
        // Interrupted while the new shard was written.
        std::fs::write(partial_path(&path), &less[..less.len() - 512]).unwrap();
        recover_rewrite(&path).unwrap();
        assert!(std::fs::read(&path).unwrap() == all && !partial_path(&path).exists());
        let missing_captions = MissingCaptions { missing: 1, requested: 1, reason: String::new() };
        let b = ShapeMissingCaptions { key: "b".to_owned(), missing_captions };
        rewrite_without(&path, &BTreeMap::from([("b".to_owned(), b)])).unwrap();
        assert!(std::fs::read(&path).unwrap() == less);
        // Interrupted after the sidecar was replaced.
        std::fs::rename(&path, partial_path(&path)).unwrap();
        std::fs::write(&path, &all).unwrap();
        recover_rewrite(&path).unwrap();
        assert!(std::fs::read(&path).unwrap() == less && !partial_path(&path).exists());
    }
}
