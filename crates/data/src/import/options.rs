//! Options of all importers.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use lexiform_formats::view_format::ViewFormat;
use lexiform_mesh_io::UpRule;
use sha2::{Digest as _, Sha256};

use super::files::file_name;
use super::id_lists::lines;
use crate::DataError;
use crate::annotations::AnnotationTable;
use crate::shard::short_hash;

/// Options of all importers.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Image format for views that are stored as raw pixels.
    pub view_format: ViewFormat,
    /// Fraction of shapes in the split `val`, if the source has no splits.
    pub val_fraction: f64,
    /// Additional labels, captions and splits by name.
    pub annotations: AnnotationTable,
    /// Import only these shapes.
    pub ids: Option<IdFilter>,
    /// Whether to import features, if the source has them.
    pub features: bool,
    /// Whether each shape also gets photographs of its class, where the source has them by class (CG3D).
    pub class_photos: bool,
    /// Whether each shape also gets captions of its class, where the source has them by class (CG3D).
    pub class_captions: bool,
    /// Width and height to which photographs are resized; 0 keeps their size.
    pub size: u32,
    /// The up axis of points, which are turned to +Y; views and features are unchanged.
    pub up: UpRule,
}

impl ImportOptions {
    /// Whether a shape is imported.
    pub(super) fn includes(&self, id: &str) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.wanted.contains(id))
    }
}

/// Ids of the shapes to import.
#[derive(Clone, Debug)]
pub struct IdFilter {
    list: PathBuf,
    wanted: HashSet<String>,
}

impl IdFilter {
    /// Reads a list with one id per line, such as Duoduo CLIP's `four_no_lvis_model_ids.txt`.
    ///
    /// # Errors
    /// If the list cannot be read or is empty.
    pub fn read(list: &Path) -> Result<Self, DataError> {
        let wanted: HashSet<String> = lines(list)?.into_iter().collect();
        if wanted.is_empty() {
            return Err(DataError::invalid(list, "expected one id per line, found none"));
        }
        Ok(Self { list: list.to_owned(), wanted })
    }

    /// A short hash of the list.
    pub(super) fn digest(&self) -> String {
        let mut ids: Vec<&String> = self.wanted.iter().collect();
        // Sorted, because the order of the list does not change what is imported.
        ids.sort();
        let mut hasher = Sha256::new();
        ids.into_iter().for_each(|id| hasher.update(format!("{id}\n")));
        short_hash(hasher)
    }

    /// Selects the shapes of a source.
    ///
    /// # Errors
    /// If the source has none of these ids.
    pub(super) fn select(&self, ids: &[String]) -> Result<Selection, DataError> {
        let chosen: Vec<usize> = (0..ids.len()).filter(|i| self.wanted.contains(&ids[*i])).collect();
        if chosen.is_empty() {
            let example = ids.first().map_or_else(String::new, |id| format!(", such as {id:?}"));
            let message = format!("lists none of the {} shapes{example}", ids.len());
            return Err(DataError::invalid(&self.list, message));
        }
        let found: HashSet<&String> = chosen.iter().map(|i| &ids[*i]).collect();
        let (missing, of) = (self.wanted.len() - found.len(), self.wanted.len());
        let list = file_name(&self.list);
        let warning = (missing > 0).then(|| format!("{list}: {missing} of {of} ids are not in the source"));
        Ok(Selection { chosen, warning })
    }
}

/// The shapes of a source that are imported.
pub(super) struct Selection {
    /// Their positions in the source.
    pub chosen: Vec<usize>,
    /// Set if some ids are not in the source.
    pub warning: Option<String>,
}
