//! A page that answers "does this model fit my files?": one self-contained HTML file, and the same as JSON and CSV.

mod html;
mod matrix;
mod sections;
mod tables;

use serde::Serialize;

pub use html::page;
pub use tables::{cases_csv, classes_csv, read_cases};

use crate::bootstrap::{ClassificationIntervals, Resampling};
use crate::paired::Paired;
use crate::protocol::Published;
use crate::{Classification, EvalError, Prediction};

/// Everything the page shows. The first result is the one that is shown in detail.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Heading.
    pub title: String,
    /// What was run, as pairs of name and value.
    pub run: Vec<(String, String)>,
    /// The labels to choose from.
    pub labels: Vec<String>,
    /// One a model and number of views.
    pub results: Vec<Measured>,
    /// Published rows to compare with.
    pub published: Vec<&'static Published>,
    /// The cases that the first model is most sure about and wrong.
    pub hardest: Vec<HardCase>,
    /// Files that could not be used, with the reason.
    pub unusable: Vec<(String, String)>,
    /// First answers of the first result.
    #[serde(skip)]
    pub confusion: Option<crate::Confusion>,
}

/// The numbers of one model on the files.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
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
    pub labels: usize,
    /// Share whose first answer is right.
    pub top_1: f64,
    /// Share with the right answer among three.
    pub top_3: f64,
    /// Share with the right answer among five.
    pub top_5: f64,
    /// Mean over labels of the share named right.
    pub class_average: f64,
    /// Mean over labels of F1.
    pub macro_f1: f64,
    /// Where 95 % of resampled values lie.
    pub intervals: ClassificationIntervals,
    /// This result beside the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_first: Option<Paired>,
    /// Every label that has files.
    pub classes: Vec<NamedClass>,
}

/// One label's share.
#[derive(Clone, Debug, Serialize)]
pub struct NamedClass {
    /// The label.
    pub label: String,
    /// Its files.
    pub shapes: usize,
    /// How many of them are named right at once.
    pub right: usize,
    /// How many have the right answer among five.
    pub right_5: usize,
    /// Files of other labels that are given this one.
    pub wrongly_given: usize,
    /// What its files are taken for instead, most frequent first.
    pub taken_for: Vec<TakenFor>,
}

/// A wrong label and how often it was given.
#[derive(Clone, Debug, Serialize)]
pub struct TakenFor {
    /// The label.
    pub label: String,
    /// How often.
    pub count: usize,
}

/// A file that was named wrongly.
#[derive(Clone, Debug, Serialize)]
pub struct HardCase {
    /// The file.
    pub file: String,
    /// What it is.
    pub label: String,
    /// What it is taken for.
    pub taken_for: String,
    /// Score of the wrong label.
    pub score: f64,
    /// Score of the right one.
    pub truth_score: f64,
    /// Place of the right one.
    pub rank: usize,
    /// A small JPEG of it.
    #[serde(skip)]
    pub thumbnail: Option<Vec<u8>>,
}

impl Measured {
    /// Counts predictions and draws intervals.
    ///
    /// # Errors
    /// If there is no prediction.
    pub fn of(
        model: &str,
        predictions: &[Prediction],
        labels: &[String],
        resampling: Resampling,
    ) -> Result<Self, EvalError> {
        let counted = Classification::of(predictions, labels.len())?;
        let intervals = ClassificationIntervals::of(predictions, &counted, resampling);
        let name = |class: usize| labels[class].clone();
        let classes = counted.classes.iter().map(|c| NamedClass {
            label: name(c.class),
            shapes: c.items,
            right: c.right,
            right_5: c.right_5,
            wrongly_given: c.wrongly_given,
            taken_for: c
                .taken_for
                .iter()
                .map(|&(class, count)| TakenFor { label: name(class), count })
                .collect(),
        });
        Ok(Self {
            model: model.to_owned(),
            views: None,
            seed: None,
            shapes: counted.items,
            labels: counted.labels,
            top_1: counted.top_1,
            top_3: counted.top_3,
            top_5: counted.top_5,
            class_average: counted.class_average,
            macro_f1: counted.macro_f1,
            intervals,
            against_first: None,
            classes: classes.collect(),
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

/// The wrong predictions with the largest lead over the right answer; indices of items.
pub fn hardest(predictions: &[Prediction], most: usize) -> Vec<usize> {
    let lead = |i: &usize| predictions[*i].score - predictions[*i].truth_score;
    let mut wrong: Vec<usize> = (0..predictions.len()).filter(|i| !predictions[*i].is_right()).collect();
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
            |rank, lead: f64| Prediction { truth: 0, rank, best: vec![1], score: lead, truth_score: 0.0 };
        let predictions = [prediction(1, 0.0), prediction(2, 0.1), prediction(9, 0.4), prediction(3, 0.1)];
        assert_eq!(hardest(&predictions, 5), [2, 1, 3]);
        assert_eq!(hardest(&predictions, 1), [2]);
    }
}
