//! Contents of a report.

use lexiform_metrics::{ConfusionMatrix, Prediction};
use serde::Serialize;

use super::classification::ClassificationResult;
use crate::protocol::PublishedResult;
use crate::unusable::UnusableFile;

/// Everything that the page shows. The first result is shown in detail.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Heading.
    pub title: String,
    /// Facts about the run, as pairs of name and value.
    pub run_info: Vec<(String, String)>,
    /// The labels to choose from.
    pub labels: Vec<String>,
    /// One per model, number of views and seed.
    pub results: Vec<ClassificationResult>,
    /// Published results to compare with.
    pub published: Vec<&'static PublishedResult>,
    /// Wrong predictions of the first model with the highest confidence.
    pub hardest_examples: Vec<HardExample>,
    /// Files that could not be used, with the reason.
    pub unusable: Vec<UnusableFile>,
    /// Confusion matrix of the first result.
    #[serde(skip)]
    pub confusion: Option<ConfusionMatrix>,
}

/// A misclassified file.
#[derive(Clone, Debug, Serialize)]
pub struct HardExample {
    /// The file.
    pub file: String,
    /// Its label.
    pub label: String,
    /// The predicted label.
    pub predicted_as: String,
    /// Score of the predicted label.
    pub score: f64,
    /// Score of the true label.
    pub truth_score: f64,
    /// Rank of the true label.
    pub rank: usize,
    /// A JPEG thumbnail.
    #[serde(skip)]
    pub thumbnail: Option<Vec<u8>>,
}

/// Indices of the wrong predictions with the largest lead over the true class.
///
/// ```
/// use lexiform_eval::report::hardest_examples;
/// use lexiform_metrics::Prediction;
///
/// // The first item is correct, the second is wrong by 0.1 and the third by 0.5.
/// let predictions = [([0.9, 0.2], 0), ([0.4, 0.3], 1), ([0.2, 0.7], 0)]
///     .map(|(scores, truth)| Prediction::from_scores(&scores, truth, 1.0));
/// assert_eq!(hardest_examples(&predictions, 10), [2, 1]);
/// ```
pub fn hardest_examples(predictions: &[Prediction], most: usize) -> Vec<usize> {
    let lead = |i: &usize| predictions[*i].score - predictions[*i].truth_score;
    let mut wrong: Vec<usize> = (0..predictions.len()).filter(|i| !predictions[*i].is_correct()).collect();
    // Ties by index keep the report deterministic.
    wrong.sort_by(|a, b| lead(b).total_cmp(&lead(a)).then(a.cmp(b)));
    wrong.truncate(most);
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardest_examples_are_sorted_by_lead() {
        let prediction =
            |rank, lead: f64| Prediction { truth: 0, rank, top_k: vec![1], score: lead, truth_score: 0.0 };
        let predictions = [prediction(1, 0.0), prediction(2, 0.1), prediction(9, 0.4), prediction(3, 0.1)];
        assert_eq!(hardest_examples(&predictions, 5), [2, 1, 3]);
        assert_eq!(hardest_examples(&predictions, 1), [2]);
    }
}
