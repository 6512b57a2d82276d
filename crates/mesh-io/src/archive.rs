//! Archives with a 3D file in them: `.zip`, `.zae`, `.tar`, `.tar.gz`, `.tgz`, and `.gz` around a single file.
//!
//! Files are unpacked into a temporary folder, so that textures and material libraries are found as usual. How much is unpacked is
//! bounded by the size of the archive: a few bytes may otherwise expand to anything.

use std::io::{Cursor, Read as _};
use std::path::{Component, Path, PathBuf};

use lexiform_formats::{PositionedFile, inflate, zip};

use crate::format::Table;
use crate::{Format, limits};

/// Most files of an archive.
const MAX_ENTRIES: usize = 10_000;

/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Archive {
    Zip,
    Tar,
    /// A compressed tar.
    TarGz,
    /// One compressed file.
    Gz,
}

impl Archive {
    /// The kind of archive by the file's name.
    pub fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let inner = name.strip_suffix(".gz");
        match name.rsplit_once('.')?.1 {
            "zip" | "zae" => Some(Self::Zip),
            "tar" => Some(Self::Tar),
            "tgz" => Some(Self::TarGz),
            "gz" if name.ends_with(".tar.gz") => Some(Self::TarGz),
            "gz" if inner.is_some_and(|inner| Format::from_path(Path::new(inner)).is_some()) => {
                Some(Self::Gz)
            }
            _ => None,
        }
    }

    /// Names and contents, one at a time, of files that are unpacked.
    pub fn for_each(
        self,
        path: &Path,
        bytes: &[u8],
        mut visit: impl FnMut(&str, &[u8]) -> std::io::Result<()>,
    ) -> Result<(), String> {
        let limit = limits::expanded_bytes(bytes.len());
        match self {
            Self::Zip => {
                let mut left = limit;
                for (name, entry) in zip::entries(&bytes)?.into_iter().take(MAX_ENTRIES) {
                    let content = entry.read(&bytes, left)?;
                    left -= content.len() as u64;
                    visit(&name, &content).map_err(|e| e.to_string())?;
                }
                Ok(())
            }
            Self::Tar => unpack_tar(bytes, limit, &mut visit),
            Self::TarGz => {
                let content = inflate::gunzip(bytes, usize::try_from(limit).unwrap_or(usize::MAX))?;
                unpack_tar(&content, limit, &mut visit)
            }
            Self::Gz => {
                let content = inflate::gunzip(bytes, usize::try_from(limit).unwrap_or(usize::MAX))?;
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                visit(&name, &content).map_err(|e| e.to_string())
            }
        }
    }
}

fn unpack_tar(
    bytes: &[u8],
    limit: u64,
    visit: &mut impl FnMut(&str, &[u8]) -> std::io::Result<()>,
) -> Result<(), String> {
    let mut left = limit;
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    let entries = archive.entries().map_err(|e| e.to_string())?;
    for entry in entries.take(MAX_ENTRIES) {
        let entry = entry.map_err(|e| e.to_string())?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().map_err(|e| e.to_string())?.to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.take(left + 1).read_to_end(&mut content).map_err(|e| e.to_string())?;
        left = left.checked_sub(content.len() as u64).ok_or("it unpacks to too many bytes")?;
        visit(&name, &content).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// The folder that a file is unpacked into, below the temporary one: readers look for referenced files up to one folder up, and
/// must not look outside.
pub(super) const FOLDER: &str = "archive";

/// Where a file is unpacked: a relative path without `..`; `None` for folders and for names that lead elsewhere.
pub(super) fn inside(name: &str) -> Option<PathBuf> {
    let name = name.replace('\\', "/");
    if name.ends_with('/') {
        return None;
    }
    let path = Path::new(&name);
    let is_safe = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    (is_safe && path.file_name().is_some()).then(|| Path::new(FOLDER).join(path))
}

/// Whether a file is an archive with a 3D file in it, as far as its directory says.
pub(super) fn holds_assets(path: &Path) -> bool {
    let has_asset = |name: &str| {
        let path = Path::new(name);
        // The content of tables, which decides, is compressed.
        inside(name).is_some() && Table::from_path(path).is_none() && Format::from_path(path).is_some()
    };
    match Archive::from_path(path) {
        Some(Archive::Zip) => {
            let Ok(file) = PositionedFile::open(path) else { return false };
            zip::entries(&file)
                .is_ok_and(|entries| entries.iter().take(MAX_ENTRIES).any(|(name, _)| has_asset(name)))
        }
        Some(Archive::Tar) => {
            let Ok(file) = std::fs::File::open(path) else { return false };
            let mut archive = tar::Archive::new(file);
            archive.entries_with_seek().is_ok_and(|entries| {
                let names = entries
                    .take(MAX_ENTRIES)
                    .filter_map(|entry| Some(entry.ok()?.path().ok()?.to_string_lossy().into_owned()));
                names.into_iter().any(|name| has_asset(&name))
            })
        }
        // The directory is compressed: reading says.
        Some(Archive::TarGz) => false,
        Some(Archive::Gz) => path.file_stem().and_then(|stem| stem.to_str()).is_some_and(has_asset),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_not_unpacked() {
        for name in ["../a.obj", "/etc/a.obj", "a/../../b.obj", "folder/", ""] {
            assert_eq!(inside(name), None, "{name:?}");
        }
        assert_eq!(inside("./a\\b.obj"), Some(PathBuf::from("archive/./a/b.obj")));
    }

    #[test]
    fn archives_are_known_by_their_names() {
        let kind = |name: &str| Archive::from_path(Path::new(name));
        assert_eq!(kind("a.ZIP"), Some(Archive::Zip));
        assert_eq!(kind("a.tar.gz"), Some(Archive::TarGz));
        assert_eq!(kind("chair.stl.gz"), Some(Archive::Gz));
        assert_eq!(kind("notes.md.gz"), None);
        assert_eq!(kind("a.glb"), None);
    }
}
