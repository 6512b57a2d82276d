//! A data set in a folder of the local file system.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use fs_err as fs;
use lexiform_formats::read_exact_at;

use super::{ReadAt, Storage};
use crate::DataError;
use crate::shard::{Layout, Manifest, Sidecar, read_json, sha256_file, sidecar_of};

/// Maximum number of shards that are kept open.
const MAX_OPEN_FILES: usize = 256;
/// Ranges this close together are read at once, in bytes: a seek takes longer than reading the bytes between them.
const COALESCE_GAP: u64 = 16 << 10;

/// A folder of the local file system.
pub(crate) struct LocalStorage {
    layout: Layout,
    files: Mutex<HashMap<String, Arc<std::fs::File>>>,
}

impl LocalStorage {
    pub fn new(folder: PathBuf) -> Self {
        Self { layout: Layout { folder }, files: Mutex::default() }
    }
}

impl Storage for LocalStorage {
    fn manifest(&self) -> Result<Manifest, DataError> {
        let path = self.layout.manifest();
        if !path.exists() {
            let message = if self.layout.partitions().is_dir() {
                "has no manifest.json: its partitions are not finished or not merged"
            } else {
                "not a data set: expected a manifest.json"
            };
            let path = self.layout.folder.clone();
            return Err(DataError::Incomplete { path, message: message.to_owned() });
        }
        read_json(&path)
    }

    fn index(&self) -> Result<Sidecar, DataError> {
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
        // Any file, as good as the least recently used: training reads shards at random.
        if files.len() >= MAX_OPEN_FILES
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

    fn index_sha256(&self) -> Result<String, DataError> {
        sha256_file(&self.layout.index())
    }

    fn coalesce_gap(&self) -> u64 {
        COALESCE_GAP
    }

    fn read_ahead(&self) -> usize {
        1 << 20
    }
}

impl ReadAt for std::fs::File {
    fn read_at(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Vec<u8>>> {
        let one = |range: &Range<u64>| {
            let mut bytes = vec![0; (range.end - range.start) as usize];
            read_exact_at(self, &mut bytes, range.start).map(|()| bytes)
        };
        ranges.iter().map(one).collect()
    }
}
