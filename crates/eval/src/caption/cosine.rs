//! Cosines of captions with references and with the shapes that they describe.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lexiform_metrics::Features;
use lexiform_search::{Encoder, walk};

use super::config::CosineConfig;
use super::pair::Pair;
use super::report::CaptionScoresReport;
use crate::embed::{Embedded, ViewSelection, embed_entries};
use crate::entry::Entry;
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::text_features::embed_texts;

/// Adds the mean cosine of captions with the nearest reference, and with the shapes if there is a folder of them.
pub(super) fn add(
    report: &mut CaptionScoresReport,
    config: &CosineConfig,
    pairs: &[Pair],
    events: &mut OnEvent<'_>,
) -> Result<(), EvalError> {
    let encoder = config.models.open_first(Default::default())?;
    let texts: Vec<String> = pairs
        .iter()
        .flat_map(|pair| std::iter::once(&pair.prediction).chain(&pair.references))
        .cloned()
        .collect();
    let features = embed_texts(&*encoder, &texts, events)?.normalized();
    // The first row of each item, which is that of its prediction.
    let mut next = 0;
    let rows: Vec<usize> = pairs
        .iter()
        .map(|pair| {
            let row = next;
            next += 1 + pair.references.len();
            row
        })
        .collect();
    let nearest = |(pair, row): (&Pair, &usize)| {
        let references = (1..=pair.references.len()).map(|i| features.row(row + i));
        references.map(|reference| cosine(features.row(*row), reference)).fold(f64::NEG_INFINITY, f64::max)
    };
    let scores: Vec<f64> = pairs.iter().zip(&rows).map(nearest).collect();
    report.model = Some(encoder.id().to_owned());
    report.add("cosine", mean(&scores), scores);
    if let Some(folder) = &config.assets {
        let predictions = features.select(&rows)?;
        add_shapes(report, &*encoder, folder, &predictions, events)?;
    }
    Ok(())
}

/// Adds the mean cosine of captions with their shapes.
fn add_shapes(
    report: &mut CaptionScoresReport,
    encoder: &dyn Encoder,
    folder: &Path,
    predictions: &Features,
    events: &mut OnEvent<'_>,
) -> Result<(), EvalError> {
    let files = ShapeFiles::of(folder);
    let entries = report
        .items
        .iter()
        .map(|item| Ok(Entry::of_file(item.key.clone(), files.find(&item.key)?, String::new())));
    let entries = entries.collect::<Result<Vec<Entry>, EvalError>>()?;
    let Embedded { entries, mut features, unusable, .. } =
        embed_entries(encoder, None, entries, &[ViewSelection::default()], events)?;
    events(EvalEvent::Unusable { files: &unusable });
    if entries.is_empty() {
        return Err(EvalError::input(format!("{}: no shape can be used", folder.display())));
    }
    let shapes = features.remove(0).normalized();
    let places: HashMap<&str, usize> =
        entries.iter().enumerate().map(|(i, entry)| (entry.name.as_str(), i)).collect();
    let score = |(row, key): (usize, &str)| {
        places.get(key).map(|place| cosine(predictions.row(row), shapes.row(*place)))
    };
    let keys = report.items.iter().map(|item| item.key.as_str());
    let scores: Vec<Option<f64>> = keys.enumerate().map(score).collect();
    let usable: Vec<f64> = scores.iter().flatten().copied().collect();
    report.unusable = unusable;
    report.add_some("shape_cosine", mean(&usable), scores);
    Ok(())
}

/// Shapes below a folder by their paths, and by their names.
struct ShapeFiles<'a> {
    folder: &'a Path,
    by_name: HashMap<String, Vec<PathBuf>>,
}

impl<'a> ShapeFiles<'a> {
    fn of(folder: &'a Path) -> Self {
        let found = walk(&[folder.to_owned()]);
        let mut by_name: HashMap<String, Vec<PathBuf>> = HashMap::new();
        for file in found.assets.into_iter().chain(found.view_sets) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            by_name.entry(name).or_default().push(file);
        }
        Self { folder, by_name }
    }

    /// The file that a key names: a path below the folder, or the name of one file without its extension.
    fn find(&self, key: &str) -> Result<PathBuf, EvalError> {
        let path = self.folder.join(key);
        if path.exists() {
            return Ok(path);
        }
        match self.by_name.get(key).map(Vec::as_slice) {
            Some([only]) => Ok(only.clone()),
            Some(several) => Err(EvalError::hinted(
                format!("{key}: {} shapes have this name, such as {}", several.len(), several[0].display()),
                "use paths below the folder of --assets as keys",
            )),
            None => Err(EvalError::hinted(
                format!("{}: no shape of the name {key:?}", self.folder.display()),
                "keys of the captions must be paths below the folder of --assets, or names of files without extension",
            )),
        }
    }
}

/// Of rows with unit length.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len() as f64
}
