//! What is searched or served: a library, or those of its files that are in a folder.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use lexiform_data::Dataset;
use lexiform_search::{Filter, Library, LibraryPath};

use crate::display_path::PathDisplay;
use crate::scene_file::not_found;

/// What is searched.
pub(crate) struct Place {
    /// The library.
    pub library: LibraryPath,
    /// The folder whose files are searched, or the folder of a library that has none.
    pub folder: PathBuf,
    /// Selects the files in `folder` if the library has others too.
    pub within: Option<Filter>,
    /// How paths are shown.
    pub paths: PathDisplay,
}

impl Place {
    /// The folder or library that the user named. A folder without a library of its own is a part of the one around it.
    pub(crate) fn of(typed: &Path) -> anyhow::Result<Self> {
        let target = existing_folder(typed)?;
        let found = LibraryPath::discover(&target);
        // Records of a data set have no paths below it.
        let is_assets = found.root.as_ref() == Some(&target) && !Dataset::exists(&target);
        let library = if is_assets { LibraryPath::for_files_in(&target) } else { found };
        let is_part = is_assets && library.root.as_ref() != Some(&target);
        let within = library.key(&target).filter(|_| is_part).map(Filter::InFolder);
        let paths = PathDisplay::of_library(typed, &target, &library);
        let folder = if is_part { target } else { library.root.clone().unwrap_or(target) };
        Ok(Self { library, folder, within, paths })
    }

    /// A filter for the files that are searched.
    pub(crate) fn filter(&self, filter: Option<&Filter>) -> Option<Filter> {
        Filter::both(self.within.clone(), filter.cloned())
    }

    /// Whether the library is opened without updating it.
    pub(crate) fn is_fixed(&self, no_update: bool) -> bool {
        // A library outside its folder does not record which folders it was made of.
        self.library.root.is_none() || no_update && self.library.exists()
    }

    /// Number of records that are searched.
    pub(crate) fn len(&self, library: &Library) -> anyhow::Result<usize> {
        Ok(self.within.as_ref().map_or_else(|| library.len(), |within| library.count(within))?)
    }

    /// Number of files that could not be indexed.
    pub(crate) fn failures(&self, library: &Library) -> anyhow::Result<usize> {
        Ok(library.failures_within(self.within.as_ref())?.len())
    }
}

fn existing_folder(typed: &Path) -> anyhow::Result<PathBuf> {
    let target = fs_err::canonicalize(typed).map_err(|_| not_found(typed))?;
    match target.is_dir() {
        true => Ok(target),
        false => Err(anyhow!("{}: expected a folder or a library, found a file", typed.display())),
    }
}
