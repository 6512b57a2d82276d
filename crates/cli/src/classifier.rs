//! Point encoders with a classification head.

use std::path::Path;

use lexiform_eval::head_preprocessor;
use lexiform_model::point::PointPreprocessOverrides;
use lexiform_model::{Device, PointModel, PointModelOptions, registry};
use lexiform_search::{Error, LabelScore, ModelInput, UpRule};

/// Whether a model has a classification head.
pub(crate) fn has_head(name: &str) -> anyhow::Result<bool> {
    Ok(PointModel::has_classifier(&registry::open_weights(name)?))
}

/// Opens a model with a classification head.
pub(crate) fn open(
    name: &str,
    clouds: PointPreprocessOverrides,
    device: &Device,
) -> anyhow::Result<PointModel> {
    let options = PointModelOptions { clouds, device: device.clone(), ..PointModelOptions::default() };
    Ok(PointModel::open(name, &options)?)
}

/// All classes with their softmax probabilities, best first.
pub(crate) fn classify(model: &PointModel, file: &Path, up: UpRule) -> Result<Vec<LabelScore>, Error> {
    if !file.exists() {
        return Err(Error::NotFound { path: file.to_owned() });
    }
    let ModelInput::Points(cloud) = head_preprocessor(model).with_up(up).process(file)?.input else {
        let reason = "has no points".to_owned();
        return Err(Error::Shape { path: file.to_owned(), reason });
    };
    let scores = model.class_logits(&[cloud], None)?.concat();
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    // Subtracting the largest score keeps the exponentials finite.
    let exponentials: Vec<f32> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    let mut scored: Vec<LabelScore> = (exponentials.iter().enumerate())
        .map(|(class, value)| LabelScore { label: label(model, class), score: value / sum })
        .collect();
    scored.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(scored)
}

/// The name of a class, or its number: published checkpoints have no names.
fn label(model: &PointModel, class: usize) -> String {
    model.config().labels.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
}
