//! Point encoders with a head that names classes: what they are given, and what they call their classes.

use std::path::Path;

use lexiform_eval::head_preprocessor;
use lexiform_model::point::PointPreprocessOverrides;
use lexiform_model::{Device, PointModel, PointModelOptions, registry};
use lexiform_search::{Error, LabelScore, ModelInput};

/// Whether a model names classes by itself.
pub fn has(name: &str) -> anyhow::Result<bool> {
    Ok(PointModel::has_classifier(&registry::open_weights(name)?))
}

/// Opens a model with a head.
pub fn open(name: &str, clouds: PointPreprocessOverrides, device: &Device) -> anyhow::Result<PointModel> {
    let options = PointModelOptions { clouds, device: device.clone(), ..PointModelOptions::default() };
    Ok(PointModel::open(name, &options)?)
}

/// All classes of a file with the shares that the head gives them, best first.
pub fn name(model: &PointModel, file: &Path) -> Result<Vec<LabelScore>, Error> {
    if !file.exists() {
        return Err(Error::NotFound { path: file.to_owned() });
    }
    let ModelInput::Points(cloud) = head_preprocessor(model).process(file)?.input else {
        let reason = "has no points".to_owned();
        return Err(Error::Shape { path: file.to_owned(), reason });
    };
    let scores = model.class_logits(&[cloud], None)?.concat();
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f32 = shares.iter().sum();
    let mut named: Vec<LabelScore> = (shares.iter().enumerate())
        .map(|(class, share)| LabelScore { label: label(model, class), score: share / sum })
        .collect();
    named.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(named)
}

/// What a class is called: published files do not say.
fn label(model: &PointModel, class: usize) -> String {
    model.config().labels.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
}
