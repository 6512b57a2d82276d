//! Validation shapes of a data set of their own, such as Objaverse-LVIS during training on other shapes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use lexiform_data::Dataset;
use lexiform_formats::npy::{Npy, read_npy};
use lexiform_metrics::{ClassFeatures, Features};

use crate::data::on_disk::{DatasetEntry, LoadOptions, OnDiskPool};
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::CategoryNames;
use crate::data::source::dataset_rows::{DatasetRow, list};
use crate::error::FitError;
use crate::recipe::ValidationConfig;

/// The shapes of the test or val split, or all if there is no split, with views of `edge` pixels; `n_views` of them unless the
/// configuration has another number. Categories are numbered as `labels`, if any.
///
/// # Errors
/// If the data set or the class list cannot be read, no shape has a label and the required input, or a label is not one of
/// the classes.
pub(crate) fn validation_pool(
    config: &ValidationConfig,
    requirements: DataRequirements,
    edge: usize,
    n_views: usize,
    labels: Option<&[String]>,
) -> Result<OnDiskPool, FitError> {
    let set = Dataset::open(&config.path)?;
    let wrong = |message: String| FitError::Dataset { path: config.path.clone(), message };
    let mut rows = list(&set, requirements, false)?;
    if rows.iter().any(|row| row.validation) {
        rows.retain(|row| row.validation);
    }
    rows.retain(|row| !row.cannot_validate);
    if rows.is_empty() {
        return Err(wrong(
            "expected validation shapes with a label and views or points, found none".to_owned(),
        ));
    }
    let names = match (labels, &config.class_list) {
        (Some(labels), _) => labels.to_vec(),
        (None, Some(path)) => class_list(path)?,
        (None, None) => {
            rows.iter().filter_map(|row| row.label.clone()).collect::<BTreeSet<_>>().into_iter().collect()
        }
    };
    let entries = entries(&rows, &names, config.max_per_class).map_err(wrong)?;
    let options = LoadOptions {
        image_size: edge,
        views: config.views.unwrap_or(n_views),
        feature_only_views: 0,
        templates: Vec::new(),
        label_captions: true,
        up: config.up,
    };
    let names = names.into_iter().map(|name| CategoryNames { name, synonyms: Vec::new() }).collect();
    Ok(OnDiskPool { set: Arc::new(set), names: Arc::new(names), entries, options, features: None })
}

/// The shapes with their classes, at most `max_per_class` of each.
fn entries(rows: &[DatasetRow], names: &[String], max_per_class: usize) -> Result<Vec<DatasetEntry>, String> {
    let classes: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let label = row.label.as_deref().unwrap_or_default();
        let class = classes.get(label).ok_or_else(|| {
            format!(
                "label {label:?} of shape {} is not one of the classes (data.validation.class_list, or the training \
                 labels of a head)",
                row.key
            )
        })?;
        let count = counts.entry(*class).or_default();
        *count += 1;
        if max_per_class == 0 || *count <= max_per_class {
            entries.push(DatasetEntry { category: Some(*class), ..row.entry });
        }
    }
    Ok(entries)
}

/// Class names by number, from lines `number,name` or `number,name,id`.
fn class_list(path: &Path) -> Result<Vec<String>, FitError> {
    let wrong = |message: String| FitError::Dataset { path: path.to_owned(), message };
    let text = fs_err::read_to_string(path)?;
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    for (line, at) in text.lines().filter(|line| !line.trim().is_empty()).zip(1..) {
        let mut cells = line.split(',').map(str::trim);
        let number = cells.next().and_then(|cell| cell.parse::<usize>().ok());
        let (Some(number), Some(name)) = (number, cells.next()) else {
            return Err(wrong(format!("line {at}: expected class number,class name, found {line:?}")));
        };
        let known = names.entry(number).or_insert_with(|| name.to_owned());
        if known != name {
            return Err(wrong(format!("line {at}: class {number} is {known:?} and {name:?}")));
        }
    }
    match names.keys().zip(0..).find(|(number, expected)| **number != *expected) {
        Some((found, expected)) => Err(wrong(format!("expected class {expected}, found {found}"))),
        None if names.is_empty() => Err(wrong("expected class number,class name, found no lines".to_owned())),
        None => Ok(names.into_values().collect()),
    }
}

/// Published features of the classes, `[classes, dim]`.
///
/// # Errors
/// If the file cannot be read, or has another shape.
pub(crate) fn read_class_features(
    path: &Path,
    classes: usize,
    dim: usize,
) -> Result<ClassFeatures, FitError> {
    let wrong = |message: String| FitError::Dataset { path: path.to_owned(), message };
    let array = match read_npy(&fs_err::read(path)?).map_err(wrong)? {
        Npy::Array(array) => array,
        Npy::Pickled(..) => return Err(wrong("expected an array of numbers".to_owned())),
    };
    if array.shape != [classes, dim] {
        let message = format!("expected features of shape [{classes}, {dim}], found {:?}", array.shape);
        return Err(wrong(message));
    }
    Ok(ClassFeatures::from_features(&Features::new(array.to_f32_vec(), dim)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_of(text: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lvis.csv");
        std::fs::write(&path, text).unwrap();
        class_list(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn class_lists_are_ordered_by_number() {
        assert_eq!(list_of("1,cup,u1\n0,Band_Aid,u2\n1,cup,u3\n").unwrap(), ["Band_Aid", "cup"]);
        assert!(list_of("0,cup\n0,mug\n").unwrap_err().contains("line 2: class 0 is \"cup\" and \"mug\""));
        assert!(list_of("0,cup\n2,mug\n").unwrap_err().contains("expected class 1, found 2"));
        assert!(list_of("cup,0\n").unwrap_err().contains("expected class number,class name"));
        assert!(list_of("\n").unwrap_err().contains("found no lines"));
    }
}
