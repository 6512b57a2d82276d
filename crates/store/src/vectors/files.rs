//! Names and errors of the files of vectors.

use std::io;
use std::path::{Path, PathBuf};

use crate::StoreError;

const PREFIX: &str = "vectors-";
/// Extensions of the files of full and of coded vectors.
const EXTENSIONS: [&str; 2] = ["f32", "i8"];

/// The paths of a space's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VectorFiles {
    /// Vectors as `f32`.
    pub(crate) full: PathBuf,
    /// Vectors in one byte per number.
    pub(crate) coded: PathBuf,
}

impl VectorFiles {
    /// The files of a space at an epoch, whether or not they exist.
    pub(crate) fn new(folder: &Path, space_id: i64, epoch: i64) -> Self {
        let path = |extension| folder.join(format!("{PREFIX}{space_id}-{epoch}.{extension}"));
        let [full, coded] = EXTENSIONS.map(path);
        Self { full, coded }
    }

    /// Deletes both files. Failing to is no error: the next writer tries again.
    pub(crate) fn remove(&self) {
        for path in [&self.full, &self.coded] {
            let _ = fs_err::remove_file(path);
        }
    }
}

/// Deletes files of vectors that are not among `known`: what a killed process left.
pub(crate) fn remove_unknown(folder: &Path, known: &[VectorFiles]) {
    let Ok(entries) = fs_err::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if is_name_of_ours(name) && !known.iter().any(|files| files.full == path || files.coded == path) {
            // As above.
            let _ = fs_err::remove_file(&path);
        }
    }
}

/// Whether a file is called as [`VectorFiles::new`] calls files: the folder may have others, of a user.
fn is_name_of_ours(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = || {
        let (stem, extension) = name.strip_prefix(PREFIX)?.split_once('.')?;
        let (space, epoch) = stem.split_once('-')?;
        Some(is_number(space) && is_number(epoch) && EXTENSIONS.contains(&extension))
    };
    parts().unwrap_or(false)
}

/// The store's error for an error of the operating system.
pub(super) fn io_error(path: &Path, action: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::DiskFull { path: path.into() }
        }
        _ => StoreError::Io { path: path.into(), action, source },
    }
}

/// Makes the names in a folder survive a power failure, where the system offers that.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs_err::File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
