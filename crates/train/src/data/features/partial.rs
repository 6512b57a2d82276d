//! Partially computed features. They may take hours: rows are appended as they are computed, and an interrupted run continues.

use std::fs::TryLockError;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::vectors::{to_bytes, to_floats};

/// Header entry with the cache key.
pub(crate) const KEY: &str = "lexiform-features";

/// A `.rows` file next to the final one: its header, then rows of `f32`, little-endian.
pub(crate) struct PartialFeatures {
    path: PathBuf,
    file: fs_err::File,
    start: u64,
}

impl PartialFeatures {
    /// Opens or creates the `.rows` file of `path`. Keeps existing values, up to the last complete chunk, if `header` matches;
    /// `ends` are the ends of the chunks, counted in values. Returns the number of values kept.
    ///
    /// # Errors
    /// If the file cannot be read or written, or another run has locked it.
    pub fn open(
        path: &Path,
        header: &[u8],
        ends: impl Iterator<Item = usize>,
    ) -> std::io::Result<(Self, usize)> {
        let path = path.with_extension("safetensors.rows");
        let mut file =
            fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        // Two runs that append to one file would interleave their rows.
        file.file().try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                let message =
                    format!("{}: locked by another run that computes these features", path.display());
                std::io::Error::new(std::io::ErrorKind::ResourceBusy, message)
            }
            TryLockError::Error(error) => error,
        })?;
        let (mut found, start) = (vec![0; header.len()], header.len() as u64);
        let known = file.read_exact(&mut found).is_ok() && found == header;
        let found = if known { (file.metadata()?.len() - start) / 4 } else { 0 };
        // A chunk counts only if it is complete.
        let kept = ends.filter(|end| *end as u64 <= found).max().unwrap_or(0);
        if !known {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(header)?;
        }
        // Drops an incomplete chunk.
        file.set_len(start + kept as u64 * 4)?;
        file.seek(SeekFrom::End(0))?;
        Ok((Self { path, file, start }, kept))
    }

    /// Appends values.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn push(&mut self, values: &[f32]) -> std::io::Result<()> {
        self.file.write_all(&to_bytes(values))
    }

    /// Reads all values, which must be `count`.
    ///
    /// # Errors
    /// If the file cannot be read, or has another number of values.
    pub fn read(&mut self, count: usize) -> std::io::Result<Vec<f32>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.read_to_end(&mut bytes)?;
        if bytes.len() != count * 4 {
            let message =
                format!("{}: {} bytes of features, expected {}", self.path.display(), bytes.len(), count * 4);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
        }
        Ok(to_floats(&bytes))
    }

    /// Syncs the complete file and renames it to `path`.
    ///
    /// # Errors
    /// If the file cannot be synced or renamed.
    pub fn finish(self, path: &Path) -> std::io::Result<()> {
        self.file.sync_all()?;
        lexiform_formats::rename_durably(&self.path, path)
    }

    /// Deletes the file: its values were written elsewhere.
    ///
    /// # Errors
    /// If the file cannot be deleted.
    pub fn remove(self) -> std::io::Result<()> {
        fs_err::remove_file(&self.path)
    }
}

/// Header of a `.safetensors` file with one tensor `rows`, `[rows, dim]`, and the cache key. Written by hand because the file
/// is appended to: the number of rows is known before their values.
pub(crate) fn header(key: &str, rows: u64, dim: usize) -> Vec<u8> {
    let json = serde_json::json!({
        "__metadata__": { KEY: key },
        "rows": { "dtype": "F32", "shape": [rows, dim], "data_offsets": [0, rows * dim as u64 * 4] },
    });
    let mut json = json.to_string().into_bytes();
    // The format aligns tensors to 8 bytes by padding the JSON with spaces.
    json.resize(json.len().next_multiple_of(8), b' ');
    [&(json.len() as u64).to_le_bytes()[..], &json].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_an_interrupted_run_are_kept_up_to_the_last_complete_chunk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features.safetensors");
        let pairs = || [2, 4].into_iter();
        let (mut rows, kept) = PartialFeatures::open(&path, b"of one  ", pairs()).unwrap();
        assert_eq!(kept, 0);
        rows.push(&[1.0, 2.0, 3.0]).unwrap();
        drop(rows);
        let (mut rows, kept) = PartialFeatures::open(&path, b"of one  ", pairs()).unwrap();
        assert_eq!(kept, 2);
        rows.push(&[4.0]).unwrap();
        assert_eq!(rows.read(3).unwrap(), [1.0, 2.0, 4.0]);
        assert!(rows.read(4).is_err());
        let second = PartialFeatures::open(&path, b"of one  ", pairs()).err().unwrap();
        assert!(second.to_string().contains("another run"), "{second}");
        drop(rows);
        // Another key: nothing is kept.
        let (mut rows, kept) = PartialFeatures::open(&path, b"of other", pairs()).unwrap();
        assert_eq!((kept, rows.read(0).unwrap()), (0, Vec::new()));
        rows.push(&[5.0]).unwrap();
        rows.finish(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [&b"of other"[..], &5.0f32.to_le_bytes()].concat());
    }
}
