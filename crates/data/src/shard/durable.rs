//! Atomic, durable writes, and hashes of files.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::DataError;

/// Length of a short hash in bytes.
const SHORT_HASH_BYTES: usize = 8;

/// The name of a file while it is written.
pub(crate) fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// Writes a whole file under a temporary name, then renames it durably.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    Ok(lexiform_formats::write_file(path, bytes)?)
}

/// Renames a file that is already durable, and makes the name durable.
pub(crate) fn rename_durably(from: &Path, to: &Path) -> Result<(), DataError> {
    Ok(lexiform_formats::rename_durably(from, to)?)
}

/// SHA-256 of a file's first `bytes` bytes, fewer if it ends before.
pub(crate) fn hash_file(path: &Path, bytes: u64) -> Result<Sha256, DataError> {
    let mut file = fs::File::open(path)?.take(bytes);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher),
            n => hasher.update(&buffer[..n]),
        }
    }
}

/// SHA-256 of a file, in the format of `sha256sum`.
pub(crate) fn sha256_file(path: &Path) -> Result<String, DataError> {
    Ok(hex_digest(hash_file(path, u64::MAX)?))
}

/// The first bytes of a hash, enough to distinguish settings.
pub(crate) fn short_hash(hasher: Sha256) -> String {
    hasher.finalize().iter().take(SHORT_HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// A hash as lower-case hexadecimal text.
pub(crate) fn hex_digest(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
