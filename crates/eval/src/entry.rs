//! An item to evaluate: a file, a folder of views, or a shape of a data set, with its label.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_data::shape_csv::CsvRow;

use crate::error::EvalError;
use crate::label_list::LabelList;
use crate::orientation::ShapeOrientation;
use crate::protocol::labels::same_class;
use crate::stored_shape::{ShapeStore, StoredShape};

/// A shape with its label and split.
#[derive(Clone)]
pub struct Entry {
    /// Its name in the CSV file, the folder or the data set.
    pub name: String,
    /// Path of its file, or of the folder of its views.
    pub file: PathBuf,
    /// Its label; empty if it has none.
    pub label: String,
    /// Its class number in a released list, if the list has one.
    pub class: Option<usize>,
    /// Its split, if known.
    pub split: Option<String>,
    /// The shape itself, if it is in a data set.
    pub stored: Option<StoredShape>,
    /// How it is turned upright.
    pub orientation: ShapeOrientation,
}

impl Entry {
    /// A file with a label.
    pub(crate) fn of_file(name: String, file: PathBuf, label: String) -> Self {
        let orientation = ShapeOrientation::default();
        Self { name, file, label, class: None, split: None, stored: None, orientation }
    }

    /// The shape of this name in a store.
    pub(crate) fn take_from(&mut self, store: &Arc<ShapeStore>) {
        let stored = store.find(&self.name);
        self.file = PathBuf::from(&self.name);
        self.split = self.split.take().or_else(|| stored.split().map(str::to_owned));
        self.stored = Some(stored);
    }

    /// The file that a line of a CSV file names, relative to `folder`.
    pub(crate) fn of_line(line: &CsvRow, folder: &Path) -> Self {
        Self {
            class: line.class,
            split: line.split.map(str::to_owned),
            ..Self::of_file(
                line.shape.clone(),
                folder.join(&line.shape),
                line.label.clone().unwrap_or_default(),
            )
        }
    }
}

/// Sorts entries like a list of their names; others keep their order after those.
pub(crate) fn sort_like(entries: &mut [Entry], names: &[String]) {
    let mut places: HashMap<&str, usize> = HashMap::new();
    names.iter().enumerate().for_each(|(place, name)| {
        places.entry(name).or_insert(place);
    });
    entries.sort_by_key(|entry| places.get(entry.name.as_str()).copied().unwrap_or(usize::MAX));
}

/// Index of each entry's label in `labels`: an exact match, else one that differs in case, underscores or hyphens only.
pub(crate) fn label_indices(entries: &[Entry], labels: &[String]) -> Result<Vec<usize>, EvalError> {
    let mut exact: HashMap<&str, usize> = HashMap::new();
    labels.iter().enumerate().for_each(|(i, label)| {
        // Of duplicate labels the first wins, so that indices agree with ties in scores.
        exact.entry(label).or_insert(i);
    });
    let index = |entry: &Entry| {
        // Folders say `night_stand` where label lists say "night stand".
        let like = || labels.iter().position(|label| same_class(label, &entry.label));
        let found = exact.get(entry.label.as_str()).copied().or_else(like);
        let unknown = || format!("{}: unknown label {:?}", entry.file.display(), entry.label);
        found.ok_or_else(|| EvalError::input(unknown()))
    };
    entries.iter().map(index).collect()
}

/// The unique labels of the entries: by class number if all entries have one, else sorted.
///
/// # Errors
/// If a class number has two labels.
pub(crate) fn all_labels(entries: &[Entry]) -> Result<LabelList, EvalError> {
    let numbered: Option<Vec<(usize, String)>> =
        entries.iter().map(|entry| Some((entry.class?, entry.label.clone()))).collect();
    if let Some(pairs) = numbered {
        return LabelList::numbered(pairs).map_err(EvalError::input);
    }
    let mut labels: Vec<String> = entries.iter().map(|e| e.label.clone()).collect();
    labels.sort();
    labels.dedup();
    Ok(labels.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_labels_win() {
        let entry = |label: &str| Entry::of_file(String::new(), PathBuf::from("x.glb"), label.to_owned());
        let labels = ["night stand", "Night_Stand", "bed"].map(str::to_owned);
        let found = label_indices(&[entry("Night_Stand"), entry("night_stand"), entry("BED")], &labels);
        assert_eq!(found.unwrap(), [1, 0, 2]);
        let error = label_indices(&[entry("sofa")], &labels).unwrap_err().to_string();
        assert_eq!(error, "x.glb: unknown label \"sofa\"");
    }
}
