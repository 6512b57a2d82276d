//! Where a library lies and how it names the files it knows.

use std::path::{Component, Path, PathBuf};

use lexiform_store::SqliteStore;

/// The folder a library keeps inside the folder whose files it knows.
pub const HIDDEN_FOLDER: &str = ".lexiform";

/// A library's folder, and the root its paths are relative to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the database lies.
    pub folder: PathBuf,
    /// The folder of assets around it; `None` for a library apart, whose paths are absolute.
    pub root: Option<PathBuf>,
}

impl Place {
    /// The library that belongs to a folder of assets, made or not.
    pub fn beside(root: &Path) -> Self {
        Self { folder: root.join(HIDDEN_FOLDER), root: Some(root.to_owned()) }
    }

    /// The library in `folder`. One called `.lexiform` belongs to the folder around it.
    pub fn at(folder: &Path) -> Self {
        let is_hidden = folder.file_name().is_some_and(|name| name == HIDDEN_FOLDER);
        let root = folder.parent().filter(|_| is_hidden).map(Path::to_owned);
        Self { folder: folder.to_owned(), root }
    }

    /// What a user means by `target`: the library there, or else the one beside the assets there.
    pub fn meant_by(target: &Path) -> Self {
        if SqliteStore::exists(target) || target.ends_with(HIDDEN_FOLDER) {
            Self::at(target)
        } else {
            Self::beside(target)
        }
    }

    /// Whether a library is there.
    pub fn exists(&self) -> bool {
        SqliteStore::exists(&self.folder)
    }

    /// The name of a file inside the library: relative to the root where it lies below it, absolute otherwise,
    /// with `/` between folders. `None` if the path is not valid Unicode.
    pub fn key(&self, path: &Path) -> Option<String> {
        let relative = self.root.as_ref().and_then(|root| path.strip_prefix(root).ok());
        let Some(relative) = relative.filter(|p| !p.as_os_str().is_empty()) else {
            return path.to_str().map(|p| p.replace(std::path::MAIN_SEPARATOR, "/"));
        };
        let parts = relative.components().map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
        parts.collect::<Option<Vec<_>>>().map(|parts| parts.join("/"))
    }

    /// The file a name inside the library stands for.
    pub fn path(&self, key: &str) -> PathBuf {
        match &self.root {
            Some(root) => root.join(key),
            None => PathBuf::from(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_the_root_have_relative_names() {
        let place = Place::beside(Path::new("/models"));
        assert_eq!(place.key(Path::new("/models/a/b.glb")).as_deref(), Some("a/b.glb"));
        assert_eq!(place.path("a/b.glb"), Path::new("/models/a/b.glb"));
        assert_eq!(place.key(Path::new("/other/c.stl")).as_deref(), Some("/other/c.stl"));
        assert_eq!(place.path("/other/c.stl"), Path::new("/other/c.stl"));
    }

    #[test]
    fn a_hidden_library_belongs_to_the_folder_around_it() {
        assert_eq!(Place::at(Path::new("/models/.lexiform")), Place::beside(Path::new("/models")));
        assert_eq!(Place::at(Path::new("/library")).root, None);
    }
}
