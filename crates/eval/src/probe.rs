//! The linear probe: a linear classifier on frozen embeddings.

use lexiform_metrics::Features;
use lexiform_metrics::bootstrap::Resampling;
use lexiform_metrics::probe::{Probe, ProbeConfig, stratified_split};
use serde::Serialize;

use crate::entry::{Entry, all_labels, label_indices};
use crate::error::EvalError;
use crate::event::OnEvent;
use crate::labeled_features::LabeledFeatures;
use crate::models::Models;
use crate::report::{ClassificationResult, ClassificationTables};
use crate::source::DataConfig;
use crate::unusable::UnusableFile;

/// How a linear probe is trained and tested.
#[derive(Clone, Debug)]
pub struct LinearProbeConfig {
    /// The shapes. If they have splits, the probe is trained on `train` and tested on `test`.
    pub data: DataConfig,
    /// Fraction of each label's shapes to test on, if shapes have no split.
    pub test_fraction: f64,
    /// Inverse regularization strength, scikit-learn's C; selected on a part of the training shapes if `None`.
    pub c: Option<f64>,
    /// Percentage of the training shapes to train on, as CG3D's scarce-label runs: every n-th, with n = 100 / percentage rounded
    /// down; all if `None`.
    pub train_percent: Option<f64>,
    /// How confidence intervals are computed; its seed also splits the shapes.
    pub resampling: Resampling,
}

/// The result of a linear probe.
#[derive(Clone, Debug, Serialize)]
pub struct LinearProbeReport {
    /// Metrics on the test shapes.
    #[serde(flatten)]
    pub metrics: ClassificationResult,
    /// Number of training shapes.
    pub train_shapes: usize,
    /// Inverse regularization strength.
    pub c: f64,
    /// Every C of the grid search with its validation accuracy.
    pub c_search: Vec<(f64, f64)>,
    /// Tables of the metrics.
    #[serde(skip)]
    pub tables: ClassificationTables,
    /// Files that could not be used.
    #[serde(skip)]
    pub unusable: Vec<UnusableFile>,
}

/// Training or test rows.
struct Subset {
    features: Features,
    truth: Vec<usize>,
}

/// Trains a linear probe on the training shapes and evaluates it on the test shapes.
///
/// # Errors
/// If shapes or features cannot be read, none is left to train or test on, or the model fails.
pub fn linear_probe(
    config: &LinearProbeConfig,
    models: &Models,
    events: &mut OnEvent<'_>,
) -> Result<LinearProbeReport, EvalError> {
    let LabeledFeatures { model, entries, features, unusable } =
        LabeledFeatures::load(&config.data, models, events)?;
    if entries.is_empty() {
        return Err(EvalError::input("no file could be used"));
    }
    let labels = all_labels(&entries)?.names;
    let truth = label_indices(&entries, &labels)?;
    let [mut train, test] = parts(config, &entries, &truth);
    if let Some(percent) = config.train_percent {
        train = train.into_iter().step_by(((100.0 / percent).floor() as usize).max(1)).collect();
    }
    if test.is_empty() {
        return Err(EvalError::input("no file is left to test on"));
    }
    let part = |rows: &[usize]| -> Result<Subset, EvalError> {
        Ok(Subset { features: features.select(rows)?, truth: rows.iter().map(|i| truth[*i]).collect() })
    };
    let (train, test) = (part(&train)?, part(&test)?);
    let probe_config = ProbeConfig { c: config.c, seed: config.resampling.seed, ..ProbeConfig::default() };
    let probe = Probe::train(&train.features, &train.truth, labels.len(), &probe_config)?;
    let predictions = probe.predict(&test.features, &test.truth)?;
    let metrics = ClassificationResult::from_predictions(&model, &predictions, &labels, config.resampling)?;
    let train_shapes = train.truth.len();
    let tables = ClassificationTables::new(&metrics, &predictions, &labels);
    Ok(LinearProbeReport { metrics, tables, train_shapes, c: probe.c, c_search: probe.c_search, unusable })
}

/// Indices of the entries to train and to test on.
fn parts(config: &LinearProbeConfig, entries: &[Entry], truth: &[usize]) -> [Vec<usize>; 2] {
    // Published splits take precedence over a random one.
    if entries.iter().all(|e| e.split.is_none()) {
        return stratified_split(truth, config.test_fraction, config.resampling.seed);
    }
    let of_split =
        |name: &str| (0..entries.len()).filter(|i| entries[*i].split.as_deref() == Some(name)).collect();
    [of_split("train"), of_split("test")]
}
