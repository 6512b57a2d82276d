//! Retrieval of shapes by captions and photos, and of captions and photos by shapes.

mod config;
mod direction;
mod gallery;
mod photos;
mod report;
mod run;

use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::models::Models;
use crate::protocol::cloud_options;

pub use config::{CaptionSource, PhotoListing, RetrievalConfig};
pub use report::{DirectionResult, RetrievalReport};

/// Evaluates every direction with every model and compares each with the first.
///
/// # Errors
/// If captions, photos or features cannot be read or do not match, or a model fails. A single unusable file is only
/// listed in the report.
pub fn retrieval(
    config: &RetrievalConfig,
    models: &Models,
    events: &mut OnEvent<'_>,
) -> Result<RetrievalReport, EvalError> {
    let gallery = gallery::Gallery::read(config)?;
    let precomputed = config.features.as_ref().or(config.text_features.as_ref());
    // Features of one model cannot be compared with text features of another.
    if let Some(file) = precomputed.filter(|_| models.names.len() > 1) {
        return Err(EvalError::SeveralModels { file: file.clone(), models: models.names.len() });
    }
    let mut runs = Vec::new();
    match (&config.features, &config.text_features, &config.photos) {
        // No model is opened if everything is precomputed; photos still need one.
        (Some(shapes), Some(texts), None) => runs.push(run::from_features(shapes, texts, &gallery)?),
        _ => {
            for name in &models.names {
                let encoder = models.open(name, cloud_options(config.protocol, None))?;
                runs.push(run::with_model(config, &*encoder, gallery.clone(), events)?);
            }
        }
    }
    let mut report = RetrievalReport::new(runs);
    events(EvalEvent::Unusable { files: &report.unusable });
    if report.is_complete() {
        report.count(config.resampling)?;
    }
    Ok(report)
}
