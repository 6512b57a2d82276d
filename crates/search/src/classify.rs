//! Zero-shot classification: labels compared with a shape by the embeddings of class sentences, as in
//! [CLIP](https://arxiv.org/abs/2103.00020), section 3.1.

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

/// A zero-shot classifier: one embedding per label.
///
/// ```
/// use lexiform_search::{Encoder as _, EncoderOptions, ZeroShotClassifier, embed_text};
///
/// let encoder = EncoderOptions::default().open("nano")?;
/// let names = ["chair", "airplane"].map(str::to_owned);
/// let classifier = ZeroShotClassifier::new(&*encoder, &names, &encoder.templates())?;
///
/// // Any embedding can be classified: of a shape, an image or, as here, a text.
/// let scores = classifier.classify(&embed_text(&*encoder, "an airplane")?);
/// assert_eq!(scores[0].label, "airplane");
/// # Ok::<(), lexiform_search::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ZeroShotClassifier(ZeroShotHead);

/// Placeholder for the label in a template.
const LABEL_PLACEHOLDER: &str = "{}";

impl ZeroShotClassifier {
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
        // Without the label, a template would give all labels the same embedding.
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
    pub fn classify(&self, embedding: &Embedding) -> Vec<LabelScore> {
        let scored = self.0.classify(embedding).into_iter();
        scored.map(|(label, score)| LabelScore { label: label.to_owned(), score }).collect()
    }
}
