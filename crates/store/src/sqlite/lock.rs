//! One writer at a time: a lock on a file beside the database, which the system releases when the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::StoreError;

/// Held as long as it lives.
#[derive(Debug)]
pub(super) struct WriterLock {
    _file: File,
}

const NAME: &str = "writer.lock";

impl WriterLock {
    /// Takes the lock or fails at once, naming the process that holds it.
    pub(super) fn acquire(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(NAME);
        let failed = |action| {
            let path = path.clone();
            move |source| StoreError::Io { path, action, source }
        };
        // Not truncated: until the lock is ours, the file names the process that holds it.
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(failed("cannot open the lock file"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { folder: folder.into(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed("cannot lock")(source)),
        }
        // Who holds the lock is a courtesy to others; failing to say so must not stop a full disk from being emptied.
        let _named = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        Ok(Self { _file: file })
    }
}

/// `None` where the system does not let others read a locked file, or nothing is written there yet.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
