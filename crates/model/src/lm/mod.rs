//! Language models: one decoder for GPT-2, OPT, Llama, Qwen and Phi ([`TextGenerator`]), for BERT as BLIP's text decoder
//! ([arXiv 2201.12086](https://arxiv.org/abs/2201.12086), section 3.1), and for the OPT that BLIP-2 is built on
//! ([arXiv 2205.01068](https://arxiv.org/abs/2205.01068)).
//!
//! Tokens are appended to cached ones, so that each passes the network once. An image enters by cross-attention, or as
//! embeddings in front of the text.

mod architecture;
mod config_file;
mod generation;
mod host_decoder;
mod text_generator;

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, TensorData};

pub use self::architecture::Architecture;
pub(crate) use self::architecture::{NAME, check_tie, is_gpt2_mask};
pub(crate) use self::config_file::{CONFIG_FILE, companion_error, read_config};
pub use self::generation::{DecodingStrategy, EndTokens, Sampling, SpecialTokens};
pub(crate) use self::generation::{Generation, LengthLimits, decode};
use self::host_decoder::{HostDecoder, HostState};
pub(crate) use self::text_generator::{TOKENIZER_FILE, read_tokenizer};
pub use self::text_generator::{TextGenerator, TextOptions};
use crate::nn::{
    Activation, AttentionScope, DecoderBlock, DecoderBlockConfig, Embedding, KvCache, LayerNorm, Linear,
    Norm, NormPlacement, RotaryConfig, host,
};
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// Standard deviation of the initialization of BERT, GPT-2 and OPT.
const DEVIATION: f32 = 0.02;

/// Sizes of a language model, and in what it differs from others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanguageModelConfig {
    /// Size of the vocabulary.
    pub vocabulary: usize,
    /// Longest sequence in tokens.
    pub context: usize,
    /// The blocks. With [`NormPlacement::Post`] embeddings are normalized too.
    pub block: DecoderBlockConfig,
    /// How the model knows the order of tokens.
    pub positions: Positions,
    /// What follows the blocks.
    pub output: OutputConfig,
}

/// How a language model knows the order of tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Positions {
    /// By a learned embedding of each position.
    Learned {
        /// Rows of the table before that of the first token: 2 in OPT.
        offset: usize,
    },
    /// By rotations of queries and keys.
    Rotary(RotaryConfig),
}

/// What follows the blocks of a language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputConfig {
    /// Whether the output layer is the table of token embeddings.
    pub is_tied: bool,
    /// Whether the output layer has a bias.
    pub has_bias: bool,
    /// Whether a linear layer with an activation comes first (BERT).
    pub is_transformed: bool,
}

impl OutputConfig {
    /// The table of token embeddings, without a bias: GPT-2 and OPT.
    pub const TIED: Self = Self { is_tied: true, has_bias: false, is_transformed: false };
}

/// Previous tokens → logits of the next.
#[derive(Module, Debug)]
pub struct LanguageModel {
    /// Output layer, `[width, vocabulary]`; its columns are also the token embeddings if these are tied.
    words: Linear,
    /// Token embeddings, `[vocabulary, width]`, if these are not tied to the output layer.
    embedding: Option<Embedding>,
    /// Learned positions, `[context, width]`.
    positions: Option<Param<Tensor<2>>>,
    ln_pre: Option<LayerNorm>,
    blocks: Vec<DecoderBlock>,
    transform: Option<Linear>,
    ln_final: Norm,
    #[module(skip)]
    rotary: Option<RotaryConfig>,
    #[module(skip)]
    activation: Activation,
}

/// Unfinished texts, all of the same length. With images, the same number for each.
#[derive(Clone, Debug)]
pub struct DecoderState {
    /// Keys and values of the images in each block.
    context: Vec<Option<KvCache>>,
    /// Keys and values of the tokens in each block.
    past: Past,
    length: usize,
}

/// Keys and values of tokens.
#[derive(Clone, Debug)]
enum Past {
    /// Before the first token.
    Empty,
    /// In each block.
    Tensors(Vec<Option<KvCache>>),
    /// In host memory, without autodiff.
    Host(Box<HostState>),
}

impl DecoderState {
    /// Continues with these texts, possibly repeated; the same number for each image, in the order of images.
    pub fn reorder(&mut self, texts: &[usize]) {
        match &mut self.past {
            Past::Empty => {}
            Past::Host(state) => state.reorder(texts),
            Past::Tensors(past) => {
                let Some(Some(first)) = past.first() else { return };
                let rows: Vec<i64> = texts.iter().map(|row| *row as i64).collect();
                let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [texts.len()]), &first.device());
                for cache in past {
                    *cache = cache.take().map(|cache| cache.select(&rows));
                }
            }
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
        let LanguageModelConfig { vocabulary, block, output, .. } = *config;
        let (transformer, width) = (block.transformer, block.transformer.width);
        let name = |part: &str| format!("{name}.{part}");
        let blocks = (0..transformer.layers)
            .map(|i| DecoderBlock::load(source, &name(&format!("layers.{i}")), &block));
        let linear = |weight: &str, bias: Option<&str>, sizes: [usize; 2]| {
            Linear::load(source, &name(weight), bias.map(name).as_deref(), sizes, DEVIATION)
        };
        let table = || Embedding::load(source, &name(TOKEN_EMBEDDING), [vocabulary, width], DEVIATION);
        let words = if output.is_tied { TOKEN_EMBEDDING } else { "head.weight" };
        let transform = || linear("head.transform.weight", Some("head.transform.bias"), [width, width]);
        let ln_pre = || LayerNorm::load(source, &name("ln_pre"), width, transformer.epsilon);
        Ok(Self {
            words: linear(words, output.has_bias.then_some("head.bias"), [width, vocabulary])?,
            embedding: (!output.is_tied).then(table).transpose()?,
            positions: learned_positions(source, &name(POSITIONAL_EMBEDDING), config)?,
            ln_pre: (block.norms == NormPlacement::Post).then(ln_pre).transpose()?,
            blocks: blocks.collect::<Result<_, WeightsError>>()?,
            transform: output.is_transformed.then(transform).transpose()?,
            ln_final: Norm::load(source, &name("ln_final"), block.norm_kind, width, transformer.epsilon)?,
            rotary: match config.positions {
                Positions::Learned { .. } => None,
                Positions::Rotary(rotary) => Some(rotary),
            },
            activation: transformer.activation,
        })
    }

    /// Adds the tensors of a model with learned positions without offset, tied and without a transform, to `list`.
    pub(crate) fn save(&self, name: &str, list: &mut TensorList) {
        self.words.save(&format!("{name}.{TOKEN_EMBEDDING}"), None, list);
        if let Some(positions) = &self.positions {
            list.push(format!("{name}.{POSITIONAL_EMBEDDING}"), positions.val());
        }
        for (i, block) in self.blocks.iter().enumerate() {
            block.save(&format!("{name}.layers.{i}"), list);
        }
        self.ln_final.save(&format!("{name}.ln_final"), list);
    }

    /// Starts one empty text per image, `[images, tokens, context_width]`; without images, any number of texts.
    pub fn init_state(&self, images: Option<Tensor<3>>) -> DecoderState {
        let project = |block: &DecoderBlock| images.as_ref().and_then(|tokens| block.project_context(tokens));
        DecoderState { context: self.blocks.iter().map(project).collect(), past: Past::Empty, length: 0 }
    }

    /// Embeds tokens without their positions: ids of `rows` texts, row by row → `[rows, tokens, width]`. Ids must be below the
    /// vocabulary's size.
    pub fn embed(&self, ids: &[u32], rows: usize) -> Tensor<3> {
        let tokens = ids.len() / rows.max(1);
        let embedded = match &self.embedding {
            Some(table) => table.select(ids),
            None => self.words.columns(ids),
        };
        let [_, width] = embedded.dims();
        embedded.reshape([rows, tokens, width])
    }

    /// Appends embedded tokens, `[rows, tokens, width]`, to each text; returns the output of the last block, of the same shape.
    /// Texts must stay within the context.
    pub fn append(&self, state: &mut DecoderState, x: Tensor<3>) -> Tensor<3> {
        let ([rows, tokens, _], length) = (x.dims(), state.length);
        if let Some(host) = host::is_host_no_grad(&x).then(|| self.host_state(state, rows)).flatten() {
            let (device, dims, values) = (x.device(), x.dims(), host::values(x));
            host.input(values.len()).copy_from_slice(&values);
            host.append(length);
            let output = TensorData::new(host.output().to_vec(), dims);
            state.length += tokens;
            return Tensor::from_data(output, &device);
        }
        self.append_tensors(state, x)
    }

    /// Texts in host memory, begun if there are none yet and all layers are there too.
    fn host_state<'a>(&self, state: &'a mut DecoderState, rows: usize) -> Option<&'a mut HostState> {
        if matches!(state.past, Past::Empty)
            && let Some(decoder) = self.in_host_memory()
        {
            state.past = Past::Host(Box::new(HostState::new(decoder, rows)));
        }
        match &mut state.past {
            Past::Host(host) => Some(host),
            _ => None,
        }
    }

    /// The layers, if all are in host memory, without autodiff, and of the common kinds.
    fn in_host_memory(&self) -> Option<HostDecoder> {
        if self.ln_pre.is_some() || self.transform.is_some() {
            return None;
        }
        let positions = self.positions.as_ref().map(|table| host::decoder::shared(table.val()));
        Some(HostDecoder {
            words: self.words.in_host_memory()?,
            positions: positions.map_or(Some(None), |table| table.map(Some))?,
            blocks: self.blocks.iter().map(DecoderBlock::in_host_memory).collect::<Option<_>>()?,
            ln_final: self.ln_final.in_host_memory()?,
            frequencies: self.rotary.map(|rotary| rotary.frequencies()),
        })
    }

    fn append_tensors(&self, state: &mut DecoderState, mut x: Tensor<3>) -> Tensor<3> {
        let [_, tokens, width] = x.dims();
        if let Some(positions) = &self.positions {
            let positions = positions.val().slice([state.length..state.length + tokens, 0..width]);
            x = x + positions.unsqueeze::<3>();
        }
        if let Some(norm) = &self.ln_pre {
            x = norm.forward(x);
        }
        let rotation = self.rotary.map(|rotary| rotary.rotation(state.length, tokens, &x.device()));
        let mut past = match std::mem::replace(&mut state.past, Past::Empty) {
            Past::Tensors(past) => past,
            Past::Empty | Past::Host(_) => vec![None; self.blocks.len()],
        };
        for (i, block) in self.blocks.iter().enumerate() {
            let (before, context) = (past[i].take(), state.context[i].as_ref());
            let (y, cache) = block.forward(x, before, context, AttentionScope::Causal, rotation.as_ref());
            past[i] = Some(cache);
            x = y;
        }
        state.past = Past::Tensors(past);
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

    /// Appends embedded tokens, `[rows, tokens, width]`, and returns the logits of the next token of each text,
    /// `[rows, vocabulary]`.
    pub fn prompt(&self, state: &mut DecoderState, x: Tensor<3>) -> Tensor<2> {
        let x = self.append(state, x);
        let [rows, tokens, width] = x.dims();
        self.logits(x.slice([0..rows, tokens - 1..tokens, 0..width]).reshape([rows, width]))
    }

    /// Appends one token to each text and returns the logits of the next, `[texts, vocabulary]`.
    pub fn step(&self, state: &mut DecoderState, ids: &[u32]) -> Tensor<2> {
        self.prompt(state, self.embed(ids, ids.len()))
    }

    /// As [`step`](Self::step), with the logits in a list that is reused: in host memory, a token then needs no new memory.
    pub fn step_into(&self, state: &mut DecoderState, ids: &[u32], logits: &mut Vec<f32>) {
        let length = state.length;
        match self.host_state(state, ids.len()) {
            Some(host) => {
                host.embed(self.embedding.as_ref(), ids);
                host.append(length);
                host.logits(logits);
                state.length += 1;
            }
            None => *logits = host::values(self.step(state, ids)),
        }
    }
}

/// Name of the table of token embeddings.
const TOKEN_EMBEDDING: &str = "token_embedding.weight";
/// Name of the table of positions.
const POSITIONAL_EMBEDDING: &str = "positional_embedding";

/// The table of positions from that of the first token, `[context, width]`, if positions are learned.
fn learned_positions(
    source: &WeightSource,
    name: &str,
    config: &LanguageModelConfig,
) -> Result<Option<Param<Tensor<2>>>, WeightsError> {
    let Positions::Learned { offset } = config.positions else { return Ok(None) };
    let (rows, width) = (config.context + offset, config.block.transformer.width);
    let table: Tensor<2> = source.tensor(name, [rows, width], Initializer::Normal(DEVIATION))?;
    let table = if offset > 0 { table.slice([offset..rows, 0..width]) } else { table };
    Ok(Some(Param::from_tensor(table)))
}
