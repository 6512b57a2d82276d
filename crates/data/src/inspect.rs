//! Whether a data set is what was written.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::DataError;
use crate::shard::{Layout, Manifest, damage, sum_of_file};

/// A file that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, down to the shape and member where that can be told.
    pub message: String,
}

/// Compares every file with its recorded sum, in parallel. `progress` hears of every file that was looked at.
///
/// # Errors
/// If the manifest cannot be read; faults of shards are the result.
pub fn verify(folder: &Path, progress: &(dyn Fn(&Path) + Sync)) -> Result<Vec<Fault>, DataError> {
    let manifest = Manifest::read(folder)?;
    let layout = Layout::new(folder);
    let mut faults: Vec<Fault> = manifest
        .shards
        .par_iter()
        .filter_map(|shard| {
            let path = layout.shard(&shard.file);
            let fault = check(&path, &shard.sha256, true);
            progress(&path);
            fault
        })
        .collect();
    faults.extend(check(&layout.index(), &manifest.index_sha256, false));
    let listed = |name: &String| manifest.shards.iter().any(|shard| shard.file == *name);
    for name in layout.shard_names()?.into_iter().filter(|name| !listed(name)) {
        let message = "is not in the manifest: run `lexiform data merge`".to_owned();
        faults.push(Fault { path: layout.shard(&name), message });
    }
    faults.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(faults)
}

fn check(path: &Path, expected: &str, is_shard: bool) -> Option<Fault> {
    let fault = |message: String| Some(Fault { path: path.to_owned(), message });
    match sum_of_file(path) {
        Ok(found) if found == expected => None,
        Ok(_) if is_shard => {
            let place = damage(path).unwrap_or_else(|error| error.to_string());
            fault(format!("damaged: {place}"))
        }
        Ok(found) => fault(format!("damaged: expected SHA-256 {expected}, found {found}")),
        Err(error) => fault(error.to_string()),
    }
}
