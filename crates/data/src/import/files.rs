//! Paths of the files of a source.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::DataError;

/// The entries of a folder, sorted.
pub(super) fn list_dir(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut found =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    found.sort();
    Ok(found)
}

/// The file name of a path.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The first of these paths that exists.
pub(super) fn first_existing(paths: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    paths.into_iter().find(|path| path.exists())
}
