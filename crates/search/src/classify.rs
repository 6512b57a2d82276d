//! Zero-shot classification: which of the given labels is nearest to a shape.

use lexiform_model::{Embedding, ZeroShotHead};
use serde::Serialize;

use crate::query::encode_error;
use crate::{EncodeError, Encoder, Error};

/// A label with its probability.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelScore {
    /// The label.
    pub label: String,
    /// Softmax probability among the given labels, `0..=1`.
    pub score: f32,
}

/// A zero-shot classifier.
///
/// ```
/// use lexiform_search::{Encoder as _, Labels, EncoderOptions, embed_text};
///
/// let encoder = EncoderOptions::default().open("nano")?;
/// let names = ["chair", "airplane"].map(str::to_owned);
/// let labels = Labels::new(&*encoder, &names, &encoder.templates())?;
///
/// // Any embedding can be classified: of a shape, an image or, as here, a text.
/// let scores = labels.score(&embed_text(&*encoder, "an airplane")?);
/// assert_eq!(scores[0].label, "airplane");
/// # Ok::<(), lexiform_search::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Labels(ZeroShotHead);

/// Placeholder for the label in a template.
const LABEL_PLACEHOLDER: &str = "{}";

impl Labels {
    /// Embeds each label as the mean over its sentences, one per template; `{}` in a template is replaced by the label.
    ///
    /// # Errors
    /// [`Error::Labels`] without labels or templates, or for a template without `{}`; [`Error::Encode`] if the model
    /// fails.
    pub fn new(encoder: &dyn Encoder, names: &[String], templates: &[String]) -> Result<Self, Error> {
        let refused = |reason: String| Err(Error::Labels { reason });
        if names.is_empty() {
            return refused("expected at least one label, found none".to_owned());
        }
        if let Some(template) = templates.iter().find(|t| !t.contains(LABEL_PLACEHOLDER)) {
            return refused(format!("template {template:?} has no {{}} for the label"));
        }
        if templates.is_empty() {
            return refused("expected at least one template, found none".to_owned());
        }
        let encode = |sentences: &[&str]| encoder.embed_texts(sentences);
        let head = ZeroShotHead::with_encoder::<EncodeError>(encode, names, templates, encoder.logit_scale());
        head.map(Self).map_err(|e| encode_error(encoder, e))
    }

    /// All labels with their probabilities, best first.
    pub fn score(&self, shape: &Embedding) -> Vec<LabelScore> {
        let scored = self.0.classify(shape).into_iter();
        scored.map(|(label, score)| LabelScore { label: label.to_owned(), score }).collect()
    }
}
