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
        let mut groups: Vec<(String, Vec<ClassificationResult>)> = Vec::new();
        for result in self.results().into_iter().filter(|result| result.seed.is_some()) {
            let name = ClassificationResult { seed: None, ..result.clone() }.name();
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, group)) => group.push(result),
                None => groups.push((name, vec![result])),
            }
        }
        let mean = |group: &[ClassificationResult], share: fn(&ClassificationResult) -> f64| {
            let sum: f64 = group.iter().map(|r| rounded_percent(share(r))).sum();
            // NumPy's `round`: the scaled value, with ties to even.
            (sum / group.len() as f64 * 100.0).round_ties_even() / 100.0
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

/// A share in percent, rounded to two decimals like Duoduo CLIP's evaluation: torchmetrics divides in 32 bits, Python's `round`
/// rounds the exact decimal value.
fn rounded_percent(share: f64) -> f64 {
    let percent = f64::from(share as f32) * 100.0;
    // Formatting is exact too; multiplying by 100 first would not be.
    format!("{percent:.2}").parse().unwrap_or(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_like_the_reference() {
        // Printed by Python: round((torch.tensor(c) / torch.tensor(t)).item() * 100, 2); the second and third are just below
        // a tie in 32 bits.
        let check = |[correct, total]: [u32; 2], expected: f64| {
            assert_eq!(rounded_percent(f64::from(correct) / f64::from(total)), expected, "{correct}/{total}");
        };
        check([34, 40], 85.0);
        check([301, 800], 37.62);
        check([9, 32], 28.12);
        check([97, 800], 12.13);
        check([1, 800], 0.12);
        check([23, 1600], 1.44);
        check([1, 3], 33.33);
        check([25371, 46205], 54.91);
        check([5, 32], 15.62);
        check([801, 1600], 50.06);
        check([40, 40], 100.0);
        check([0, 7], 0.0);
    }
}
