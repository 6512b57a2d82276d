//! Accuracy of a fine-tuned classifier from its logits, with test-time augmentation.

use lexiform_metrics::Features;
use lexiform_metrics::bootstrap::Resampling;
use lexiform_metrics::vote::{self, Voting};
use lexiform_model::PointModel;
use lexiform_search::{ModelInput, ShapePreprocessor};

use crate::entry::{Entry, all_labels, label_indices};
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::protocol::{ClassList, Protocol};
use crate::report::{ClassificationResult, ClassificationTables};
use crate::shape_input;
use crate::source::{LabeledRows, ShapeSource};
use crate::unusable::UnusableFile;

/// Shapes at once.
const BATCH: usize = 32;
/// Points sampled from a surface before farthest point sampling.
const CANDIDATE_POINTS: usize = 8192;

/// How a classifier is evaluated.
#[derive(Clone, Debug)]
pub struct ClassScoresConfig {
    /// The shapes.
    pub shapes: ShapeSource,
    /// Label of each logits column; the model's own, the protocol's, or all occurring labels if `None`.
    pub class_names: Option<Vec<String>>,
    /// How augmentations are combined.
    pub vote: Voting,
    /// The protocol.
    pub protocol: Option<&'static Protocol>,
    /// How confidence intervals are computed; its seed also augments the points.
    pub resampling: Resampling,
}

/// Where logits come from.
pub enum ScoreSource<'a> {
    /// Files of logits, `[shapes, labels]`, one per augmentation: `FILE` or `FILE#TENSOR`.
    Files(&'a [String]),
    /// A point encoder with a classification head.
    Model {
        /// Name or path it was opened with, for errors.
        name: &'a str,
        /// The model.
        model: &'a PointModel,
        /// Augmentations per shape; 1 for the unaugmented shape alone.
        augmentations: u32,
    },
}

/// The result of a classifier.
#[derive(Clone, Debug)]
pub struct ClassScoresReport {
    /// The metrics; `None` if no shape could be used.
    pub metrics: Option<ClassificationResult>,
    /// Its tables.
    pub tables: Option<ClassificationTables>,
    /// Augmentations per shape.
    pub augmentations: usize,
    /// Files that could not be used.
    pub unusable: Vec<UnusableFile>,
}

/// Shapes with the logits of every augmentation.
struct ShapeLogits {
    /// The classifier.
    name: String,
    entries: Vec<Entry>,
    /// `[entries, labels]` for each augmentation.
    augmentations: Vec<Features>,
    unusable: Vec<UnusableFile>,
    /// Labels of the columns, if the classifier names them.
    class_names: Vec<String>,
}

/// Preprocessing for a point encoder with a classification head.
pub fn head_preprocessor(model: &PointModel) -> ShapePreprocessor {
    ShapePreprocessor::surface_points(CANDIDATE_POINTS.max(2 * model.n_points()))
}

/// Evaluates a classifier.
///
/// # Errors
/// If shapes or logits cannot be read or do not match, or the model fails. A single unusable file is only listed in the
/// report.
pub fn class_scores(
    config: &ClassScoresConfig,
    source: &ScoreSource<'_>,
    events: &mut OnEvent<'_>,
) -> Result<ClassScoresReport, EvalError> {
    let scored = match source {
        ScoreSource::Files(files) => read_files(config, files, events)?,
        ScoreSource::Model { model, augmentations, .. } => run_model(config, model, *augmentations, events)?,
    };
    events(EvalEvent::Unusable { files: &scored.unusable });
    let columns = scored.augmentations.first().map(Features::dim).filter(|_| !scored.entries.is_empty());
    let (metrics, tables) = match columns {
        Some(columns) => {
            let labels = labels(config, source, &scored, columns)?;
            let truth = label_indices(&scored.entries, &labels)?;
            let predictions = vote::from_scores(&scored.augmentations, &truth, config.vote)?;
            let metrics = ClassificationResult::from_predictions(
                &scored.name,
                &predictions,
                &labels,
                config.resampling,
            )?;
            let tables = ClassificationTables::new(&metrics, &predictions, &labels);
            (Some(metrics), Some(tables))
        }
        None => (None, None),
    };
    Ok(ClassScoresReport {
        metrics,
        tables,
        augmentations: scored.augmentations.len(),
        unusable: scored.unusable,
    })
}

/// The label of each column.
fn labels(
    config: &ClassScoresConfig,
    source: &ScoreSource<'_>,
    scored: &ShapeLogits,
    columns: usize,
) -> Result<Vec<String>, EvalError> {
    let mut labels = match (&config.class_names, config.protocol.map(|protocol| protocol.classes)) {
        (Some(columns), _) => columns.clone(),
        // A head that stores its labels overrides the protocol, whose order may differ.
        (None, _) if !scored.class_names.is_empty() => scored.class_names.clone(),
        (None, Some(ClassList::Builtin(names))) => names.iter().map(|name| (*name).to_owned()).collect(),
        (None, _) => all_labels(&scored.entries)?.names,
    };
    let is_model = matches!(source, ScoreSource::Model { .. });
    if is_model && (config.class_names.is_some() || config.protocol.is_some()) {
        // Heads may be wider than the benchmark: CG3D's has 40 columns for ScanObjectNN's 15 labels.
        labels.extend((labels.len()..columns).map(|column| format!("column {column}")));
    }
    if columns == labels.len() {
        return Ok(labels);
    }
    let what = match source {
        ScoreSource::Files(files) => files.first().map_or("", String::as_str),
        ScoreSource::Model { name, .. } => name,
    };
    Err(EvalError::hinted(
        format!("{what}: expected {} logits per shape, found {columns}", labels.len()),
        "name the label of each column with --class-names",
    ))
}

/// Runs a fine-tuned point encoder.
fn run_model(
    config: &ClassScoresConfig,
    model: &PointModel,
    augmentations: u32,
    events: &mut OnEvent<'_>,
) -> Result<ShapeLogits, EvalError> {
    let preprocessor = head_preprocessor(model);
    // [augmentation][shape][label].
    let mut rows: Vec<Vec<Vec<f32>>> = vec![Vec::new(); augmentations as usize];
    let (mut kept, mut unusable) = (Vec::new(), Vec::new());
    let entries = config.shapes.entries(events)?;
    events(EvalEvent::Started { steps: entries.len() });
    for batch in entries.chunks(BATCH) {
        let mut clouds = Vec::with_capacity(batch.len());
        for entry in batch {
            events(EvalEvent::Step { item: &entry.label });
            match shape_input::read(&preprocessor, entry) {
                Ok(ModelInput::Points(cloud)) => {
                    clouds.push(cloud);
                    kept.push(entry.clone());
                }
                Ok(_) => {
                    let reason = "has no points".to_owned();
                    unusable.push(UnusableFile { file: entry.name.clone(), reason });
                }
                Err(error) => unusable.push(UnusableFile::from_error(&entry.file, error)?),
            }
        }
        for (rows, vote) in rows.iter_mut().zip(0..) {
            // A single augmentation is the shape itself, unaugmented, as in the papers' results without voting.
            let seed = (augmentations > 1).then(|| config.resampling.seed.wrapping_add(vote));
            rows.extend(model.class_logits(&clouds, seed)?);
        }
    }
    events(EvalEvent::Finished);
    let augmentations = rows.iter().map(|rows| Features::from_rows(rows.iter().map(Vec::as_slice)));
    let augmentations = if kept.is_empty() { Vec::new() } else { augmentations.collect::<Result<_, _>>()? };
    let (name, class_names) = (model.id().to_owned(), model.config().labels.clone());
    Ok(ShapeLogits { name, entries: kept, augmentations, unusable, class_names })
}

/// Reads the logits of every augmentation.
fn read_files(
    config: &ClassScoresConfig,
    files: &[String],
    events: &mut OnEvent<'_>,
) -> Result<ShapeLogits, EvalError> {
    let mut first: Option<Vec<Entry>> = None;
    let mut augmentations = Vec::new();
    for file in files {
        let LabeledRows { entries, features, .. } = config.shapes.rows(file, events)?;
        // All files must have the same rows in the same order, since augmentations are combined row by row.
        let same = first.get_or_insert_with(|| entries.clone());
        if !same.iter().map(|entry| &entry.name).eq(entries.iter().map(|entry| &entry.name)) {
            let text = format!("{file}: rows are not those of {}", files[0]);
            return Err(EvalError::input(text));
        }
        augmentations.push(features);
    }
    let entries =
        first.ok_or_else(|| EvalError::input("expected at least one file of logits, found none"))?;
    let (unusable, class_names) = (Vec::new(), Vec::new());
    Ok(ShapeLogits { name: files.join(" + "), entries, augmentations, unusable, class_names })
}
