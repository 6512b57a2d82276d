//! Naming a shape: which of the given labels lies nearest.

use lexiform_model::{Embedding, ZeroShotHead};
use serde::Serialize;

use crate::query::encode_error;
use crate::{EncodeError, Encoder, Error};

/// A label with its share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// The label.
    pub label: String,
    /// Softmax probability among the given labels, `0..=1`.
    pub score: f32,
}

/// Labels as directions in the joint space.
#[derive(Clone, Debug)]
pub struct Labels(ZeroShotHead);

/// What stands for the label in a template.
const SLOT: &str = "{}";

impl Labels {
    /// Each label's direction is the mean of its sentences' embeddings, one sentence a template; `{}` stands for
    /// the label.
    pub fn new(encoder: &dyn Encoder, names: &[String], templates: &[String]) -> Result<Self, Error> {
        let refused = |reason: String| Err(Error::Labels { reason });
        if names.is_empty() {
            return refused("expected at least one label, found none".to_owned());
        }
        if let Some(template) = templates.iter().find(|t| !t.contains(SLOT)) {
            return refused(format!("template {template:?} has no {{}} where the label goes"));
        }
        if templates.is_empty() {
            return refused("expected at least one template, found none".to_owned());
        }
        let encode = |sentences: &[&str]| encoder.embed_texts(sentences);
        let head = ZeroShotHead::encoded_by::<EncodeError>(encode, names, templates, encoder.logit_scale());
        head.map(Self).map_err(|e| encode_error(encoder, e))
    }

    /// All labels with their probabilities, best first.
    pub fn score(&self, shape: &Embedding) -> Vec<Scored> {
        let scored = self.0.classify(shape).into_iter();
        scored.map(|(label, score)| Scored { label: label.to_owned(), score }).collect()
    }
}
