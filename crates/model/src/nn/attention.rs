//! Multi-head self-attention in the layout of torch's `MultiheadAttention`.

use burn::module::Module;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Tensor, module};

use super::host_softmax::softmax;
use super::{Linear, TransformerConfig, on_host};
use crate::error::WeightsError;
use crate::weights::{Source, TensorList};

/// Which tokens see each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All tokens of the same row.
    Own,
    /// Each token sees itself and those before it.
    Causal,
    /// All tokens of this many consecutive rows: the views of one shape (Duoduo CLIP, section 3.1).
    Views(usize),
}

/// Most scores of a group that are all kept at once; above, they are made and used piece by piece.
const MOST_SCORES: usize = 1 << 24;
/// Scores that groups taken together may have: so many stay in the cache.
const CACHED_SCORES: usize = 1 << 20;

/// Self-attention with packed query, key and value projections.
#[derive(Module, Debug)]
pub struct Attention {
    in_proj: Linear,
    out_proj: Linear,
    heads: usize,
    head_width: usize,
}

impl Attention {
    /// Reads `{name}.in_proj_weight`, with `qkv_bias` also `{name}.in_proj_bias`, and `{name}.out_proj.*`.
    pub fn load(source: &Source, name: &str, config: &TransformerConfig) -> Result<Self, WeightsError> {
        let TransformerConfig { width, heads, head_width, layers, .. } = *config;
        let inner = heads * head_width;
        let [weight, bias] = Self::in_proj_names(name);
        let bias = config.qkv_bias.then_some(bias.as_str());
        // Starting deviations as in OpenCLIP: the residual branches shrink with depth.
        let deviation = (width as f32).powf(-0.5);
        let in_proj = Linear::load(source, &weight, bias, [width, 3 * inner], deviation)?;
        let [weight, bias] = Self::out_proj_names(name);
        let deviation = deviation * (2.0 * layers as f32).powf(-0.5);
        let out_proj = Linear::load(source, &weight, Some(&bias), [inner, width], deviation)?;
        Ok(Self { in_proj, out_proj, heads, head_width })
    }

    /// `[rows, tokens, width]` → the same shape.
    pub fn forward(&self, x: Tensor<3>, scope: Scope) -> Tensor<3> {
        let [_, tokens, _] = x.dims();
        self.forward_first(x, scope, tokens)
    }

    /// As [`forward`](Self::forward), but only the first `count` tokens of each row look around:
    /// `[rows, tokens, width]` → `[rows, count, width]`.
    pub fn forward_first(&self, x: Tensor<3>, scope: Scope, count: usize) -> Tensor<3> {
        let [rows, tokens, _] = x.dims();
        let views = if let Scope::Views(views) = scope { views } else { 1 };
        let (groups, heads, width) = (rows / views, self.heads, self.head_width);
        let packed = self.in_proj.forward(x).reshape([groups, views * tokens, 3, heads, width]);
        let part = |i: usize| -> Tensor<4> {
            packed.clone().slice([0..groups, 0..views * tokens, i..i + 1]).squeeze_dim::<4>(2)
        };
        let query = match count == tokens {
            true => part(0),
            false => {
                let rows_apart = part(0).reshape([rows, tokens, heads, width]);
                rows_apart.slice([0..rows, 0..count]).reshape([groups, views * count, heads, width])
            }
        };
        let [query, key, value] = [query, part(1), part(2)].map(|part| part.swap_dims(1, 2));
        let scores = heads * views * count * views * tokens;
        let mixed = if scope != Scope::Causal
            && (1..=MOST_SCORES).contains(&scores)
            && groups > 0
            && on_host::is_plain(&packed)
        {
            mix([query, key, value], (CACHED_SCORES / scores).clamp(1, groups))
        } else {
            let options = AttentionModuleOptions { is_causal: scope == Scope::Causal, ..Default::default() };
            module::attention(query, key, value, None, None, options)
        };
        self.out_proj.forward(mixed.swap_dims(1, 2).reshape([rows, count, heads * width]))
    }

    /// The same attention, with changes of rank `rank` to train in its matrices' stead.
    pub fn with_low_rank(mut self, source: &Source, rank: usize) -> Result<Self, WeightsError> {
        self.in_proj = self.in_proj.with_low_rank(source, rank)?;
        self.out_proj = self.out_proj.with_low_rank(source, rank)?;
        Ok(self)
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        let [weight, bias] = Self::in_proj_names(name);
        self.in_proj.save(&weight, Some(&bias), list);
        let [weight, bias] = Self::out_proj_names(name);
        self.out_proj.save(&weight, Some(&bias), list);
    }

    fn in_proj_names(name: &str) -> [String; 2] {
        [format!("{name}.in_proj_weight"), format!("{name}.in_proj_bias")]
    }

    fn out_proj_names(name: &str) -> [String; 2] {
        [format!("{name}.out_proj.weight"), format!("{name}.out_proj.bias")]
    }
}

/// For each query, `[groups, heads, queries, width]`, the mean of all values weighted by softmax of its products with their
/// keys, `[groups, heads, length, width]` each; so many groups at once.
fn mix([query, key, value]: [Tensor<4>; 3], at_once: usize) -> Tensor<4> {
    let [groups, heads, _, width] = query.dims();
    let scale = (width as f32).powf(-0.5);
    let mixed = (0..groups).step_by(at_once).map(|first| {
        let range = first..(first + at_once).min(groups);
        let part = |x: &Tensor<4>| {
            let length = x.dims()[2];
            x.clone().slice([range.clone(), 0..heads, 0..length, 0..width])
        };
        let scores = part(&query).matmul(part(&key).swap_dims(2, 3));
        softmax(scores, scale).matmul(part(&value))
    });
    Tensor::cat(mixed.collect(), 0)
}
