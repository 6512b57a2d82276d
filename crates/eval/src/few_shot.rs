//! Few-shot classification from a few examples per label.

use lexiform_metrics::few_shot::{EpisodeConfig, FewShotResult};

use crate::entry::{all_labels, label_indices};
use crate::error::EvalError;
use crate::event::OnEvent;
use crate::labeled_features::LabeledFeatures;
use crate::models::Models;
use crate::source::DataConfig;
use crate::unusable::UnusableFile;

/// How few-shot classification is evaluated.
#[derive(Clone, Debug)]
pub struct FewShotConfig {
    /// The shapes.
    pub data: DataConfig,
    /// The episodes.
    pub episodes: EpisodeConfig,
}

/// The result of a few-shot evaluation.
#[derive(Clone, Debug)]
pub struct FewShotReport {
    /// The model, or the file of features if it names none.
    pub model: String,
    /// Accuracy over the episodes.
    pub result: FewShotResult,
    /// Files that could not be used.
    pub unusable: Vec<UnusableFile>,
}

/// Samples episodes and averages their accuracy.
///
/// # Errors
/// If shapes or features cannot be read, too few labels have enough shapes, or the model fails.
pub fn few_shot(
    config: &FewShotConfig,
    models: &Models,
    events: &mut OnEvent<'_>,
) -> Result<FewShotReport, EvalError> {
    let LabeledFeatures { model, entries, features, unusable } =
        LabeledFeatures::load(&config.data, models, events)?;
    let truth = label_indices(&entries, &all_labels(&entries)?.names)?;
    let result = lexiform_metrics::few_shot::few_shot(&features, &truth, config.episodes)?;
    Ok(FewShotReport { model, result, unusable })
}
