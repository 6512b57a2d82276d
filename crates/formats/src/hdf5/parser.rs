//! A cursor over a metadata block, and the errors of the reader.

/// Arrays may always be this large, in bytes, however small the file: elements that were never written take no space in it.
pub(super) const ALWAYS_ALLOWED_BYTES: u64 = 1 << 20;

/// Why a file cannot be read; [`File::error`](super::File) adds the path.
#[derive(Debug, thiserror::Error)]
pub(super) enum Hdf5Error {
    #[error("{0}")]
    Invalid(String),
    #[error("needs {0}, which is not supported")]
    Unsupported(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

pub(super) fn invalid(message: String) -> Hdf5Error {
    Hdf5Error::Invalid(message)
}

pub(super) fn unsupported(what: String) -> Hdf5Error {
    Hdf5Error::Unsupported(what)
}

/// A position in some bytes; every step is checked.
pub(super) struct Parser<'b> {
    bytes: &'b [u8],
    at: usize,
    offset_size: usize,
    length_size: usize,
}

impl<'b> Parser<'b> {
    pub fn new(bytes: &'b [u8], offset_size: usize, length_size: usize) -> Self {
        Self { bytes, at: 0, offset_size, length_size }
    }

    pub fn set_sizes(&mut self, offset_size: usize, length_size: usize) {
        (self.offset_size, self.length_size) = (offset_size, length_size);
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub fn take(&mut self, count: usize) -> Result<&'b [u8], Hdf5Error> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| {
            invalid(format!("a block ends early: {count} bytes expected, {} left", self.remaining()))
        })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    pub fn skip(&mut self, count: usize) -> Result<(), Hdf5Error> {
        self.take(count).map(drop)
    }

    /// Skips to the next multiple of 8 from the start.
    pub fn align(&mut self) -> Result<(), Hdf5Error> {
        self.skip(self.at.next_multiple_of(8) - self.at)
    }

    /// A little-endian number of up to 8 bytes.
    pub fn uint(&mut self, size: usize) -> Result<u64, Hdf5Error> {
        let mut little = [0; 8];
        if size > 8 {
            return Err(invalid(format!("a number of {size} bytes")));
        }
        little[..size].copy_from_slice(self.take(size)?);
        Ok(u64::from_le_bytes(little))
    }

    pub fn u8(&mut self) -> Result<u8, Hdf5Error> {
        Ok(self.take(1)?[0])
    }

    pub fn u16(&mut self) -> Result<u16, Hdf5Error> {
        Ok(self.uint(2)? as u16)
    }

    pub fn u32(&mut self) -> Result<u32, Hdf5Error> {
        Ok(self.uint(4)? as u32)
    }

    pub fn offset(&mut self) -> Result<u64, Hdf5Error> {
        self.uint(self.offset_size)
    }

    pub fn length(&mut self) -> Result<u64, Hdf5Error> {
        self.uint(self.length_size)
    }

    pub fn expect_signature(&mut self, expected: &[u8; 4]) -> Result<(), Hdf5Error> {
        let found = self.take(4)?;
        if found == expected {
            return Ok(());
        }
        let [expected, found] = [&expected[..], found].map(String::from_utf8_lossy);
        Err(invalid(format!("expected {expected:?}, found {found:?}")))
    }
}
