//! Language models: BERT as BLIP's text decoder ([arXiv 2201.12086](https://arxiv.org/abs/2201.12086), section 3.1), and OPT
//! ([arXiv 2205.01068](https://arxiv.org/abs/2205.01068)), which BLIP-2 is built on.
//!
//! Tokens are appended to cached ones, so that each passes the network once. An image enters by cross-attention, or as
//! embeddings in front of the text.

mod generation;

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, TensorData};

pub use self::generation::{DecodingStrategy, SpecialTokens};
pub(crate) use self::generation::{Generation, LengthLimits};
use crate::nn::{
    Activation, AttentionScope, DecoderBlock, DecoderBlockConfig, KvCache, LayerNorm, Linear, NormPlacement,
    TransformerConfig,
};
use crate::weights::{Initializer, WeightSource, WeightsError};

/// Standard deviation of BERT's and OPT's initialization.
const DEVIATION: f32 = 0.02;

/// Sizes of a language model, and in what it differs from others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanguageModelConfig {
    /// Size of the vocabulary.
    pub vocabulary: usize,
    /// Longest sequence in tokens.
    pub context: usize,
    /// Width, layers and heads.
    pub transformer: TransformerConfig,
    /// Where the norms of blocks are. With [`NormPlacement::Post`] embeddings are normalized too.
    pub norms: NormPlacement,
    /// Rows of the table of positions before that of the first token: 2 in OPT.
    pub position_offset: usize,
    /// Whether a linear layer with an activation precedes the output layer, which then has a bias (BERT).
    pub transforms_output: bool,
    /// Width of the tokens of an image that all blocks attend to, if any.
    pub context_width: Option<usize>,
}

/// Previous tokens → logits of the next.
#[derive(Module, Debug)]
pub struct LanguageModel {
    /// Output layer, `[width, vocabulary]`; its columns are also the token embeddings (tied).
    words: Linear,
    positions: Param<Tensor<2>>,
    ln_pre: Option<LayerNorm>,
    blocks: Vec<DecoderBlock>,
    transform: Option<Linear>,
    ln_final: LayerNorm,
    #[module(skip)]
    activation: Activation,
}

/// Unfinished texts, all of the same length. With images, the same number for each.
#[derive(Clone, Debug)]
pub struct DecoderState {
    /// Keys and values of the images in each block.
    context: Vec<Option<KvCache>>,
    /// Keys and values of the tokens in each block; `None` before the first token.
    past: Vec<Option<KvCache>>,
    length: usize,
}

impl DecoderState {
    /// Continues with these texts, possibly repeated; the same number for each image, in the order of images.
    pub fn reorder(&mut self, texts: &[usize]) {
        let Some(Some(first)) = self.past.first() else { return };
        let rows: Vec<i64> = texts.iter().map(|row| *row as i64).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [texts.len()]), &first.device());
        for cache in &mut self.past {
            *cache = cache.take().map(|cache| cache.select(&rows));
        }
    }

    /// Tokens so far.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl LanguageModel {
    /// Reads `{name}.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        name: &str,
        config: &LanguageModelConfig,
    ) -> Result<Self, WeightsError> {
        let LanguageModelConfig { vocabulary, context, transformer, norms, .. } = *config;
        let (width, offset) = (transformer.width, config.position_offset);
        let name = |part: &str| format!("{name}.{part}");
        let positions = name("positional_embedding");
        let positions =
            source.tensor(&positions, [context + offset, width], Initializer::Normal(DEVIATION))?;
        let block = DecoderBlockConfig { transformer, norms, context_width: config.context_width };
        let blocks = (0..transformer.layers)
            .map(|i| DecoderBlock::load(source, &name(&format!("layers.{i}")), &block));
        let linear = |weight: &str, bias: Option<&str>, sizes: [usize; 2]| {
            Linear::load(source, &name(weight), bias.map(name).as_deref(), sizes, DEVIATION)
        };
        let norm = |part: &str| LayerNorm::load(source, &name(part), width, transformer.epsilon);
        let has_transform = config.transforms_output;
        Ok(Self {
            words: linear(
                "token_embedding.weight",
                has_transform.then_some("head.bias"),
                [width, vocabulary],
            )?,
            positions: Param::from_tensor(positions.slice([offset..context + offset, 0..width])),
            ln_pre: (norms == NormPlacement::Post).then(|| norm("ln_pre")).transpose()?,
            blocks: blocks.collect::<Result<_, WeightsError>>()?,
            transform: has_transform
                .then(|| linear("head.transform.weight", Some("head.transform.bias"), [width, width]))
                .transpose()?,
            ln_final: norm("ln_final")?,
            activation: transformer.activation,
        })
    }

    /// Starts one empty text per image, `[images, tokens, context_width]`; without images, any number of texts.
    pub fn init_state(&self, images: Option<Tensor<3>>) -> DecoderState {
        let project = |block: &DecoderBlock| images.as_ref().and_then(|tokens| block.project_context(tokens));
        DecoderState {
            context: self.blocks.iter().map(project).collect(),
            past: vec![None; self.blocks.len()],
            length: 0,
        }
    }

    /// Embeds tokens without their positions: ids of `rows` texts, row by row → `[rows, tokens, width]`. Ids must be below the
    /// vocabulary's size.
    pub fn embed(&self, ids: &[u32], rows: usize) -> Tensor<3> {
        let table = self.words.weight();
        let [width, _] = table.dims();
        let tokens = ids.len() / rows.max(1);
        let ids: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [rows * tokens]), &table.device());
        table.select(1, ids).transpose().reshape([rows, tokens, width])
    }

    /// Appends embedded tokens, `[rows, tokens, width]`, to each text; returns the output of the last block, of the same shape.
    /// Texts must stay within the context.
    pub fn append(&self, state: &mut DecoderState, x: Tensor<3>) -> Tensor<3> {
        let [_, tokens, width] = x.dims();
        let positions = self.positions.val().slice([state.length..state.length + tokens, 0..width]);
        let mut x = x + positions.unsqueeze::<3>();
        if let Some(norm) = &self.ln_pre {
            x = norm.forward(x);
        }
        for (i, block) in self.blocks.iter().enumerate() {
            let past = state.past[i].take();
            let (y, cache) = block.forward(x, past, state.context[i].as_ref(), AttentionScope::Causal);
            state.past[i] = Some(cache);
            x = y;
        }
        state.length += tokens;
        x
    }

    /// The logits of the token after each of these outputs of [`append`](Self::append): `[rows, width]` → `[rows, vocabulary]`.
    pub fn logits(&self, x: Tensor<2>) -> Tensor<2> {
        let x = match &self.transform {
            Some(transform) => transform.forward_activated(x, Some(self.activation)),
            None => x,
        };
        self.words.forward(self.ln_final.forward(x))
    }

    /// Appends one token to each text and returns the logits of the next, `[texts, vocabulary]`.
    pub fn step(&self, state: &mut DecoderState, ids: &[u32]) -> Tensor<2> {
        let x = self.append(state, self.embed(ids, ids.len()));
        let [rows, _, width] = x.dims();
        self.logits(x.reshape([rows, width]))
    }
}
