//! Sources of labeled shapes: a CSV file, a folder of folders, or a data set; and precomputed features of them.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use lexiform_data::shape_csv::{CsvColumn, CsvRow, ShapeCsv};
use lexiform_mesh_io::Format;
use lexiform_metrics::Features;
use lexiform_search::walk;

use crate::entry::Entry;
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::feature_arrays::FeatureFile;
use crate::feature_file;
use crate::orientation::ShapeOrientation;
use crate::stored_shape::ShapeStore;
use crate::{data_set, split};

/// Labeled shapes.
#[derive(Clone, Debug)]
pub struct ShapeSource {
    /// The shapes and their labels.
    pub labels: LabelSource,
    /// Only shapes of this split: `train`, `val` or `test`.
    pub split: Option<String>,
    /// How files and stored points are turned upright.
    pub orientation: ShapeOrientation,
}

/// Where shapes and labels are.
#[derive(Clone, Debug)]
pub enum LabelSource {
    /// A CSV file with the columns `file` (or `path`) and `label`.
    Listing {
        /// The CSV file.
        file: PathBuf,
        /// Folder the files are relative to, data set that has the shapes, or Duoduo CLIP's images (`.h5`); the folder of the
        /// CSV file if `None`.
        assets: Option<PathBuf>,
    },
    /// A folder of folders: each file's label is the folder directly below the root that contains it.
    Folders {
        /// The root.
        root: PathBuf,
    },
    /// A data set with its views, points and labels.
    DataSet {
        /// Its folder.
        path: PathBuf,
    },
}

/// Labeled shapes, optionally with precomputed features.
#[derive(Clone, Debug)]
pub struct DataConfig {
    /// The shapes.
    pub shapes: ShapeSource,
    /// Precomputed features of the shapes, as `FILE` or `FILE#TENSOR`.
    pub features: Option<String>,
}

/// Entries with their features.
pub(crate) struct LabeledRows {
    /// The shape of each row.
    pub entries: Vec<Entry>,
    /// The rows.
    pub features: Features,
    /// The model that computed them, if the file names it.
    pub model: Option<String>,
}

impl ShapeSource {
    /// All shapes of the split with their labels.
    pub(crate) fn entries(&self, events: &mut OnEvent<'_>) -> Result<Vec<Entry>, EvalError> {
        self.all(None, events)
    }

    /// Precomputed features with their entries.
    pub(crate) fn rows(&self, file: &str, events: &mut OnEvent<'_>) -> Result<LabeledRows, EvalError> {
        let entries = self.all(Some(file), events)?;
        let FeatureFile { features, row_names: names, model } = feature_file::read(file)?;
        // .npy has no names: rows must be in the order of the lines.
        let Some(names) = names else {
            let (expected, found) = (entries.len(), features.rows());
            if found != expected {
                let text = format!("{file}: expected {expected} rows, one per labeled file, found {found}");
                return Err(EvalError::input(text));
            }
            return Ok(LabeledRows { entries, features, model });
        };
        let index_by_name = index_by_name(&entries);
        let find = |name: &String| {
            let place = index_by_name.get(&normalize_path(Path::new(name)));
            let missing = || {
                EvalError::hinted(
                    format!("{file}: row {name:?} is not a labeled file"),
                    "row names must be paths of the CSV file, with or without the folder --assets",
                )
            };
            place.ok_or_else(missing).map(|place| entries[*place].clone())
        };
        let entries = names.iter().map(find).collect::<Result<Vec<Entry>, _>>()?;
        Ok(LabeledRows { entries, features, model })
    }

    /// Whether the order of the shapes is that of a list.
    pub(crate) fn is_listed(&self) -> bool {
        matches!(self.labels, LabelSource::Listing { .. })
    }

    /// Whether labels are folder names or benchmark labels, with underscores for spaces.
    pub(crate) fn has_underscores(&self) -> bool {
        !matches!(self.labels, LabelSource::Listing { .. })
    }

    /// Entries of the split. With precomputed features, files need not exist nor be 3D files.
    fn all(&self, features: Option<&str>, events: &mut OnEvent<'_>) -> Result<Vec<Entry>, EvalError> {
        let (path, mut entries) = match &self.labels {
            LabelSource::DataSet { path } => (path, data_set::labeled(path, events)?),
            LabelSource::Folders { root } => (root, in_folders(root, features)?),
            LabelSource::Listing { file, assets } => {
                (file, in_listing(file, assets.as_deref(), features.is_some(), events)?)
            }
        };
        if entries.is_empty() {
            return Err(EvalError::input(format!("{}: expected labeled files, found none", path.display())));
        }
        for entry in &mut entries {
            entry.orientation = self.orientation;
        }
        split::filter(self.split.as_deref(), entries, |entry| entry, path)
    }
}

fn in_folders(root: &Path, features: Option<&str>) -> Result<Vec<Entry>, EvalError> {
    if let Some(file) = features {
        let unnamed = || {
            EvalError::hinted(
                format!("{file}: rows have no names"),
                "--labels folders needs named rows: a .safetensors file written by `lexiform embed`",
            )
        };
        let rows = feature_file::read(file)?.row_names.ok_or_else(unnamed)?;
        // Precomputed rows are named by their paths, which contain the label folder.
        return rows.iter().map(|row| in_folder(root, Path::new(row))).collect();
    }
    if !root.is_dir() {
        return Err(EvalError::input(format!("{}: no such folder", root.display())));
    }
    let found = walk(&[root.to_owned()]);
    let shapes = found.assets.iter().chain(&found.view_sets);
    let below = shapes.filter(|file| folder_below(root, file).is_some());
    below.map(|file| in_folder(root, file)).collect()
}

fn in_folder(root: &Path, file: &Path) -> Result<Entry, EvalError> {
    let outside = || {
        EvalError::input(format!("{}: expected a file in a folder below {}", file.display(), root.display()))
    };
    let label = folder_below(root, file).ok_or_else(outside)?.to_owned();
    Ok(Entry::of_file(file.display().to_string(), file.to_owned(), label))
}

/// The folder directly below `root` that contains a file.
fn folder_below<'a>(root: &Path, file: &'a Path) -> Option<&'a str> {
    let below = normalize_path(file);
    let depth = below.strip_prefix(normalize_path(root)).ok()?.components().count();
    // Count from the end, since `file` may start with `./`.
    let folder = file.ancestors().nth(depth.checked_sub(1)?)?;
    if depth > 1 { folder.file_name()?.to_str() } else { None }
}

fn in_listing(
    path: &Path,
    assets: Option<&Path>,
    any_file: bool,
    events: &mut OnEvent<'_>,
) -> Result<Vec<Entry>, EvalError> {
    let listing = ShapeCsv::read(path)?;
    listing.require_any(&[CsvColumn::Shape])?;
    listing.require_any(&[CsvColumn::Label])?;
    let folder = assets.unwrap_or_else(|| listing.folder());
    let mut entries: Vec<Entry> = listing.rows.iter().map(|line| Entry::of_line(line, folder)).collect();
    if any_file {
        return Ok(entries);
    }
    check_labels(path, &listing.rows)?;
    if ShapeStore::exists(folder) {
        let store = ShapeStore::open(folder)?;
        entries.iter_mut().for_each(|entry| entry.take_from(&store));
        return Ok(entries);
    }
    // Images among the lines are meant for photo retrieval; anything else may be a mistake and is reported.
    let (shapes, others): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|e| is_shape(&e.file));
    if let Some(other) = others.iter().find(|e| image::ImageFormat::from_path(&e.file).is_err()) {
        let example = other.name.clone();
        events(EvalEvent::RowsSkipped { listing: path.to_owned(), rows: others.len(), example });
    }
    Ok(shapes)
}

/// Fails unless every line has a label and every shape only one.
fn check_labels(path: &Path, lines: &[CsvRow]) -> Result<(), EvalError> {
    let mut labels: HashMap<&str, &str> = HashMap::new();
    for CsvRow { number, shape, label, .. } in lines {
        let place = || format!("{}: line {number}: {shape}", path.display());
        let Some(label) = label else {
            let text = format!("{} has no label", place());
            return Err(EvalError::hinted(text, "remove the line, or add a label"));
        };
        // The same line twice is harmless, two labels for one file are not.
        let known = *labels.entry(shape).or_insert(label);
        if known != label {
            let text = format!("{} has two labels, {known:?} and {label:?}", place());
            return Err(EvalError::hinted(text, "keep one of the lines"));
        }
    }
    Ok(())
}

/// Whether a path can be a shape: a 3D file, or a folder of its views.
pub(crate) fn is_shape(path: &Path) -> bool {
    Format::from_path(path).is_some() || path.is_dir()
}

/// Indices of entries by name and by path.
fn index_by_name(entries: &[Entry]) -> HashMap<PathBuf, usize> {
    let both = entries.iter().enumerate();
    both.flat_map(|(i, e)| [(normalize_path(Path::new(&e.name)), i), (normalize_path(&e.file), i)]).collect()
}

/// A path without `.` components.
fn normalize_path(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_the_top_level_folder() {
        let check = |root: &str, file: &str, expected: Option<&str>| {
            assert_eq!(folder_below(Path::new(root), Path::new(file)), expected, "{root} {file}");
        };
        check("assets", "assets/chair/a.glb", Some("chair"));
        check("assets/", "./assets/chair/deep/a.glb", Some("chair"));
        check(".", "./chair/a.glb", Some("chair"));
        check("assets", "assets/a.glb", None);
        check("assets", "elsewhere/chair/a.glb", None);
    }
}
