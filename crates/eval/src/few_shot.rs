//! Few-shot classification: labels are learned from a few examples.

use lexiform_metrics::few_shot::{EpisodeConfig, FewShotResult};

use crate::entry::{all_labels, label_indices};
use crate::error::EvalError;
use crate::event::OnEvent;
use crate::labeled_features::LabeledFeatures;
use crate::models::Models;
use crate::source::DataConfig;
use crate::unusable::UnusableFile;

/// How few-shot classification is measured.
#[derive(Clone, Debug)]
pub struct FewShotConfig {
    /// The shapes.
    pub data: DataConfig,
    /// What an episode is.
    pub episodes: EpisodeConfig,
}

/// Accuracy over episodes.
#[derive(Clone, Debug)]
pub struct FewShotReport {
    /// The model, or the file of features if it names none.
    pub model: String,
    /// The numbers.
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
    let truth = label_indices(&entries, &all_labels(&entries))?;
    let result = lexiform_metrics::few_shot::few_shot(&features, &truth, config.episodes)?;
    Ok(FewShotReport { model, result, unusable })
}
