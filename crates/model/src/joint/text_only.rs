//! The text tower of a joint model alone: a query of a large library needs no more, and it is less than half of the weights.

use burn::tensor::Device;

use super::config::ModelConfig;
use super::detect::{DetectedModel, fingerprint};
use crate::clip::ClipText;
use crate::embedding::{Embedding, rows};
use crate::error::ModelError;
use crate::precision::ComputePrecision;
use crate::weights::{WeightFile, WeightSource};

/// Batch size of the text tower.
const MAX_TEXT_BATCH: usize = 256;

/// A text tower with its tokenizer.
pub struct TextModel {
    id: String,
    config: ModelConfig,
    text: ClipText,
}

impl TextModel {
    /// Loads the text tower of a file; `None` if the model's id depends on its other towers, or the file has no joint model.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn from_file(
        file: &WeightFile,
        device: &Device,
        precision: ComputePrecision,
    ) -> Result<Option<Self>, ModelError> {
        let Ok(DetectedModel { format, prefix, config }) = DetectedModel::of(file) else { return Ok(None) };
        if config.points.is_some()
            || config.language.is_some()
            || config.prompts_of.is_some()
            || config.clip.vision.prompts > 0
        {
            return Ok(None);
        }
        let layout = format.layout(&prefix);
        let source = WeightSource::with_layout(file, layout, device).with_precision(precision);
        let text = ClipText::load(&source, &config.clip)?;
        let id = format!("{}@{:08x}", config.name, fingerprint(file, format, &prefix)?);
        Ok(Some(Self { id, config, text }))
    }

    /// The id of the whole model.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As [`JointModel::knows_word`](super::JointModel::knows_word).
    pub fn knows_word(&self, word: &str) -> bool {
        self.config.tokenizer.has_word(word)
    }

    /// Embeddings of texts.
    ///
    /// # Errors
    /// As [`JointModel::embed_texts`](super::JointModel::embed_texts).
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, ModelError> {
        text_features(&self.id, &self.config, &self.text, texts)?.into_iter().map(Embedding::new).collect()
    }
}

/// Features of texts `[texts, dim]`, not normalized.
pub(super) fn text_features(
    id: &str,
    config: &ModelConfig,
    tower: &ClipText,
    texts: &[&str],
) -> Result<Vec<Vec<f32>>, ModelError> {
    let (vocabulary, needed) = (config.clip.text.vocabulary, config.tokenizer.vocabulary());
    if vocabulary < needed {
        return Err(ModelError::Vocabulary { model: id.to_owned(), vocabulary, needed });
    }
    let chunks = texts.chunks(MAX_TEXT_BATCH).flat_map(|chunk| {
        // Trimmed to the longest text of the batch: short texts take a fraction of the context.
        let tokens = config.tokenizer.encode(chunk, config.clip.text.context).trimmed();
        rows(tower.encode(&tokens))
    });
    Ok(chunks.collect())
}
