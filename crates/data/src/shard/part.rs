//! Writing one partition of a data set: resumable at any moment, no shape twice.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::Path;

use fs_err as fs;
use serde_json::Value;

use super::durable::aside;
use super::failed::{Failed, read_failed};
use super::json::{append, line_of, read_json};
use super::layout::{shard_name, sidecar_of};
use super::open::OpenShard;
use super::refusals::{self, Refusal};
use super::sidecar::Sidecar;
use super::{Layout, PartState, ShardEntry, stock};
use crate::{DataError, Key, Part, Shape};

/// Maximum number of files listed in an error.
const MOST_NAMED: usize = 5;

/// The shapes of a partition that earlier runs finished, by key.
#[derive(Debug, Default)]
pub struct Done {
    /// Shapes that were written.
    pub written: HashSet<String>,
    /// Shapes that could not be used.
    pub failed: BTreeMap<String, Failed>,
    /// Shapes that were written with missing captions.
    pub refused: BTreeMap<String, Refusal>,
}

/// Adds shapes to one partition of a data set.
pub struct PartWriter {
    layout: Layout,
    part: Part,
    settings: Value,
    shard_bytes: u64,
    next: u32,
    open: Option<OpenShard>,
    failures: fs::File,
    refusals: fs::File,
    /// Held until the writer is dropped or its process ends.
    _lock: std::fs::File,
}

impl PartWriter {
    /// Starts a partition of the data set in `folder`, or resumes it. A shard is closed when it reaches `shard_bytes`.
    ///
    /// # Errors
    /// [`DataError::Settings`] if the partition was started with other settings, [`DataError::Busy`] if another process writes it,
    /// [`DataError::Unusable`] if shards are damaged or the folder holds a run with another number of partitions.
    pub fn open(
        folder: &Path,
        part: Part,
        settings: Value,
        shard_bytes: u64,
    ) -> Result<(Self, Done), DataError> {
        let layout = Layout::new(folder);
        divided_alike(&layout, part)?;
        fs::create_dir_all(layout.shards())?;
        fs::create_dir_all(layout.parts())?;
        let lock = lock(&layout.lock(part))?;
        made_alike(&layout, part, &settings)?;
        let mut done = Done::default();
        let next = take_stock(&layout, part, &mut done)?;
        let open = recover(&layout, part, next, &mut done)?;
        // Not earlier: if shards are damaged, the state that recorded them must be kept.
        write_state(&layout, part, None, settings.clone())?;
        let failed = layout.failed(part);
        done.failed = read_failed(&failed)?;
        done.failed.retain(|key, _| !done.written.contains(key));
        let failures = append(&failed)?;
        done.refused = refusals::take_stock(&layout.refused(part), &done.written)?;
        let refusals = append(&layout.refused(part))?;
        let mut writer =
            Self { layout, part, settings, shard_bytes, next, open, failures, refusals, _lock: lock };
        writer.end_full_shard()?;
        Ok((writer, done))
    }

    /// Removes shapes with missing captions from the shards, so that they are rebuilt.
    ///
    /// # Errors
    /// If a shard cannot be read or written, or is damaged.
    pub fn take_out_refused(&mut self, done: &mut Done) -> Result<(), DataError> {
        if done.refused.is_empty() {
            return Ok(());
        }
        if let Some(open) = self.open.take().filter(|open| !open.rows().is_empty()) {
            open.close()?;
        }
        refusals::take_out(&self.layout, self.part, &done.refused)?;
        self.refusals.set_len(0)?;
        done.refused.clear();
        done.written.clear();
        self.next = take_stock(&self.layout, self.part, done)?;
        Ok(())
    }

    /// Adds a shape. Returns the shard, if the shape filled it.
    ///
    /// # Errors
    /// If a file cannot be written, or a member's name is invalid.
    pub fn push(&mut self, shape: Shape) -> Result<Option<ShardEntry>, DataError> {
        if let Some(refusal) = Refusal::of(&shape) {
            // Recorded first: a record without its shape is dropped, but a shape without its record would never be retried.
            self.refusals.write_all(&line_of(&refusal, &self.layout.folder)?)?;
        }
        let path = self.layout.shard(&shard_name(self.part, self.next));
        let open = match &mut self.open {
            Some(open) => open,
            empty => empty.insert(OpenShard::create(&path)?),
        };
        open.push(shape)?;
        self.end_full_shard()
    }

    /// Records that a shape could not be used.
    ///
    /// # Errors
    /// If the list cannot be written.
    pub fn fail(&mut self, failed: &Failed) -> Result<(), DataError> {
        let line = line_of(failed, &self.layout.folder)?;
        Ok(self.failures.write_all(&line)?)
    }

    /// Closes the last shard and marks the partition as complete. Returns that shard.
    ///
    /// # Errors
    /// If a file cannot be written, or a shard is missing or damaged.
    pub fn finish(mut self) -> Result<Option<ShardEntry>, DataError> {
        let last = match self.open.take() {
            Some(open) if !open.rows().is_empty() => Some(open.close()?),
            _ => None,
        };
        self.failures.sync_all()?;
        self.refusals.sync_all()?;
        let shards = stock::entries(&self.layout, &names_of(&self.layout, self.part)?)?;
        write_state(&self.layout, self.part, Some(shards), self.settings)?;
        Ok(last)
    }

    /// Deletes a partition without shapes, so that another run may start it with other settings. The lock file is kept, because
    /// another process may wait for it.
    ///
    /// # Errors
    /// If a file cannot be deleted.
    pub fn abandon(self) -> Result<(), DataError> {
        let partial = aside(&self.layout.shard(&shard_name(self.part, self.next)));
        let (failed, refused) = (self.layout.failed(self.part), self.layout.refused(self.part));
        for path in [self.layout.state(self.part), failed, refused, partial] {
            if path.exists() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn end_full_shard(&mut self) -> Result<Option<ShardEntry>, DataError> {
        if self.open.as_ref().is_none_or(|open| open.bytes() < self.shard_bytes) {
            return Ok(None);
        }
        self.next += 1;
        self.open.take().map(OpenShard::close).transpose()
    }
}

fn lock(path: &Path) -> Result<std::fs::File, DataError> {
    let file = fs::File::create(path)?.into_file();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(DataError::Busy { path: path.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Checks the settings against those of an earlier run.
fn made_alike(layout: &Layout, part: Part, settings: &Value) -> Result<(), DataError> {
    let path = layout.state(part);
    if path.exists() { read_json::<PartState>(&path)?.made_alike(layout, settings) } else { Ok(()) }
}

/// Refuses a folder that holds a run with another number of partitions: the two would have shapes in common.
fn divided_alike(layout: &Layout, part: Part) -> Result<(), DataError> {
    let others = layout.of_another_division(part.of)?;
    if others.is_empty() {
        return Ok(());
    }
    let named = others.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if others.len() > MOST_NAMED { ", …" } else { "" };
    let asked =
        if part.of == 1 { "is not partitioned".to_owned() } else { format!("has {} partitions", part.of) };
    let message = format!("this run {asked}, the folder holds partitions of another run: {named}{more}");
    Err(DataError::unusable(
        &layout.folder,
        message,
        "use the same number of partitions as before (--partition), or another folder",
    ))
}

/// Records the state of a partition; with its shards once it is complete.
fn write_state(
    layout: &Layout,
    part: Part,
    shards: Option<Vec<ShardEntry>>,
    settings: Value,
) -> Result<(), DataError> {
    let Part { index, of } = part;
    PartState { index, of, complete: shards.is_some(), settings, shards }.write(layout)
}

/// Reads which shapes the finished shards hold and returns the number of the next shard. All shards must be complete, because
/// a shard gets its name after its sidecar.
fn take_stock(layout: &Layout, part: Part, done: &mut Done) -> Result<u32, DataError> {
    let names = names_of(layout, part)?;
    names.iter().try_for_each(|name| refusals::settle(&layout.shard(name)))?;
    stock::entries(layout, &names)?;
    let mut next = 0;
    for (number, name) in layout.shards_of(part)? {
        next = next.max(number + 1);
        Sidecar::open(&sidecar_of(&layout.shard(&name)))?.rows(|row| {
            done.written.insert(row.key);
            Ok(())
        })?;
    }
    Ok(next)
}

/// Names of the finished shards of a partition.
fn names_of(layout: &Layout, part: Part) -> Result<Vec<String>, DataError> {
    Ok(layout.shards_of(part)?.into_iter().map(|(_, name)| name).collect())
}

/// The shard that an earlier run was writing, if any.
fn recover(layout: &Layout, part: Part, next: u32, done: &mut Done) -> Result<Option<OpenShard>, DataError> {
    let path = layout.shard(&shard_name(part, next));
    if !aside(&path).exists() {
        return Ok(None);
    }
    let open = OpenShard::recover(&path)?;
    done.written.extend(open.rows().iter().map(|row| row.key.clone()));
    Ok(Some(open))
}

impl Done {
    /// Whether an earlier run finished a shape.
    pub fn knows(&self, key: &Key, retry_failed: bool) -> bool {
        self.written.contains(key.as_str()) || (!retry_failed && self.failed.contains_key(key.as_str()))
    }
}
