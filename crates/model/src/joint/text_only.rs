//! The text tower of a joint model alone: a query of a large library needs no more, and it is less than half of the weights. Of
//! models whose image tower is of another kind, it is all that is read.

use burn::tensor::Device;

use super::detect::{DetectedModel, fingerprint};
use crate::clip::{ClipText, TextConfig};
use crate::embedding::{Embedding, rows};
use crate::error::ModelError;
use crate::nn::Activation;
use crate::precision::ComputePrecision;
use crate::tokenizer::Tokenizer;
use crate::weights::{Layout, WeightFile, WeightSource, WeightsError};

/// Batch size of the text tower.
const MAX_TEXT_BATCH: usize = 256;
/// Prefix of the text tower's tensors where OpenCLIP keeps it apart (its `custom_text`).
const OWN_PREFIX: &str = "text.";

/// A text tower with its tokenizer.
pub struct TextModel {
    id: String,
    dim: usize,
    sizes: TextConfig,
    tokenizer: Tokenizer,
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
        let (dim, sizes) = (config.clip.dim, config.clip.text);
        Ok(Some(Self { id, dim, sizes, tokenizer: config.tokenizer, text }))
    }

    /// Loads CLIP's text tower from a file of OpenCLIP whose image tower is one of timm, such as EVA02-CLIP's, which is not read;
    /// `None` if the file is of another kind.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn without_images(
        file: &WeightFile,
        device: &Device,
        precision: ComputePrecision,
    ) -> Result<Option<Self>, ModelError> {
        let layout = Layout::prefixed(OWN_PREFIX);
        if !["token_embedding.weight", "text_projection"].iter().all(|name| file.contains(&layout.name(name)))
        {
            return Ok(None);
        }
        let (sizes, dim) = sizes(file, &layout)?;
        let source = WeightSource::with_layout(file, layout, device).with_precision(precision);
        let text = ClipText::load_alone(&source, &sizes, dim, Activation::Gelu)?;
        let name = file.stem().unwrap_or_else(|| "model".to_owned());
        let id = format!("{name}@{:08x}", source.fingerprint());
        Ok(Some(Self { id, dim, sizes, tokenizer: Tokenizer::Clip, text }))
    }

    /// The id of the whole model.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Dimension of the joint space.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Sizes of the tower.
    pub fn sizes(&self) -> &TextConfig {
        &self.sizes
    }

    /// As [`JointModel::knows_word`](super::JointModel::knows_word).
    pub fn knows_word(&self, word: &str) -> bool {
        self.tokenizer.has_word(word)
    }

    /// Features of texts `[texts, dim]`, not normalized.
    ///
    /// # Errors
    /// As [`JointModel::text_features`](super::JointModel::text_features).
    pub fn text_features(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        text_features(&self.id, (&self.tokenizer, &self.sizes), &self.text, texts)
    }

    /// Embeddings of texts.
    ///
    /// # Errors
    /// As [`JointModel::embed_texts`](super::JointModel::embed_texts).
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, ModelError> {
        self.text_features(texts)?.into_iter().map(Embedding::new).collect()
    }
}

/// Sizes of a text tower in OpenCLIP's names, and the dimension of its joint space. Heads are 64 wide in all of its models.
fn sizes(file: &WeightFile, layout: &Layout) -> Result<(TextConfig, usize), WeightsError> {
    let matrix = |name: &str| {
        let name = layout.name(name);
        match *file.shape(&name)? {
            [rows, columns] => Ok([rows, columns]),
            _ => Err(WeightsError::Unrecognized {
                path: file.path().to_owned(),
                message: format!("{name} is not a matrix"),
            }),
        }
    };
    let [vocabulary, width] = matrix("token_embedding.weight")?;
    let [context, _] = matrix("positional_embedding")?;
    let [_, dim] = matrix("text_projection")?;
    let block = |layer: usize, part: &str| format!("transformer.resblocks.{layer}.{part}");
    let layers = (0..).take_while(|layer| file.contains(&layout.name(&block(*layer, "ln_1.weight")))).count();
    let [hidden, _] = matrix(&block(0, "mlp.c_fc.weight"))?;
    let mlp_ratio = hidden as f64 / width.max(1) as f64;
    Ok((TextConfig { context, vocabulary, width, heads: (width / 64).max(1), layers, mlp_ratio }, dim))
}

/// Features of texts `[texts, dim]`, not normalized.
pub(super) fn text_features(
    id: &str,
    (tokenizer, sizes): (&Tokenizer, &TextConfig),
    tower: &ClipText,
    texts: &[&str],
) -> Result<Vec<Vec<f32>>, ModelError> {
    let (vocabulary, needed) = (sizes.vocabulary, tokenizer.vocabulary());
    if vocabulary < needed {
        return Err(ModelError::Vocabulary { model: id.to_owned(), vocabulary, needed });
    }
    let chunks = texts.chunks(MAX_TEXT_BATCH).flat_map(|chunk| {
        // Trimmed to the longest text of the batch: short texts take a fraction of the context.
        let tokens = tokenizer.encode(chunk, sizes.context).trimmed();
        rows(tower.encode(&tokens))
    });
    Ok(chunks.collect())
}
