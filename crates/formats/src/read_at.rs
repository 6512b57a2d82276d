//! Positioned reads from a file or from memory, without a cursor.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of a known length that can be read in parts, in any order and by several threads.
pub trait RandomAccess: Send + Sync {
    /// Length in bytes.
    fn length(&self) -> u64;

    /// Fills `buffer` with the bytes from `offset`.
    ///
    /// # Errors
    /// If there are fewer bytes, or reading fails.
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Reads `length` bytes from `offset`; allocates them only after checking that there are as many.
    ///
    /// # Errors
    /// If there are fewer bytes, or reading fails.
    fn bytes(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let end = offset.checked_add(length).filter(|end| *end <= self.length());
        let length = end.and(usize::try_from(length).ok()).ok_or_else(|| {
            let message =
                format!("{length} bytes from byte {offset} expected, the file has {}", self.length());
            io::Error::new(io::ErrorKind::UnexpectedEof, message)
        })?;
        let mut bytes = vec![0; length];
        self.read_exact_at(offset, &mut bytes)?;
        Ok(bytes)
    }
}

impl RandomAccess for &[u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.get(start..));
        let part = rest.and_then(|rest| rest.get(..buffer.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(part);
        Ok(())
    }
}

/// An open file, with its length at the time it was opened. A large file may be published in parts, as `split` names
/// them: `a.h5_part_aa`, `a.h5_part_ab` … are read as `a.h5`.
#[derive(Debug)]
pub struct PositionedFile {
    /// At least one, with the offset of its end.
    parts: Vec<(File, u64)>,
}

impl PositionedFile {
    /// Opens a file for reading, or its parts if only these exist.
    ///
    /// # Errors
    /// If it cannot be opened, or is a folder; the message names the path.
    pub fn open(path: &Path) -> io::Result<Self> {
        let found = parts(path);
        let paths = if found.is_empty() { vec![path.to_owned()] } else { found };
        let (mut parts, mut end) = (Vec::new(), 0);
        for path in paths {
            let file = fs_err::File::open(&path)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(io::Error::other(format!("{}: expected a file, found a folder", path.display())));
            }
            end += metadata.len();
            parts.push((file.into_file(), end));
        }
        Ok(Self { parts })
    }
}

impl RandomAccess for PositionedFile {
    fn length(&self) -> u64 {
        self.parts.last().map_or(0, |(_, end)| *end)
    }

    fn read_exact_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        let mut part = self.parts.partition_point(|(_, end)| *end <= offset);
        while !buffer.is_empty() {
            let (file, end) = self.parts.get(part).ok_or(io::ErrorKind::UnexpectedEof)?;
            let start = part.checked_sub(1).map_or(0, |before| self.parts[before].1);
            // A range may continue in the next part.
            let here = buffer.len().min(usize::try_from(end - offset).unwrap_or(usize::MAX));
            let (head, rest) = buffer.split_at_mut(here);
            read_exact_at(file, head, offset - start)?;
            (offset, part, buffer) = (offset + here as u64, part + 1, rest);
        }
        Ok(())
    }
}

/// Whether a file exists, whole or in parts.
pub fn file_exists(path: &Path) -> bool {
    path.is_file() || !parts(path).is_empty()
}

/// The parts of a file that does not exist as a whole, in order: `a.h5_part_aa` …, or `a_part_aa` ….
fn parts(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| !path.exists()) else {
        return Vec::new();
    };
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or(name);
    let suffixes =
        || ('a'..='z').flat_map(|first| ('a'..='z').map(move |second| format!("_part_{first}{second}")));
    let of = |prefix: &str| -> Vec<PathBuf> {
        let paths = suffixes().map(|suffix| path.with_file_name(format!("{prefix}{suffix}")));
        paths.take_while(|part| part.is_file()).collect()
    };
    let whole = of(name);
    if whole.is_empty() { of(stem) } else { whole }
}

/// Fills `buffer` from `offset` on, without moving the file's cursor.
///
/// # Errors
/// If the file ends before, or reading fails.
#[cfg(unix)]
pub fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills `buffer` from `offset` on. Moves the file's cursor, which no caller uses.
///
/// # Errors
/// If the file ends before, or reading fails.
#[cfg(windows)]
pub fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                buffer = &mut buffer[n..];
                offset += n as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_bytes_are_read_alike() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"abcdef").unwrap();
        let (file, bytes) = (PositionedFile::open(&path).unwrap(), &b"abcdef"[..]);
        for source in [&file as &dyn RandomAccess, &bytes] {
            assert_eq!(source.length(), 6);
            assert_eq!(source.bytes(2, 3).unwrap(), b"cde");
            assert_eq!(source.bytes(6, 0).unwrap(), b"");
            for (offset, length) in [(0, 7), (7, 0), (3, u64::MAX), (u64::MAX, 1)] {
                assert!(source.bytes(offset, length).is_err(), "{offset}, {length}");
            }
        }
        assert!(PositionedFile::open(folder.path()).unwrap_err().to_string().contains("found a folder"));
    }

    #[test]
    fn parts_are_read_as_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let whole: Vec<u8> = (0..=250).collect();
        for (prefix, name) in [("a.h5", "a.h5"), ("b", "b.h5")] {
            for (part, bytes) in
                ["aa", "ab", "ac"].iter().zip([&whole[..100], &whole[100..101], &whole[101..]])
            {
                std::fs::write(folder.path().join(format!("{prefix}_part_{part}")), bytes).unwrap();
            }
            let path = folder.path().join(name);
            assert!(file_exists(&path));
            let file = PositionedFile::open(&path).unwrap();
            assert_eq!(file.length(), 251);
            for (offset, length) in [(0, 251), (99, 3), (100, 1), (101, 150), (98, 2), (250, 1), (251, 0)] {
                let expected = &whole[offset..offset + length];
                assert_eq!(file.bytes(offset as u64, length as u64).unwrap(), expected, "{offset}, {length}");
            }
            assert!(file.bytes(250, 2).is_err() && file.bytes(252, 0).is_err());
        }
        assert!(!file_exists(&folder.path().join("c.h5")) && !file_exists(folder.path()));
        let missing = PositionedFile::open(&folder.path().join("c.h5")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
