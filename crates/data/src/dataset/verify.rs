//! Checking a data set against its checksums.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::open::open_storage;
use crate::DataError;
use crate::shard::{IndexRow, Layout, ShardEntry, locate_damage, sidecar_of};
use crate::storage::{SequentialReader, Storage, sha256_reader};

/// A damaged file of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corruption {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it; names the shape and member if possible.
    pub message: String,
}

/// Compares every shard and the index with their checksums in the manifest, and the sidecar of each shard with both, row by
/// row; in parallel. `root` is a folder or the address of an object store; `progress` is called with every file after it was
/// checked.
///
/// # Errors
/// If the manifest or the folder cannot be read. Damaged files are not an error but the result.
pub fn verify(root: &Path, progress: &(dyn Fn(&Path) + Sync)) -> Result<Vec<Corruption>, DataError> {
    let storage = open_storage(root)?;
    let manifest = storage.manifest()?.checked(root)?;
    let layout = Layout::new(root);
    let index = check_index(&*storage, &manifest.index_sha256);
    // A damaged index cannot be compared with the sidecars.
    // One hash per shard: the rows of all shards may not fit into memory.
    let rows = index.is_ok().then(|| rows_by_shard(&*storage)).transpose()?;
    let both = |shard: &ShardEntry| {
        let path = layout.shard(&shard.file);
        let faults = [
            (check(&*storage, shard, &path), path.clone()),
            (check_sidecar(&*storage, shard, rows.as_ref()), sidecar_of(&path)),
        ];
        progress(&path);
        faults.map(|(checked, path)| checked.err().map(|message| Corruption { path, message }))
    };
    let mut faults: Vec<Corruption> = manifest.shards.par_iter().flat_map_iter(both).flatten().collect();
    faults.extend(index.err().map(|message| Corruption { path: layout.index(), message }));
    let listed = |name: &String| manifest.shards.iter().any(|shard| shard.file == *name);
    for name in storage.shard_names()?.into_iter().filter(|name| !listed(name)) {
        let message = "not in the manifest: run `lexiform data merge`".to_owned();
        faults.push(Corruption { path: layout.shard(&name), message });
    }
    // The parallel iterator returns them in any order.
    faults.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(faults)
}

/// Checks a shard.
fn check(storage: &dyn Storage, shard: &ShardEntry, path: &Path) -> Result<(), String> {
    let read = || {
        let file = storage.shard(&shard.file).map_err(|error| error.to_string())?;
        Ok::<_, String>(SequentialReader::new(file, shard.bytes, storage.read_ahead()))
    };
    match sha256_reader(read()?) {
        Ok(found) if found == shard.sha256 => Ok(()),
        Ok(_) => Err(format!("damaged: {}", locate_damage(read()?, path))),
        Err(error) => Err(format!("damaged: {error}")),
    }
}

/// Checks the sidecar of a shard. `rows` are the hashes of each shard's rows in the index.
fn check_sidecar(
    storage: &dyn Storage,
    shard: &ShardEntry,
    rows: Option<&HashMap<String, u64>>,
) -> Result<(), String> {
    let read = || {
        let sidecar = storage.sidecar(&shard.file)?;
        let mut sums = HashMap::from([(shard.file.clone(), 0)]);
        // The index has the name of the shard in the manifest, the sidecar may have an earlier one.
        sidecar.for_each_row(|row| add_row(&mut sums, IndexRow { shard: shard.file.clone(), ..row }))?;
        Ok::<_, DataError>((sidecar.shard(&shard.file)?, sums.remove(&shard.file).unwrap_or(0)))
    };
    let (entry, sum) = read().map_err(|error| format!("damaged: {error}"))?;
    if entry != *shard {
        return Err(
            "damaged: size, number of shapes or SHA-256 of its shard differ from the manifest".to_owned()
        );
    }
    if rows.is_some_and(|rows| rows.get(&shard.file).copied().unwrap_or(0) != sum) {
        return Err("damaged: its rows differ from index.parquet".to_owned());
    }
    Ok(())
}

/// A hash of each shard's rows in the index.
fn rows_by_shard(storage: &dyn Storage) -> Result<HashMap<String, u64>, DataError> {
    let mut sums = HashMap::new();
    storage.index()?.for_each_row(|row| add_row(&mut sums, row))?;
    Ok(sums)
}

fn add_row(sums: &mut HashMap<String, u64>, row: IndexRow) -> Result<(), DataError> {
    let sum = sums.entry(row.shard.clone()).or_insert(0);
    let mut hasher = DefaultHasher::new();
    // Chained, so that the order of rows matters too.
    (*sum, row).hash(&mut hasher);
    *sum = hasher.finish();
    Ok(())
}

fn check_index(storage: &dyn Storage, expected: &str) -> Result<(), String> {
    let found = storage.index_sha256().map_err(|error| error.to_string())?;
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "damaged, or not from the same merge as the manifest: expected SHA-256 {expected}, found {found}; \
         `lexiform data merge` rewrites both"
    ))
}
