//! Captioners of embeddings, for `lexiform caption`.

use anyhow::Context as _;
use lexiform_model::caption::{PrefixCaptioner, QFormerCaptioner};
use lexiform_model::lm::{DecodingStrategy, TextOptions};
use lexiform_model::{Device, ModelError, WeightPrecision, registry};
use lexiform_search::{Embedding, Encoder};

use crate::error::UsageError;

/// A captioner of the embeddings of one model.
#[expect(clippy::large_enum_variant, reason = "a run has one of it")]
pub(crate) enum EmbeddingCaptioner {
    /// A language model that continues the embedding.
    Prefix(PrefixCaptioner),
    /// A Q-Former in front of a language model, which also takes instructions.
    QFormer(QFormerCaptioner),
}

impl EmbeddingCaptioner {
    /// Opens a captioner's file, or the built-in one without a path, and checks that it is one of the model's embeddings.
    ///
    /// # Errors
    /// If it cannot be opened, or is one of another model.
    pub(crate) fn for_encoder(
        path: Option<&str>,
        precision: WeightPrecision,
        encoder: &dyn Encoder,
        device: &Device,
    ) -> anyhow::Result<Self> {
        let captioner = Self::open(path, precision, device)
            .with_context(|| format!("cannot open the captioner {}", path.unwrap_or("of nano")))?;
        let described = captioner.model();
        if !described.is_empty() && described != encoder.id() {
            let text = format!(
                "{} describes embeddings of {described}, not of {}; give --captioner FILE, which `lexiform model \
                 train-captioner` writes",
                captioner.id(),
                encoder.id()
            );
            return Err(UsageError(text).into());
        }
        Ok(captioner)
    }

    fn open(path: Option<&str>, precision: WeightPrecision, device: &Device) -> Result<Self, ModelError> {
        let Some(path) = path else { return Ok(Self::Prefix(PrefixCaptioner::built_in(device)?)) };
        let file = registry::open_weights(path)?;
        Ok(match QFormerCaptioner::matches_file(&file) {
            true => Self::QFormer(QFormerCaptioner::from_file(&file, device, precision)?),
            false => Self::Prefix(PrefixCaptioner::from_file(&file, device, precision)?),
        })
    }

    /// Name and fingerprint of the weights.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Prefix(captioner) => captioner.id(),
            Self::QFormer(captioner) => captioner.id(),
        }
    }

    /// Id of the model whose embeddings it describes; empty if that is not known.
    fn model(&self) -> &str {
        match self {
            Self::Prefix(captioner) => &captioner.config().model,
            Self::QFormer(captioner) => &captioner.config().model,
        }
    }

    /// Whether it answers questions.
    pub(crate) fn takes_questions(&self) -> bool {
        matches!(self, Self::QFormer(_))
    }

    /// The usual options of captions.
    pub(crate) fn default_options(&self) -> TextOptions {
        match self {
            Self::Prefix(_) => PrefixCaptioner::default_options(),
            Self::QFormer(_) => QFormerCaptioner::default_options(),
        }
    }

    /// As [`caption`](Self::caption), for people: a caption that is not sampled tells a second kind where the shape may be of it.
    pub(crate) fn describe(
        &self,
        embedding: &Embedding,
        question: Option<&str>,
        options: &TextOptions,
    ) -> Result<Vec<String>, ModelError> {
        match (self, options.decoding) {
            (Self::Prefix(captioner), DecodingStrategy::BeamSearch(_)) => {
                Ok(vec![captioner.describe(embedding)?])
            }
            _ => self.caption(embedding, question, options),
        }
    }

    /// Captions of an embedding, or answers to a question.
    pub(crate) fn caption(
        &self,
        embedding: &Embedding,
        question: Option<&str>,
        options: &TextOptions,
    ) -> Result<Vec<String>, ModelError> {
        match self {
            Self::Prefix(captioner) => captioner.caption(embedding, options),
            Self::QFormer(captioner) => captioner.answer(embedding, question, options),
        }
    }
}
