//! Vectors mapped into memory.

use std::io;
use std::path::Path;

use memmap2::{Mmap, MmapOptions};

use super::VectorFiles;
use super::files::io_error;
use crate::StoreError;
use crate::scan::{code_bytes, encode};

/// The valid slots of a space.
#[derive(Debug)]
pub(crate) struct MappedVectors {
    dim: usize,
    slots: usize,
    /// `None` without slots: an empty file cannot be mapped.
    maps: Option<Maps>,
}

#[derive(Debug)]
struct Maps {
    full: Mmap,
    coded: Mmap,
}

impl MappedVectors {
    /// Maps the first `slots` slots of both files.
    ///
    /// # Errors
    /// [`StoreError::Io`] if a file does not exist or cannot be mapped, [`StoreError::Corrupt`] if one is too short.
    pub(crate) fn open(files: &VectorFiles, dim: usize, slots: usize) -> Result<Self, StoreError> {
        let map = |path: &Path, row_bytes: usize| map(path, slots.saturating_mul(row_bytes));
        let maps = if slots == 0 {
            None
        } else {
            Some(Maps { full: map(&files.full, 4 * dim)?, coded: map(&files.coded, code_bytes(dim))? })
        };
        Ok(Self { dim, slots, maps })
    }

    /// Number of slots.
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// The coded rows of all slots, see [`encode`].
    pub(crate) fn coded(&self) -> &[u8] {
        self.maps.as_ref().map_or(&[], |maps| &maps.coded)
    }

    /// Reads the vector in a slot into `vector`; returns whether there is such a slot.
    pub(crate) fn read(&self, slot: usize, vector: &mut Vec<f32>) -> bool {
        vector.clear();
        let Some(maps) = self.maps.as_ref().filter(|_| slot < self.slots) else { return false };
        let bytes = &maps.full[slot * 4 * self.dim..][..4 * self.dim];
        vector.extend(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        true
    }

    /// Whether the coded row in a slot is the one of its vector, and the vector is finite and of unit norm.
    pub(crate) fn is_intact(&self, slot: usize) -> bool {
        let (mut vector, mut expected) = (Vec::new(), Vec::new());
        if !self.read(slot, &mut vector) {
            return false;
        }
        let norm = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        encode(&vector, &mut expected);
        let row = code_bytes(self.dim);
        // NaN is not close to 1.
        (norm - 1.0).abs() < 0.01 && self.coded()[slot * row..][..row] == expected
    }
}

fn map(path: &Path, bytes: usize) -> Result<Mmap, StoreError> {
    let failed = io_error(path, "cannot read the vectors");
    let file = fs_err::File::open(path).map_err(&failed)?;
    let found = file.metadata().map_err(&failed)?.len();
    if found < bytes as u64 {
        let problems = vec![format!("expected {bytes} bytes of vectors, found {found}")];
        return Err(StoreError::Corrupt { path: path.into(), problems });
    }
    let mapped =
        // SAFETY: a process that truncates the file would end this one with a signal. No writer of libraries does: files
        // only grow, bytes of valid slots are never written again, and outdated files are unlinked, which keeps maps valid.
        unsafe { MmapOptions::new().len(bytes).map(file.file()) };
    mapped.map_err(|error: io::Error| failed(error))
}
