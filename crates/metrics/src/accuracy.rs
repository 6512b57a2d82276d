//! Accuracies of a classification: top-1, top-3, top-5, mean class accuracy, macro F1.

use serde::Serialize;

use crate::{ClassScore, Confusion, MetricsError, Prediction};

/// The numbers of a classification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Classification {
    /// Items that were named.
    pub items: usize,
    /// Classes to choose from.
    pub labels: usize,
    /// Share whose first answer is right (overall accuracy).
    pub top_1: f64,
    /// Share with the right answer among three.
    pub top_3: f64,
    /// Share with the right answer among five.
    pub top_5: f64,
    /// Mean over classes of the share named right; classes without items do not count.
    pub class_average: f64,
    /// Mean over classes of the harmonic mean of precision and recall; classes that neither occur nor are answered do
    /// not count.
    pub macro_f1: f64,
    /// Every class that has items.
    pub classes: Vec<ClassScore>,
}

impl Classification {
    /// Counts predictions among `labels` classes.
    ///
    /// # Errors
    /// If there is no prediction.
    pub fn of(predictions: &[Prediction], labels: usize) -> Result<Self, MetricsError> {
        if predictions.is_empty() {
            return Err(MetricsError::TooLittle("nothing was classified".to_owned()));
        }
        let confusion = Confusion::of(predictions, labels);
        Ok(Self {
            items: predictions.len(),
            labels,
            top_1: within(predictions, 1),
            top_3: within(predictions, 3),
            top_5: within(predictions, 5),
            class_average: confusion.class_average(),
            macro_f1: confusion.macro_f1(),
            classes: confusion.class_scores(predictions),
        })
    }
}

/// Share of predictions with the right answer among the first `k`.
fn within(predictions: &[Prediction], k: usize) -> f64 {
    predictions.iter().filter(|p| p.rank <= k).count() as f64 / predictions.len().max(1) as f64
}
