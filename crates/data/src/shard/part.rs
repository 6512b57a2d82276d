//! Writing one part of a data set: resumable at any moment, nothing twice.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, Write as _};
use std::path::Path;

use fs_err as fs;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::durable::write_durably;
use super::layout::{difference, read_json, sidecar_of, write_json};
use super::open::OpenShard;
use super::refusals::{self, Refusal};
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
    /// Shapes that are written and that a captioner left views of without a sentence.
    pub refused: BTreeMap<String, Refusal>,
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
    refusals: fs::File,
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
        let failures = append(&failed)?;
        done.refused = refusals::take_stock(&layout.refused(part), &done.written)?;
        let refusals = append(&layout.refused(part))?;
        let mut writer =
            Self { layout, part, settings, shard_bytes, next, open, failures, refusals, _lock: lock };
        writer.end_full_shard()?;
        Ok((writer, done))
    }

    /// Takes the shapes that a captioner refused out of the shards, so that they are made again.
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

    /// Adds a shape; tells of the shard that it filled.
    pub fn push(&mut self, shape: Shape) -> Result<Option<ShardEntry>, DataError> {
        if let Some(refusal) = Refusal::of(&shape) {
            // Noted first: a note without its shape is dropped, a shape without its note would never be asked about again.
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

    /// Notes that a shape cannot be used.
    pub fn fail(&mut self, failed: &Failed) -> Result<(), DataError> {
        let line = line_of(failed, &self.layout.folder)?;
        Ok(self.failures.write_all(&line)?)
    }

    /// Ends the last shard and marks the part as complete.
    pub fn finish(mut self) -> Result<Option<ShardEntry>, DataError> {
        let last = match self.open.take() {
            Some(open) if !open.rows().is_empty() => Some(open.close()?),
            _ => None,
        };
        self.failures.sync_all()?;
        self.refusals.sync_all()?;
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

/// A list that lines are added to.
fn append(path: &Path) -> Result<fs::File, DataError> {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    // A line that was cut off must not swallow the next.
    if file.metadata()?.len() > 0 {
        file.write_all(b"\n")?;
    }
    Ok(file)
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
    let mut next = 0;
    for (number, name) in shards_of(layout, part)? {
        next = next.max(number + 1);
        refusals::settle(&layout.shard(&name))?;
        Sidecar::open(&sidecar_of(&layout.shard(&name)))?.rows(|row| {
            done.written.insert(row.key);
            Ok(())
        })?;
    }
    Ok(next)
}

/// Finished shards of a part, with their numbers.
pub(super) fn shards_of(layout: &Layout, part: Part) -> Result<Vec<(u32, String)>, DataError> {
    let prefix = format!("{}-", part.name());
    let number = |name: &str| name.strip_prefix(&prefix)?.strip_suffix(".tar")?.parse::<u32>().ok();
    Ok(layout.shard_names()?.into_iter().filter_map(|name| Some((number(&name)?, name))).collect())
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

/// A value as a line of a list.
fn line_of(value: &impl Serialize, place: &Path) -> Result<Vec<u8>, DataError> {
    let mut line = serde_json::to_vec(value).map_err(|error| DataError::invalid(place, error))?;
    line.push(b'\n');
    Ok(line)
}

/// Writes a whole list of what failed.
pub(crate) fn write_failed(path: &Path, failed: &[Failed]) -> Result<(), DataError> {
    let lines = failed.iter().map(|one| line_of(one, path)).collect::<Result<Vec<_>, _>>()?;
    write_durably(path, &lines.concat())
}

/// What failed before.
pub(crate) fn read_failed(path: &Path) -> Result<BTreeMap<String, Failed>, DataError> {
    Ok(read_lines(path)?.into_iter().map(|one: Failed| (one.key.clone(), one)).collect())
}

/// The lines of a list; one that was cut off is passed over.
pub(super) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, DataError> {
    let mut found = Vec::new();
    if path.exists() {
        for line in std::io::BufReader::new(fs::File::open(path)?).split(b'\n') {
            found.extend(serde_json::from_slice::<T>(&line?).ok());
        }
    }
    Ok(found)
}

impl Done {
    /// Whether nothing is left to do for a shape.
    pub fn knows(&self, key: &Key, retry_failed: bool) -> bool {
        self.written.contains(key.as_str()) || (!retry_failed && self.failed.contains_key(key.as_str()))
    }
}
