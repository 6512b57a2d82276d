//! Writing one part of a data set: resumable at any moment, nothing twice.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, Write as _};
use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::durable::write_durably;
use super::layout::{difference, read_json, sidecar_of, write_json};
use super::open::OpenShard;
use super::sidecar::Sidecar;
use super::{Layout, PartState, ShardEntry};
use crate::{DataError, Key, Part, Shape};

/// A shape that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Its name in the data set.
    pub key: String,
    /// Where it comes from.
    pub source: String,
    /// Why.
    pub reason: String,
}

/// What a part knows already.
#[derive(Debug, Default)]
pub struct Done {
    /// Shapes that are written.
    pub written: HashSet<String>,
    /// Shapes that cannot be used.
    pub failed: BTreeMap<String, Failed>,
}

/// Adds shapes to one part of a data set.
pub struct PartWriter {
    layout: Layout,
    part: Part,
    settings: Value,
    shard_bytes: u64,
    next: u32,
    open: Option<OpenShard>,
    failures: fs::File,
    /// Held until the writer is dropped or its process ends.
    _lock: std::fs::File,
}

impl PartWriter {
    /// Begins a part of the data set in `folder`, or goes on with it. A shard is ended when it has `shard_bytes`.
    ///
    /// # Errors
    /// [`DataError::Settings`] if the part was begun with others, [`DataError::Busy`] if another process writes it.
    pub fn open(
        folder: &Path,
        part: Part,
        settings: Value,
        shard_bytes: u64,
    ) -> Result<(Self, Done), DataError> {
        let layout = Layout::new(folder);
        fs::create_dir_all(layout.shards())?;
        fs::create_dir_all(layout.parts())?;
        let lock = lock(&layout.lock(part))?;
        begin(&layout, part, &settings)?;
        let mut done = Done::default();
        let next = take_stock(&layout, part, &mut done)?;
        let open = recover(&layout, part, next, &mut done)?;
        let failed = layout.failed(part);
        done.failed = read_failed(&failed)?;
        done.failed.retain(|key, _| !done.written.contains(key));
        let mut failures = fs::OpenOptions::new().create(true).append(true).open(&failed)?;
        // A line that was cut off must not swallow the next.
        if failures.metadata()?.len() > 0 {
            failures.write_all(b"\n")?;
        }
        let mut writer = Self { layout, part, settings, shard_bytes, next, open, failures, _lock: lock };
        writer.end_full_shard()?;
        Ok((writer, done))
    }

    /// Adds a shape; tells of the shard that it filled.
    pub fn push(&mut self, shape: Shape) -> Result<Option<ShardEntry>, DataError> {
        let path = self.layout.shard(&shard_name(self.part, self.next));
        let open = match &mut self.open {
            Some(open) => open,
            empty => empty.insert(OpenShard::create(&path)?),
        };
        open.push(shape)?;
        self.end_full_shard()
    }

    /// Notes that a shape cannot be used.
    pub fn fail(&mut self, failed: &Failed) -> Result<(), DataError> {
        let line = failed_line(failed, &self.layout.folder)?;
        Ok(self.failures.write_all(&line)?)
    }

    /// Ends the last shard and marks the part as complete.
    pub fn finish(mut self) -> Result<Option<ShardEntry>, DataError> {
        let last = match self.open.take() {
            Some(open) if !open.rows().is_empty() => Some(open.close()?),
            _ => None,
        };
        self.failures.sync_all()?;
        write_state(&self.layout, self.part, true, &self.settings)?;
        Ok(last)
    }

    fn end_full_shard(&mut self) -> Result<Option<ShardEntry>, DataError> {
        if self.open.as_ref().is_none_or(|open| open.bytes() < self.shard_bytes) {
            return Ok(None);
        }
        self.next += 1;
        self.open.take().map(OpenShard::close).transpose()
    }
}

fn shard_name(part: Part, number: u32) -> String {
    format!("{}-{number:06}.tar", part.name())
}

fn lock(path: &Path) -> Result<std::fs::File, DataError> {
    let file = fs::File::create(path)?.into_file();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(DataError::Busy { path: path.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Checks the settings against those of an earlier run and records that the part is under way.
fn begin(layout: &Layout, part: Part, settings: &Value) -> Result<(), DataError> {
    let path = layout.state(part);
    if path.exists() {
        let state: PartState = read_json(&path)?;
        if let Some((setting, recorded, asked)) = difference("", &state.settings, settings) {
            return Err(DataError::Settings { path: layout.folder.clone(), setting, recorded, asked });
        }
    }
    write_state(layout, part, false, settings)
}

fn write_state(layout: &Layout, part: Part, complete: bool, settings: &Value) -> Result<(), DataError> {
    let state = PartState { index: part.index, of: part.of, complete, settings: settings.clone() };
    write_json(&layout.state(part), &state)
}

/// Learns what finished shards hold; gives the number of the next. A shard without its sidecar was never finished by us.
fn take_stock(layout: &Layout, part: Part, done: &mut Done) -> Result<u32, DataError> {
    let prefix = format!("{}-", part.name());
    let mut next = 0;
    for name in layout.shard_names()? {
        let number =
            name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".tar")?.parse::<u32>().ok());
        let Some(number) = number else { continue };
        next = next.max(number + 1);
        Sidecar::open(&sidecar_of(&layout.shard(&name)))?.rows(|row| {
            done.written.insert(row.key);
            Ok(())
        })?;
    }
    Ok(next)
}

/// The shard that an earlier run was writing, if any.
fn recover(layout: &Layout, part: Part, next: u32, done: &mut Done) -> Result<Option<OpenShard>, DataError> {
    let path = layout.shard(&shard_name(part, next));
    if !super::durable::aside(&path).exists() {
        return Ok(None);
    }
    let open = OpenShard::recover(&path)?;
    done.written.extend(open.rows().iter().map(|row| row.key.clone()));
    Ok(Some(open))
}

fn failed_line(failed: &Failed, place: &Path) -> Result<Vec<u8>, DataError> {
    let mut line = serde_json::to_vec(failed).map_err(|error| DataError::invalid(place, error))?;
    line.push(b'\n');
    Ok(line)
}

/// Writes a whole list of what failed.
pub(crate) fn write_failed(path: &Path, failed: &[Failed]) -> Result<(), DataError> {
    let lines = failed.iter().map(|one| failed_line(one, path)).collect::<Result<Vec<_>, _>>()?;
    write_durably(path, &lines.concat())
}

/// What failed before; a line that was cut off is passed over.
pub(crate) fn read_failed(path: &Path) -> Result<BTreeMap<String, Failed>, DataError> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let mut failed = BTreeMap::new();
    for line in std::io::BufReader::new(fs::File::open(path)?).split(b'\n') {
        if let Ok(one) = serde_json::from_slice::<Failed>(&line?) {
            failed.insert(one.key.clone(), one);
        }
    }
    Ok(failed)
}

impl Done {
    /// Whether nothing is left to do for a shape.
    pub fn knows(&self, key: &Key, retry_failed: bool) -> bool {
        self.written.contains(key.as_str()) || (!retry_failed && self.failed.contains_key(key.as_str()))
    }
}
