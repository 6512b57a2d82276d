//! A bounded reader of HDF5 files, after the HDF5 File Format Specification version 3.0, and a writer of the plainest kind.
//!
//! It reads what data sets of shapes are kept in: groups by names, contiguous, compact and chunked arrays of whole numbers,
//! floating point numbers and strings, of either byte order, deflated, shuffled or neither. Any rows are read without the
//! rest. Everything in a file is untrusted: offsets and counts are checked before memory is taken for them, trees are
//! followed to a bounded depth and number of nodes. The crates that read HDF5 without C are larger than all of this
//! project, or read files whole.

mod chunks;
mod dataset;
mod datatype;
mod filter;
mod global_heap;
mod group;
mod object;
mod parse;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;

pub use self::dataset::Dataset;
pub use self::datatype::Type;
pub use self::write::Writer;

use self::parse::{Fault, Parser, invalid, unsupported};
use crate::DataError;

const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";
/// Places where a file may begin after a block of the user's: doubled from 512.
const LAST_START: u64 = 1 << 30;
/// Largest piece of bookkeeping that is read at once, in bytes.
const LARGEST_BLOCK: u64 = 64 << 20;

/// An open file.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    file: std::fs::File,
    length: u64,
    /// What addresses are relative to.
    base: u64,
    /// Bytes of an address.
    offset_size: usize,
    /// Bytes of a length.
    length_size: usize,
    root: u64,
}

impl File {
    /// Opens a file and finds its root group.
    pub fn open(path: &Path) -> Result<Arc<Self>, DataError> {
        let file = fs::File::open(path)?.into_file();
        let length = file.metadata()?.len();
        let mut opened =
            Self { path: path.to_owned(), file, length, base: 0, offset_size: 8, length_size: 8, root: 0 };
        opened.read_superblock().map_err(|fault| opened.error(&fault))?;
        Ok(Arc::new(opened))
    }

    /// Names in a group, sorted; `""` is the root.
    pub fn names(&self, group: &str) -> Result<Vec<String>, DataError> {
        let names = self.find(group).and_then(|address| group::links(self, address));
        let mut names: Vec<String> =
            names.map_err(|fault| self.error(&fault))?.into_iter().map(|(name, _)| name).collect();
        names.sort();
        Ok(names)
    }

    /// The array called `name`, with `/` between groups.
    pub fn dataset(self: &Arc<Self>, name: &str) -> Result<Dataset, DataError> {
        let opened = self.find(name).and_then(|address| Dataset::open(self, name, address));
        opened.map_err(|fault| self.error(&fault))
    }

    /// Address of an object's header.
    fn find(&self, name: &str) -> Result<u64, Fault> {
        name.split('/').filter(|part| !part.is_empty()).try_fold(self.root, |address, part| {
            let links = group::links(self, address)?;
            let found = links.iter().find(|(link, _)| link == part);
            found.map(|(_, address)| *address).ok_or_else(|| {
                let names: Vec<&str> = links.iter().take(12).map(|(link, _)| link.as_str()).collect();
                invalid(format!("has no {part:?}, only {names:?}"))
            })
        })
    }

    fn read_superblock(&mut self) -> Result<(), Fault> {
        let mut start = 0;
        while self.bytes(start, 8).map_or(true, |bytes| bytes != SIGNATURE) {
            start = if start == 0 { 512 } else { start * 2 };
            if start > LAST_START.min(self.length) {
                return Err(invalid("expected the HDF5 signature".to_owned()));
            }
        }
        let rest = self.bytes(start + 8, (self.length - start - 8).min(120))?;
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
        // A block before the signature shifts all addresses whether or not the file says so.
        self.base = self.base.max(start);
        Ok(())
    }

    /// Bookkeeping at an address.
    fn block(&self, address: u64, bytes: u64) -> Result<Vec<u8>, Fault> {
        if bytes > LARGEST_BLOCK {
            return Err(invalid(format!("a block of {bytes} bytes, the limit is {LARGEST_BLOCK}")));
        }
        self.bytes(
            self.base.checked_add(address).ok_or_else(|| invalid("an address overflows".to_owned()))?,
            bytes,
        )
    }

    /// Whether bytes at an address lie inside the file.
    fn check(&self, address: u64, bytes: u64) -> Result<(), Fault> {
        let end = self.base.checked_add(address).and_then(|at| at.checked_add(bytes));
        match end.is_some_and(|end| end <= self.length) {
            true => Ok(()),
            false => {
                Err(invalid(format!("{bytes} bytes at {address} lie outside its {} bytes", self.length)))
            }
        }
    }

    /// Bytes at a place in the file.
    fn bytes(&self, at: u64, bytes: u64) -> Result<Vec<u8>, Fault> {
        if at.checked_add(bytes).is_none_or(|end| end > self.length) {
            return Err(invalid(format!("{bytes} bytes at {at} lie outside its {} bytes", self.length)));
        }
        let mut buffer = vec![0; bytes as usize];
        crate::read_exact_at(&self.file, &mut buffer, at)?;
        Ok(buffer)
    }

    /// Fills a buffer from an address.
    fn fill(&self, address: u64, buffer: &mut [u8]) -> Result<(), Fault> {
        self.check(address, buffer.len() as u64)?;
        Ok(crate::read_exact_at(&self.file, buffer, self.base + address)?)
    }

    fn parser<'b>(&self, bytes: &'b [u8]) -> Parser<'b> {
        Parser::new(bytes, self.offset_size, self.length_size)
    }

    /// The address that stands for none.
    fn nowhere(&self) -> u64 {
        if self.offset_size == 8 { u64::MAX } else { (1 << (8 * self.offset_size)) - 1 }
    }

    fn error(&self, fault: &Fault) -> DataError {
        DataError::invalid(&self.path, format!("HDF5: {fault}"))
    }
}

fn size(bytes: u8) -> Result<usize, Fault> {
    match bytes {
        2 | 4 | 8 => Ok(usize::from(bytes)),
        _ => Err(unsupported(format!("addresses of {bytes} bytes"))),
    }
}
