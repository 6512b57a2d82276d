//! ScanObjectNN ([paper](https://arxiv.org/abs/1908.04616), [data](https://hkust-vgd.github.io/scanobjectnn/)): `data` `[n, 2048, 3]`
//! and `label` `[n]` in files named `training_objectdataset…` and `test_objectdataset…`; OpenShape's `xyz_label.npy`. Folder and
//! file name determine the variant. One variant is imported at a time, because all hold the same objects, segmented and perturbed
//! differently.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{file_name, list_dir};
use super::members::{points, read_pickle};
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::{DataError, Member, Metadata};
use lexiform_formats::array::Array;
use lexiform_formats::hdf5::{Dataset, Datatype, File};
use lexiform_formats::pickle::PickleValue;

/// Names of the classes, by number.
pub(super) const CLASSES: [&str; 15] = [
    "bag", "bin", "box", "cabinet", "chair", "desk", "display", "door", "shelf", "table", "bed", "pillow",
    "sink", "sofa", "toilet",
];

/// Perturbed variants, by the end of the file name; a name without such an end is not perturbed.
const PERTURBATIONS: [(&str, &str); 4] = [
    ("augmented25_norot", "PB_T25"),
    ("augmented25rot", "PB_T25_R"),
    ("augmentedrot", "PB_T50_R"),
    ("augmentedrot_scale75", "PB_T50_RS"),
];

/// An open file.
struct Split {
    name: String,
    split: &'static str,
    clouds: Clouds,
    labels: Vec<i64>,
}

enum Clouds {
    /// Loaded from the file when a shape is needed.
    Hdf5(Box<Dataset>),
    InMemory(Arc<Array>),
}

/// Imports every object of a file, or of all files below a folder.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let mut files = Vec::new();
    find(from, from, &mut files)?;
    if files.is_empty() {
        return Err(DataError::invalid(from, "expected .h5 files with data and label, or xyz_label.npy"));
    }
    let variant = single_variant(from, &files)?;
    let (mut warnings, mut splits, mut ids, mut rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (name, path) in files {
        let split = read_split(&path, name, &mut warnings)?;
        for row in 0..split.labels.len() {
            ids.push(format!("{}-{row:05}", split.name));
            rows.push((splits.len(), row));
        }
        splits.push(split);
    }
    let name_of_variant = variant.clone();
    let read = move |i: usize| {
        let (split, row) = rows[i];
        let (member, mut metadata) = splits[split].shape(row)?;
        metadata.extra.insert("variant".to_owned(), name_of_variant.as_str().into());
        Ok((vec![member], metadata))
    };
    Ok(ImportSource::new("scanobjectnn", from, &ids, options, read)?
        .with_setting("variant", variant)
        .with_warnings(warnings))
}

impl Split {
    /// The points and the label of an object.
    fn shape(&self, row: usize) -> Result<(Member, Metadata), String> {
        let cloud = match &self.clouds {
            Clouds::Hdf5(data) => data.read_rows(row, 1).map_err(|error| error.to_string())?.row(0),
            Clouds::InMemory(array) => array.row(row),
        };
        let cloud = cloud.ok_or("has no points")?;
        let number = self.labels[row];
        let label = usize::try_from(number).ok().and_then(|n| CLASSES.get(n));
        let label =
            label.ok_or_else(|| format!("has class {number}, expected less than {}", CLASSES.len()))?;
        let labels = vec![(*label).to_owned()];
        let metadata = Metadata { labels, split: self.split.to_owned(), ..Metadata::default() };
        Ok((points(&cloud, None)?, metadata))
    }
}

/// The variant of all files.
///
/// # Errors
/// [`DataError::AmbiguousSource`] if there is more than one.
fn single_variant(from: &Path, files: &[(String, PathBuf)]) -> Result<String, DataError> {
    let found: BTreeSet<String> = files.iter().map(|(_, path)| variant(path)).collect();
    let mut all: Vec<String> = found.into_iter().collect();
    match all.len() {
        1 => Ok(all.remove(0)),
        _ => Err(DataError::AmbiguousSource {
            path: from.to_owned(),
            what: "variant of ScanObjectNN",
            found: all,
        }),
    }
}

/// The variant in a file; the end of its name if it is an unknown variant.
fn variant(path: &Path) -> String {
    let file = file_name(path);
    if file == "xyz_label.npy" {
        return "OBJ_ONLY of OpenShape".to_owned();
    }
    let folder = folder_of(path);
    let without_background = folder.ends_with("_nobg");
    // What remains of a name such as `training_objectdataset_augmentedrot_scale75.h5` is the variant.
    let stem = file.trim_end_matches(".h5");
    let stem =
        ["training_", "train_", "test_"].iter().find_map(|start| stem.strip_prefix(start)).unwrap_or(stem);
    let end = stem.trim_start_matches("objectdataset").trim_start_matches('_');
    let perturbation = PERTURBATIONS.iter().find(|(name, _)| *name == end).map(|(_, variant)| *variant);
    let variant = match (perturbation, without_background) {
        (None, true) if end.is_empty() => "OBJ_ONLY".to_owned(),
        (None, false) if end.is_empty() => "OBJ_BG".to_owned(),
        (named, true) => format!("{} without background", named.unwrap_or(end)),
        (named, false) => named.unwrap_or(end).to_owned(),
    };
    // Alternative train/test splits: split1 … split4.
    match folder.trim_end_matches("_nobg") {
        split if split.starts_with("split") => format!("{variant} in {split}"),
        _ => variant,
    }
}

/// The name of the folder of a file.
fn folder_of(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match folder.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => folder.canonicalize().map(|folder| file_name(&folder)).unwrap_or_default(),
    }
}

/// Adds the files of point clouds below a path, with a name for each that is unique below `root`.
fn find(root: &Path, path: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), DataError> {
    if path.is_dir() {
        return list_dir(path)?.iter().try_for_each(|inner| find(root, inner, files));
    }
    let file = file_name(path);
    if file.ends_with(".h5") || file == "xyz_label.npy" {
        let below = path
            .strip_prefix(root)
            .ok()
            .filter(|p| !p.as_os_str().is_empty())
            // A single file has no path relative to itself.
            .map_or(file, |p| p.display().to_string());
        let name = below.trim_end_matches(".h5").trim_end_matches(".npy").replace(['/', '\\', '.'], "-");
        files.push((name, path.to_owned()));
    }
    Ok(())
}

/// Opens a file; warns of known pitfalls.
fn read_split(path: &Path, name: String, warnings: &mut Vec<String>) -> Result<Split, DataError> {
    let file_name = file_name(path);
    let split = if file_name.starts_with("train") { "train" } else { "test" };
    let (clouds, labels, shape) =
        if file_name == "xyz_label.npy" { from_pickle(path)? } else { from_hdf5(path, warnings)? };
    if shape.len() != 3 || shape[0] != labels.len() || shape[2] < 3 {
        let found = format!("found {shape:?} and [{}]", labels.len());
        return Err(DataError::invalid(path, format!("expected data [n, points, 3] and label [n], {found}")));
    }
    let odd: BTreeSet<i64> =
        labels.iter().copied().filter(|label| !(0..CLASSES.len() as i64).contains(label)).collect();
    if !odd.is_empty() {
        let (count, classes) = (odd.len(), CLASSES.len());
        warnings.push(format!("{file_name}: {count} class numbers are not below {classes}"));
    }
    Ok(Split { name, split, clouds, labels })
}

/// Point clouds, their labels, and the shape of the array of point clouds.
type Arrays = (Clouds, Vec<i64>, Vec<usize>);

fn from_pickle(path: &Path) -> Result<Arrays, DataError> {
    let invalid = |message: String| DataError::invalid(path, message);
    let pickle = read_pickle(path).map_err(invalid)?;
    let root = pickle.root();
    let array = |key: &str| {
        root.get(key)
            .and_then(PickleValue::array)
            .ok_or_else(|| invalid(format!("expected an array {key:?}")))
    };
    let (xyz, labels) = (array("xyz")?, array("label")?.to_i64_vec());
    let shape = xyz.shape.clone();
    Ok((Clouds::InMemory(Arc::new(xyz)), labels, shape))
}

fn from_hdf5(path: &Path, warnings: &mut Vec<String>) -> Result<Arrays, DataError> {
    let file = File::open(path)?;
    let (data, label) = (file.dataset("data")?, file.dataset("label")?.read()?);
    // Worth a warning, because readers that ignore the byte order return noise without an error.
    if matches!(data.datatype(), Datatype::Plain(dtype) if dtype.big_endian) {
        warnings.push(format!("{}: values are big-endian and were byte-swapped", file_name(path)));
    }
    let shape = data.shape().to_vec();
    Ok((Clouds::Hdf5(Box::new(data)), label.to_i64_vec(), shape))
}
