//! Point clouds of ModelNet40 and ModelNet10 ([paper](https://arxiv.org/abs/1406.5670), [data](https://modelnet.cs.princeton.edu)):
//! the resampled text files with their lists; `test_pc.npy` of OpenShape and `modelnet40_colored_10k_pc.npy` of ULIP-2 with their
//! `.json`; the `.dat` of sampled clouds of ULIP and PointNet++. Meshes (`.off`) are for `lexiform data prepare`, which reads class
//! and split from the folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lexiform_formats::array::Array;
use lexiform_formats::pickle::{NumpyPickle, PickleValue};
use serde_json::Value;

use super::files::{file_name, first_existing, list_dir};
use super::id_lists::{lines, lines_if_exists, overlap};
use super::members::{colored_points, points, read_pickle};
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::{DataError, Member, Metadata};

/// Maximum number of coordinates in a text file.
const MAX_NUMBERS: usize = 64 << 20;

/// Imports any of the forms, by the file name extension.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    match from.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "npy" => colored(from, options),
        "dat" | "pkl" => sampled(from, options),
        _ => resampled(from, options),
    }
}

/// Prefixes of the lists (`modelnet40_train.txt`); the resampled data holds both variants in one folder.
const VARIANTS: [&str; 2] = ["modelnet40", "modelnet10"];

/// The shapes to read from a folder of text files.
struct ModelNetLists {
    root: PathBuf,
    train: Vec<String>,
    test: Vec<String>,
    warnings: Vec<String>,
}

impl ModelNetLists {
    /// The variant in a folder, ModelNet40 if it holds both; or the variant of a list: `modelnet10_test.txt` stands for its
    /// shapes, `modelnet10_shape_names.txt` for all shapes.
    fn read(from: &Path) -> Result<Self, DataError> {
        if !from.is_dir() {
            return Self::named(from);
        }
        let has =
            |set: &&str| ["train", "test"].iter().any(|list| from.join(format!("{set}_{list}.txt")).exists());
        let found: Vec<&str> = VARIANTS.into_iter().filter(has).collect();
        let message = "expected modelnet40_train.txt and modelnet40_test.txt";
        let set = found.first().ok_or_else(|| DataError::invalid(from, message))?;
        let mut lists = Self::read_variant(from, set, &["train", "test"])?;
        lists.warnings.extend(found.iter().skip(1).map(|other| {
            format!("imported {set}; the folder also holds {other}: import {other}_shape_names.txt for it")
        }));
        Ok(lists)
    }

    fn named(list: &Path) -> Result<Self, DataError> {
        // Reports a missing file before its name is judged.
        fs_err::metadata(list)?;
        let name = file_name(list);
        let cases: [(&str, &[&str]); 3] =
            [("_train.txt", &["train"]), ("_test.txt", &["test"]), ("_shape_names.txt", &["train", "test"])];
        let meant = cases.iter().find_map(|(ending, lists)| Some((name.strip_suffix(ending)?, *lists)));
        let (set, lists) = meant.ok_or_else(|| {
            let message = "expected a folder, or a list called modelnet10_train.txt, modelnet10_test.txt or \
                modelnet10_shape_names.txt";
            DataError::invalid(list, message)
        })?;
        Self::read_variant(list.parent().unwrap_or(Path::new("")), set, lists)
    }

    fn read_variant(root: &Path, set: &str, wanted: &[&str]) -> Result<Self, DataError> {
        let list = |name: &str| {
            if !wanted.contains(&name) {
                return Ok(Vec::new());
            }
            lines_if_exists(&root.join(format!("{set}_{name}.txt")))
        };
        let (train, test) = (list("train")?, list("test")?);
        if train.is_empty() && test.is_empty() {
            return Err(DataError::invalid(
                root,
                format!("expected shapes in {set}_train.txt or {set}_test.txt"),
            ));
        }
        let warnings = overlap(&train, &test, "in the train and in the test list").into_iter().collect();
        Ok(Self { root: root.to_owned(), train, test, warnings })
    }
}

/// `<class>/<class>_0001.txt`, lines of x,y,z,nx,ny,nz.
fn resampled(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let ModelNetLists { root, train, test, warnings } = ModelNetLists::read(from)?;
    let of =
        |ids: &[String], split: &'static str| ids.iter().map(|id| (id.clone(), split)).collect::<Vec<_>>();
    let all = [of(&train, "train"), of(&test, "test")].concat();
    let ids: Vec<String> = all.iter().map(|(id, _)| id.clone()).collect();
    let read = move |i: usize| {
        let (id, split) = &all[i];
        // The class is everything before the last underscore: night_stand_0001.
        let class = id.rsplit_once('_').map_or(id.as_str(), |(class, _)| class);
        let (xyz, normals) = text_cloud(&root.join(class).join(format!("{id}.txt")))?;
        let mut members = vec![points(&xyz, None)?];
        members.extend(normals.map(|array| Member::new("normals.npy", array.to_npy())));
        let metadata = Metadata {
            labels: vec![class.replace('_', " ")],
            split: (*split).to_owned(),
            ..Metadata::default()
        };
        Ok((members, metadata))
    };
    Ok(ImportSource::new("modelnet", from, &ids, options, read)?.with_warnings(warnings))
}

/// Positions, and normals where there are six columns.
fn text_cloud(path: &Path) -> Result<(Array, Option<Array>), String> {
    let text = fs_err::read_to_string(path).map_err(|error| error.to_string())?;
    let (mut xyz, mut normals) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        // Published with commas; spaces are accepted too.
        let cells = line.split([',', ' ']).filter(|cell| !cell.is_empty()).map(str::parse::<f32>);
        let cells: Vec<f32> =
            cells.collect::<Result<_, _>>().map_err(|_| format!("line {}: expected numbers", number + 1))?;
        if cells.len() < 3 || xyz.len() >= MAX_NUMBERS {
            return Err(format!("line {}: expected x,y,z, found {} numbers", number + 1, cells.len()));
        }
        xyz.extend(&cells[..3]);
        normals.extend(cells.get(3..6).unwrap_or_default());
    }
    let normals = (normals.len() == xyz.len()).then(|| Array::from_f32(&[normals.len() / 3, 3], &normals));
    Ok((Array::from_f32(&[xyz.len() / 3, 3], &xyz), normals))
}

/// Imports an array of `{xyz, rgb}` and a list of `{category, name}`.
fn colored(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let (list, rows) = listed_names(from)?;
    let pickle = read_pickle(from).map_err(|message| DataError::invalid(from, message))?;
    let found = pickle.root().len();
    if found != rows.len() {
        let message = format!("expected {} clouds, as in {}, found {found}", rows.len(), file_name(&list));
        return Err(DataError::invalid(from, message));
    }
    let ids: Vec<String> = rows.iter().map(|(id, _)| id.clone()).collect();
    let read = move |i: usize| {
        let item = pickle.root().items().nth(i).ok_or("missing")?;
        let labels = vec![rows[i].1.replace('_', " ")];
        Ok((
            vec![colored_points(item)?],
            Metadata { labels, split: "test".to_owned(), ..Metadata::default() },
        ))
    };
    ImportSource::new("modelnet", from, &ids, options, read)
}

/// The `.json` in the folder of an array, and its ids with their classes.
fn listed_names(from: &Path) -> Result<(PathBuf, Vec<(String, String)>), DataError> {
    let folder = from.parent().unwrap_or(Path::new(""));
    let lists: Vec<PathBuf> =
        list_dir(folder)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    let known = ["test_split.json", "modelnet40_test_split_10k_colored.json"].map(|name| folder.join(name));
    let list = first_existing(known).or_else(|| lists.first().cloned());
    let missing = || DataError::invalid(from, "expected a .json of {category, name} in the same folder");
    let list = list.ok_or_else(missing)?;
    let json: Value =
        serde_json::from_slice(&fs_err::read(&list)?).map_err(|error| DataError::invalid(&list, error))?;
    let rows =
        json.as_array().ok_or_else(|| DataError::invalid(&list, "expected a list of {category, name}"))?;
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    let named = |(i, row): (usize, &Value)| {
        let class = text(row, "category").unwrap_or_default();
        (text(row, "name").unwrap_or_else(|| format!("{class}_{i:05}")), class)
    };
    let rows = rows.iter().enumerate().map(named).collect();
    Ok((list, rows))
}

/// Imports a pickle of `[clouds, labels]`.
fn sampled(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let invalid = |message: String| DataError::invalid(from, message);
    let pickle: NumpyPickle = read_pickle(from).map_err(invalid)?;
    let labels = sampled_labels(&pickle).map_err(invalid)?;
    let name = file_name(from);
    let set = if name.contains("modelnet10") { "modelnet10" } else { "modelnet40" };
    let folder = from.parent().unwrap_or(Path::new(""));
    let names = first_existing([folder.join(format!("{set}_shape_names.txt"))])
        .map_or(Ok(Vec::new()), |path| lines(&path))?;
    let split = if name.contains("train") { "train" } else { "test" };
    let stem = name.split('.').next().unwrap_or_default();
    let mut counts: HashMap<usize, usize> = HashMap::new();
    let id = |label: &usize| {
        let n = counts.entry(*label).and_modify(|n| *n += 1).or_insert(0);
        format!("{stem}-{label:02}-{n:05}")
    };
    let ids: Vec<String> = labels.iter().map(id).collect();
    let warning =
        names.is_empty().then(|| format!("no {set}_shape_names.txt in the same folder: labels are numbers"));
    let read = move |i: usize| {
        let clouds = pickle.root().items().next();
        let cloud = clouds.and_then(|clouds| clouds.items().nth(i)).ok_or("missing")?;
        let cloud = cloud.array().ok_or("not an array")?;
        let label = names.get(labels[i]).map_or_else(|| labels[i].to_string(), |name| name.replace('_', " "));
        let metadata = Metadata { labels: vec![label], split: split.to_owned(), ..Metadata::default() };
        Ok((vec![points(&cloud, None)?], metadata))
    };
    Ok(ImportSource::new("modelnet", from, &ids, options, read)?.with_warnings(warning.into_iter().collect()))
}

/// The labels in a pickle of `[clouds, labels]`, one per cloud.
fn sampled_labels(pickle: &NumpyPickle) -> Result<Vec<usize>, String> {
    let parts: Vec<PickleValue> = pickle.root().items().collect();
    let [clouds, labels] = parts[..] else {
        return Err("expected a list of clouds and a list of labels".to_owned());
    };
    let labels: Vec<usize> =
        // A label that is not a number becomes a huge one, which has no name.
        labels.items().map(|label| label.number().unwrap_or(-1.0) as i64 as usize).collect();
    if labels.len() != clouds.len() {
        return Err(format!("{} clouds and {} labels", clouds.len(), labels.len()));
    }
    Ok(labels)
}
