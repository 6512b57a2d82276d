//! Replacing a data set by an updated one in a single step.

use std::path::{Path, PathBuf};

use fs_err as fs;
use lexiform_formats::{exchange_durably, rename_durably};

use crate::shard::{Layout, Manifest, PartitionState, read_failed, write_failed};
use crate::{DataError, Dataset, Partition, is_remote, merge_partitions};

/// The setting with the SHA-256 of the index of the data set that was updated.
pub(super) const SOURCE_INDEX: &str = "source_index";
/// Appended to the name of a data set's folder: the folder in which its replacement is built.
const STAGING: &str = ".update";
/// Appended to the name of a data set's folder, for the old data set where folders cannot be swapped in one step.
const RETIRED: &str = ".update-old";

/// The folder next to `dataset` in which its replacement is built.
///
/// # Errors
/// If the data set is in an object store, or does not exist.
pub fn staging_folder(dataset: &Path) -> Result<PathBuf, DataError> {
    if is_remote(dataset) {
        return Err(DataError::unusable(
            dataset,
            "a data set in an object store cannot be replaced",
            "write a new data set to a folder with --out, then `lexiform data copy` it",
        ));
    }
    // Resolved, because a link to the folder must not be replaced by the folder.
    Ok(sibling(&fs::canonicalize(dataset)?, STAGING))
}

/// Finishes a replacement that was interrupted after its decisive step. Does nothing if there was none.
///
/// # Errors
/// If files cannot be read, moved or deleted.
pub fn finish_replacement(dataset: &Path) -> Result<(), DataError> {
    if is_remote(dataset) {
        return Ok(());
    }
    let (staging, retired) = (sibling(dataset, STAGING), sibling(dataset, RETIRED));
    // Killed between the two renames of a file system without a swap.
    if !dataset.exists() && retired.exists() && Manifest::read(&staging).is_ok() {
        rename_durably(&staging, dataset)?;
    }
    let Ok(dataset) = fs::canonicalize(dataset) else { return Ok(()) };
    let Some(source) = Manifest::read(&dataset).ok().and_then(|manifest| source_index(&manifest)) else {
        return Ok(());
    };
    for old in [sibling(&dataset, STAGING), sibling(&dataset, RETIRED)] {
        if Manifest::read(&old).is_ok_and(|manifest| manifest.index_sha256 == source) {
            remove_replaced(&old, &dataset)?;
        } else if fs::read_dir(&old).is_ok_and(|mut entries| entries.next().is_none()) {
            // Killed before its last step, which deletes the empty folder.
            fs::remove_dir(&old)?;
        }
    }
    Ok(())
}

/// Merges the data set in `staging` and replaces the one that it was made from by it. Other files in its folder are kept, and so is
/// the list of shapes that could not be used.
///
/// # Errors
/// [`DataError::Incomplete`] if not all shapes of `staging` are written, [`DataError::Unusable`] if the data set was changed since it was read or
/// `staging` does not have all of its shapes. The data set is then unchanged.
pub fn replace_dataset(dataset: &Path, staging: &Path) -> Result<Manifest, DataError> {
    let dataset = fs::canonicalize(dataset)?;
    let old = Manifest::read(&dataset)?;
    keep_failed(&dataset, staging)?;
    let new = merge_partitions(staging)?;
    if source_index(&new).as_deref() != Some(old.index_sha256.as_str()) {
        return Err(DataError::unusable(
            &dataset,
            "was changed while its update was built",
            format!("delete {} and run the same command again", staging.display()),
        ));
    }
    check_shapes(&dataset, staging)?;
    if exchange_durably(&dataset, staging)? {
        remove_replaced(staging, &dataset)?;
    } else {
        let retired = sibling(&dataset, RETIRED);
        rename_durably(&dataset, &retired)?;
        rename_durably(staging, &dataset)?;
        remove_replaced(&retired, &dataset)?;
    }
    Ok(new)
}

/// Every shape of the data set must be in its replacement.
fn check_shapes(dataset: &Path, staging: &Path) -> Result<(), DataError> {
    let (old, new) = (Dataset::open(dataset)?, Dataset::open(staging)?);
    let missing: Vec<&str> =
        (0..old.len()).map(|shape| old.key(shape)).filter(|key| new.find(key).is_none()).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    let message = format!(
        "{} of {} shapes could not be updated, the first is {first:?}; the data set is unchanged",
        missing.len(),
        old.len()
    );
    let hint =
        "run `lexiform data inspect SET --verify`, or write the other shapes to a new data set with --out";
    Err(DataError::unusable(dataset, message, hint))
}

/// Copies the list of shapes that could not be used when the data set was made.
fn keep_failed(dataset: &Path, staging: &Path) -> Result<(), DataError> {
    let (old, new) = (Layout::new(dataset), Layout::new(staging));
    let mut failed = read_failed(&new.failed(Partition::ALL))?;
    for state in PartitionState::read_all(&old)? {
        failed.extend(read_failed(&old.failed(state.partition()))?);
    }
    let failed: Vec<_> = failed.into_values().collect();
    write_failed(&new.failed(Partition::ALL), &failed)
}

fn source_index(manifest: &Manifest) -> Option<String> {
    manifest.settings.get(SOURCE_INDEX)?.as_str().map(str::to_owned)
}

/// Moves the user's own files from the folder of the old data set to that of the new one, and deletes the rest.
fn remove_replaced(old: &Path, dataset: &Path) -> Result<(), DataError> {
    let layout = Layout::new(old);
    let own = [layout.shards(), layout.partitions(), layout.index(), layout.manifest()];
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        let target = dataset.join(entry.file_name());
        if !own.contains(&entry.path()) && !target.exists() {
            rename_durably(&entry.path(), &target)?;
        }
    }
    for folder in [layout.shards(), layout.partitions()].iter().filter(|path| path.exists()) {
        fs::remove_dir_all(folder)?;
    }
    // The manifest last: it identifies the folder as the old data set, should this be interrupted.
    for file in [layout.index(), layout.manifest()].iter().filter(|path| path.exists()) {
        fs::remove_file(file)?;
    }
    Ok(fs::remove_dir(old)?)
}

/// A path with something appended to its last part.
fn sibling(path: &Path, suffix: &str) -> PathBuf {
    // Through components, which drop a slash at the end.
    let mut name = path.components().collect::<PathBuf>().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}
