//! Rows of a file of embeddings that is not finished: an interrupted run leaves them, and the next one continues.
//!
//! Next to `FILE`, `FILE.partial` has the rows as little-endian `f32`, and `FILE.partial.jsonl` a line for the settings and one for each
//! row: its name, a stamp of its input, and a checksum.

use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::hash::Hasher as _;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fs_err::OpenOptions;
use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::shard::{partial_path, to_json_line};

/// First line of the log.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    #[serde(rename = "lexiform-embeddings")]
    settings: String,
    dim: usize,
}

/// A line of the log.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    name: String,
    stamp: String,
    /// Of the row's bytes: after a power failure the log may be on disk before the row.
    checksum: u64,
}

/// A row of an earlier run that was not asked for yet.
struct Kept {
    line: Line,
    /// Position in the log after its line.
    end: u64,
}

/// Rows on disk.
pub(super) struct PartialRows {
    path: PathBuf,
    rows: File,
    log: File,
    dim: usize,
    count: usize,
    /// Position in the log after the last row that counts.
    log_end: u64,
    kept: VecDeque<Kept>,
}

impl PartialRows {
    /// Opens or creates the rows of `target`. Rows of other settings are dropped.
    ///
    /// # Errors
    /// If the files cannot be read or written, are not rows of embeddings, or another process writes them.
    pub fn open(target: &Path, settings: &str, dim: usize) -> Result<Self, DataError> {
        let path = partial_path(target);
        let log_path = log_path(&path);
        let open = |path: &Path| {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            Ok::<_, DataError>(file.into_file())
        };
        let foreign = || {
            DataError::invalid(
                &path,
                "exists, and has no rows of embeddings: remove it or choose another output",
            )
        };
        if path.exists() && !log_path.exists() {
            return Err(foreign());
        }
        let log = open(&log_path)?;
        lock(&log, &log_path)?;
        let header = Header { settings: settings.to_owned(), dim };
        let mut reader = BufReader::new(&log);
        let mut first = String::new();
        reader.read_line(&mut first).map_err(|_| foreign())?;
        let found = serde_json::from_str::<Header>(&first);
        if found.is_err() && !first.is_empty() {
            return Err(foreign());
        }
        let rows = open(&path)?;
        let mut this =
            Self { path, rows, log, dim, count: 0, log_end: first.len() as u64, kept: VecDeque::new() };
        if found.is_ok_and(|found| found == header) && first.ends_with('\n') {
            this.read_lines()?;
        } else {
            let line = to_json_line(&header, &log_path)?;
            this.log.set_len(0)?;
            this.log.seek(SeekFrom::Start(0))?;
            this.log.write_all(&line)?;
            this.log_end = line.len() as u64;
            this.rows.set_len(0)?;
        }
        Ok(this)
    }

    /// Reads the lines of complete rows.
    fn read_lines(&mut self) -> Result<(), DataError> {
        let (mut end, mut bytes) = (self.log_end, vec![0; self.dim * 4]);
        let mut log = &self.log;
        log.seek(SeekFrom::Start(end))?;
        let mut lines = BufReader::new(log);
        let mut rows = BufReader::new(&self.rows);
        let mut text = String::new();
        // Text that is not UTF-8, a line without an end or a row that differs: nothing after it counts.
        while lines.read_line(&mut text).is_ok_and(|length| length > 0) && text.ends_with('\n') {
            let Ok(line) = serde_json::from_str::<Line>(&text) else { break };
            if rows.read_exact(&mut bytes).is_err() || checksum(&bytes) != line.checksum {
                break;
            }
            end += text.len() as u64;
            self.kept.push_back(Kept { line, end });
            text.clear();
        }
        Ok(())
    }

    /// Number of rows of an earlier run that were not asked for yet.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Whether the next rows of the earlier run are those of these inputs, which have no stamps.
    pub fn keeps(&self, names: &[String]) -> bool {
        names.len() <= self.kept.len()
            && (names.iter().zip(&self.kept))
                .all(|(name, kept)| kept.line.name == *name && kept.line.stamp.is_empty())
    }

    /// Takes over the next row of the earlier run if it is that of this input.
    pub fn reuse(&mut self, name: &str, stamp: &str) -> bool {
        let next = self.kept.pop_front_if(|kept| kept.line.name == name && kept.line.stamp == stamp);
        if let Some(Kept { end, .. }) = &next {
            self.count += 1;
            self.log_end = *end;
        }
        next.is_some()
    }

    /// Adds a row; rows of the earlier run that were not taken over are dropped.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn push(&mut self, name: &str, stamp: &str, row: &[u8]) -> Result<(), DataError> {
        let (name, stamp) = (name.to_owned(), stamp.to_owned());
        let line = to_json_line(&Line { name, stamp, checksum: checksum(row) }, &self.path)?;
        self.kept.clear();
        let at = (self.count * self.dim * 4) as u64;
        for (file, at, bytes) in [(&mut self.rows, at, row), (&mut self.log, self.log_end, &line[..])] {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(bytes)?;
            file.set_len(at + bytes.len() as u64)?;
        }
        self.count += 1;
        self.log_end += line.len() as u64;
        Ok(())
    }

    /// The rows, from the first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn rows(&mut self) -> std::io::Result<File> {
        self.rows.set_len((self.count * self.dim * 4) as u64)?;
        self.rows.seek(SeekFrom::Start(0))?;
        self.rows.try_clone()
    }

    /// Deletes the files: the rows were written elsewhere.
    ///
    /// # Errors
    /// If they cannot be deleted.
    pub fn remove(&self) -> std::io::Result<()> {
        // Rows without a log would not be known as ours.
        fs_err::remove_file(&self.path)?;
        fs_err::remove_file(log_path(&self.path))
    }
}

/// Files without rows are of no use.
impl Drop for PartialRows {
    fn drop(&mut self) {
        if self.count == 0 && self.kept.is_empty() {
            let _ = self.remove();
        }
    }
}

/// The log of a file of rows.
fn log_path(rows: &Path) -> PathBuf {
    rows.with_added_extension("jsonl")
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// Two runs that write one file would mix their rows.
fn lock(log: &File, path: &Path) -> Result<(), DataError> {
    log.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => DataError::invalid(path, "another run writes the same file"),
        TryLockError::Error(error) => error.into(),
    })
}
