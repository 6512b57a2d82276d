//! Lists of labels to choose from: one per line, tables of class numbers and names, JSON, or the names of class features.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use csv::StringRecord;
use serde_json::Value;

use crate::error::EvalError;
use crate::feature_file;

/// Extensions of files with class features.
const FEATURE_EXTENSIONS: [&str; 5] = ["npy", "npz", "h5", "hdf5", "safetensors"];
/// Extensions of the list of names next to features without names.
const LIST_EXTENSIONS: [&str; 3] = ["json", "txt", "csv"];
/// Headings of a column with labels.
const NAME_HEADINGS: [&str; 6] = ["label", "class_name", "category", "class", "name", "labels"];
/// Headings of a column with class numbers.
const NUMBER_HEADINGS: [&str; 7] =
    ["class_idx", "class_index", "class_id", "label_idx", "index", "idx", "id"];
/// Largest class number.
const MAX_CLASSES: usize = 1_000_000;

/// Labels, in the order of class features.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelList {
    /// The labels.
    pub names: Vec<String>,
    /// Whether the position of a label is its class number in a released list, so that class features have one row per number.
    pub is_numbered: bool,
    /// Class numbers that the list does not name: rows of class features, but no texts.
    pub unnamed: BTreeSet<usize>,
    /// Shapes in the order in which the file lists them, if it does (Duoduo CLIP's `lvis.csv`).
    pub shapes: Vec<String>,
    /// The file itself if it has class features, as `FILE` or `FILE#TENSOR`.
    pub features: Option<String>,
}

impl From<Vec<String>> for LabelList {
    fn from(names: Vec<String>) -> Self {
        Self { names, ..Self::default() }
    }
}

impl LabelList {
    /// Labels by class number; numbers that do not occur are called `class 7`.
    ///
    /// # Errors
    /// If a number has two labels or is too large.
    pub(crate) fn numbered(pairs: impl IntoIterator<Item = (usize, String)>) -> Result<Self, String> {
        let mut by_number: BTreeMap<usize, String> = BTreeMap::new();
        for (number, name) in pairs {
            if number >= MAX_CLASSES {
                return Err(format!("class number {number}: expected less than {MAX_CLASSES}"));
            }
            let known = by_number.entry(number).or_insert_with(|| name.clone());
            if *known != name {
                return Err(format!("class number {number} has two labels, {known:?} and {name:?}"));
            }
        }
        let count = by_number.last_key_value().map_or(0, |(last, _)| last + 1);
        let missing = (0..count).filter(|number| !by_number.contains_key(number)).collect();
        let names = (0..count).map(|number| by_number.remove(&number).unwrap_or_else(|| unnamed(number)));
        Ok(Self { names: names.collect(), is_numbered: true, unnamed: missing, ..Self::default() })
    }

    /// Adds unnamed classes up to `count`.
    pub(crate) fn extend_to(&mut self, count: usize) {
        let first = self.names.len();
        self.names.extend((first..count).map(unnamed));
        self.unnamed.extend(first..count);
    }

    /// Keeps only the classes with a label, which no longer have their numbers.
    pub(crate) fn keep_named(&mut self) {
        let unnamed = std::mem::take(&mut self.unnamed);
        self.is_numbered &= unnamed.is_empty();
        let mut number = 0..;
        self.names.retain(|_| number.next().is_none_or(|number| !unnamed.contains(&number)));
    }

    /// Reads a list, by extension and content:
    ///
    /// - one label per line;
    /// - a table of `class number,label` or `class number,label,shape`, with or without headings, such as Duoduo CLIP's
    ///   `lvis.csv` and `mvimgnet_category.txt`; numbers with gaps count lines;
    /// - JSON: a list of labels, or an object from labels to numbers or from numbers to labels;
    /// - class features with names: `.safetensors`, `.h5`, `.npz`, a dictionary in `.npy`, or a `.npy` next to a list of the same
    ///   name.
    ///
    /// # Errors
    /// If the file cannot be read, has no labels, or contradicts itself.
    pub fn read(file: &str) -> Result<Self, EvalError> {
        let path =
            Path::new(file.rsplit_once('#').filter(|_| !Path::new(file).exists()).map_or(file, |p| p.0));
        let list = match extension(path).as_str() {
            ending if FEATURE_EXTENSIONS.contains(&ending) => of_features(file, path)?,
            "json" => {
                let invalid = |reason: String| EvalError::input(format!("{file}: {reason}"));
                let text = fs_err::read_to_string(path)?;
                let value = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
                of_json(&value).map_err(invalid)?
            }
            _ => {
                let text = fs_err::read_to_string(path)?;
                let table = LabelTable::read(&text).map(|table| table.labels());
                let parsed = table.unwrap_or_else(|| Ok(lines(&text).into()));
                parsed.map_err(|reason| EvalError::input(format!("{file}: {reason}")))?
            }
        };
        if list.names.is_empty() {
            return Err(EvalError::input(format!("{file}: expected labels, found none")));
        }
        Ok(list)
    }
}

fn unnamed(number: usize) -> String {
    format!("class {number}")
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

fn lines(text: &str) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}');
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The names of class features: their own, or those of a list next to them.
fn of_features(file: &str, path: &Path) -> Result<LabelList, EvalError> {
    let features = feature_file::read(file)?;
    let rows = features.features.rows();
    let features_of = |list: LabelList| LabelList { features: Some(file.to_owned()), ..list };
    if let Some(names) = features.row_names {
        return Ok(features_of(names.into()));
    }
    let list = LIST_EXTENSIONS.map(|ending| path.with_extension(ending)).into_iter().find(|p| p.exists());
    let list = list.ok_or_else(|| {
        EvalError::hinted(
            format!("{file}: {rows} rows of class features without names"),
            "put the names, one per line, into a .txt of the same name next to it, or give them as --labels-file and the features \
             as --class-features",
        )
    })?;
    let found = LabelList::read(&list.to_string_lossy())?;
    if found.names.len() != rows {
        let (count, list) = (found.names.len(), list.display());
        return Err(EvalError::input(format!(
            "{file}: expected a row for each of {count} labels of {list}, found {rows}"
        )));
    }
    Ok(features_of(found))
}

fn of_json(value: &Value) -> Result<LabelList, String> {
    let expected = || "expected a list of labels, or an object from labels to class numbers".to_owned();
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    match value {
        Value::Array(names) => {
            let names = names.iter().map(|name| name.as_str().map(str::to_owned).ok_or_else(expected));
            Ok(names.collect::<Result<Vec<_>, _>>()?.into())
        }
        Value::Object(pairs) => {
            let pair = |(key, value): (&String, &Value)| match (number(value), value.as_str(), key.parse()) {
                (Some(number), _, _) => Ok((number, key.clone())),
                (None, Some(name), Ok(number)) => Ok((number, name.to_owned())),
                _ => Err(expected()),
            };
            LabelList::numbered(pairs.iter().map(pair).collect::<Result<Vec<_>, _>>()?)
        }
        _ => Err(expected()),
    }
}

/// A table of labels.
struct LabelTable {
    records: Vec<StringRecord>,
    /// Column of the labels.
    name: usize,
    /// Column of the class numbers.
    number: Option<usize>,
    /// Column of the shapes that the labels belong to.
    shape: Option<usize>,
}

impl LabelTable {
    /// Reads a table; `None` for a list of labels, which may contain commas.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut records: Vec<StringRecord> = reader.records().collect::<Result<_, _>>().ok()?;
        let columns = records.first()?.len();
        let starts_with_number = |record: &StringRecord| record.get(0)?.parse::<usize>().ok();
        if (2..=3).contains(&columns)
            && records.iter().all(|record| record.len() == columns && starts_with_number(record).is_some())
        {
            let shape = (columns == 3).then_some(2);
            return Some(Self { records, name: 1, number: Some(0), shape });
        }
        let headings = records.remove(0);
        let find = |names: &[&str]| {
            names.iter().find_map(|name| headings.iter().position(|cell| cell.eq_ignore_ascii_case(name)))
        };
        // In a list of labels the first may be called `class`.
        let known: &[&str] = if columns > 1 { &NAME_HEADINGS } else { &NAME_HEADINGS[..2] };
        let name = find(known).filter(|_| !records.is_empty())?;
        Some(Self { name, number: find(&NUMBER_HEADINGS), shape: None, records })
    }

    fn labels(&self) -> Result<LabelList, String> {
        let column = |column: usize| {
            self.records.iter().map(move |record| record.get(column).unwrap_or_default().to_owned())
        };
        let names = column(self.name);
        let in_order = || column(self.name).filter(|name| !name.is_empty()).collect::<Vec<String>>().into();
        let numbers: Option<Vec<usize>> =
            self.number.and_then(|number| column(number).map(|cell| cell.parse().ok()).collect());
        let Some(numbers) = numbers else { return Ok(in_order()) };
        let mut unique = numbers.clone();
        unique.sort_unstable();
        unique.dedup();
        let is_complete = unique.iter().copied().eq(0..unique.len());
        // Numbers of a larger set, each once, as in MVImgNet's categories: classes are counted by line.
        if self.shape.is_none() && !is_complete {
            return Ok(in_order());
        }
        let shapes = self.shape.map(|shape| column(shape).collect()).unwrap_or_default();
        Ok(LabelList { shapes, ..LabelList::numbered(numbers.into_iter().zip(names))? })
    }
}
