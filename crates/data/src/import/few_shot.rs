//! Folds of few-shot benchmarks in the layout of Point-BERT ([paper](https://arxiv.org/abs/2111.14819)), which ULIP and CG3D share:
//! `<way>way_<shot>shot/<fold>.pkl` with `train` and `test`, lists of `(points [n, 3 or more], label, class)`.

use std::path::Path;

use lexiform_formats::pickle::{NumpyPickle, PickleValue};

use super::files::{file_name, first_existing, list_dir};
use super::id_lists::lines;
use super::members::{points, read_pickle};
use super::options::ImportOptions;
use super::source::ImportSource;
use crate::{DataError, Metadata};

/// The parts of a fold.
const SPLITS: [&str; 2] = ["train", "test"];
/// Lists of class names near a fold.
const NAME_LISTS: [&str; 2] = ["modelnet40_shape_names.txt", "shape_names.txt"];

/// A shape of a fold.
struct FoldItem {
    split: &'static str,
    place: usize,
    label: String,
}

/// Imports one fold.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let invalid = |message: String| DataError::invalid(from, message);
    if from.is_dir() {
        let folds: Vec<String> = list_dir(from)?.iter().map(|file| file_name(file)).collect();
        return Err(invalid(format!("expected a fold such as 0.pkl, found a folder of {folds:?}")));
    }
    let fold = read_pickle(from).map_err(invalid)?;
    let names = class_names(from)?;
    let mut items = Vec::new();
    for split in SPLITS {
        let list = fold.root().get(split).ok_or_else(|| invalid(format!("expected a list {split:?}")))?;
        for (place, item) in list.items().enumerate() {
            let label =
                label(item, &names).map_err(|message| invalid(format!("{split} {place}: {message}")))?;
            items.push(FoldItem { split, place, label });
        }
    }
    let ids: Vec<String> = items.iter().map(|item| format!("{}-{:04}", item.split, item.place)).collect();
    let read = move |i: usize| {
        let FoldItem { split, place, label } = &items[i];
        let xyz =
            item(&fold, split, *place).and_then(|item| item.items().next()).and_then(PickleValue::array);
        let members = vec![points(&xyz.ok_or("expected an array of points")?, None)?];
        let (labels, split) = (vec![label.clone()], (*split).to_owned());
        Ok((members, Metadata { labels, split, ..Metadata::default() }))
    };
    ImportSource::new("few-shot", from, &ids, options, read)
}

fn item<'f>(fold: &'f NumpyPickle, split: &str, place: usize) -> Option<PickleValue<'f>> {
    fold.root().get(split)?.items().nth(place)
}

/// The class of an item: the third value, by name if the names are known; without it the label within the fold.
fn label(item: PickleValue, names: &[String]) -> Result<String, String> {
    let values: Vec<PickleValue> = item.items().collect();
    let [_, label, more @ ..] = &values[..] else {
        return Err(format!("expected (points, label, class), found {} values", values.len()));
    };
    let class = more.first().unwrap_or(label);
    match class.number().filter(|number| *number >= 0.0) {
        Some(number) => {
            let name = || format!("class {number}");
            Ok(names.get(number as usize).map_or_else(name, |known| known.replace('_', " ")))
        }
        None => class.text().ok_or_else(|| "expected a number or a name of the class".to_owned()),
    }
}

/// Names of the classes, from a list in one of the folders above.
fn class_names(fold: &Path) -> Result<Vec<String>, DataError> {
    let folders = fold.ancestors().skip(1).take(3);
    let near = folders.flat_map(|folder| NAME_LISTS.map(|name| folder.join(name)));
    first_existing(near).map_or(Ok(Vec::new()), |path| lines(&path))
}
