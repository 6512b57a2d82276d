//! Sizes of captioners.

use serde::{Deserialize, Serialize};

use super::memory::MemoryConfig;
use crate::lm::{LanguageModelConfig, OutputConfig, Positions};
use crate::nn::{Activation, DecoderBlockConfig, NormPlacement, TransformerConfig};
use crate::tokenizer::WordPieceTokenizer;

/// Canonical prefixes of the tensors: what turns an embedding into tokens, and the language model.
pub(super) const MAPPER: &str = "prefix";
pub(super) const DECODER: &str = "text_decoder";

/// Largest size of any kind in a header; above it, the file is damaged.
const MAX_SIZE: usize = 1 << 16;

/// Everything but the weights of a captioner of ours; stored in the header of its file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PrefixCaptionerConfig {
    /// Name.
    pub name: String,
    /// Id of the model whose embeddings it describes; empty if that is not known.
    pub model: String,
    /// Features of an embedding, without the relevances of kinds of objects.
    pub dim: usize,
    /// Tokens made of an embedding.
    pub prefix_tokens: usize,
    /// Width of the language model.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of heads.
    pub heads: usize,
    /// Longest caption in tokens, with those of the embedding.
    pub context: usize,
    /// Vocabulary.
    pub words: WordPieceTokenizer,
    /// Embeddings of texts that embeddings are projected on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryConfig>,
    /// Names of the kinds of objects whose relevances follow an embedding's features; empty if they are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
}

/// Sizes of the network of a captioner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrefixSizes {
    /// Features of an embedding.
    pub dim: usize,
    /// Width of the hidden layer, if there is one.
    pub hidden: Option<usize>,
    /// Tokens made of an embedding.
    pub tokens: usize,
    /// The language model.
    pub language: LanguageModelConfig,
}

impl PrefixCaptionerConfig {
    /// Sizes of the network.
    ///
    /// # Errors
    /// If a size is 0 or unlikely large, or sizes do not fit each other: the header of an untrusted file.
    pub fn sizes(&self) -> Result<PrefixSizes, String> {
        let Self { dim, prefix_tokens, width, layers, heads, context, .. } = *self;
        let all = [dim, prefix_tokens, width, layers, heads, context];
        let is_sane = all.iter().all(|size| (1..=MAX_SIZE).contains(size));
        if !is_sane || !width.is_multiple_of(heads) || prefix_tokens >= context {
            return Err(format!(
                "a captioner of {dim} features, {prefix_tokens} tokens of {context}, {layers} layers, {heads} heads, width {width}"
            ));
        }
        let language = gpt2(self.words.len(), context, [width, layers, heads], false);
        Ok(PrefixSizes { dim, hidden: None, tokens: prefix_tokens, language })
    }

    /// Describes a released checkpoint, whose tokenizer is elsewhere.
    pub(super) fn released(name: String, sizes: &PrefixSizes) -> Self {
        let transformer = sizes.language.block.transformer;
        Self {
            name,
            model: String::new(),
            dim: sizes.dim,
            prefix_tokens: sizes.tokens,
            width: transformer.width,
            layers: transformer.layers,
            heads: transformer.heads,
            context: sizes.language.context,
            words: WordPieceTokenizer::from_texts([""; 0]),
            memory: None,
            kinds: Vec::new(),
        }
    }
}

/// A GPT-2 of these sizes; files of its authors have queries, keys and values as one tensor.
pub(super) fn gpt2(
    vocabulary: usize,
    context: usize,
    [width, layers, heads]: [usize; 3],
    is_packed: bool,
) -> LanguageModelConfig {
    let transformer = TransformerConfig {
        width,
        layers,
        heads,
        head_width: width / heads,
        mlp_width: 4 * width,
        activation: Activation::GeluTanh,
        ..TransformerConfig::usual()
    };
    let block = DecoderBlockConfig::usual(transformer, NormPlacement::Pre, None);
    LanguageModelConfig {
        vocabulary,
        context,
        block: DecoderBlockConfig { is_packed, ..block },
        positions: Positions::Learned { offset: 0 },
        output: OutputConfig::TIED,
    }
}
