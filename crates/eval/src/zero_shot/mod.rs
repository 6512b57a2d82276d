//! Zero-shot classification: a model assigns labels from their text features alone.

mod config;
mod measure;
mod results;
mod write;

use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::models::Models;

pub use config::{REFERENCE_SEEDS, REFERENCE_WORKERS, ZeroShotConfig, ZeroShotShapes};
pub use results::{MeanOverSeeds, ModelResults, VariantResult, ZeroShotReport};
pub use write::RunInfo;

/// Classifies the shapes with every model and compares each with the first on the shapes usable by both.
///
/// # Errors
/// If shapes, labels or features cannot be read or do not match, or a model fails. A single unusable file is only listed
/// in the report.
pub fn zero_shot(
    config: &ZeroShotConfig<'_>,
    models: &Models,
    events: &mut OnEvent<'_>,
) -> Result<ZeroShotReport, EvalError> {
    let mut results = Vec::new();
    match &config.shapes {
        ZeroShotShapes::Features { shapes, file } => {
            results.push(measure::features(config, shapes, file, models, events)?);
        }
        ZeroShotShapes::Files(shapes) => {
            for name in &models.names {
                results.push(measure::files(config, shapes, config.open(models, name)?, events)?);
            }
        }
        ZeroShotShapes::Generated(generator) => {
            for name in &models.names {
                results.push(measure::generated(config, *generator, config.open(models, name)?, events)?);
            }
        }
    }
    let mut report = ZeroShotReport::new(results);
    events(EvalEvent::Unusable { files: &report.unusable });
    // Without a result of the first model there is nothing to compare with.
    if report.is_complete() {
        report.compare_with_first(config.resampling)?;
    }
    Ok(report)
}
