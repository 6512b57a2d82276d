//! Merging the partitions of a run, and joining data sets.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde_json::Value;

use crate::shard::{
    FORMAT, Layout, Manifest, PartitionState, Sidecar, SidecarWriter, VERSION, partial_path, read_failed,
    sha256_file, sidecar_of, validate, write_failed,
};
use crate::{DataError, Member, Partition};

/// Writes the manifest and the index over all shards of `folder`, whose partitions must be complete.
///
/// # Errors
/// [`DataError::Incomplete`] if partitions are missing or not finished, [`DataError::SettingsMismatch`] if two partitions were made
/// with different settings, [`DataError::Unusable`] if shards are missing or damaged, [`DataError::Invalid`] if two shards
/// hold the same shape.
pub fn merge_partitions(folder: &Path) -> Result<Manifest, DataError> {
    let layout = Layout::new(folder);
    let states = PartitionState::read_all(&layout)?;
    let settings = common_settings(folder, &states)?;
    let recorded: Vec<_> = states.iter().filter_map(|state| state.shards.clone()).flatten().collect();
    // First the shards that the partitions recorded, so that a deleted one is noticed.
    validate::check_entries(&layout, &recorded)?;
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        shapes: 0,
        views: 0,
        bytes: 0,
        failed: 0,
        index_sha256: String::new(),
        settings,
        shards: validate::read_entries(&layout, &layout.shard_names()?)?,
    };
    let keys = index(&layout, &mut manifest)?;
    for state in &states {
        let failed = read_failed(&layout.failed(state.partition()))?;
        // A shape may have failed in one run and succeeded in a retry.
        manifest.failed += failed.keys().filter(|key| !keys.contains(*key)).count() as u64;
    }
    // The manifest is written last: a folder with a manifest is a finished data set.
    manifest.index_sha256 = sha256_file(&layout.index())?;
    manifest.write(folder)?;
    Ok(manifest)
}

/// Writes the index over all shards, adds their counts to the manifest and returns the keys.
fn index(layout: &Layout, manifest: &mut Manifest) -> Result<HashSet<String>, DataError> {
    let mut keys = HashSet::new();
    let mut writer = SidecarWriter::create(&layout.index(), None)?;
    for entry in &manifest.shards {
        let path = sidecar_of(&layout.shard(&entry.file));
        manifest.shapes += entry.shapes;
        manifest.bytes += entry.bytes;
        Sidecar::open(&path)?.for_each_row(|mut row| {
            if !keys.insert(row.key.clone()) {
                return Err(DataError::invalid(
                    &path,
                    format!("shape {:?} is in another shard too", row.key),
                ));
            }
            manifest.views +=
                row.members.iter().filter(|m| Member::view_index(&m.name).is_some()).count() as u64;
            // Sidecars record the name at the time of writing; concatenation renames shards.
            row.shard.clone_from(&entry.file);
            writer.push(row)
        })?;
    }
    writer.finish()?;
    Ok(keys)
}

/// The settings of all partitions. Fails if they differ, or if a partition is missing or not complete.
fn common_settings(folder: &Path, states: &[PartitionState]) -> Result<Value, DataError> {
    let incomplete = |message: String| DataError::Incomplete { path: folder.to_owned(), message };
    let first = states.first().ok_or_else(|| incomplete("holds no partitions of a data set".to_owned()))?;
    for state in states {
        first.check_settings(&Layout::new(folder), &state.settings)?;
        if state.count != first.count {
            let message =
                format!("holds partitions of a run of {} and of a run of {}", first.count, state.count);
            return Err(incomplete(message));
        }
    }
    let done = |index: u32| states.iter().any(|state| state.index == index && state.complete);
    let open: Vec<String> = (0..first.count)
        .filter(|index| !done(*index))
        .map(|index| format!("{index}/{}", first.count))
        .collect();
    if open.is_empty() {
        return Ok(first.settings.clone());
    }
    let shown = open.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
    Err(incomplete(format!("{} of {} partitions are not complete: {shown}", open.len(), first.count)))
}

/// Joins the shards of several data sets, and their lists of failed shapes, in a new data set. Files are hard-linked if the
/// file system allows it, otherwise copied. Everything that was written is deleted if it fails.
///
/// # Errors
/// [`DataError::Invalid`] if `folder` holds a data set already or two data sets hold the same shape, [`DataError::Unusable`] if
/// shards are missing or damaged, or if a file cannot be read or written.
pub fn concat_datasets(folder: &Path, inputs: &[PathBuf]) -> Result<Manifest, DataError> {
    let layout = Layout::new(folder);
    if [layout.partitions(), layout.shards(), layout.index(), layout.manifest()]
        .iter()
        .any(|path| path.exists())
    {
        return Err(DataError::invalid(folder, "already holds a data set"));
    }
    let manifests = inputs.iter().map(|input| Manifest::read(input)).collect::<Result<Vec<_>, _>>()?;
    let existed = folder.exists();
    link_shards(&layout, inputs, manifests).inspect_err(|_| remove_partial(&layout, existed))
}

fn link_shards(layout: &Layout, inputs: &[PathBuf], manifests: Vec<Manifest>) -> Result<Manifest, DataError> {
    fs::create_dir_all(layout.shards())?;
    fs::create_dir_all(layout.partitions())?;
    let mut failed = Vec::new();
    for (number, (input, manifest)) in inputs.iter().zip(&manifests).enumerate() {
        let input = Layout::new(input);
        validate::check_entries(&input, &manifest.shards)?;
        for shard in &manifest.shards {
            let from = input.shard(&shard.file);
            // Numbered by input, because two data sets may have shards of the same name.
            let to = layout.shard(&format!("{number:03}-{}", shard.file));
            // Sidecars first: a `.tar` promises that its sidecar exists.
            link_or_copy(&sidecar_of(&from), &sidecar_of(&to))?;
            link_or_copy(&from, &to)?;
        }
        for state in PartitionState::read_all(&input)? {
            let list = read_failed(&input.failed(state.partition()))?;
            failed.extend(list.into_values());
        }
    }
    write_failed(&layout.failed(Partition::ALL), &failed)?;
    let settings: Vec<Value> = manifests.into_iter().map(|manifest| manifest.settings).collect();
    let shards = validate::read_entries(layout, &layout.shard_names()?)?;
    let settings = serde_json::json!({ "concatenated": settings });
    // The result looks like a run with one partition, so that it can be merged again.
    PartitionState { index: 0, count: 1, complete: true, settings, shards: Some(shards) }.write(layout)?;
    merge_partitions(&layout.folder)
}

/// Deletes a data set that was not finished; other files in its folder are kept.
fn remove_partial(layout: &Layout, existed: bool) {
    // The caller returns the first error; files that cannot be deleted are reported by the next run.
    let _ = fs::remove_dir_all(layout.shards());
    let _ = fs::remove_dir_all(layout.partitions());
    let _ = fs::remove_file(layout.index());
    let _ = fs::remove_file(partial_path(&layout.index()));
    if !existed {
        let _ = fs::remove_dir(&layout.folder);
    }
}

/// Links or copies a file.
fn link_or_copy(from: &Path, to: &Path) -> Result<(), DataError> {
    // Fails across file systems, and on some without links.
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to)?;
        fs::File::open(to)?.sync_all()?;
    }
    Ok(())
}
