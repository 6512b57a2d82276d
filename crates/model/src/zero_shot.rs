//! Zero-shot classification of shapes by the names of classes.

use crate::{Embedding, JointModel, ModelError};

/// A zero-shot classifier ([arXiv 2103.00020](https://arxiv.org/abs/2103.00020), section 3.1): one embedding per label, the
/// normalized mean over all templates.
///
/// ```
/// use lexiform_model::{JointModel, OpenOptions, ZeroShotHead, default_templates};
///
/// let model = JointModel::open("nano", &OpenOptions::default())?;
/// let labels = ["chair", "airplane"].map(str::to_owned);
/// let head = ZeroShotHead::new(&model, &labels, &default_templates())?;
/// let shape = &model.embed_texts(&["a wooden chair"])?[0];
/// assert_eq!(head.classify(shape)[0].0, "chair");
/// # Ok::<(), lexiform_model::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ZeroShotHead {
    labels: Vec<String>,
    embeddings: Vec<Embedding>,
    logit_scale: f32,
}

impl ZeroShotHead {
    /// Inserts every label into every template (at `{}`) and encodes the sentences.
    ///
    /// # Errors
    /// The error of the text tower, or [`ModelError::InvalidNorm`] if the sentences of a label cancel out.
    pub fn new(model: &JointModel, labels: &[String], templates: &[String]) -> Result<Self, ModelError> {
        Self::with_encoder(|sentences| model.embed_texts(sentences), labels, templates, model.logit_scale())
    }

    /// As [`new`](Self::new), with any text encoder; `logit_scale` is the logarithm of the factor of similarities.
    ///
    /// # Errors
    /// The error of `encode`, or [`ModelError::InvalidNorm`] if the sentences of a label cancel out.
    pub fn with_encoder<E: From<ModelError>>(
        encode: impl FnOnce(&[&str]) -> Result<Vec<Embedding>, E>,
        labels: &[String],
        templates: &[String],
        logit_scale: f32,
    ) -> Result<Self, E> {
        let sentences: Vec<String> =
            labels.iter().flat_map(|label| templates.iter().map(move |t| t.replace("{}", label))).collect();
        let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
        let embedded = encode(&sentences)?;
        let embeddings = embedded
            .chunks(templates.len().max(1))
            .map(|chunk| Embedding::weighted_sum(&chunk.iter().map(|e| (1.0, e)).collect::<Vec<_>>()))
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { labels: labels.to_vec(), embeddings, logit_scale })
    }

    /// One unit vector per label.
    pub fn embeddings(&self) -> &[Embedding] {
        &self.embeddings
    }

    /// Labels with their probabilities (softmax of scaled similarities), best first; ties keep the order of the labels.
    pub fn classify(&self, shape: &Embedding) -> Vec<(&str, f32)> {
        let scale = self.logit_scale.exp();
        let logits: Vec<f32> = self.embeddings.iter().map(|e| scale * e.dot(shape)).collect();
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f32> = logits.iter().map(|l| (l - largest).exp()).collect();
        let total: f32 = weights.iter().sum();
        let mut scored: Vec<(&str, f32)> =
            self.labels.iter().map(String::as_str).zip(weights.iter().map(|w| w / total)).collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1));
        scored
    }
}
