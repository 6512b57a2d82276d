//! Classification metrics of one model, with class names.

use lexiform_metrics::bootstrap::{ClassificationIntervals, Resampling};
use lexiform_metrics::paired::PairedComparison;
use lexiform_metrics::{ClassificationMetrics, MetricsError, Prediction};
use lexiform_search::TowerWork;
use serde::Serialize;

/// Classification metrics of one model.
#[derive(Clone, Debug, Serialize)]
pub struct ClassificationResult {
    /// Id of the model.
    pub model: String,
    /// Views per shape, if set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<usize>,
    /// Seed for sampling views and crop windows, if sampled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// Work of the model's image tower for all its results together, if counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tower_work: Option<TowerWork>,
    /// Number of shapes.
    pub shapes: usize,
    /// Number of labels to choose from.
    pub num_labels: usize,
    /// Top-1 accuracy.
    pub top_1: f64,
    /// Top-3 accuracy.
    pub top_3: f64,
    /// Top-5 accuracy.
    pub top_5: f64,
    /// Mean class accuracy.
    pub mean_class_accuracy: f64,
    /// Macro F1.
    pub macro_f1: f64,
    /// 95 % bootstrap confidence intervals.
    pub intervals: ClassificationIntervals,
    /// Paired comparison with the first result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_first: Option<PairedComparison>,
    /// Metrics of every label with files.
    pub per_class: Vec<ClassResult>,
}

/// Metrics of one label.
#[derive(Clone, Debug, Serialize)]
pub struct ClassResult {
    /// The label.
    pub label: String,
    /// Number of files.
    pub shapes: usize,
    /// Files with a correct top-1 prediction.
    pub correct: usize,
    /// Files with the label in their top 5.
    pub correct_top_5: usize,
    /// Files of other labels predicted as this one.
    pub false_positives: usize,
    /// Wrong labels its files are predicted as, most frequent first.
    pub predicted_as: Vec<PredictedAs>,
}

/// A wrong label and its frequency.
#[derive(Clone, Debug, Serialize)]
pub struct PredictedAs {
    /// The label.
    pub label: String,
    /// How often.
    pub count: usize,
}

impl ClassificationResult {
    /// Computes metrics and confidence intervals.
    ///
    /// ```
    /// use lexiform_eval::report::ClassificationResult;
    /// use lexiform_metrics::{Prediction, bootstrap::Resampling};
    ///
    /// let labels = ["chair", "table"].map(str::to_owned);
    /// let scores = [([0.9, 0.2], 0), ([0.8, 0.3], 1)];
    /// let predictions = scores.map(|(scores, truth)| Prediction::from_scores(&scores, truth, 1.0));
    /// let result = ClassificationResult::from_predictions("tiny", &predictions, &labels, Resampling::default())?;
    /// assert_eq!(result.top_1, 0.5);
    /// assert_eq!(result.per_class[1].predicted_as[0].label, "chair");
    /// # Ok::<(), lexiform_metrics::MetricsError>(())
    /// ```
    ///
    /// # Errors
    /// If there are no predictions.
    pub fn from_predictions(
        model: &str,
        predictions: &[Prediction],
        labels: &[String],
        resampling: Resampling,
    ) -> Result<Self, MetricsError> {
        let counted = ClassificationMetrics::from_predictions(predictions, labels.len())?;
        let intervals = ClassificationIntervals::from_predictions(predictions, &counted, resampling);
        let name = |class: usize| labels[class].clone();
        let classes = counted.per_class.iter().map(|c| ClassResult {
            label: name(c.class),
            shapes: c.items,
            correct: c.correct,
            correct_top_5: c.correct_top_5,
            false_positives: c.false_positives,
            predicted_as: c
                .predicted_as
                .iter()
                .map(|&(class, count)| PredictedAs { label: name(class), count })
                .collect(),
        });
        Ok(Self {
            model: model.to_owned(),
            views: None,
            seed: None,
            tower_work: None,
            shapes: counted.items,
            num_labels: counted.num_classes,
            top_1: counted.top_1,
            top_3: counted.top_3,
            top_5: counted.top_5,
            mean_class_accuracy: counted.mean_class_accuracy,
            macro_f1: counted.macro_f1,
            intervals,
            against_first: None,
            per_class: classes.collect(),
        })
    }

    /// The model with number of views and seed.
    pub fn name(&self) -> String {
        // The name must be unique per result: it is the row label of the comparison table.
        let views =
            self.views.map_or(String::new(), |n| format!(", {n} view{}", if n == 1 { "" } else { "s" }));
        let seed = self.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        format!("{}{views}{seed}", self.model)
    }
}
