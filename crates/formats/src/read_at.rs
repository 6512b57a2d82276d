//! Positioned reads from a file or from memory, without a cursor.

use std::fs::File;
use std::io;
use std::path::Path;

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

/// An open file, with its length at the time it was opened.
#[derive(Debug)]
pub struct PositionedFile {
    file: File,
    length: u64,
}

impl PositionedFile {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// If it cannot be opened, or is a folder; the message names the path.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = fs_err::File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::other(format!("{}: expected a file, found a folder", path.display())));
        }
        Ok(Self { length: metadata.len(), file: file.into_file() })
    }
}

impl RandomAccess for PositionedFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        read_exact_at(&self.file, buffer, offset)
    }
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
}
