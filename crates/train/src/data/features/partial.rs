//! Rows of features that may take hours to compute: written as they come, so that a run that was cut off goes on with them.

use std::fs::TryLockError;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Key of the header entry that says what the features of a file are of.
pub(crate) const KEY: &str = "lexiform-features";

/// A `.rows` file next to the finished one: a header that says what the rows are of, then rows of 32-bit numbers.
pub(crate) struct PartialFeatures {
    path: PathBuf,
    file: fs_err::File,
    start: u64,
}

impl PartialFeatures {
    /// Opens what an interrupted run left next to `path`, if it begins with `header`, or starts an empty file. Numbers come in parts;
    /// `ends` says how many there are after each. Gives how many are there already, of whole parts.
    pub fn open(
        path: &Path,
        header: &[u8],
        ends: impl Iterator<Item = usize>,
    ) -> std::io::Result<(Self, usize)> {
        let path = path.with_extension("safetensors.rows");
        let mut file =
            fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        file.file().try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                let message = format!("{}: another run is computing these features", path.display());
                std::io::Error::new(std::io::ErrorKind::ResourceBusy, message)
            }
            TryLockError::Error(error) => error,
        })?;
        let (mut found, start) = (vec![0; header.len()], header.len() as u64);
        let known = file.read_exact(&mut found).is_ok() && found == header;
        let found = if known { (file.metadata()?.len() - start) / 4 } else { 0 };
        let kept = ends.filter(|end| *end as u64 <= found).max().unwrap_or(0);
        if !known {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(header)?;
        }
        file.set_len(start + kept as u64 * 4)?;
        file.seek(SeekFrom::End(0))?;
        Ok((Self { path, file, start }, kept))
    }

    /// Adds numbers.
    pub fn push(&mut self, values: &[f32]) -> std::io::Result<()> {
        self.file.write_all(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }

    /// All numbers, if there are as many.
    pub fn read(&mut self, count: usize) -> std::io::Result<Vec<f32>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.read_to_end(&mut bytes)?;
        if bytes.len() != count * 4 {
            let message =
                format!("{}: {} bytes of features, expected {}", self.path.display(), bytes.len(), count * 4);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
        }
        Ok(bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }

    /// The file is whole: it gets its name.
    pub fn finish(self, path: &Path) -> std::io::Result<()> {
        self.file.sync_all()?;
        lexiform_formats::rename_durably(&self.path, path)
    }

    /// What it holds is written elsewhere.
    pub fn remove(self) -> std::io::Result<()> {
        fs_err::remove_file(&self.path)
    }
}

/// The header of a `.safetensors` file of rows; `key` says what they are of. The same bytes for the same rows: the length, then
/// JSON, as the format wants it.
pub(crate) fn header(key: &str, rows: u64, dim: usize) -> Vec<u8> {
    let json = serde_json::json!({
        "__metadata__": { KEY: key },
        "rows": { "dtype": "F32", "shape": [rows, dim], "data_offsets": [0, rows * dim as u64 * 4] },
    });
    let mut json = json.to_string().into_bytes();
    json.resize(json.len().next_multiple_of(8), b' ');
    [&(json.len() as u64).to_le_bytes()[..], &json].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_run_that_was_cut_off_are_kept_up_to_the_last_whole_part() {
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
        // Of something else: nothing of it is kept.
        let (mut rows, kept) = PartialFeatures::open(&path, b"of other", pairs()).unwrap();
        assert_eq!((kept, rows.read(0).unwrap()), (0, Vec::new()));
        rows.push(&[5.0]).unwrap();
        rows.finish(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [&b"of other"[..], &5.0f32.to_le_bytes()].concat());
    }
}
