//! Access to the files of a finished data set, in a folder or in an object store.

mod copy_summary;
mod local;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

pub use self::copy_summary::CopySummary;
pub(crate) use self::local::LocalStorage;
use crate::DataError;
use crate::shard::{Manifest, Sidecar, hex_digest};

/// A file that is read at offsets, from many threads.
pub(crate) trait ReadAt: Send + Sync {
    /// Reads some ranges, in the order given.
    fn read_at(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Vec<u8>>>;
}

/// The files of a finished data set.
pub(crate) trait Storage: Send + Sync {
    /// The manifest, not checked yet.
    fn manifest(&self) -> Result<Manifest, DataError>;
    /// `index.parquet`, over all shapes.
    fn index(&self) -> Result<Sidecar, DataError>;
    /// The sidecar of a shard.
    fn sidecar(&self, shard: &str) -> Result<Sidecar, DataError>;
    /// A shard by its name.
    fn shard(&self, file: &str) -> Result<Arc<dyn ReadAt>, DataError>;
    /// Names of all shards in the folder, sorted; those too that the manifest does not list.
    fn shard_names(&self) -> Result<Vec<String>, DataError>;
    /// SHA-256 of `index.parquet`.
    fn index_sha256(&self) -> Result<String, DataError>;
    /// Two ranges with at most this many bytes between them are read together, which is faster than two reads.
    fn coalesce_gap(&self) -> u64;
    /// Bytes per read when a shard is read sequentially.
    fn read_ahead(&self) -> usize;
}

/// Reads a file sequentially.
pub(crate) struct SequentialReader {
    file: Arc<dyn ReadAt>,
    /// The range that was not read yet.
    rest: Range<u64>,
    read_ahead: usize,
    read: io::Cursor<Vec<u8>>,
}

impl SequentialReader {
    /// The first `bytes` bytes of a file.
    pub fn new(file: Arc<dyn ReadAt>, bytes: u64, read_ahead: usize) -> Self {
        Self { file, rest: 0..bytes, read_ahead, read: io::Cursor::default() }
    }
}

impl io::Read for SequentialReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.position() as usize >= self.read.get_ref().len() && !self.rest.is_empty() {
            // Large reads hide the latency of an object store; a folder is read ahead by the operating system.
            let end = self.rest.end.min(self.rest.start + self.read_ahead as u64);
            let next =
                self.file.read_at(std::slice::from_ref(&(self.rest.start..end)))?.pop().unwrap_or_default();
            self.rest.start = end;
            self.read = io::Cursor::new(next);
        }
        self.read.read(buffer)
    }
}

/// SHA-256 of everything that a reader returns, in the format of `sha256sum`.
pub(crate) fn sha256_reader(mut reader: impl io::Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex_digest(hasher)),
            n => hasher.update(&buffer[..n]),
        }
    }
}
