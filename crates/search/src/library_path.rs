//! The path of a library, and the names of files in it.

use std::path::{Component, Path, PathBuf};

use lexiform_store::SqliteStore;

/// Name of a library's folder inside its folder of assets.
pub const HIDDEN_FOLDER: &str = ".lexiform";

/// A library's folder, and the root of its relative paths.
///
/// ```
/// use std::path::Path;
///
/// use lexiform_search::LibraryPath;
///
/// let library_path = LibraryPath::for_assets(Path::new("/models"));
/// assert_eq!(library_path.folder, Path::new("/models/.lexiform"));
/// assert_eq!(library_path.key(Path::new("/models/chairs/red.glb")).as_deref(), Some("chairs/red.glb"));
/// assert_eq!(library_path.resolve("chairs/red.glb"), Path::new("/models/chairs/red.glb"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryPath {
    /// Folder of the database.
    pub folder: PathBuf,
    /// The folder of assets that contains it; `None` for a separate library, whose paths are absolute.
    pub root: Option<PathBuf>,
}

impl LibraryPath {
    /// The library of a folder of assets, whether or not it exists.
    pub fn for_assets(root: &Path) -> Self {
        Self { folder: root.join(HIDDEN_FOLDER), root: Some(root.to_owned()) }
    }

    /// The library in `folder`. A folder named `.lexiform` is the library of its parent folder.
    pub fn at(folder: &Path) -> Self {
        let is_hidden = folder.file_name().is_some_and(|name| name == HIDDEN_FOLDER);
        let root = folder.parent().filter(|_| is_hidden).map(Path::to_owned);
        Self { folder: folder.to_owned(), root }
    }

    /// The library for a user's argument: `target` itself if it is a library, otherwise the library of the assets in
    /// `target`.
    pub fn discover(target: &Path) -> Self {
        if SqliteStore::exists(target) || target.ends_with(HIDDEN_FOLDER) {
            Self::at(target)
        } else {
            Self::for_assets(target)
        }
    }

    /// The library that the files of a folder are in: the folder's own, else the nearest one of a folder around it, else a new one in the
    /// folder. Hidden folders have no part in libraries around them.
    pub fn for_files_in(folder: &Path) -> Self {
        let is_hidden =
            |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let own = Self::for_assets(folder);
        if own.exists() {
            return own;
        }
        let visible = folder.ancestors().take_while(|part| !is_hidden(part));
        visible.filter_map(Path::parent).map(Self::for_assets).find(Self::exists).unwrap_or(own)
    }

    /// Whether the library exists.
    pub fn exists(&self) -> bool {
        SqliteStore::exists(&self.folder)
    }

    /// The name of a file in the library, with `/` between folders: relative if the file is below the root, absolute
    /// otherwise. `None` if the path is not valid Unicode.
    pub fn key(&self, path: &Path) -> Option<String> {
        let relative = self.root.as_ref().and_then(|root| path.strip_prefix(root).ok());
        let Some(relative) = relative.filter(|p| !p.as_os_str().is_empty()) else {
            return path.to_str().map(|p| p.replace(std::path::MAIN_SEPARATOR, "/"));
        };
        // `..` and the like would make two names for one file.
        let parts = relative.components().map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
        parts.collect::<Option<Vec<_>>>().map(|parts| parts.join("/"))
    }

    /// The path of the file with a name in the library.
    pub fn resolve(&self, key: &str) -> PathBuf {
        match &self.root {
            Some(root) => root.join(key),
            None => PathBuf::from(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use lexiform_store::EmbeddingSpace;

    use super::*;

    #[test]
    fn files_below_the_root_have_relative_names() {
        let library_path = LibraryPath::for_assets(Path::new("/models"));
        assert_eq!(library_path.key(Path::new("/models/a/b.glb")).as_deref(), Some("a/b.glb"));
        assert_eq!(library_path.resolve("a/b.glb"), Path::new("/models/a/b.glb"));
        assert_eq!(library_path.key(Path::new("/other/c.stl")).as_deref(), Some("/other/c.stl"));
        assert_eq!(library_path.resolve("/other/c.stl"), Path::new("/other/c.stl"));
    }

    #[test]
    fn a_hidden_library_belongs_to_the_folder_around_it() {
        assert_eq!(
            LibraryPath::at(Path::new("/models/.lexiform")),
            LibraryPath::for_assets(Path::new("/models"))
        );
        assert_eq!(LibraryPath::at(Path::new("/library")).root, None);
    }

    #[test]
    fn files_belong_to_the_nearest_library() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let of = |name: &str| LibraryPath::for_files_in(&at(name)).root.unwrap();
        assert_eq!(of("models/kinds/old"), at("models/kinds/old"), "a new one");
        for root in ["models", "models/kinds"] {
            let space = EmbeddingSpace { model: "m".into(), dim: 1, preprocessing: String::new() };
            SqliteStore::open_or_create(&at(root).join(HIDDEN_FOLDER), &space).unwrap();
        }
        assert_eq!(of("models"), at("models"));
        assert_eq!(of("models/kinds/old"), at("models/kinds"));
        assert_eq!(of("models/others"), at("models"));
        assert_eq!(of("models/.trash/old"), at("models/.trash/old"));
    }
}
