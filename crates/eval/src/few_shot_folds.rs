//! Few-shot classification on published folds, such as those of ModelNet40 of Point-BERT (<https://arxiv.org/abs/2111.14819>).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lexiform_metrics::few_shot::{Learner, mean_and_ci95};
use lexiform_model::point::PointPreprocessOverrides;
use lexiform_search::Encoder;
use serde::Serialize;

use crate::embed::{Embedded, ViewSelection, embed_entries};
use crate::entry::{Entry, all_labels, label_indices};
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::models::Models;
use crate::stored_shape::{LabeledShape, ShapeStore};
use crate::unusable::UnusableFile;

/// How folds are evaluated.
#[derive(Clone, Debug)]
pub struct FoldsConfig {
    /// Folds (`.pkl`), or folders of folds.
    pub folds: Vec<PathBuf>,
    /// Classifier built from the examples.
    pub learner: Learner,
}

/// The result of one fold.
#[derive(Clone, Debug, Serialize)]
pub struct FoldResult {
    /// Its file.
    pub fold: String,
    /// Number of classes.
    pub ways: usize,
    /// Number of examples of all classes.
    pub examples: usize,
    /// Number of queries.
    pub queries: usize,
    /// Accuracy on the queries.
    pub accuracy: f64,
}

/// The result of all folds.
#[derive(Clone, Debug, Serialize)]
pub struct FoldsReport {
    /// The model.
    pub model: String,
    /// One per fold.
    pub folds: Vec<FoldResult>,
    /// Mean accuracy.
    pub accuracy: f64,
    /// Standard deviation over the folds, as papers report it (of the population, as NumPy's `std`).
    pub deviation: f64,
    /// Half width of the 95 % confidence interval of the mean.
    pub ci95: f64,
    /// Shapes that could not be used.
    #[serde(skip)]
    pub unusable: Vec<UnusableFile>,
}

/// Evaluates a model on every fold: a classifier is built from the examples of `train` and tested on `test`.
///
/// # Errors
/// If a fold cannot be read, has no examples or queries, or the model fails.
pub fn few_shot_folds(
    config: &FoldsConfig,
    models: &Models,
    events: &mut OnEvent<'_>,
) -> Result<FoldsReport, EvalError> {
    let encoder = models.open_first(PointPreprocessOverrides::default())?;
    let (mut folds, mut unusable) = (Vec::new(), Vec::new());
    for file in files(&config.folds)? {
        folds.push(fold(&file, config.learner, &*encoder, &mut unusable, events)?);
    }
    events(EvalEvent::Unusable { files: &unusable });
    let accuracies: Vec<f64> = folds.iter().map(|fold| fold.accuracy).collect();
    let (accuracy, ci95) = mean_and_ci95(&accuracies);
    let squares: f64 = accuracies.iter().map(|x| (x - accuracy).powi(2)).sum();
    let deviation = (squares / accuracies.len() as f64).sqrt();
    Ok(FoldsReport { model: encoder.id().to_owned(), folds, accuracy, deviation, ci95, unusable })
}

/// The folds in the order of their numbers: 2 before 10.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, EvalError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let inside = fs_err::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
        let inside: Vec<PathBuf> = inside.collect::<Result<_, _>>()?;
        let number = |path: &Path| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            stem.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().ok()
        };
        let sorted: BTreeMap<_, _> = inside
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "pkl"))
            .map(|path| ((number(&path).unwrap_or(u64::MAX), path.clone()), path))
            .collect();
        if sorted.is_empty() {
            return Err(EvalError::input(format!("{}: expected folds (.pkl), found none", path.display())));
        }
        files.extend(sorted.into_values());
    }
    Ok(files)
}

fn fold(
    file: &Path,
    learner: Learner,
    encoder: &dyn Encoder,
    unusable: &mut Vec<UnusableFile>,
    events: &mut OnEvent<'_>,
) -> Result<FoldResult, EvalError> {
    if !ShapeStore::exists(file) {
        return Err(EvalError::input(format!("{}: no such fold (.pkl)", file.display())));
    }
    let entry = |LabeledShape { name, label, split, shape }: LabeledShape| {
        let file = PathBuf::from(&name);
        Entry { split, stored: Some(shape), ..Entry::of_file(name, file, label) }
    };
    let entries = ShapeStore::open(file)?.labeled()?.into_iter().map(entry).collect();
    let Embedded { entries, features, unusable: failed, .. } =
        embed_entries(encoder, None, entries, &[ViewSelection::default()], events)?;
    unusable.extend(failed);
    let labels = all_labels(&entries)?.names;
    let truth = label_indices(&entries, &labels)?;
    let of_split = |name: &str| -> Vec<usize> {
        (0..entries.len()).filter(|i| entries[*i].split.as_deref() == Some(name)).collect()
    };
    let (train, test) = (of_split("train"), of_split("test"));
    if train.is_empty() || test.is_empty() {
        let (examples, queries) = (train.len(), test.len());
        let text =
            format!("{}: expected examples and queries, found {examples} and {queries}", file.display());
        return Err(EvalError::input(text));
    }
    let labels_of = |rows: &[usize]| rows.iter().map(|row| truth[*row]).collect::<Vec<usize>>();
    let accuracy = learner.accuracy(
        [&features[0].select(&train)?, &features[0].select(&test)?],
        [&labels_of(&train), &labels_of(&test)],
        labels.len(),
    )?;
    let fold = file.display().to_string();
    Ok(FoldResult { fold, ways: labels.len(), examples: train.len(), queries: test.len(), accuracy })
}
