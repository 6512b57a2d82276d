//! Attention over cached keys and values: of the previous words of a sentence, or of the tokens of an image.
//!
//! Keys and values are computed once and kept, so that each word passes the decoder once.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};

use super::{AttentionScope, Linear, host};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Attention whose keys and values are cached: self-attention over previous words, or cross-attention to an image.
#[derive(Module, Debug)]
pub struct CachedAttention {
    query: Linear,
    key_value: Linear,
    out: Linear,
    heads: usize,
}

/// Cached keys and values.
#[derive(Clone, Debug)]
pub struct KvCache {
    /// `[rows, heads, head width, tokens]`: transposed for the product with queries.
    key: Tensor<4>,
    /// `[rows, heads, tokens, head width]`.
    value: Tensor<4>,
}

impl KvCache {
    /// Appends the tokens of `later` to those of each row.
    pub fn concat(self, later: Self) -> Self {
        Self {
            // Keys are stored transposed, so that scores are a plain product: tokens are their last axis.
            key: Tensor::cat(vec![self.key, later.key], 3),
            value: Tensor::cat(vec![self.value, later.value], 2),
        }
    }

    /// Selects rows by index; a row may be repeated.
    pub fn select(self, rows: &Tensor<1, Int>) -> Self {
        Self { key: self.key.select(0, rows.clone()), value: self.value.select(0, rows.clone()) }
    }

    /// The device of the tensors.
    pub fn device(&self) -> Device {
        self.value.device()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.value.dims()[0]
    }

    /// Makes a tensor contiguous: every product would gather the values of a strided view again.
    fn contiguous(x: Tensor<4>) -> Tensor<4> {
        if !host::is_host_no_grad(&x) {
            return x;
        }
        // A strided view would be copied in every step of decoding; copying once is enough.
        let device = x.device();
        Tensor::from_data(x.into_data(), &device)
    }
}

impl CachedAttention {
    /// Reads `query`, `key_value` (keys first) and `out` below `{name}`; tokens of queries are `width` wide, those of keys and
    /// values `context_width`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        name: &str,
        [width, context_width]: [usize; 2],
        heads: usize,
    ) -> Result<Self, WeightsError> {
        let linear = |part: &str, sizes: [usize; 2]| {
            let [weight, bias] = ["weight", "bias"].map(|kind| format!("{name}.{part}.{kind}"));
            Linear::load(source, &weight, Some(&bias), sizes, (sizes[0] as f32).powf(-0.5))
        };
        Ok(Self {
            query: linear("query", [width, width])?,
            key_value: linear("key_value", [context_width, 2 * width])?,
            out: linear("out", [width, width])?,
            heads,
        })
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        for (layer, part) in [(&self.query, "query"), (&self.key_value, "key_value"), (&self.out, "out")] {
            let [weight, bias] = ["weight", "bias"].map(|kind| format!("{name}.{part}.{kind}"));
            layer.save(&weight, Some(&bias), list);
        }
    }

    /// Computes keys and values of tokens, `[rows, tokens, context_width]`.
    pub fn project_kv(&self, x: Tensor<3>) -> KvCache {
        let [rows, tokens, _] = x.dims();
        // Keys and values come from one product, as their weights were concatenated on loading.
        let packed = self.key_value.forward(x);
        let width = packed.dims()[2] / (2 * self.heads);
        let packed = packed.reshape([rows, tokens, 2, self.heads, width]);
        let part = |i: usize| packed.clone().slice([0..rows, 0..tokens, i..i + 1]).squeeze_dim::<4>(2);
        KvCache {
            key: KvCache::contiguous(part(0).permute([0, 2, 3, 1])),
            value: KvCache::contiguous(part(1).swap_dims(1, 2)),
        }
    }

    /// Attends from each token to the cache of its row: `[rows, tokens, width]` → the same shape. With
    /// [`AttentionScope::Causal`], the tokens are the last ones of the cache and do not attend to those after them.
    pub fn forward(&self, x: Tensor<3>, cache: &KvCache, scope: AttentionScope) -> Tensor<3> {
        let [rows, tokens, width] = x.dims();
        let head_width = width / self.heads;
        let query = self.query.forward(x).reshape([rows, tokens, self.heads, head_width]).swap_dims(1, 2);
        let mut scores = query.matmul(cache.key.clone()) * (head_width as f32).powf(-0.5);
        // A single new token needs no mask: the cache never holds later ones.
        if scope == AttentionScope::Causal && tokens > 1 {
            scores = scores + causal_mask(tokens, cache.key.dims()[3], &cache.device());
        }
        let weights = activation::softmax(scores, 3);
        let mixed = weights.matmul(cache.value.clone());
        self.out.forward(mixed.swap_dims(1, 2).reshape([rows, tokens, width]))
    }
}

/// Added to scores, `[1, 1, tokens, cached]`: −∞ where a token would attend to one after it.
fn causal_mask(tokens: usize, cached: usize, device: &Device) -> Tensor<4> {
    let hidden = |i: usize, j: usize| if j > cached - tokens + i { f32::NEG_INFINITY } else { 0.0 };
    let values: Vec<f32> = (0..tokens).flat_map(|i| (0..cached).map(move |j| hidden(i, j))).collect();
    Tensor::from_data(TensorData::new(values, [1, 1, tokens, cached]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(count: usize, width: usize) -> Tensor<3> {
        let values: Vec<f32> = (0..2 * count * width).map(|i| (i as f32 * 0.37).sin()).collect();
        Tensor::from_data(TensorData::new(values, [2, count, width]), &Device::flex())
    }

    #[test]
    fn cached_attention_matches_a_full_pass() {
        let source = WeightSource::random(3, &Device::flex());
        let attention = CachedAttention::load(&source, "attn", [8, 12], 2).unwrap();
        let (asked, all) = (tokens(3, 8), tokens(5, 12));
        let full = AttentionScope::Full;
        let whole = attention.forward(asked.clone(), &attention.project_kv(all.clone()), full);
        let part =
            |range: std::ops::Range<usize>| attention.project_kv(all.clone().slice([0..2, range, 0..12]));
        let grown = part(0..1).concat(part(1..4)).concat(part(4..5));
        let difference = (attention.forward(asked.clone(), &grown, full) - whole.clone()).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-6);
        // Reordering rows is what beam search does between steps.
        let swapped = Tensor::<1, Int>::from_data([1_i64, 0], &Device::flex());
        let other = attention.forward(asked.select(0, swapped.clone()), &grown.select(&swapped), full);
        let difference = (other.select(0, swapped) - whole).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-6);
    }
    #[test]
    fn several_causal_tokens_match_one_at_a_time() {
        let source = WeightSource::random(3, &Device::flex());
        let attention = CachedAttention::load(&source, "attn", [8, 8], 2).unwrap();
        let all = tokens(5, 8);
        let part = |range: std::ops::Range<usize>| all.clone().slice([0..2, range, 0..8]);
        let mut cache = attention.project_kv(part(0..1));
        let mut each = vec![attention.forward(part(0..1), &cache, AttentionScope::Causal)];
        for i in 1..5 {
            cache = cache.concat(attention.project_kv(part(i..i + 1)));
            each.push(attention.forward(part(i..i + 1), &cache, AttentionScope::Causal));
        }
        let each = Tensor::cat(each, 1);
        let whole = attention.forward(all.clone(), &cache, AttentionScope::Causal);
        assert!((whole - each.clone()).abs().max().into_scalar::<f32>() < 1e-6);
        let last = attention.forward(part(2..5), &cache, AttentionScope::Causal);
        assert!((last - each.slice([0..2, 2..5, 0..8])).abs().max().into_scalar::<f32>() < 1e-6);
    }
}
