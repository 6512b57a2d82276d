//! The numbers of one model on a set of files, with labels by name.

use lexiform_metrics::bootstrap::{ClassificationIntervals, Resampling};
use lexiform_metrics::paired::PairedComparison;
use lexiform_metrics::{ClassificationMetrics, MetricsError, Prediction};
use serde::Serialize;

/// The numbers of one model on the files.
#[derive(Clone, Debug, Serialize)]
pub struct ClassificationResult {
    /// Which weights.
    pub model: String,
    /// Views that each shape was given by, where it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<usize>,
    /// Seed of the draw of views and window, where they were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// Files that were named.
    pub shapes: usize,
    /// Labels to choose from.
    pub num_labels: usize,
    /// Share whose first answer is right.
    pub top_1: f64,
    /// Share with the right answer among three.
    pub top_3: f64,
    /// Share with the right answer among five.
    pub top_5: f64,
    /// Mean over labels of the share named right.
    pub mean_class_accuracy: f64,
    /// Mean over labels of F1.
    pub macro_f1: f64,
    /// Where 95 % of resampled values lie.
    pub intervals: ClassificationIntervals,
    /// This result compared with the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_first: Option<PairedComparison>,
    /// Every label that has files.
    pub per_class: Vec<ClassResult>,
}

/// One label's share.
#[derive(Clone, Debug, Serialize)]
pub struct ClassResult {
    /// The label.
    pub label: String,
    /// Its files.
    pub shapes: usize,
    /// How many of them are named right at once.
    pub correct: usize,
    /// How many have the right answer among five.
    pub correct_top_5: usize,
    /// Files of other labels that are given this one.
    pub false_positives: usize,
    /// What its files are taken for instead, most frequent first.
    pub predicted_as: Vec<PredictedAs>,
}

/// A wrong label and how often it was given.
#[derive(Clone, Debug, Serialize)]
pub struct PredictedAs {
    /// The label.
    pub label: String,
    /// How often.
    pub count: usize,
}

impl ClassificationResult {
    /// Counts predictions and draws intervals.
    ///
    /// # Errors
    /// If there is no prediction.
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

    /// The model, and how many views it was given.
    pub fn name(&self) -> String {
        let views =
            self.views.map_or(String::new(), |n| format!(", {n} view{}", if n == 1 { "" } else { "s" }));
        let seed = self.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        format!("{}{views}{seed}", self.model)
    }
}
