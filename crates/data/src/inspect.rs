//! Whether a data set is what was written.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::DataError;
use crate::shard::{FrontToBack, Home, Layout, ShardEntry, damage, home, sum_of};

/// A file that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, down to the shape and member where that can be told.
    pub message: String,
}

/// Compares every file with its recorded sum, in parallel. `place` is a folder or the address of an object store; `progress`
/// hears of every file that was looked at.
///
/// # Errors
/// If the manifest cannot be read; faults of shards are the result.
pub fn verify(place: &Path, progress: &(dyn Fn(&Path) + Sync)) -> Result<Vec<Fault>, DataError> {
    let home = home(place)?;
    let manifest = home.manifest()?.checked(place)?;
    let layout = Layout::new(place);
    let mut faults: Vec<Fault> = manifest
        .shards
        .par_iter()
        .filter_map(|shard| {
            let path = layout.shard(&shard.file);
            let fault = check(&*home, shard, &path).err();
            progress(&path);
            fault.map(|message| Fault { path, message })
        })
        .collect();
    if let Err(message) = check_table(&*home, &manifest.index_sha256) {
        faults.push(Fault { path: layout.index(), message });
    }
    let listed = |name: &String| manifest.shards.iter().any(|shard| shard.file == *name);
    for name in home.shard_names()?.into_iter().filter(|name| !listed(name)) {
        let message = "is not in the manifest: run `lexiform data merge`".to_owned();
        faults.push(Fault { path: layout.shard(&name), message });
    }
    faults.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(faults)
}

/// What is wrong with a shard.
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

fn check_table(home: &dyn Home, expected: &str) -> Result<(), String> {
    let found = home.table_sum().map_err(|error| error.to_string())?;
    match found == expected {
        true => Ok(()),
        false => Err(format!("damaged: expected SHA-256 {expected}, found {found}")),
    }
}
