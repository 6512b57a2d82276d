//! The numbers of one model on a set of files, with labels by name.

use lexiform_metrics::bootstrap::{ClassificationIntervals, Resampling};
use lexiform_metrics::paired::Paired;
use lexiform_metrics::{Classification, MetricsError, Prediction};
use serde::Serialize;

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
    /// This result compared with the first.
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
    ) -> Result<Self, MetricsError> {
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
