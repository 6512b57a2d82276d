//! Whether a data set is what was written.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::DataError;
use crate::shard::{FrontToBack, Home, Layout, Row, ShardEntry, damage, home, sidecar_of, sum_of};

/// A file that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, down to the shape and member where that can be told.
    pub message: String,
}

/// Compares every shard and the table over all with their sums in the manifest, and the table beside each shard with both,
/// row by row; in parallel. `place` is a folder or the address of an object store; `progress`
/// hears of every file that was looked at.
///
/// # Errors
/// If the manifest cannot be read; faults of shards are the result.
pub fn verify(place: &Path, progress: &(dyn Fn(&Path) + Sync)) -> Result<Vec<Fault>, DataError> {
    let home = home(place)?;
    let manifest = home.manifest()?.checked(place)?;
    let layout = Layout::new(place);
    let table = check_table(&*home, &manifest.index_sha256);
    // A damaged table says nothing about those beside the shards.
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

/// What is wrong with the table beside a shard. `rows` are the sums of what the table over all says.
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
            "damaged: says another size, number of shapes or sum of its shard than the manifest".to_owned()
        );
    }
    match rows.is_none_or(|rows| rows.get(&shard.file).copied().unwrap_or(0) == sum) {
        true => Ok(()),
        false => Err("damaged: its rows are not those of index.parquet".to_owned()),
    }
}

/// A sum over the rows of each shard in the table over all.
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
    match found == expected {
        true => Ok(()),
        false => Err(format!(
            "damaged, or of another merge than the manifest: expected SHA-256 {expected}, found {found}; \
             `lexiform data merge` writes both anew"
        )),
    }
}
