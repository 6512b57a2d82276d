//! Where the files of a data set lie: in a folder of this machine, or in an object store.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fs_err as fs;
use lexiform_formats::read_exact_at;
use sha2::{Digest as _, Sha256};

use super::durable::hex;
use super::layout::{read_json, sidecar_of};
use super::{Layout, Manifest, Sidecar};
use crate::DataError;
use crate::address::Address;

/// Most shards that are kept open.
const OPEN_FILES: usize = 256;
/// A gap between wanted members that is read rather than jumped over, in bytes: a disk turns more slowly than it reads.
const GAP: u64 = 16 << 10;

/// A file that is read at offsets, from many threads.
pub(crate) trait ReadAt: Send + Sync {
    /// Some stretches, in their order.
    fn read_at(&self, stretches: &[Range<u64>]) -> io::Result<Vec<Vec<u8>>>;
}

/// The files of a finished data set.
pub(crate) trait Home: Send + Sync {
    /// What the data set says about itself, not checked yet.
    fn manifest(&self) -> Result<Manifest, DataError>;
    /// The table over all shapes.
    fn table(&self) -> Result<Sidecar, DataError>;
    /// The table beside a shard.
    fn sidecar(&self, shard: &str) -> Result<Sidecar, DataError>;
    /// A shard by its name.
    fn shard(&self, file: &str) -> Result<Arc<dyn ReadAt>, DataError>;
    /// Names of all shards that lie there, sorted.
    fn shard_names(&self) -> Result<Vec<String>, DataError>;
    /// SHA-256 of the table.
    fn table_sum(&self) -> Result<String, DataError>;
    /// A gap between wanted stretches that is read rather than jumped over, in bytes.
    fn gap(&self) -> u64;
    /// Bytes that are read at once where a shard is read from front to back.
    fn stride(&self) -> usize;
}

/// The home that a path or an address means.
///
/// # Errors
/// [`DataError::NoCloud`] where it is an object store's and this build reads none.
pub(crate) fn home(place: &Path) -> Result<Box<dyn Home>, DataError> {
    match Address::of_path(place)? {
        Address::Here(folder) => Ok(Box::new(Folder::new(folder))),
        #[cfg(feature = "cloud")]
        Address::Store(uri) => Ok(Box::new(crate::remote::Bucket::new(crate::remote::Store::open(&uri)?))),
        #[cfg(not(feature = "cloud"))]
        Address::Store(address) => Err(DataError::NoCloud { address }),
    }
}

/// A folder of this machine.
struct Folder {
    layout: Layout,
    files: Mutex<HashMap<String, Arc<std::fs::File>>>,
}

impl Folder {
    fn new(folder: PathBuf) -> Self {
        Self { layout: Layout { folder }, files: Mutex::default() }
    }
}

impl Home for Folder {
    fn manifest(&self) -> Result<Manifest, DataError> {
        let path = self.layout.manifest();
        if !path.exists() {
            let message = if self.layout.parts().is_dir() {
                "has no manifest: its parts are not finished or not merged"
            } else {
                "is no data set: expected a manifest.json"
            };
            let path = self.layout.folder.clone();
            return Err(DataError::Incomplete { path, message: message.to_owned() });
        }
        read_json(&path)
    }

    fn table(&self) -> Result<Sidecar, DataError> {
        Sidecar::open(&self.layout.index())
    }

    fn sidecar(&self, shard: &str) -> Result<Sidecar, DataError> {
        Sidecar::open(&sidecar_of(&self.layout.shard(shard)))
    }

    fn shard(&self, file: &str) -> Result<Arc<dyn ReadAt>, DataError> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = files.get(file) {
            return Ok(Arc::<std::fs::File>::clone(open));
        }
        if files.len() >= OPEN_FILES
            && let Some(any) = files.keys().next().cloned()
        {
            files.remove(&any);
        }
        let open = Arc::new(fs::File::open(self.layout.shard(file))?.into_file());
        files.insert(file.to_owned(), Arc::clone(&open));
        Ok(open)
    }

    fn shard_names(&self) -> Result<Vec<String>, DataError> {
        self.layout.shard_names()
    }

    fn table_sum(&self) -> Result<String, DataError> {
        super::sum_of_file(&self.layout.index())
    }

    fn gap(&self) -> u64 {
        GAP
    }

    fn stride(&self) -> usize {
        1 << 20
    }
}

impl ReadAt for std::fs::File {
    fn read_at(&self, stretches: &[Range<u64>]) -> io::Result<Vec<Vec<u8>>> {
        let one = |stretch: &Range<u64>| {
            let mut bytes = vec![0; (stretch.end - stretch.start) as usize];
            read_exact_at(self, &mut bytes, stretch.start).map(|()| bytes)
        };
        stretches.iter().map(one).collect()
    }
}

/// A file that is read from front to back.
pub(crate) struct FrontToBack {
    file: Arc<dyn ReadAt>,
    /// What is left.
    rest: Range<u64>,
    stride: usize,
    read: io::Cursor<Vec<u8>>,
}

impl FrontToBack {
    /// The first `bytes` bytes of a file.
    pub fn new(file: Arc<dyn ReadAt>, bytes: u64, stride: usize) -> Self {
        Self { file, rest: 0..bytes, stride, read: io::Cursor::default() }
    }
}

impl io::Read for FrontToBack {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.position() as usize >= self.read.get_ref().len() && !self.rest.is_empty() {
            let end = self.rest.end.min(self.rest.start + self.stride as u64);
            let next =
                self.file.read_at(std::slice::from_ref(&(self.rest.start..end)))?.pop().unwrap_or_default();
            self.rest.start = end;
            self.read = io::Cursor::new(next);
        }
        self.read.read(buffer)
    }
}

/// SHA-256 of all that a reader gives, as `sha256sum` writes it.
pub(crate) fn sum_of(mut reader: impl io::Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex(hasher)),
            n => hasher.update(&buffer[..n]),
        }
    }
}
