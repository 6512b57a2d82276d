//! An entry of an annotation table: labels, captions and split of one shape.

use crate::Caption;

/// Labels, captions and split of a shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotation {
    /// Names of its categories.
    pub labels: Vec<String>,
    /// Its captions.
    pub captions: Vec<Caption>,
    /// `train`, `val` or `test`.
    pub split: Option<String>,
}

impl Annotation {
    /// Adds labels that are new. Tables of captions repeat the label in every row.
    pub(super) fn label(&mut self, labels: impl IntoIterator<Item = String>) {
        extend_unique(&mut self.labels, labels);
    }
}

/// Adds the labels that are not in `labels` yet.
pub(crate) fn extend_unique(labels: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for label in more {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
}
