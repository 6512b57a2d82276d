//! Paths as the user typed them.

use std::path::{Path, PathBuf};

use lexiform_search::{HIDDEN_FOLDER, LibraryPath};

/// A folder as the user typed it, and its canonical path.
#[derive(Clone, Debug)]
pub(crate) struct PathDisplay {
    typed: PathBuf,
    absolute: PathBuf,
}

impl PathDisplay {
    /// For files below `typed`, whose canonical path is `absolute`.
    pub(crate) fn new(typed: &Path, absolute: &Path) -> Self {
        Self { typed: typed.to_owned(), absolute: absolute.to_owned() }
    }

    /// For the files of a library that the user named by `typed`, whose canonical path is `absolute`: the folder of the files, or the
    /// library itself.
    pub(crate) fn of_library(typed: &Path, absolute: &Path, library: &LibraryPath) -> Self {
        match &library.root {
            // The files are next to `models/.lexiform`.
            Some(root) if absolute == library.folder => match typed.parent() {
                Some(parent) if typed.ends_with(HIDDEN_FOLDER) => Self::new(parent, root),
                _ => Self::absolute(),
            },
            _ => Self::new(typed, absolute),
        }
    }

    /// For absolute paths.
    pub(crate) fn absolute() -> Self {
        Self { typed: PathBuf::new(), absolute: PathBuf::new() }
    }

    /// The file's path, starting with the folder as it was typed.
    pub(crate) fn path(&self, file: &Path) -> String {
        let path = match file.strip_prefix(&self.absolute) {
            Ok(rest) => self.typed.join(rest),
            Err(_) => file.to_owned(),
        };
        path.strip_prefix("./").unwrap_or(&path).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_the_folder_start_as_the_folder_was_typed() {
        let paths = PathDisplay::new(Path::new("models"), Path::new("/home/me/models"));
        assert_eq!(paths.path(Path::new("/home/me/models/a/b.glb")), "models/a/b.glb");
        assert_eq!(paths.path(Path::new("/elsewhere/c.glb")), "/elsewhere/c.glb");
        let here = PathDisplay::new(Path::new("."), Path::new("/home/me"));
        assert_eq!(here.path(Path::new("/home/me/a.glb")), "a.glb");
    }

    #[test]
    fn files_are_next_to_their_library() {
        let library = LibraryPath::for_assets(Path::new("/home/me/models"));
        let shown = |typed: &str, absolute: &str| {
            let paths = PathDisplay::of_library(Path::new(typed), Path::new(absolute), &library);
            paths.path(Path::new("/home/me/models/a/b.glb"))
        };
        assert_eq!(shown("models", "/home/me/models"), "models/a/b.glb");
        assert_eq!(shown("models/.lexiform", "/home/me/models/.lexiform"), "models/a/b.glb");
        assert_eq!(shown(".lexiform", "/home/me/models/.lexiform"), "a/b.glb");
        assert_eq!(shown(".", "/home/me/models/.lexiform"), "/home/me/models/a/b.glb");
        assert_eq!(shown("models/a", "/home/me/models/a"), "models/a/b.glb");
    }
}
