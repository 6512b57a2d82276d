//! An open HDF5 file: its superblock, and checked reads at addresses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::parser::{Hdf5Error, Parser, invalid, unsupported};
use crate::{FormatError, PositionedFile, RandomAccess as _};

pub(super) const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";
/// Largest user block before the superblock, which is searched at 0, 512, 1024, 2048 …
const MAX_USERBLOCK: u64 = 1 << 30;
/// Largest metadata block, in bytes.
const MAX_BLOCK_BYTES: u64 = 64 << 20;

/// An open file.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    source: PositionedFile,
    /// What addresses are relative to.
    base: u64,
    /// Bytes of an address.
    pub(super) offset_size: usize,
    /// Bytes of a length.
    pub(super) length_size: usize,
    pub(super) root: u64,
}

impl File {
    /// Opens a file and finds its root group.
    ///
    /// # Errors
    /// If it cannot be opened, or is not an HDF5 file of a supported version.
    pub fn open(path: &Path) -> Result<Arc<Self>, FormatError> {
        let (path, source) = (path.to_owned(), PositionedFile::open(path)?);
        let mut opened = Self { path, source, base: 0, offset_size: 8, length_size: 8, root: 0 };
        opened.read_superblock().map_err(|error| opened.error(&error))?;
        Ok(Arc::new(opened))
    }

    /// Length of the whole file in bytes.
    pub(super) fn length(&self) -> u64 {
        self.source.length()
    }

    fn read_superblock(&mut self) -> Result<(), Hdf5Error> {
        let mut start = 0;
        while self.bytes(start, 8).map_or(true, |bytes| bytes != SIGNATURE) {
            start = if start == 0 { 512 } else { start * 2 };
            if start > MAX_USERBLOCK.min(self.length()) {
                return Err(invalid("expected the HDF5 signature".to_owned()));
            }
        }
        let rest = self.bytes(start + 8, (self.length() - start - 8).min(120))?;
        let mut parser = Parser::new(&rest, 8, 8);
        let version = parser.u8()?;
        match version {
            0 | 1 => {
                parser.skip(4)?;
                (self.offset_size, self.length_size) = (size(parser.u8()?)?, size(parser.u8()?)?);
                parser.skip(if version == 0 { 9 } else { 13 })?;
            }
            2 | 3 => {
                (self.offset_size, self.length_size) = (size(parser.u8()?)?, size(parser.u8()?)?);
                parser.skip(1)?;
            }
            _ => return Err(unsupported(format!("superblock version {version}"))),
        }
        parser.set_sizes(self.offset_size, self.length_size);
        self.base = parser.offset()?;
        parser.offset()?;
        parser.offset()?;
        if version < 2 {
            // Driver information; then the root's entry: name, header.
            parser.offset()?;
            parser.offset()?;
        }
        self.root = parser.offset()?;
        // A user block shifts all addresses, whether or not the superblock accounts for it.
        self.base = self.base.max(start);
        Ok(())
    }

    /// A metadata block at an address.
    pub(super) fn block(&self, address: u64, bytes: u64) -> Result<Vec<u8>, Hdf5Error> {
        if bytes > MAX_BLOCK_BYTES {
            return Err(invalid(format!("a block of {bytes} bytes, the limit is {MAX_BLOCK_BYTES}")));
        }
        self.bytes(
            self.base.checked_add(address).ok_or_else(|| invalid("an address overflows".to_owned()))?,
            bytes,
        )
    }

    /// Checks that bytes at an address are inside the file.
    pub(super) fn check(&self, address: u64, bytes: u64) -> Result<(), Hdf5Error> {
        let end = self.base.checked_add(address).and_then(|at| at.checked_add(bytes));
        if end.is_none_or(|end| end > self.length()) {
            return Err(invalid(format!(
                "{bytes} bytes at {address} are outside of the file of {} bytes",
                self.length()
            )));
        }
        Ok(())
    }

    /// Bytes at an offset of the file.
    fn bytes(&self, at: u64, bytes: u64) -> Result<Vec<u8>, Hdf5Error> {
        if at.checked_add(bytes).is_none_or(|end| end > self.length()) {
            return Err(invalid(format!(
                "{bytes} bytes at {at} are outside of the file of {} bytes",
                self.length()
            )));
        }
        let mut buffer = vec![0; bytes as usize];
        self.source.read_exact_at(at, &mut buffer)?;
        Ok(buffer)
    }

    /// Fills a buffer from an address.
    pub(super) fn fill(&self, address: u64, buffer: &mut [u8]) -> Result<(), Hdf5Error> {
        self.check(address, buffer.len() as u64)?;
        Ok(self.source.read_exact_at(self.base + address, buffer)?)
    }

    pub(super) fn parser<'b>(&self, bytes: &'b [u8]) -> Parser<'b> {
        Parser::new(bytes, self.offset_size, self.length_size)
    }

    /// The address with all bits set, which means "not allocated".
    pub(super) fn undefined_address(&self) -> u64 {
        if self.offset_size == 8 { u64::MAX } else { (1 << (8 * self.offset_size)) - 1 }
    }

    pub(super) fn error(&self, error: &Hdf5Error) -> FormatError {
        FormatError::invalid(&self.path, format!("HDF5: {error}"))
    }
}

fn size(bytes: u8) -> Result<usize, Hdf5Error> {
    match bytes {
        2 | 4 | 8 => Ok(usize::from(bytes)),
        _ => Err(unsupported(format!("addresses of {bytes} bytes"))),
    }
}
