//! Where labeled shapes come from: a CSV file, a folder of folders, or a data set; and features that replace them.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use lexiform_data::listing::{Column, Line, Listing};
use lexiform_mesh_io::Format;
use lexiform_metrics::Features;
use lexiform_search::walk;

use crate::entry::Entry;
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::feature_file::{self, FeatureFile};
use crate::{data_set, split};

/// Labeled shapes.
#[derive(Clone, Debug)]
pub struct ShapeSource {
    /// Where the shapes and their labels are.
    pub labels: LabelSource,
    /// Only shapes of this split: `train`, `val` or `test`.
    pub split: Option<String>,
}

/// Where labels are.
#[derive(Clone, Debug)]
pub enum LabelSource {
    /// A CSV file with the columns `file` (or `path`) and `label`.
    Listing {
        /// The CSV file.
        file: PathBuf,
        /// Folder the files are relative to; the folder of the CSV file if `None`.
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

/// Labeled shapes, or features that replace them.
#[derive(Clone, Debug)]
pub struct DataConfig {
    /// The shapes.
    pub shapes: ShapeSource,
    /// Precomputed features of the shapes, as `FILE` or `FILE#TENSOR`.
    pub features: Option<String>,
}

/// Entries with one row of features each.
pub(crate) struct LabeledRows {
    /// The shape of each row.
    pub entries: Vec<Entry>,
    /// The rows.
    pub features: Features,
    /// The model that made them, if the file names it.
    pub model: Option<String>,
}

impl ShapeSource {
    /// All shapes with their labels.
    pub(crate) fn entries(&self, events: &mut OnEvent<'_>) -> Result<Vec<Entry>, EvalError> {
        self.all(None, events)
    }

    /// The rows of a file of features with their entries.
    pub(crate) fn rows(&self, file: &str, events: &mut OnEvent<'_>) -> Result<LabeledRows, EvalError> {
        let entries = self.all(Some(file), events)?;
        let FeatureFile { features, row_names: names, model } = feature_file::read(file)?;
        let Some(names) = names else {
            let (expected, found) = (entries.len(), features.rows());
            if found != expected {
                let text = format!(
                    "{file}: expected a row for each of the {expected} lines of labels, found {found}"
                );
                return Err(EvalError::input(text));
            }
            return Ok(LabeledRows { entries, features, model });
        };
        let index_by_name = index_by_name(&entries);
        let find = |name: &String| {
            let place = index_by_name.get(&normalize_path(Path::new(name)));
            let missing = || {
                EvalError::hinted(
                    format!("{file}: row {name:?} is not among the labeled files"),
                    "names are compared as the CSV file has them, and with --assets before",
                )
            };
            place.ok_or_else(missing).map(|place| entries[*place].clone())
        };
        let entries = names.iter().map(find).collect::<Result<Vec<Entry>, _>>()?;
        Ok(LabeledRows { entries, features, model })
    }

    /// Whether labels are names of folders, or of a benchmark's lists, which have underscores for spaces.
    pub(crate) fn has_underscores(&self) -> bool {
        !matches!(self.labels, LabelSource::Listing { .. })
    }

    /// Entries of the split; those of a file of features need not be shapes.
    fn all(&self, features: Option<&str>, events: &mut OnEvent<'_>) -> Result<Vec<Entry>, EvalError> {
        let (path, entries) = match &self.labels {
            LabelSource::DataSet { path } => (path, data_set::labeled(path, events)?),
            LabelSource::Folders { root } => (root, in_folders(root, features)?),
            LabelSource::Listing { file, assets } => {
                (file, in_listing(file, assets.as_deref(), features.is_some(), events)?)
            }
        };
        if entries.is_empty() {
            return Err(EvalError::input(format!("{}: nothing has a label", path.display())));
        }
        split::filter(self.split.as_deref(), entries, |entry| entry, path)
    }
}

fn in_folders(root: &Path, features: Option<&str>) -> Result<Vec<Entry>, EvalError> {
    if let Some(file) = features {
        let unnamed = || {
            EvalError::hinted(
                format!("{file}: its rows have no names"),
                "--labels folders needs .safetensors as `lexiform embed` writes it",
            )
        };
        let rows = feature_file::read(file)?.row_names.ok_or_else(unnamed)?;
        return rows.iter().map(|row| in_folder(root, Path::new(row))).collect();
    }
    if !root.is_dir() {
        return Err(EvalError::input(format!("{}: no such folder", root.display())));
    }
    let found = walk(&[root.to_owned()]);
    let below = found.assets.iter().filter(|file| folder_below(root, file).is_some());
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
    // Counted from the end, since `file` may start with `./`.
    let folder = file.ancestors().nth(depth.checked_sub(1)?)?;
    if depth > 1 { folder.file_name()?.to_str() } else { None }
}

fn in_listing(
    path: &Path,
    assets: Option<&Path>,
    any_file: bool,
    events: &mut OnEvent<'_>,
) -> Result<Vec<Entry>, EvalError> {
    let listing = Listing::read(path)?;
    listing.expect(&[Column::Shape])?;
    listing.expect(&[Column::Label])?;
    let folder = assets.unwrap_or_else(|| listing.folder());
    let entries: Vec<Entry> = listing.lines.iter().map(|line| Entry::of_line(line, folder)).collect();
    if any_file {
        return Ok(entries);
    }
    check_labels(path, &listing.lines)?;
    // A picture among shapes is meant for another measurement; anything else may be a slip.
    let (shapes, others): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|e| is_shape(&e.file));
    if let Some(other) = others.iter().find(|e| image::ImageFormat::from_path(&e.file).is_err()) {
        let example = other.name.clone();
        events(EvalEvent::RowsSkipped { listing: path.to_owned(), rows: others.len(), example });
    }
    Ok(shapes)
}

/// Every line has a label, and every shape only one.
fn check_labels(path: &Path, lines: &[Line]) -> Result<(), EvalError> {
    let mut labels: HashMap<&str, &str> = HashMap::new();
    for Line { number, shape, label, .. } in lines {
        let place = || format!("{}: line {number}: {shape}", path.display());
        let Some(label) = label else {
            let text = format!("{} has no label", place());
            return Err(EvalError::hinted(text, "take the line out, or give it one"));
        };
        let known = *labels.entry(shape).or_insert(label);
        if known != label {
            let text = format!("{} is labelled {known:?} and {label:?}", place());
            return Err(EvalError::hinted(text, "a file counts once, under one label"));
        }
    }
    Ok(())
}

/// Whether a path can be a shape: a 3D file, or a folder of its views.
pub(crate) fn is_shape(path: &Path) -> bool {
    Format::from_path(path).is_some() || path.is_dir()
}

/// Indices of entries by both of their names.
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
    fn a_label_is_the_folder_below_the_root() {
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
