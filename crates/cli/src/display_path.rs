//! Paths as the user typed them.

use std::path::{Path, PathBuf};

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
}
