//! Paths as people typed them.

use std::path::{Path, PathBuf};

/// A folder as it was typed and as the library knows it.
#[derive(Clone, Debug)]
pub struct Shown {
    typed: PathBuf,
    absolute: PathBuf,
}

impl Shown {
    /// For files below `typed`, which `absolute` is the canonical form of.
    pub fn new(typed: &Path, absolute: &Path) -> Self {
        Self { typed: typed.to_owned(), absolute: absolute.to_owned() }
    }

    /// For files that were not found below a typed folder.
    pub fn in_full() -> Self {
        Self { typed: PathBuf::new(), absolute: PathBuf::new() }
    }

    /// The file the way a user would write it after having written the folder.
    pub fn path(&self, file: &Path) -> String {
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
        let shown = Shown::new(Path::new("models"), Path::new("/home/me/models"));
        assert_eq!(shown.path(Path::new("/home/me/models/a/b.glb")), "models/a/b.glb");
        assert_eq!(shown.path(Path::new("/elsewhere/c.glb")), "/elsewhere/c.glb");
        let here = Shown::new(Path::new("."), Path::new("/home/me"));
        assert_eq!(here.path(Path::new("/home/me/a.glb")), "a.glb");
    }
}
