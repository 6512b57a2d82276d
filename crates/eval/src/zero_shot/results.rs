//! Results of a zero-shot evaluation.

use std::sync::Arc;

use lexiform_metrics::Prediction;
use lexiform_metrics::bootstrap::Resampling;
use lexiform_search::Encoder;

use crate::entry::Entry;
use crate::error::EvalError;
use crate::item_results::{ItemResult, compare};
use crate::report::ClassificationResult;
use crate::unusable::UnusableFile;

/// The results of all models.
pub struct ZeroShotReport {
    /// One per model; at least one.
    pub models: Vec<ModelResults>,
    /// Files that a model could not use, each once, sorted.
    pub unusable: Vec<UnusableFile>,
}

/// The results of one model: one per selection of views, on the same shapes.
pub struct ModelResults {
    pub(super) encoder: Option<Arc<dyn Encoder>>,
    /// The shapes that were classified.
    pub entries: Vec<Entry>,
    /// The labels to choose from.
    pub labels: Vec<String>,
    /// One result per number of views and seed.
    pub variants: Vec<VariantResult>,
    /// Files that could not be used.
    pub unusable: Vec<UnusableFile>,
    /// Thumbnails of generated shapes, which have no file.
    pub(super) thumbnails: Vec<Option<Vec<u8>>>,
}

/// The result for one number of views and one seed.
pub struct VariantResult {
    /// The metrics.
    pub metrics: ClassificationResult,
    /// One per shape.
    pub predictions: Vec<Prediction>,
}

/// Mean accuracy of runs that differ only in the seed. As in Duoduo CLIP's evaluation, each run is rounded to two decimals
/// before averaging.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanOverSeeds {
    /// Model and number of views.
    pub name: String,
    /// Top-1, top-3 and top-5 accuracy in percent.
    pub percent: [f64; 3],
}

impl ZeroShotReport {
    pub(super) fn new(models: Vec<ModelResults>) -> Self {
        let unusable = UnusableFile::merged(models.iter().map(|model| &model.unusable));
        Self { models, unusable }
    }

    /// Whether every model could use at least one shape.
    pub fn is_complete(&self) -> bool {
        self.models.iter().all(|model| !model.entries.is_empty())
    }

    /// The metrics of every model and variant.
    pub fn results(&self) -> Vec<ClassificationResult> {
        let variants = self.models.iter().flat_map(|model| &model.variants);
        variants.map(|variant| variant.metrics.clone()).collect()
    }

    /// Means over results that differ only in the seed.
    pub fn means_over_seeds(&self) -> Vec<MeanOverSeeds> {
        // Round half away from zero to two decimals, like the published tables.
        let round = |x: f64| (x * 100.0).round() / 100.0;
        let mut groups: Vec<(String, Vec<ClassificationResult>)> = Vec::new();
        for result in self.results().into_iter().filter(|result| result.seed.is_some()) {
            let name = ClassificationResult { seed: None, ..result.clone() }.name();
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, group)) => group.push(result),
                None => groups.push((name, vec![result])),
            }
        }
        let mean = |group: &[ClassificationResult], share: fn(&ClassificationResult) -> f64| {
            round(group.iter().map(|r| round(100.0 * share(r))).sum::<f64>() / group.len() as f64)
        };
        let mean_of = |(name, group): (String, Vec<ClassificationResult>)| MeanOverSeeds {
            name,
            percent: [mean(&group, |r| r.top_1), mean(&group, |r| r.top_3), mean(&group, |r| r.top_5)],
        };
        groups.into_iter().map(mean_of).collect()
    }

    /// Compares every further result with the first on their common shapes.
    pub(super) fn compare_with_first(&mut self, resampling: Resampling) -> Result<(), EvalError> {
        let first = self.models[0].item_results(0);
        for (i, model) in self.models.iter_mut().enumerate() {
            // The first variant of the first model is the reference itself.
            for variant in usize::from(i == 0)..model.variants.len() {
                let compared = compare(&first, &model.item_results(variant), resampling)?;
                model.variants[variant].metrics.against_first = compared;
            }
        }
        Ok(())
    }
}

impl ModelResults {
    fn item_results(&self, variant: usize) -> Vec<ItemResult> {
        let predictions = &self.variants[variant].predictions;
        let case =
            |(e, p): (&Entry, &Prediction)| ItemResult { item: e.name.clone(), is_correct: p.is_correct() };
        self.entries.iter().zip(predictions).map(case).collect()
    }
}
