//! Writing one partition of a data set. A run can be resumed at any moment and writes no shape twice.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::Path;

use fs_err as fs;
use serde_json::Value;

use super::durable::partial_path;
use super::failed_shapes::{FailedShape, read_failed};
use super::json::{append, read_json, to_json_line};
use super::layout::{shard_name, sidecar_of};
use super::missing_captions::{self, ShapeMissingCaptions};
use super::sidecar::Sidecar;
use super::writer::ShardWriter;
use super::{Layout, PartitionState, ShardEntry, validate};
use crate::{DataError, Key, Partition, Shape};

/// Maximum number of files listed in an error.
const MAX_LISTED: usize = 5;

/// The shapes of a partition that earlier runs finished, by key.
#[derive(Debug, Default)]
pub struct PartitionProgress {
    /// Shapes that were written.
    pub written: HashSet<String>,
    /// Shapes that could not be used.
    pub failed: BTreeMap<String, FailedShape>,
    /// Shapes that were written with missing captions.
    pub missing_captions: BTreeMap<String, ShapeMissingCaptions>,
}

/// Adds shapes to one partition of a data set.
pub struct PartitionWriter {
    layout: Layout,
    partition: Partition,
    settings: Value,
    shard_bytes: u64,
    next: u32,
    shard: Option<ShardWriter>,
    failed_log: fs::File,
    missing_captions_log: fs::File,
    /// Held until the writer is dropped or its process ends.
    _lock: std::fs::File,
}

impl PartitionWriter {
    /// Starts a partition of the data set in `folder`, or resumes it. A shard is closed when it reaches `shard_bytes`.
    ///
    /// # Errors
    /// [`DataError::SettingsMismatch`] if the partition was started with other settings, [`DataError::Locked`] if another process
    /// writes it, [`DataError::Unusable`] if shards are damaged or the folder holds a run with another number of partitions.
    pub fn open(
        folder: &Path,
        partition: Partition,
        settings: Value,
        shard_bytes: u64,
    ) -> Result<(Self, PartitionProgress), DataError> {
        let layout = Layout::new(folder);
        check_partition_count(&layout, partition)?;
        fs::create_dir_all(layout.shards())?;
        fs::create_dir_all(layout.partitions())?;
        // Before anything is read: another process may be writing.
        let lock = lock(&layout.lock(partition))?;
        check_settings(&layout, partition, &settings)?;
        let mut done = PartitionProgress::default();
        let next = scan_finished_shards(&layout, partition, &mut done)?;
        let shard = recover(&layout, partition, next, &mut done)?;
        // Not earlier: if shards are damaged, the state that recorded them must be kept.
        write_state(&layout, partition, None, settings.clone())?;
        let failed = layout.failed(partition);
        done.failed = read_failed(&failed)?;
        // A retry may have written a shape that failed before.
        done.failed.retain(|key, _| !done.written.contains(key));
        let failed_log = append(&failed)?;
        done.missing_captions = missing_captions::load(&layout.missing_captions(partition), &done.written)?;
        let missing_captions_log = append(&layout.missing_captions(partition))?;
        let mut writer = Self {
            layout,
            partition,
            settings,
            shard_bytes,
            next,
            shard,
            failed_log,
            missing_captions_log,
            _lock: lock,
        };
        writer.close_full_shard()?;
        Ok((writer, done))
    }

    /// Removes shapes with missing captions from the shards, so that they are rebuilt.
    ///
    /// # Errors
    /// If a shard cannot be read or written, or is damaged.
    pub fn remove_incomplete_shapes(&mut self, done: &mut PartitionProgress) -> Result<(), DataError> {
        if done.missing_captions.is_empty() {
            return Ok(());
        }
        if let Some(shard) = self.shard.take().filter(|shard| !shard.rows().is_empty()) {
            shard.close()?;
        }
        missing_captions::remove_shapes(&self.layout, self.partition, &done.missing_captions)?;
        self.missing_captions_log.set_len(0)?;
        done.missing_captions.clear();
        // Rebuilt from the shards, which no longer contain the removed shapes.
        done.written.clear();
        self.next = scan_finished_shards(&self.layout, self.partition, done)?;
        Ok(())
    }

    /// Adds a shape. Returns the shard, if the shape filled it.
    ///
    /// # Errors
    /// If a file cannot be written, or a member's name is invalid.
    pub fn push(&mut self, shape: Shape) -> Result<Option<ShardEntry>, DataError> {
        if let Some(record) = ShapeMissingCaptions::from_shape(&shape) {
            // Recorded first: a record without its shape is dropped, but a shape without its record would never be retried.
            self.missing_captions_log.write_all(&to_json_line(&record, &self.layout.folder)?)?;
        }
        let path = self.layout.shard(&shard_name(self.partition, self.next));
        let shard = match &mut self.shard {
            Some(shard) => shard,
            empty => empty.insert(ShardWriter::create(&path)?),
        };
        shard.push(shape)?;
        self.close_full_shard()
    }

    /// Records that a shape could not be used.
    ///
    /// # Errors
    /// If the list cannot be written.
    pub fn record_failure(&mut self, failed: &FailedShape) -> Result<(), DataError> {
        let line = to_json_line(failed, &self.layout.folder)?;
        Ok(self.failed_log.write_all(&line)?)
    }

    /// Closes the last shard and marks the partition as complete. Returns that shard.
    ///
    /// # Errors
    /// If a file cannot be written, or a shard is missing or damaged.
    pub fn finish(mut self) -> Result<Option<ShardEntry>, DataError> {
        let last = match self.shard.take() {
            Some(shard) if !shard.rows().is_empty() => Some(shard.close()?),
            _ => None,
        };
        self.failed_log.sync_all()?;
        self.missing_captions_log.sync_all()?;
        let shards = validate::read_entries(&self.layout, &names_of(&self.layout, self.partition)?)?;
        write_state(&self.layout, self.partition, Some(shards), self.settings)?;
        Ok(last)
    }

    /// Deletes a partition without shapes, so that another run may start it with other settings. The lock file is kept, because
    /// another process may wait for it.
    ///
    /// # Errors
    /// If a file cannot be deleted.
    pub fn discard(self) -> Result<(), DataError> {
        let partial = partial_path(&self.layout.shard(&shard_name(self.partition, self.next)));
        let (failed, missing_captions) =
            (self.layout.failed(self.partition), self.layout.missing_captions(self.partition));
        for path in [self.layout.state(self.partition), failed, missing_captions, partial] {
            if path.exists() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn close_full_shard(&mut self) -> Result<Option<ShardEntry>, DataError> {
        if self.shard.as_ref().is_none_or(|shard| shard.bytes() < self.shard_bytes) {
            return Ok(None);
        }
        // Incremented before closing: even if closing fails, the number is not reused in this run.
        self.next += 1;
        self.shard.take().map(ShardWriter::close).transpose()
    }
}

fn lock(path: &Path) -> Result<std::fs::File, DataError> {
    let file = fs::File::create(path)?.into_file();
    // An advisory lock is released by the operating system when the process ends, however it ends.
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(DataError::Locked { path: path.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Checks the settings against those of an earlier run.
fn check_settings(layout: &Layout, partition: Partition, settings: &Value) -> Result<(), DataError> {
    let path = layout.state(partition);
    if path.exists() { read_json::<PartitionState>(&path)?.check_settings(layout, settings) } else { Ok(()) }
}

/// Refuses a folder that holds a run with another number of partitions: the two would have shapes in common.
fn check_partition_count(layout: &Layout, partition: Partition) -> Result<(), DataError> {
    let others = layout.other_partition_counts(partition.count)?;
    if others.is_empty() {
        return Ok(());
    }
    let named = others.iter().take(MAX_LISTED).cloned().collect::<Vec<_>>().join(", ");
    let more = if others.len() > MAX_LISTED { ", …" } else { "" };
    let requested = if partition.count == 1 {
        "is not partitioned".to_owned()
    } else {
        format!("has {} partitions", partition.count)
    };
    let message = format!("this run {requested}, the folder holds partitions of another run: {named}{more}");
    Err(DataError::unusable(
        &layout.folder,
        message,
        "use the same number of partitions as before (--partition), or another folder",
    ))
}

/// Records the state of a partition; with its shards once it is complete.
fn write_state(
    layout: &Layout,
    partition: Partition,
    shards: Option<Vec<ShardEntry>>,
    settings: Value,
) -> Result<(), DataError> {
    let Partition { index, count } = partition;
    PartitionState { index, count, complete: shards.is_some(), settings, shards }.write(layout)
}

/// Reads which shapes the finished shards hold and returns the number of the next shard. All shards must be complete, because
/// a shard gets its name after its sidecar.
fn scan_finished_shards(
    layout: &Layout,
    partition: Partition,
    done: &mut PartitionProgress,
) -> Result<u32, DataError> {
    let names = names_of(layout, partition)?;
    names.iter().try_for_each(|name| missing_captions::recover_rewrite(&layout.shard(name)))?;
    validate::read_entries(layout, &names)?;
    let mut next = 0;
    for (number, name) in layout.shards_of(partition)? {
        next = next.max(number + 1);
        Sidecar::open(&sidecar_of(&layout.shard(&name)))?.for_each_row(|row| {
            done.written.insert(row.key);
            Ok(())
        })?;
    }
    Ok(next)
}

/// Names of the finished shards of a partition.
fn names_of(layout: &Layout, partition: Partition) -> Result<Vec<String>, DataError> {
    Ok(layout.shards_of(partition)?.into_iter().map(|(_, name)| name).collect())
}

/// The shard that an earlier run was writing, if any.
fn recover(
    layout: &Layout,
    partition: Partition,
    next: u32,
    done: &mut PartitionProgress,
) -> Result<Option<ShardWriter>, DataError> {
    let path = layout.shard(&shard_name(partition, next));
    if !partial_path(&path).exists() {
        return Ok(None);
    }
    let shard = ShardWriter::recover(&path)?;
    done.written.extend(shard.rows().iter().map(|row| row.key.clone()));
    Ok(Some(shard))
}

impl PartitionProgress {
    /// Whether an earlier run finished a shape.
    pub fn is_done(&self, key: &Key, retry_failed: bool) -> bool {
        self.written.contains(key.as_str()) || (!retry_failed && self.failed.contains_key(key.as_str()))
    }
}
