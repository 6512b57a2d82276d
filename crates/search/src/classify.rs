//! Naming a shape: which of the given labels lies nearest.

use lexiform_model::Embedding;
use serde::Serialize;

use crate::query::encode_error;
use crate::{Encoder, Error};

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
pub struct Labels {
    names: Vec<String>,
    directions: Vec<Embedding>,
    /// Factor between cosine and logit.
    scale: f32,
}

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
        let sentences: Vec<String> =
            names.iter().flat_map(|name| templates.iter().map(move |t| t.replace(SLOT, name))).collect();
        let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
        let embeddings = encoder.embed_texts(&sentences).map_err(|e| encode_error(encoder, e))?;
        let directions = embeddings.chunks(templates.len()).map(|group| {
            let equal: Vec<(f32, &Embedding)> = group.iter().map(|e| (1.0, e)).collect();
            Embedding::mix(&equal).map_err(|e| encode_error(encoder, Box::new(e)))
        });
        Ok(Self {
            names: names.to_vec(),
            directions: directions.collect::<Result<_, _>>()?,
            scale: encoder.logit_scale().exp(),
        })
    }

    /// All labels with their probabilities, best first.
    pub fn score(&self, shape: &Embedding) -> Vec<Scored> {
        let logits: Vec<f32> = self.directions.iter().map(|d| self.scale * d.dot(shape)).collect();
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
        let sum: f32 = powers.iter().sum();
        let shares = self.names.iter().zip(&powers);
        let mut scored: Vec<Scored> =
            shares.map(|(label, power)| Scored { label: label.clone(), score: power / sum }).collect();
        scored.sort_by(|a, b| b.score.total_cmp(&a.score));
        scored
    }
}
