//! How well shapes are named by a model that was given only words.

use lexiform_model::{Embedding, JointModel, ModelError, ZeroShotHead};
use serde::Serialize;

use crate::shape_set::ShapeSet;

/// Shares of shapes whose label is among the first answers.
#[derive(Clone, Debug, Serialize)]
pub struct ZeroShotReport {
    /// Shapes that were named.
    pub shapes: usize,
    /// Labels to choose from.
    pub labels: usize,
    /// Share whose first answer is right.
    pub top_1: f64,
    /// Share with the right answer among three.
    pub top_3: f64,
    /// Share with the right answer among five.
    pub top_5: f64,
    /// For each label with shapes: label, number of shapes, how many are named right at once.
    pub classes: Vec<ClassReport>,
}

/// One label's share of a [`ZeroShotReport`].
#[derive(Clone, Debug, Serialize)]
pub struct ClassReport {
    /// The label.
    pub label: String,
    /// Its shapes.
    pub shapes: usize,
    /// How many of them are named right at once.
    pub right: usize,
    /// What they are taken for when wrong.
    pub taken_for: Vec<String>,
}

impl ZeroShotReport {
    /// Counts answers: for each shape its label and the labels the model ranks, best first.
    pub fn of(labels: &[String], ranked: &[(usize, Vec<&str>)]) -> Self {
        let within = |k: usize| {
            let right =
                ranked.iter().filter(|(label, r)| r.iter().take(k).any(|name| *name == labels[*label]));
            right.count() as f64 / ranked.len().max(1) as f64
        };
        let classes = labels.iter().enumerate().filter_map(|(i, label)| {
            let firsts: Vec<&str> =
                ranked.iter().filter(|(l, _)| *l == i).filter_map(|(_, r)| r.first().copied()).collect();
            let wrong = firsts.iter().filter(|first| **first != label).map(|first| (*first).to_owned());
            let taken_for: Vec<String> = wrong.collect();
            let (shapes, right) = (firsts.len(), firsts.len() - taken_for.len());
            (shapes > 0).then(|| ClassReport { label: label.clone(), shapes, right, taken_for })
        });
        Self {
            shapes: ranked.len(),
            labels: labels.len(),
            top_1: within(1),
            top_3: within(3),
            top_5: within(5),
            classes: classes.collect(),
        }
    }
}

/// Names embedded shapes with `labels`; `truth` is each shape's index into them.
pub fn zero_shot_of(
    model: &JointModel,
    embeddings: &[Embedding],
    truth: &[usize],
    labels: &[String],
    templates: &[String],
) -> Result<ZeroShotReport, ModelError> {
    let head = ZeroShotHead::new(model, labels, templates)?;
    let ranked: Vec<(usize, Vec<&str>)> = (truth.iter().zip(embeddings))
        .map(|(label, e)| (*label, head.classify(e).into_iter().map(|(name, _)| name).collect()))
        .collect();
    Ok(ZeroShotReport::of(labels, &ranked))
}

/// Names shapes among all their categories.
pub fn zero_shot(model: &JointModel, shapes: &ShapeSet) -> Result<ZeroShotReport, ModelError> {
    let views: Vec<_> = shapes.samples.iter().map(|sample| sample.views.clone()).collect();
    let embeddings = model.embed_views(&views)?;
    let truth: Vec<usize> = shapes.samples.iter().map(|sample| sample.category).collect();
    zero_shot_of(model, &embeddings, &truth, &shapes.names(), &model.config().templates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted() {
        let labels = ["chair", "table"].map(str::to_owned);
        let ranked = [(0, vec!["chair", "table"]), (1, vec!["chair", "table"])];
        let report = ZeroShotReport::of(&labels, &ranked);
        assert_eq!((report.top_1, report.top_3), (0.5, 1.0));
        assert_eq!(report.classes[1].taken_for, ["chair"]);
    }
}
