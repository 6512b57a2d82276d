//! Checking a data set against its checksums.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::open::home;
use crate::DataError;
use crate::shard::{Layout, Row, ShardEntry, damage, sidecar_of};
use crate::storage::{FrontToBack, Home, sum_of};

/// A damaged file of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it; names the shape and member if possible.
    pub message: String,
}

/// Compares every shard and the index with their checksums in the manifest, and the sidecar of each shard with both, row by
/// row; in parallel. `place` is a folder or the address of an object store; `progress` is called with every file after it was
/// checked.
///
/// # Errors
/// If the manifest or the folder cannot be read. Damaged files are not an error but the result.
pub fn verify(place: &Path, progress: &(dyn Fn(&Path) + Sync)) -> Result<Vec<Fault>, DataError> {
    let home = home(place)?;
    let manifest = home.manifest()?.checked(place)?;
    let layout = Layout::new(place);
    let table = check_table(&*home, &manifest.index_sha256);
    // A damaged index cannot be compared with the sidecars.
    let rows = table.is_ok().then(|| rows_by_shard(&*home)).transpose()?;
    let both = |shard: &ShardEntry| {
        let path = layout.shard(&shard.file);
        let faults = [
            (check(&*home, shard, &path), path.clone()),
            (check_sidecar(&*home, shard, rows.as_ref()), sidecar_of(&path)),
        ];
        progress(&path);
        faults.map(|(checked, path)| checked.err().map(|message| Fault { path, message }))
    };
    let mut faults: Vec<Fault> = manifest.shards.par_iter().flat_map_iter(both).flatten().collect();
    faults.extend(table.err().map(|message| Fault { path: layout.index(), message }));
    let listed = |name: &String| manifest.shards.iter().any(|shard| shard.file == *name);
    for name in home.shard_names()?.into_iter().filter(|name| !listed(name)) {
        let message = "not in the manifest: run `lexiform data merge`".to_owned();
        faults.push(Fault { path: layout.shard(&name), message });
    }
    faults.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(faults)
}

/// Checks a shard.
fn check(home: &dyn Home, shard: &ShardEntry, path: &Path) -> Result<(), String> {
    let read = || {
        let file = home.shard(&shard.file).map_err(|error| error.to_string())?;
        Ok::<_, String>(FrontToBack::new(file, shard.bytes, home.stride()))
    };
    match sum_of(read()?) {
        Ok(found) if found == shard.sha256 => Ok(()),
        Ok(_) => Err(format!("damaged: {}", damage(read()?, path))),
        Err(error) => Err(format!("damaged: {error}")),
    }
}

/// Checks the sidecar of a shard. `rows` are the hashes of each shard's rows in the index.
fn check_sidecar(
    home: &dyn Home,
    shard: &ShardEntry,
    rows: Option<&HashMap<String, u64>>,
) -> Result<(), String> {
    let read = || {
        let sidecar = home.sidecar(&shard.file)?;
        let mut sums = HashMap::from([(shard.file.clone(), 0)]);
        sidecar.rows(|row| add_row(&mut sums, Row { shard: shard.file.clone(), ..row }))?;
        Ok::<_, DataError>((sidecar.shard(&shard.file)?, sums.remove(&shard.file).unwrap_or(0)))
    };
    let (about, sum) = read().map_err(|error| format!("damaged: {error}"))?;
    if about != *shard {
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
fn rows_by_shard(home: &dyn Home) -> Result<HashMap<String, u64>, DataError> {
    let mut sums = HashMap::new();
    home.table()?.rows(|row| add_row(&mut sums, row))?;
    Ok(sums)
}

fn add_row(sums: &mut HashMap<String, u64>, row: Row) -> Result<(), DataError> {
    let sum = sums.entry(row.shard.clone()).or_insert(0);
    let mut hasher = DefaultHasher::new();
    (*sum, row).hash(&mut hasher);
    *sum = hasher.finish();
    Ok(())
}

fn check_table(home: &dyn Home, expected: &str) -> Result<(), String> {
    let found = home.table_sum().map_err(|error| error.to_string())?;
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "damaged, or not from the same merge as the manifest: expected SHA-256 {expected}, found {found}; \
         `lexiform data merge` rewrites both"
    ))
}
