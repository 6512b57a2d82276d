//! Attention over cached keys and values: of the previous words of a sentence, or of the tokens of an image.
//!
//! Keys and values are computed once and kept, so that each word passes the decoder once.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};

use super::host::decoder::{HeadSizes, HostAttention};
use super::norm::RmsNorm;
use super::{AttentionScope, Linear, Rotation, host};
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// Sizes of attention over cached keys and values, and in what models differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CachedAttentionConfig {
    /// Width of the tokens that attend.
    pub width: usize,
    /// Width of the tokens that they attend to.
    pub context_width: usize,
    /// Number of heads.
    pub heads: usize,
    /// Number of heads of keys and values, each for consecutive heads of queries (grouped-query attention,
    /// [arXiv 2305.13245](https://arxiv.org/abs/2305.13245)); usually `heads`.
    pub kv_heads: usize,
    /// Width of one head.
    pub head_width: usize,
    /// Whether queries, keys and values have a bias.
    pub qkv_bias: bool,
    /// Whether the output has a bias.
    pub out_bias: bool,
    /// Added to the mean square in the norms of queries and keys, if these are normalized (Qwen3).
    pub query_key_norm: Option<f64>,
    /// Whether files have queries, keys and values as one tensor, `in_proj` (GPT-2).
    pub is_packed: bool,
}

impl CachedAttentionConfig {
    /// As many heads of keys and values as of queries, biases everywhere: BERT and OPT.
    pub fn usual([width, context_width]: [usize; 2], heads: usize) -> Self {
        Self {
            width,
            context_width,
            heads,
            kv_heads: heads,
            head_width: width / heads,
            qkv_bias: true,
            out_bias: true,
            query_key_norm: None,
            is_packed: false,
        }
    }

    /// Widths of queries, and of keys or values, over all heads.
    fn inner(&self) -> [usize; 2] {
        [self.heads * self.head_width, self.kv_heads * self.head_width]
    }
}

/// Attention whose keys and values are cached: self-attention over previous words, or cross-attention to an image.
#[derive(Module, Debug)]
pub struct CachedAttention {
    query: Linear,
    key_value: Linear,
    out: Linear,
    query_norm: Option<RmsNorm>,
    key_norm: Option<RmsNorm>,
    heads: usize,
    kv_heads: usize,
    head_width: usize,
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
    /// Reads `query`, `key_value` (keys first; packed: `in_proj`, queries first) and `out` below `{name}`, and `query_norm` and
    /// `key_norm` if these are normalized.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        name: &str,
        config: &CachedAttentionConfig,
    ) -> Result<Self, WeightsError> {
        let [query_width, kv_width] = config.inner();
        let linear = |part: &str, has_bias: bool, sizes: [usize; 2]| {
            let [weight, bias] = ["weight", "bias"].map(|kind| format!("{name}.{part}.{kind}"));
            let bias = has_bias.then_some(bias.as_str());
            Linear::load(source, &weight, bias, sizes, (sizes[0] as f32).powf(-0.5))
        };
        let (query, key_value) = match config.is_packed {
            true => unpacked(source, &format!("{name}.in_proj"), config)?,
            false => (
                linear("query", config.qkv_bias, [config.width, query_width])?,
                linear("key_value", config.qkv_bias, [config.context_width, 2 * kv_width])?,
            ),
        };
        let norm = |part: &str| {
            let load = |epsilon| RmsNorm::load(source, &format!("{name}.{part}"), config.head_width, epsilon);
            config.query_key_norm.map(load).transpose()
        };
        Ok(Self {
            query,
            key_value,
            out: linear("out", config.out_bias, [query_width, config.width])?,
            query_norm: norm("query_norm")?,
            key_norm: norm("key_norm")?,
            heads: config.heads,
            kv_heads: config.kv_heads,
            head_width: config.head_width,
        })
    }

    /// The layers in host memory, if all are there, without autodiff.
    pub(super) fn in_host_memory(&self) -> Option<HostAttention> {
        let norm = |norm: &Option<RmsNorm>| match norm {
            Some(norm) => norm.in_host_memory().map(Some),
            None => Some(None),
        };
        Some(HostAttention {
            query: self.query.in_host_memory()?,
            key_value: self.key_value.in_host_memory()?,
            out: self.out.in_host_memory()?,
            query_norm: norm(&self.query_norm)?,
            key_norm: norm(&self.key_norm)?,
            sizes: self.head_sizes(),
        })
    }

    /// Adds the tensors to `list`, queries, keys and values apart.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        for (layer, part) in [(&self.query, "query"), (&self.key_value, "key_value"), (&self.out, "out")] {
            let [weight, bias] = ["weight", "bias"].map(|kind| format!("{name}.{part}.{kind}"));
            layer.save(&weight, Some(&bias), list);
        }
        for (norm, part) in [(&self.query_norm, "query_norm"), (&self.key_norm, "key_norm")] {
            if let Some(norm) = norm {
                norm.save(&format!("{name}.{part}"), list);
            }
        }
    }

    /// Queries, and keys with values, of tokens: `[rows, tokens, …]`. Neither normalized nor rotated.
    pub(super) fn project(&self, x: Tensor<3>) -> [Tensor<3>; 2] {
        [self.query.forward(x.clone()), self.key_value.forward(x)]
    }

    /// What attention gives of the values of all heads.
    pub(super) fn project_out(&self, mixed: Tensor<3>) -> Tensor<3> {
        self.out.forward(mixed)
    }

    pub(super) fn head_sizes(&self) -> HeadSizes {
        let Self { heads, kv_heads, head_width, .. } = *self;
        HeadSizes { heads, kv_heads, head_width }
    }

    /// Computes keys and values of tokens, `[rows, tokens, context_width]`; keys are rotated.
    pub fn project_kv(&self, x: Tensor<3>, rotation: Option<&Rotation>) -> KvCache {
        let [rows, tokens, _] = x.dims();
        // Keys and values come from one product, as their weights were concatenated on loading.
        let packed = self.key_value.forward(x).reshape([rows, tokens, 2, self.kv_heads, self.head_width]);
        let part = |i: usize| packed.clone().slice([0..rows, 0..tokens, i..i + 1]).squeeze_dim::<4>(2);
        let key = positioned(part(0), self.key_norm.as_ref(), rotation);
        KvCache {
            key: KvCache::contiguous(key.permute([0, 2, 3, 1])),
            value: KvCache::contiguous(part(1).swap_dims(1, 2)),
        }
    }

    /// Attends from each token to the cache of its row: `[rows, tokens, width]` → the same shape. With
    /// [`AttentionScope::Causal`], the tokens are the last ones of the cache and do not attend to those after them. Queries are
    /// rotated as the newest keys were.
    pub fn forward(
        &self,
        x: Tensor<3>,
        cache: &KvCache,
        scope: AttentionScope,
        rotation: Option<&Rotation>,
    ) -> Tensor<3> {
        let [rows, tokens, _] = x.dims();
        let (heads, width) = (self.heads, self.head_width);
        let query = self.query.forward(x).reshape([rows, tokens, heads, width]);
        let query = positioned(query, self.query_norm.as_ref(), rotation).swap_dims(1, 2);
        // Heads that share keys and values are more queries of one head.
        let shared = heads / self.kv_heads;
        let query =
            if shared > 1 { query.reshape([rows, self.kv_heads, shared * tokens, width]) } else { query };
        let mut scores = query.matmul(cache.key.clone()) * (width as f32).powf(-0.5);
        // A single new token needs no mask: the cache never holds later ones.
        if scope == AttentionScope::Causal && tokens > 1 {
            let mask = causal_mask(tokens, cache.key.dims()[3], &cache.device());
            scores = scores + mask.repeat_dim(2, shared);
        }
        let weights = activation::softmax(scores, 3);
        let mixed = weights.matmul(cache.value.clone()).reshape([rows, heads, tokens, width]);
        self.out.forward(mixed.swap_dims(1, 2).reshape([rows, tokens, heads * width]))
    }
}

/// Queries or keys, `[rows, tokens, heads, head width]`, normalized and rotated.
fn positioned(x: Tensor<4>, norm: Option<&RmsNorm>, rotation: Option<&Rotation>) -> Tensor<4> {
    let x = match norm {
        Some(norm) => norm.forward(x),
        None => x,
    };
    match rotation {
        Some(rotation) => rotation.apply(x),
        None => x,
    }
}

/// The layers of queries and of keys with values, from one tensor.
fn unpacked(
    source: &WeightSource,
    name: &str,
    config: &CachedAttentionConfig,
) -> Result<(Linear, Linear), WeightsError> {
    let (width, [query, kv]) = (config.width, config.inner());
    let all = query + 2 * kv;
    let fill = Initializer::Normal((width as f32).powf(-0.5));
    let weight = source.tensor(&format!("{name}.weight"), [all, width], fill)?;
    let bias = || source.tensor(&format!("{name}.bias"), [all], Initializer::Constant(0.0));
    let bias: Option<Tensor<1>> = config.qkv_bias.then(bias).transpose()?;
    let part = |from: usize, to: usize| {
        let weight: Tensor<2> = weight.clone().slice([from..to, 0..width]);
        let bias = bias.clone().map(|bias| bias.narrow(0, from, to - from));
        Linear::from_file_weight(source, weight, bias)
    };
    Ok((part(0, query), part(query, all)))
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
        let attention =
            CachedAttention::load(&source, "attn", &CachedAttentionConfig::usual([8, 12], 2)).unwrap();
        let (asked, all) = (tokens(3, 8), tokens(5, 12));
        let full = AttentionScope::Full;
        let whole = attention.forward(asked.clone(), &attention.project_kv(all.clone(), None), full, None);
        let part = |range: std::ops::Range<usize>| {
            attention.project_kv(all.clone().slice([0..2, range, 0..12]), None)
        };
        let grown = part(0..1).concat(part(1..4)).concat(part(4..5));
        let difference = (attention.forward(asked.clone(), &grown, full, None) - whole.clone()).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-6);
        // Reordering rows is what beam search does between steps.
        let swapped = Tensor::<1, Int>::from_data([1_i64, 0], &Device::flex());
        let other = attention.forward(asked.select(0, swapped.clone()), &grown.select(&swapped), full, None);
        let difference = (other.select(0, swapped) - whole).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-6);
    }

    /// Heads that share keys and values are heads with copies of them.
    #[test]
    fn grouped_queries_match_repeated_keys_and_values() {
        let source = WeightSource::random(3, &Device::flex());
        let config = CachedAttentionConfig { kv_heads: 2, ..CachedAttentionConfig::usual([8, 8], 4) };
        let grouped = CachedAttention::load(&source, "attn", &config).unwrap();
        // Keys and values of head 0 serve queries 0 and 1, those of head 1 queries 2 and 3.
        let weight = grouped.key_value.weight();
        let head = |i: usize| weight.clone().slice([0..8, 2 * i..2 * i + 2]);
        let repeated = Tensor::cat([0, 0, 1, 1, 2, 2, 3, 3].map(head).to_vec(), 1);
        let bias = Some(Tensor::zeros([16], &Device::flex()));
        let key_value = Linear::from_weight(repeated, bias);
        let whole = CachedAttention { key_value, kv_heads: 4, ..grouped.clone() };
        let run = |attention: &CachedAttention| {
            let cache = attention.project_kv(tokens(5, 8), None);
            attention.forward(tokens(5, 8), &cache, AttentionScope::Causal, None)
        };
        assert!((run(&grouped) - run(&whole)).abs().max().into_scalar::<f32>() < 1e-6);
    }

    #[test]
    fn several_causal_tokens_match_one_at_a_time() {
        let source = WeightSource::random(3, &Device::flex());
        let attention =
            CachedAttention::load(&source, "attn", &CachedAttentionConfig::usual([8, 8], 2)).unwrap();
        let all = tokens(5, 8);
        let part = |range: std::ops::Range<usize>| all.clone().slice([0..2, range, 0..8]);
        let mut cache = attention.project_kv(part(0..1), None);
        let mut each = vec![attention.forward(part(0..1), &cache, AttentionScope::Causal, None)];
        for i in 1..5 {
            cache = cache.concat(attention.project_kv(part(i..i + 1), None));
            each.push(attention.forward(part(i..i + 1), &cache, AttentionScope::Causal, None));
        }
        let each = Tensor::cat(each, 1);
        let whole = attention.forward(all.clone(), &cache, AttentionScope::Causal, None);
        assert!((whole - each.clone()).abs().max().into_scalar::<f32>() < 1e-6);
        let last = attention.forward(part(2..5), &cache, AttentionScope::Causal, None);
        assert!((last - each.slice([0..2, 2..5, 0..8])).abs().max().into_scalar::<f32>() < 1e-6);
    }
}
