//! Sizes of captioners with a Q-Former.

use serde::{Deserialize, Serialize};

use super::config::gpt2;
use crate::blip::QFormerConfig;
use crate::lm::LanguageModelConfig;
use crate::nn::TransformerConfig;
use crate::tokenizer::WordPieceTokenizer;

/// Largest size of any kind in a header; above it, the file is damaged.
const MAX_SIZE: usize = 1 << 16;
/// Added to the variance in BERT's norms.
const EPSILON: f64 = 1e-12;

/// Everything but the weights of a captioner with a Q-Former; stored in the header of its file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QFormerCaptionerConfig {
    /// Name.
    pub name: String,
    /// Id of the model whose embeddings it describes.
    pub model: String,
    /// Features of an embedding, without the relevances of kinds of objects.
    pub dim: usize,
    /// Sizes of the Q-Former.
    pub qformer: QFormerSizes,
    /// Text in front of the queries, such as `3d:`.
    pub cue: String,
    /// Instruction between the queries and a caption.
    pub prompt: String,
    /// The language model.
    pub language: CaptionLanguage,
}

/// Sizes of a Q-Former.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QFormerSizes {
    /// Number of learned queries, 32 in [BLIP-2](https://arxiv.org/abs/2301.12597).
    pub queries: usize,
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of heads; divides the width.
    pub heads: usize,
    /// Distance between blocks that attend to the embedding, from the first.
    pub cross_frequency: usize,
}

/// The language model of a captioner.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CaptionLanguage {
    /// A frozen one of `transformers`, which is not part of the captioner's file.
    Pretrained {
        /// Folder or file with its weights.
        path: String,
        /// Name and fingerprint of its weights.
        id: String,
    },
    /// One that was trained with the captioner and is part of its file.
    Own {
        /// Its sizes.
        sizes: LanguageSizes,
        /// Its vocabulary.
        words: WordPieceTokenizer,
    },
}

/// Sizes of a small GPT-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageSizes {
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of heads; divides the width.
    pub heads: usize,
    /// Longest text in tokens, with cue, queries and instruction.
    pub context: usize,
}

impl QFormerSizes {
    /// As the network takes them.
    ///
    /// # Errors
    /// If a size is 0 or unlikely large, or heads do not divide the width.
    pub fn config(&self) -> Result<QFormerConfig, String> {
        let Self { queries, width, layers, heads, cross_frequency } = *self;
        check_sizes([queries, width, layers, heads, cross_frequency])?;
        check_heads(width, heads)?;
        let transformer = TransformerConfig {
            width,
            layers,
            heads,
            head_width: width / heads,
            mlp_width: 4 * width,
            epsilon: EPSILON,
            ..TransformerConfig::usual()
        };
        Ok(QFormerConfig { queries, transformer, cross_frequency })
    }
}

impl LanguageSizes {
    /// As the network takes them, with a vocabulary of this size.
    ///
    /// # Errors
    /// If a size is 0 or unlikely large, or heads do not divide the width.
    pub fn config(&self, vocabulary: usize) -> Result<LanguageModelConfig, String> {
        let Self { width, layers, heads, context } = *self;
        check_sizes([width, layers, heads, context, vocabulary])?;
        check_heads(width, heads)?;
        Ok(gpt2(vocabulary, context, [width, layers, heads], false))
    }
}

fn check_sizes(sizes: [usize; 5]) -> Result<(), String> {
    match sizes.iter().find(|size| !(1..=MAX_SIZE).contains(*size)) {
        Some(size) => Err(format!("a size of {size}, expected 1 to {MAX_SIZE}")),
        None => Ok(()),
    }
}

fn check_heads(width: usize, heads: usize) -> Result<(), String> {
    if width.is_multiple_of(heads) {
        Ok(())
    } else {
        Err(format!("{heads} heads do not divide a width of {width}"))
    }
}
