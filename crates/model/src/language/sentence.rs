//! Sentence embeddings: a BERT whose token states are averaged (Sentence-BERT, [arXiv 1908.10084](https://arxiv.org/abs/1908.10084)),
//! such as `all-MiniLM-L6-v2`.

use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData, module};
use lexiform_formats::file_exists;
use serde::{Deserialize, Serialize};

use crate::embedding::rows;
use crate::error::ModelError;
use crate::nn::{Activation, DecoderBlock, DecoderBlockConfig, LayerNorm, NormPlacement, TransformerConfig};
use crate::tokenizer::BertTokenizer;
use crate::weights::{BERT_LAYER, Initializer, Layout, TensorList, WeightFile, WeightSource, WeightsError};

/// Standard deviation of BERT's initialization.
const DEVIATION: f32 = 0.02;
/// BERT's addition to the variance.
const EPSILON: f64 = 1e-12;
/// Width of a head in MiniLM.
const HEAD_WIDTH: usize = 32;
/// Longest text in tokens; later ones are cut. Queries have about ten.
const MAX_TOKENS: usize = 64;
/// Texts that pass the network at once.
const BATCH: usize = 64;
/// Tensors that the mean of token states does not need.
const UNUSED: [&str; 3] = ["embeddings.token_type_embeddings.", "embeddings.position_ids", "pooler."];
const TOKENIZER_FILE: &str = "tokenizer.json";
const CONFIG_FILE: &str = "config.json";

/// Sizes and vocabulary of a sentence encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SentenceConfig {
    /// BERT's word pieces, in the order of their ids.
    pub pieces: Vec<String>,
    /// Length of an embedding.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// Longest text in tokens.
    pub context: usize,
}

impl SentenceConfig {
    /// Checks sizes of an untrusted file that shapes of tensors do not.
    fn check(&self) -> Result<(), String> {
        let Self { width, context, .. } = *self;
        if width == 0 || !width.is_multiple_of(HEAD_WIDTH) {
            return Err(format!("a sentence encoder of width {width}, expected a multiple of {HEAD_WIDTH}"));
        }
        // Each text has a token at its start and one at its end.
        if context < 2 {
            return Err(format!("a sentence encoder for texts of {context} tokens, expected at least 2"));
        }
        Ok(())
    }
}

/// The part of `config.json` that tensors do not imply.
#[derive(Deserialize)]
struct HeadCount {
    num_attention_heads: usize,
}

#[derive(Module, Debug)]
struct SentenceNetwork {
    tokens: Param<Tensor<2>>,
    positions: Param<Tensor<2>>,
    norm: LayerNorm,
    blocks: Vec<DecoderBlock>,
}

/// Text → unit vector, near those of texts that mean the same.
#[derive(Clone, Debug)]
pub struct SentenceEncoder {
    config: SentenceConfig,
    tokenizer: BertTokenizer,
    network: SentenceNetwork,
}

impl SentenceEncoder {
    /// Opens a folder with `model.safetensors` and `tokenizer.json`, as published for `sentence-transformers`.
    ///
    /// # Errors
    /// If a file is missing or cannot be read, or the network is not a BERT with heads of 32 numbers, as MiniLM's are.
    pub fn open(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let file = WeightFile::open(&folder.join("model.safetensors"))?;
        let path = folder.join(TOKENIZER_FILE);
        let tokenizer = BertTokenizer::read_json(&path).map_err(|message| WeightsError::CompanionFile {
            path: file.path().to_owned(),
            file: TOKENIZER_FILE.to_owned(),
            message,
        })?;
        let layout = transformers_layout();
        let shape = |name: &str| file.shape(&layout.name(name));
        let (positions, mlp) = (shape("sentence.positions")?, shape("sentence.layers.0.mlp.c_fc.weight")?);
        let count = |i: &usize| file.contains(&layout.name(&format!("sentence.layers.{i}.ln_1.weight")));
        let config = SentenceConfig {
            pieces: tokenizer.pieces().to_vec(),
            width: positions.get(1).copied().unwrap_or(0),
            layers: (0..).take_while(count).count(),
            mlp_width: mlp.first().copied().unwrap_or(0),
            context: positions.first().copied().unwrap_or(0),
        };
        let source = WeightSource::with_layout(&file, layout, device);
        check_heads(&folder.join(CONFIG_FILE), config.width).map_err(|message| source.invalid(message))?;
        let mut encoder = Self::load(&source, config)?;
        // The second type is for the second of two texts.
        let types = file.read("embeddings.token_type_embeddings.weight")?;
        encoder.network.add_to_positions(&types[..encoder.config.width.min(types.len())], device);
        source.finish(|name| UNUSED.iter().any(|unused| name.starts_with(unused)))?;
        Ok(encoder)
    }

    /// Reads the tensors below `sentence`.
    ///
    /// # Errors
    /// If sizes are invalid, a tensor is missing or misshaped, or the vocabulary has no special tokens.
    pub(crate) fn load(source: &WeightSource, config: SentenceConfig) -> Result<Self, WeightsError> {
        config.check().map_err(|message| source.invalid(message))?;
        let tokenizer =
            BertTokenizer::from_pieces(&config.pieces).map_err(|message| source.invalid(message))?;
        if ["[CLS]", "[SEP]"].iter().any(|token| tokenizer.id(token).is_none()) {
            return Err(source.invalid("the vocabulary has no [CLS] and [SEP]".to_owned()));
        }
        Ok(Self { network: SentenceNetwork::load(source, &config)?, tokenizer, config })
    }

    /// Length of an embedding.
    pub fn width(&self) -> usize {
        self.config.width
    }

    /// Sizes and vocabulary.
    pub(crate) fn config(&self) -> &SentenceConfig {
        &self.config
    }

    /// Unit vectors of texts, `[texts, width]`.
    pub fn embed(&self, texts: &[&str]) -> Vec<Vec<f32>> {
        let ids: Vec<Vec<u32>> = texts.iter().map(|text| self.ids(text)).collect();
        ids.chunks(BATCH).flat_map(|ids| self.network.forward(ids)).map(unit).collect()
    }

    /// Start, word pieces, end.
    fn ids(&self, text: &str) -> Vec<u32> {
        let special = |token: &str| self.tokenizer.id(token).into_iter();
        let room = self.config.context.min(MAX_TOKENS).saturating_sub(2);
        let pieces = self.tokenizer.encode(text).into_iter().take(room);
        special("[CLS]").chain(pieces).chain(special("[SEP]")).collect()
    }

    /// Whether a word in lower case is one word piece.
    pub(super) fn has_piece(&self, word: &str) -> bool {
        self.tokenizer.id(word).is_some()
    }

    /// Ids of a text's word pieces.
    pub(super) fn pieces_of(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(text)
    }

    /// The same network with fewer word pieces: other words are spelled by shorter ones.
    pub(crate) fn with_pieces(mut self, keep: &[u32], device: &Device) -> Self {
        let rows: Vec<i64> = keep.iter().map(|id| i64::from(*id)).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [keep.len()]), device);
        self.network.tokens = Param::from_tensor(self.network.tokens.val().select(0, rows));
        let positions = self.network.positions.val();
        let [context, width] = positions.dims();
        self.config.context = context.min(MAX_TOKENS);
        self.network.positions = Param::from_tensor(positions.slice([0..self.config.context, 0..width]));
        self.config.pieces = keep.iter().map(|id| self.config.pieces[*id as usize].clone()).collect();
        self.tokenizer = BertTokenizer::from_pieces(&self.config.pieces).expect("special tokens are kept");
        self
    }

    /// Adds the tensors to `list`.
    pub(crate) fn save(&self, list: &mut TensorList) {
        let SentenceNetwork { tokens, positions, norm, blocks } = &self.network;
        list.push("sentence.tokens.weight".to_owned(), tokens.val());
        list.push("sentence.positions".to_owned(), positions.val());
        norm.save("sentence.norm", list);
        for (i, block) in blocks.iter().enumerate() {
            block.save(&format!("sentence.layers.{i}"), list);
        }
    }
}

impl SentenceNetwork {
    fn load(source: &WeightSource, config: &SentenceConfig) -> Result<Self, WeightsError> {
        let SentenceConfig { ref pieces, width, layers, mlp_width, context } = *config;
        let fill = Initializer::Normal(DEVIATION);
        let transformer = TransformerConfig {
            width,
            layers,
            heads: width / HEAD_WIDTH,
            head_width: HEAD_WIDTH,
            mlp_width,
            activation: Activation::Gelu,
            epsilon: EPSILON,
            ..TransformerConfig::usual()
        };
        let block = DecoderBlockConfig::usual(transformer, NormPlacement::Post, None);
        let load = |i: usize| DecoderBlock::load(source, &format!("sentence.layers.{i}"), &block);
        Ok(Self {
            tokens: Param::from_tensor(source.tensor(
                "sentence.tokens.weight",
                [pieces.len(), width],
                fill,
            )?),
            positions: Param::from_tensor(source.tensor("sentence.positions", [context, width], fill)?),
            norm: LayerNorm::load(source, "sentence.norm", width, EPSILON)?,
            blocks: (0..layers).map(load).collect::<Result<_, _>>()?,
        })
    }

    /// Adds a vector to all positions.
    fn add_to_positions(&mut self, vector: &[f32], device: &Device) {
        let vector = Tensor::<2>::from_data(TensorData::new(vector.to_vec(), [1, vector.len()]), device);
        self.positions = Param::from_tensor(self.positions.val() + vector);
    }

    /// Texts as token ids → means of their token states, row by row. Tokens of all texts are one list, so that each layer is one
    /// product, and nothing is padded.
    fn forward(&self, texts: &[Vec<u32>]) -> Vec<Vec<f32>> {
        let table = self.tokens.val();
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let list = |numbers: Vec<i64>| {
            let shape = [1, numbers.len()];
            Tensor::<2, Int>::from_data(TensorData::new(numbers, shape), &table.device())
        };
        let ids = list(texts.iter().flatten().map(|id| i64::from(*id)).collect());
        let places = list(lengths.iter().flat_map(|length| 0..*length as i64).collect());
        let positions = module::embedding(self.positions.val(), places);
        let mut x = self.norm.forward(module::embedding(table, ids) + positions);
        for block in &self.blocks {
            x = block.forward_ragged(x, &lengths);
        }
        let mut states = rows(x.squeeze_dim::<2>(0)).into_iter();
        lengths.iter().map(|length| mean(states.by_ref().take(*length))).collect()
    }
}

/// The mean of token states.
fn mean(states: impl Iterator<Item = Vec<f32>>) -> Vec<f32> {
    let (mut sum, mut count) = (Vec::new(), 0.0);
    for state in states {
        match sum.is_empty() {
            true => sum = state,
            false => sum.iter_mut().zip(state).for_each(|(sum, x)| *sum += x),
        }
        count += 1.0;
    }
    sum.iter_mut().for_each(|x| *x /= count);
    sum
}

/// Checks the number of heads that a `config.json` states; without the file, MiniLM's is assumed.
fn check_heads(path: &Path, width: usize) -> Result<(), String> {
    if !file_exists(path) {
        return Ok(());
    }
    let text = fs_err::read_to_string(path).map_err(|error| error.to_string())?;
    let HeadCount { num_attention_heads: heads } =
        serde_json::from_str(&text).map_err(|error| format!("{CONFIG_FILE}: {error}"))?;
    match heads.checked_mul(HEAD_WIDTH) == Some(width) {
        true => Ok(()),
        false => Err(format!("expected heads of {HEAD_WIDTH} numbers, found {heads} heads for {width}")),
    }
}

/// Names of the tensors in `transformers`.
fn transformers_layout() -> Layout {
    Layout::prefixed("")
        .within("sentence.layers.", BERT_LAYER)
        .rename("sentence.layers.", "encoder.layer.")
        .rename("sentence.tokens.", "embeddings.word_embeddings.")
        .rename("sentence.positions", "embeddings.position_embeddings.weight")
        .rename("sentence.norm.", "embeddings.LayerNorm.")
}

/// A vector scaled to length 1; a zero vector stays.
pub(super) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
    vector
}
