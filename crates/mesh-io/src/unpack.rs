//! Archives, unpacked into a temporary folder.

use std::path::{Path, PathBuf};

use crate::archive::{Archive, FOLDER, inside};
use crate::builder::pluralize;
use crate::{ReadError, walk};

/// An archive whose files are in a temporary folder, which is removed with this value.
pub(super) struct Unpacked {
    /// The 3D file: the largest one, where there are several.
    pub file: PathBuf,
    /// What is not read.
    pub note: Option<String>,
    _folder: tempfile::TempDir,
}

impl Unpacked {
    /// Unpacks an archive.
    ///
    /// # Errors
    ///
    /// If it is damaged, unpacks to too many bytes, or has no 3D file.
    pub fn open(archive: Archive, path: &Path, bytes: &[u8]) -> Result<Self, ReadError> {
        let invalid =
            |message: String| ReadError::Invalid { path: path.to_owned(), format: "archive", message };
        let folder = tempfile::tempdir()?;
        archive
            .for_each(path, bytes, |name, content| {
                let Some(relative) = inside(name) else { return Ok(()) };
                let target = folder.path().join(relative);
                // A name may be a folder in one entry and a file in another.
                let parent = target.parent().unwrap_or(folder.path());
                if fs_err::create_dir_all(parent).is_ok() && !target.is_dir() {
                    fs_err::write(&target, content)?;
                }
                Ok(())
            })
            .map_err(invalid)?;
        let found = walk::walk(&[folder.path().to_owned()]);
        let size = |file: &PathBuf| file.metadata().map_or(0, |metadata| metadata.len());
        // Archives inside archives are not unpacked.
        let mut assets: Vec<PathBuf> =
            found.assets.into_iter().filter(|file| Archive::from_path(file).is_none()).collect();
        assets.sort_by_key(|file| std::cmp::Reverse(size(file)));
        let count = assets.len();
        let file = assets
            .into_iter()
            .next()
            .ok_or_else(|| invalid("it has no 3D file that can be read".to_owned()))?;
        let note = (count > 1).then(|| {
            let name = file.strip_prefix(folder.path().join(FOLDER)).unwrap_or(&file).display();
            format!("only {name} is read, not {} in the archive", pluralize(count - 1, "other 3D file"))
        });
        Ok(Self { file, note, _folder: folder })
    }
}
