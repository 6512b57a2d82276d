//! What a report contains.

use lexiform_metrics::{ConfusionMatrix, Prediction};
use serde::Serialize;

use super::classification::ClassificationResult;
use crate::protocol::PublishedResult;
use crate::unusable::UnusableFile;

/// Everything the page shows. The first result is the one that is shown in detail.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Heading.
    pub title: String,
    /// What was run, as pairs of name and value.
    pub run_info: Vec<(String, String)>,
    /// The labels to choose from.
    pub labels: Vec<String>,
    /// One a model and number of views.
    pub results: Vec<ClassificationResult>,
    /// Published rows to compare with.
    pub published: Vec<&'static PublishedResult>,
    /// The cases that the first model is most sure about and wrong.
    pub hardest_examples: Vec<HardExample>,
    /// Files that could not be used, with the reason.
    pub unusable: Vec<UnusableFile>,
    /// First answers of the first result.
    #[serde(skip)]
    pub confusion: Option<ConfusionMatrix>,
}

/// A file that was named wrongly.
#[derive(Clone, Debug, Serialize)]
pub struct HardExample {
    /// The file.
    pub file: String,
    /// What it is.
    pub label: String,
    /// What it is taken for.
    pub predicted_as: String,
    /// Score of the wrong label.
    pub score: f64,
    /// Score of the right one.
    pub truth_score: f64,
    /// LibraryPath of the right one.
    pub rank: usize,
    /// A small JPEG of it.
    #[serde(skip)]
    pub thumbnail: Option<Vec<u8>>,
}

/// The wrong predictions with the largest lead over the right answer; indices of items.
pub fn hardest_examples(predictions: &[Prediction], most: usize) -> Vec<usize> {
    let lead = |i: &usize| predictions[*i].score - predictions[*i].truth_score;
    let mut wrong: Vec<usize> = (0..predictions.len()).filter(|i| !predictions[*i].is_correct()).collect();
    wrong.sort_by(|a, b| lead(b).total_cmp(&lead(a)).then(a.cmp(b)));
    wrong.truncate(most);
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hardest_are_those_it_is_most_sure_about() {
        let prediction =
            |rank, lead: f64| Prediction { truth: 0, rank, top_k: vec![1], score: lead, truth_score: 0.0 };
        let predictions = [prediction(1, 0.0), prediction(2, 0.1), prediction(9, 0.4), prediction(3, 0.1)];
        assert_eq!(hardest_examples(&predictions, 5), [2, 1, 3]);
        assert_eq!(hardest_examples(&predictions, 1), [2]);
    }
}
