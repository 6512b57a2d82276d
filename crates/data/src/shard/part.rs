//! Writing one part of a data set: resumable at any moment, nothing twice.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, Write as _};
use std::path::Path;

use fs_err as fs;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::durable::{aside, write_durably};
use super::layout::{difference, read_json, sidecar_of, write_json};
use super::open::OpenShard;
use super::refusals::{self, Refusal};
use super::sidecar::Sidecar;
use super::{Layout, PartState, ShardEntry, stock};
use crate::{DataError, Key, Part, Shape};

/// Most files that an error names.
const MOST_NAMED: usize = 5;

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
    /// [`DataError::Settings`] if the part was begun with others, [`DataError::Busy`] if another process writes it,
    /// [`DataError::Unusable`] if shards are not whole or the folder holds a run divided otherwise.
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
        // Not before: where shards are not whole, what the part recorded of them stays.
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
        let shards = stock::entries(&self.layout, &names_of(&self.layout, self.part)?)?;
        write_state(&self.layout, self.part, Some(shards), self.settings)?;
        Ok(last)
    }

    /// Takes away a part without shapes, so that another run may begin it with other settings. Its lock stays: others may wait for it.
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

/// Checks the settings against those of an earlier run.
fn made_alike(layout: &Layout, part: Part, settings: &Value) -> Result<(), DataError> {
    let path = layout.state(part);
    if path.exists() {
        let state: PartState = read_json(&path)?;
        if let Some((setting, recorded, asked)) = difference("", &state.settings, settings) {
            return Err(DataError::Settings { path: layout.folder.clone(), setting, recorded, asked });
        }
    }
    Ok(())
}

/// Refuses a folder where a run divided into another number of parts lies: the two have shapes in common.
fn divided_alike(layout: &Layout, part: Part) -> Result<(), DataError> {
    let others = layout.of_another_division(part.of)?;
    if others.is_empty() {
        return Ok(());
    }
    let named = others.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if others.len() > MOST_NAMED { ", …" } else { "" };
    let asked = if part.of == 1 { "is not divided".to_owned() } else { format!("is in {} parts", part.of) };
    let message = format!("this run {asked}, the folder holds parts of another: {named}{more}");
    Err(DataError::unusable(
        &layout.folder,
        message,
        "divide the run as before with --shard, or give another folder",
    ))
}

/// Records how far a part is; the shards of one that is complete.
fn write_state(
    layout: &Layout,
    part: Part,
    shards: Option<Vec<ShardEntry>>,
    settings: Value,
) -> Result<(), DataError> {
    let Part { index, of } = part;
    let state = PartState { index, of, complete: shards.is_some(), settings, shards };
    write_json(&layout.state(part), &state)
}

/// Learns what finished shards hold; gives the number of the next. All must be whole: a shard has its sidecar before its name.
fn take_stock(layout: &Layout, part: Part, done: &mut Done) -> Result<u32, DataError> {
    let names = names_of(layout, part)?;
    names.iter().try_for_each(|name| refusals::settle(&layout.shard(name)))?;
    stock::entries(layout, &names)?;
    let mut next = 0;
    for (number, name) in shards_of(layout, part)? {
        next = next.max(number + 1);
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

/// Names of the finished shards of a part.
fn names_of(layout: &Layout, part: Part) -> Result<Vec<String>, DataError> {
    Ok(shards_of(layout, part)?.into_iter().map(|(_, name)| name).collect())
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
