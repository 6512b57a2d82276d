//! Appends vectors to the files of a space.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::VectorFiles;
use super::files::{io_error, sync_folder};
use crate::StoreError;
use crate::scan::{code_bytes, encode};

const ACTION: &str = "cannot write the vectors";
/// Size of each of the two buffers.
const BUFFER_BYTES: usize = 1 << 20;

/// Appends to the files of a space. The vectors count when the database says so, see [`finish`](Self::finish).
#[derive(Debug)]
pub(crate) struct VectorAppender {
    files: VectorFiles,
    slots: u32,
    full: BufWriter<File>,
    coded: BufWriter<File>,
    /// The coded row of the last vector; reused.
    row: Vec<u8>,
}

impl VectorAppender {
    /// Opens the files, or creates them, to write after the first `slots` slots.
    ///
    /// # Errors
    /// If a file cannot be opened, [`StoreError::Corrupt`] if one is shorter than that.
    pub(crate) fn open(files: VectorFiles, dim: usize, slots: u32) -> Result<Self, StoreError> {
        let full = open_at(&files.full, u64::from(slots) * 4 * dim as u64)?;
        let coded = open_at(&files.coded, u64::from(slots) * code_bytes(dim) as u64)?;
        Ok(Self { files, slots, full, coded, row: Vec::new() })
    }

    /// Writes a vector and returns its slot.
    ///
    /// # Errors
    /// If the disk is full, writing fails, or there are 2³² slots.
    pub(crate) fn push(&mut self, vector: &[f32]) -> Result<u32, StoreError> {
        self.row.clear();
        encode(vector, &mut self.row);
        self.coded.write_all(&self.row).map_err(io_error(&self.files.coded, ACTION))?;
        for number in vector {
            self.full.write_all(&number.to_le_bytes()).map_err(io_error(&self.files.full, ACTION))?;
        }
        let slot = self.slots;
        let next = slot.checked_add(1);
        self.slots =
            next.ok_or_else(|| StoreError::invalid("vectors", "a library has at most 2^32 slots"))?;
        Ok(slot)
    }

    /// Flushes both files to disk; returns the number of slots.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub(crate) fn finish(self) -> Result<u32, StoreError> {
        for (buffer, path) in [(self.full, &self.files.full), (self.coded, &self.files.coded)] {
            let failed = io_error(path, ACTION);
            let file = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
            file.sync_all().map_err(&failed)?;
        }
        Ok(self.slots)
    }
}

/// Opens a file, or creates it, and moves to `position`.
fn open_at(path: &Path, position: u64) -> Result<BufWriter<File>, StoreError> {
    let failed = io_error(path, ACTION);
    let is_new = !path.exists();
    let mut options = fs_err::OpenOptions::new();
    // Not truncated: readers may have the file mapped.
    let mut file = options.write(true).create(true).truncate(false).open(path).map_err(&failed)?.into_file();
    if is_new {
        sync_folder(path.parent().unwrap_or(Path::new("."))).map_err(&failed)?;
    }
    let found = file.metadata().map_err(&failed)?.len();
    if found < position {
        let problems = vec![format!("expected {position} bytes of vectors, found {found}")];
        return Err(StoreError::Corrupt { path: path.into(), problems });
    }
    file.seek(SeekFrom::Start(position)).map_err(&failed)?;
    Ok(BufWriter::with_capacity(BUFFER_BYTES, file))
}
