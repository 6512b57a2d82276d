//! The bytes of a weight file, read in parts at any place: nothing is mapped and nothing is kept.

use std::fs::File;
use std::io;
use std::path::Path;

/// A file on disk, or one that is part of the program.
#[derive(Debug)]
pub(super) enum Blob {
    File { file: File, length: u64 },
    Static(&'static [u8]),
}

impl Blob {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = fs_err::File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::other(format!("{}: expected a file, found a folder", path.display())));
        }
        Ok(Self::File { length: metadata.len(), file: file.into_parts().0 })
    }

    pub fn length(&self) -> u64 {
        match self {
            Self::File { length, .. } => *length,
            Self::Static(bytes) => bytes.len() as u64,
        }
    }

    /// Fills `into` with the bytes from `offset`; fewer than that are an error.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        match self {
            Self::File { file, .. } => read_exact_at(file, offset, into),
            Self::Static(bytes) => {
                let rest = usize::try_from(offset).ok().and_then(|start| bytes.get(start..));
                let part =
                    rest.and_then(|rest| rest.get(..into.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
                into.copy_from_slice(part);
                Ok(())
            }
        }
    }

    /// `length` bytes from `offset`, allocated only after it is certain that the file has them.
    pub fn bytes(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let end = offset.checked_add(length).filter(|end| *end <= self.length());
        let length = end.and(usize::try_from(length).ok()).ok_or_else(|| {
            let message =
                format!("{length} bytes from byte {offset} expected, the file has {}", self.length());
            io::Error::new(io::ErrorKind::UnexpectedEof, message)
        })?;
        let mut bytes = vec![0; length];
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, into: &mut [u8]) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.read_exact_at(into, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    while !into.is_empty() {
        let n = file.seek_read(into, offset)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        into = &mut into[n..];
        offset += n as u64;
    }
    Ok(())
}
