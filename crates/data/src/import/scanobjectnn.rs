//! ScanObjectNN: `data` `[n, 2048, 3]` and `label` `[n]` in files named `training_objectdataset…` and `test_objectdataset…`;
//! OpenShape's `xyz_label.npy`. Folder and name say which of its variants a file holds, and one at a time is imported:
//! they are the same objects, cut out and disturbed differently.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_formats::array::Array;
use lexiform_formats::hdf5::{Dataset, File, Type};
use lexiform_formats::pickle::Item;

use super::carry::{entries, name_of, points, read_pickle};
use super::{ImportOptions, Opened};
use crate::{About, DataError};

/// Classes in the order of their numbers.
pub(super) const CLASSES: [&str; 15] = [
    "bag", "bin", "box", "cabinet", "chair", "desk", "display", "door", "shelf", "table", "bed", "pillow",
    "sink", "sofa", "toilet",
];

/// What is disturbed, by the end of a file's name: without it nothing is.
const DISTURBED: [(&str, &str); 4] = [
    ("augmented25_norot", "PB_T25"),
    ("augmented25rot", "PB_T25_R"),
    ("augmentedrot", "PB_T50_R"),
    ("augmentedrot_scale75", "PB_T50_RS"),
];

/// One file, opened.
struct Split {
    name: String,
    split: &'static str,
    clouds: Clouds,
    labels: Vec<i64>,
}

enum Clouds {
    Hdf5(Box<Dataset>),
    Read(Arc<Array>),
}

/// Every object of a file, or of all files below a folder.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<Opened, DataError> {
    let mut files = Vec::new();
    find(from, from, &mut files)?;
    if files.is_empty() {
        return Err(DataError::invalid(from, "expected .h5 files with data and label, or xyz_label.npy"));
    }
    let variant = one_variant(from, &files)?;
    let mut warnings = Vec::new();
    let mut splits = Vec::new();
    let mut ids = Vec::new();
    let mut places = Vec::new();
    for (name, path) in files {
        let split = read_split(&path, name, &mut warnings)?;
        for row in 0..split.labels.len() {
            ids.push(format!("{}-{row:05}", split.name));
            places.push((splits.len(), row));
        }
        splits.push(split);
    }
    let said = variant.clone();
    let read = move |i: usize| {
        let (split, row) = places[i];
        let split = &splits[split];
        let cloud = match &split.clouds {
            Clouds::Hdf5(data) => data.read_rows(row, 1).map_err(|error| error.to_string())?.row(0),
            Clouds::Read(array) => array.row(row),
        };
        let cloud = cloud.ok_or("has no points")?;
        let label = usize::try_from(split.labels[row]).ok().and_then(|n| CLASSES.get(n));
        let label =
            label.ok_or_else(|| format!("has class {}, there are {}", split.labels[row], CLASSES.len()))?;
        let mut about =
            About { labels: vec![(*label).to_owned()], split: split.split.to_owned(), ..About::default() };
        about.extra.insert("variant".to_owned(), said.as_str().into());
        Ok((vec![points(&cloud, None)?], about))
    };
    Ok(Opened::new("scanobjectnn", from, &ids, options, read)?.with("variant", variant).warn(warnings))
}

/// The variant of all files.
///
/// # Errors
/// [`DataError::Several`] if there is more than one.
fn one_variant(from: &Path, files: &[(String, PathBuf)]) -> Result<String, DataError> {
    let found: BTreeSet<String> = files.iter().map(|(_, path)| variant(path)).collect();
    let mut all: Vec<String> = found.into_iter().collect();
    match all.len() {
        1 => Ok(all.remove(0)),
        _ => Err(DataError::Several { path: from.to_owned(), what: "variant of ScanObjectNN", found: all }),
    }
}

/// Which variant a file holds; the end of its name where that is none we know.
fn variant(path: &Path) -> String {
    let file = name_of(path);
    if file == "xyz_label.npy" {
        return "OBJ_ONLY of OpenShape".to_owned();
    }
    let folder = folder_of(path);
    let without_background = folder.ends_with("_nobg");
    let stem = file.trim_end_matches(".h5");
    let stem =
        ["training_", "train_", "test_"].iter().find_map(|start| stem.strip_prefix(start)).unwrap_or(stem);
    let end = stem.trim_start_matches("objectdataset").trim_start_matches('_');
    let disturbed = DISTURBED.iter().find(|(name, _)| *name == end).map(|(_, variant)| *variant);
    let variant = match (disturbed, without_background) {
        (None, true) if end.is_empty() => "OBJ_ONLY".to_owned(),
        (None, false) if end.is_empty() => "OBJ_BG".to_owned(),
        (named, true) => format!("{} without background", named.unwrap_or(end)),
        (named, false) => named.unwrap_or(end).to_owned(),
    };
    // The other divisions into training and test: split1 … split4.
    match folder.trim_end_matches("_nobg") {
        split if split.starts_with("split") => format!("{variant} in {split}"),
        _ => variant,
    }
}

/// The name of the folder a file lies in.
fn folder_of(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match folder.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => folder.canonicalize().map(|folder| name_of(&folder)).unwrap_or_default(),
    }
}

/// Files of clouds below a path, with a name that says where they lie.
fn find(root: &Path, path: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), DataError> {
    if path.is_dir() {
        return entries(path)?.iter().try_for_each(|inner| find(root, inner, files));
    }
    let file = name_of(path);
    if file.ends_with(".h5") || file == "xyz_label.npy" {
        let below = path
            .strip_prefix(root)
            .ok()
            .filter(|p| !p.as_os_str().is_empty())
            .map_or(file, |p| p.display().to_string());
        let name = below.trim_end_matches(".h5").trim_end_matches(".npy").replace(['/', '\\', '.'], "-");
        files.push((name, path.to_owned()));
    }
    Ok(())
}

fn read_split(path: &Path, name: String, warnings: &mut Vec<String>) -> Result<Split, DataError> {
    let invalid = |message: String| DataError::invalid(path, message);
    let split = if name_of(path).starts_with("train") { "train" } else { "test" };
    let (clouds, labels, shape) = if name_of(path) == "xyz_label.npy" {
        let pickle = read_pickle(path).map_err(invalid)?;
        let root = pickle.root();
        let array = |key: &str| {
            root.get(key).and_then(Item::array).ok_or_else(|| invalid(format!("expected an array {key:?}")))
        };
        let (xyz, label) = (array("xyz")?.clone(), array("label")?.wholes());
        let shape = xyz.shape.clone();
        (Clouds::Read(Arc::new(xyz)), label, shape)
    } else {
        let file = File::open(path)?;
        let (data, label) = (file.dataset("data")?, file.dataset("label")?.read()?);
        if matches!(data.values(), Type::Plain(dtype) if dtype.big) {
            warnings.push(format!("{}: values are big-endian and were turned", name_of(path)));
        }
        let shape = data.shape().to_vec();
        (Clouds::Hdf5(Box::new(data)), label.wholes(), shape)
    };
    if shape.len() != 3 || shape[0] != labels.len() || shape[2] < 3 {
        return Err(invalid(format!(
            "expected data [n, points, 3] and label [n], found {shape:?} and [{}]",
            labels.len()
        )));
    }
    let mut counts = BTreeMap::new();
    labels.iter().for_each(|label| *counts.entry(*label).or_insert(0) += 1);
    let odd = counts.keys().filter(|label| !(0..CLASSES.len() as i64).contains(*label)).count();
    if odd > 0 {
        warnings.push(format!(
            "{}: {odd} class numbers are beyond the {} classes",
            name_of(path),
            CLASSES.len()
        ));
    }
    Ok(Split { name, split, clouds, labels })
}
