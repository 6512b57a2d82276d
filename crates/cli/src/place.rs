//! What is searched or served: a library, or those of its files that are in a folder.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use lexiform_data::Dataset;
use lexiform_search::{Failure, Filter, Library, LibraryPath, Payload};

use crate::display_path::PathDisplay;
use crate::error::WithHint as _;
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
        match (self.within.clone(), filter.cloned()) {
            (Some(within), Some(filter)) => Some(Filter::And(vec![within, filter])),
            (within, filter) => within.or(filter),
        }
    }

    /// Number of records that are searched.
    pub(crate) fn len(&self, library: &Library) -> anyhow::Result<usize> {
        Ok(self.within.as_ref().map_or_else(|| library.len(), |within| library.count(within))?)
    }

    /// Number of files that could not be indexed.
    pub(crate) fn failures(&self, library: &Library) -> anyhow::Result<usize> {
        let is_within = |failure: &Failure| {
            let payload = Payload { path: failure.path.clone(), ..Payload::default() };
            self.within.as_ref().is_none_or(|within| within.matches(&payload))
        };
        Ok(library.failures()?.iter().filter(|failure| is_within(failure)).count())
    }
}

fn existing_folder(typed: &Path) -> anyhow::Result<PathBuf> {
    let found = fs_err::canonicalize(typed).map_err(|_| not_found(typed));
    let target = found.hint("the folder comes before the text: lexiform search FOLDER TEXT")?;
    if target.is_dir() {
        return Ok(target);
    }
    let file = typed.display();
    Err(anyhow!("{file}: expected a folder or a library, found a file"))
        .hint(format!("to find shapes like this one: lexiform search FOLDER --shape {file}"))
}
