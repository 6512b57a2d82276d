//! One writer at a time: a file lock, which the operating system releases when the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::StoreError;

/// The lock of a writer, released on drop.
#[derive(Debug)]
pub(super) struct WriterLock {
    _file: File,
}

const NAME: &str = "writer.lock";

impl WriterLock {
    /// Acquires the lock, or fails immediately with the id of the process that holds it.
    pub(super) fn acquire(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(NAME);
        let failed = |action| {
            let path = path.clone();
            move |source| StoreError::Io { path, action, source }
        };
        // Not truncated: until this process has the lock, the file contains the id of the process that holds it.
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(failed("cannot open the lock file"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { folder: folder.into(), pid: read_pid(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed("cannot lock")(source)),
        }
        // The process id is only for the error messages of other processes. Failing to write it is not an error: with a
        // full disk, it must still be possible to open the library and delete records.
        let _written =
            file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        Ok(Self { _file: file })
    }
}

/// `None` if the system does not allow reading a locked file, or no id is written yet.
fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
