//! Accuracies of a classification: top-1, top-3, top-5, mean class accuracy, macro F1.

use serde::Serialize;

use crate::{ClassMetrics, ConfusionMatrix, MetricsError, Prediction};

/// Classification metrics.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassificationMetrics {
    /// Number of items.
    pub items: usize,
    /// Number of classes.
    pub num_classes: usize,
    /// Top-1 (overall) accuracy.
    pub top_1: f64,
    /// Top-3 accuracy.
    pub top_3: f64,
    /// Top-5 accuracy.
    pub top_5: f64,
    /// Mean of the per-class accuracies (balanced accuracy); classes without items are ignored.
    pub mean_class_accuracy: f64,
    /// Mean of the per-class F1 scores; classes that neither occur nor are predicted are ignored.
    pub macro_f1: f64,
    /// Metrics of every class that has items.
    pub per_class: Vec<ClassMetrics>,
}

impl ClassificationMetrics {
    /// Metrics of predictions among `num_classes` classes.
    ///
    /// # Errors
    /// If there are no predictions.
    pub fn from_predictions(predictions: &[Prediction], num_classes: usize) -> Result<Self, MetricsError> {
        if predictions.is_empty() {
            return Err(MetricsError::NotEnoughData(
                "expected at least one prediction, found none".to_owned(),
            ));
        }
        let confusion = ConfusionMatrix::from_predictions(predictions, num_classes);
        Ok(Self {
            items: predictions.len(),
            num_classes,
            top_1: top_k_accuracy(predictions, 1),
            top_3: top_k_accuracy(predictions, 3),
            top_5: top_k_accuracy(predictions, 5),
            mean_class_accuracy: confusion.mean_class_accuracy(),
            macro_f1: confusion.macro_f1(),
            per_class: confusion.per_class(predictions),
        })
    }
}

/// Fraction of predictions whose class is among the first `k`.
fn top_k_accuracy(predictions: &[Prediction], k: usize) -> f64 {
    predictions.iter().filter(|p| p.rank <= k).count() as f64 / predictions.len().max(1) as f64
}
