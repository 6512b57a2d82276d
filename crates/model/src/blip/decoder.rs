//! BLIP's text decoder: a BERT with causal self-attention and cross-attention to an image
//! ([arXiv 2201.12086](https://arxiv.org/abs/2201.12086), section 3.1).
//!
//! Unlike the blocks of the image tower, its layers are post-norm and have a third branch, the cross-attention. Each call adds
//! one token to each caption.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, TensorData};

use super::config::DecoderConfig;
use crate::nn::{Activation, CachedAttention, KvCache, LayerNorm, Linear, Mlp};
use crate::weights::{Initializer, WeightSource, WeightsError};

/// Standard deviation of BERT's initialization.
const DEVIATION: f32 = 0.02;

/// Images and previous tokens → logits of the next token.
#[derive(Module, Debug)]
pub struct TextDecoder {
    /// Output layer, `[width, vocabulary]`; its columns are also the token embeddings (tied).
    words: Linear,
    positions: Param<Tensor<2>>,
    ln_pre: LayerNorm,
    layers: Vec<DecoderLayer>,
    transform: Linear,
    ln_final: LayerNorm,
    #[module(skip)]
    activation: Activation,
}

#[derive(Module, Debug)]
struct DecoderLayer {
    attn: CachedAttention,
    ln_1: LayerNorm,
    cross: CachedAttention,
    ln_2: LayerNorm,
    mlp: Mlp,
    ln_3: LayerNorm,
}

/// Unfinished captions, the same number for each image, all of the same length.
#[derive(Clone, Debug)]
pub struct DecoderState {
    /// Keys and values of the images in each layer.
    pictures: Vec<KvCache>,
    /// Keys and values of the tokens in each layer; `None` before the first token.
    words: Vec<Option<KvCache>>,
    n_pictures: usize,
    length: usize,
}

impl DecoderState {
    /// Continues with these captions, possibly repeated; the same number for each image, in the order of images.
    pub fn reorder(&mut self, sentences: &[usize]) {
        let rows: Vec<i64> = sentences.iter().map(|row| *row as i64).collect();
        let Some(Some(first)) = self.words.first() else { return };
        let rows = TensorData::new(rows, [sentences.len()]);
        let rows = Tensor::<1, Int>::from_data(rows, &first.device());
        for cache in &mut self.words {
            *cache = cache.take().map(|cache| cache.select(&rows));
        }
    }

    /// Tokens so far.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl TextDecoder {
    /// Reads `text_decoder.*`; the tokens of images are `picture_width` wide.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        config: &DecoderConfig,
        picture_width: usize,
    ) -> Result<Self, WeightsError> {
        let DecoderConfig { vocabulary, context, transformer } = config;
        let (width, epsilon) = (transformer.width, transformer.epsilon);
        let name = |part: &str| format!("text_decoder.{part}");
        let positions = source.tensor(
            &name("positional_embedding"),
            [*context, width],
            Initializer::Normal(DEVIATION),
        )?;
        let layer = |layer: usize| {
            let name = |part: &str| format!("text_decoder.layers.{layer}.{part}");
            let norm = |part: &str| LayerNorm::load(source, &name(part), width, epsilon);
            let heads = transformer.heads;
            Ok(DecoderLayer {
                attn: CachedAttention::load(source, &name("attn"), [width, width], heads)?,
                ln_1: norm("ln_1")?,
                cross: CachedAttention::load(source, &name("cross"), [width, picture_width], heads)?,
                ln_2: norm("ln_2")?,
                mlp: Mlp::load(source, &name("mlp"), transformer)?,
                ln_3: norm("ln_3")?,
            })
        };
        let linear = |weight: &str, bias: &str, sizes: [usize; 2]| {
            Linear::load(source, &name(weight), Some(&name(bias)), sizes, DEVIATION)
        };
        Ok(Self {
            words: linear("token_embedding.weight", "head.bias", [width, *vocabulary])?,
            positions: Param::from_tensor(positions),
            ln_pre: LayerNorm::load(source, &name("ln_pre"), width, epsilon)?,
            layers: (0..transformer.layers).map(layer).collect::<Result<_, WeightsError>>()?,
            transform: linear("head.transform.weight", "head.transform.bias", [width, width])?,
            ln_final: LayerNorm::load(source, &name("head.norm"), width, epsilon)?,
            activation: transformer.activation,
        })
    }

    /// Starts one empty caption per image, `[images, tokens, picture_width]`.
    pub fn init_state(&self, pictures: Tensor<3>) -> DecoderState {
        let [n_pictures, _, _] = pictures.dims();
        DecoderState {
            pictures: self.layers.iter().map(|layer| layer.cross.project_kv(pictures.clone())).collect(),
            words: vec![None; self.layers.len()],
            n_pictures,
            length: 0,
        }
    }

    /// Appends a token to each caption and returns the logits of the next, `[captions, vocabulary]`. Ids must be below the
    /// vocabulary's size, and captions shorter than the context.
    pub fn step(&self, state: &mut DecoderState, words: &[u32]) -> Tensor<2> {
        let mut x = self.embed(words, state.length);
        let [sentences, _, width] = x.dims();
        // Captions of the same image share its keys and values: they attend to it as one row.
        let per_picture = [state.n_pictures, sentences / state.n_pictures.max(1), width];
        for (i, layer) in self.layers.iter().enumerate() {
            let newest = layer.attn.project_kv(x.clone());
            let said = match state.words[i].take() {
                Some(before) => before.concat(newest),
                None => newest,
            };
            x = layer.ln_1.forward(x.clone() + layer.attn.forward(x, &said));
            state.words[i] = Some(said);
            let seen = layer.cross.forward(x.clone().reshape(per_picture), &state.pictures[i]);
            x = layer.ln_2.forward(x + seen.reshape([sentences, 1, width]));
            x = layer.ln_3.forward(x.clone() + layer.mlp.forward(x));
        }
        state.length += 1;
        let x = self.transform.forward_activated(x.reshape([sentences, width]), Some(self.activation));
        self.words.forward(self.ln_final.forward(x))
    }

    /// Embeds tokens at a position: ids `[captions]` → `[captions, 1, width]`.
    fn embed(&self, words: &[u32], place: usize) -> Tensor<3> {
        let table = self.words.weight();
        let [width, _] = table.dims();
        let ids: Vec<i64> = words.iter().map(|id| i64::from(*id)).collect();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [words.len()]), &table.device());
        let position = self.positions.val().slice([place..place + 1, 0..width]);
        let x = table.select(1, ids).transpose() + position;
        self.ln_pre.forward(x.reshape([words.len(), 1, width]))
    }
}
