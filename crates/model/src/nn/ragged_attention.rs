//! Self-attention of texts of different lengths in one list of tokens: linear layers then multiply all tokens at once, and nothing is
//! padded.

use burn::tensor::{Tensor, TensorData};
use lexiform_kernels::{Kernel, SimdLevel};
use rayon::prelude::*;

use super::host::decoder::HeadSizes;
use super::kv_cache::CachedAttention;

impl CachedAttention {
    /// Attends from each token to all tokens of its text: `[1, tokens of all texts, width]` → the same shape. `lengths` are the
    /// tokens of each text. Without positions and norms of heads, and without gradients.
    pub fn forward_ragged(&self, x: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
        let sizes = self.head_sizes();
        let [_, tokens, _] = x.dims();
        let inner = sizes.heads * sizes.head_width;
        let device = x.device();
        let [query, key_value] = self.project(x).map(values);
        let mixed = attend(&query, &key_value, lengths, sizes);
        self.project_out(Tensor::from_data(TensorData::new(mixed, [1, tokens, inner]), &device))
    }
}

fn values(x: Tensor<3>) -> Vec<f32> {
    x.into_data().try_into_vec().expect("layers compute in f32")
}

/// `[tokens, heads · width]` and `[tokens, 2 · kv heads · width]` → weighted means of values, `[tokens, heads · width]`.
fn attend(query: &[f32], key_value: &[f32], lengths: &[usize], sizes: HeadSizes) -> Vec<f32> {
    let HeadSizes { heads, kv_heads, head_width } = sizes;
    let (row, kv_row) = (heads * head_width, 2 * kv_heads * head_width);
    let mut first = 0;
    let texts: Vec<(usize, usize)> = lengths
        .iter()
        .map(|length| {
            first += length;
            (first - length, first)
        })
        .collect();
    let of_text = |(first, last): &(usize, usize)| {
        let mut mixed = vec![0.0; (last - first) * row];
        SimdLevel::detect().run(TextAttention {
            query: &query[first * row..last * row],
            key_value: &key_value[first * kv_row..last * kv_row],
            sizes,
            mixed: &mut mixed,
        });
        mixed
    };
    let mixed: Vec<Vec<f32>> = texts.par_iter().map(of_text).collect();
    mixed.concat()
}

/// The attention of one text.
struct TextAttention<'a> {
    query: &'a [f32],
    key_value: &'a [f32],
    sizes: HeadSizes,
    mixed: &'a mut [f32],
}

impl Kernel for TextAttention<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { query, key_value, sizes: HeadSizes { heads, kv_heads, head_width }, mixed } = self;
        let (row, kv_row, values_at) = (heads * head_width, 2 * kv_heads * head_width, kv_heads * head_width);
        let scale = (head_width as f32).powf(-0.5);
        let tokens = key_value.len() / kv_row;
        let mut weights = vec![0.0; tokens];
        for (query, mixed) in query.chunks_exact(row).zip(mixed.chunks_exact_mut(row)) {
            for head in 0..heads {
                let query = &query[head * head_width..][..head_width];
                // Consecutive heads share keys and values where these have fewer heads.
                let at = head * kv_heads / heads * head_width;
                for (weight, kv) in weights.iter_mut().zip(key_value.chunks_exact(kv_row)) {
                    *weight = scale * dot(query, &kv[at..at + head_width]);
                }
                softmax(&mut weights);
                let mixed = &mut mixed[head * head_width..][..head_width];
                for (weight, kv) in weights.iter().zip(key_value.chunks_exact(kv_row)) {
                    let value = &kv[values_at + at..][..head_width];
                    mixed.iter_mut().zip(value).for_each(|(sum, x)| *sum += weight * x);
                }
            }
        }
    }
}

/// Sums of products that do not wait for each other.
const LANES: usize = 8;

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut sums = [0.0; LANES];
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = (*score - largest).exp());
    let total: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= total);
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::nn::{AttentionScope, CachedAttentionConfig};
    use crate::weights::WeightSource;

    #[test]
    fn texts_in_one_list_match_texts_alone() {
        let source = WeightSource::random(3, &Device::flex());
        for kv_heads in [2, 4] {
            let config = CachedAttentionConfig { kv_heads, ..CachedAttentionConfig::usual([40, 40], 4) };
            let attention = CachedAttention::load(&source, "attn", &config).unwrap();
            let lengths = [3, 1, 5];
            let numbers: Vec<f32> = (0..9 * 40).map(|i| (i as f32 * 0.37).sin()).collect();
            let all = Tensor::<3>::from_data(TensorData::new(numbers, [1, 9, 40]), &Device::flex());
            let together = attention.forward_ragged(all.clone(), &lengths);
            let mut first = 0;
            for length in lengths {
                let text = all.clone().slice([0..1, first..first + length, 0..40]);
                let cache = attention.project_kv(text.clone(), None);
                let alone = attention.forward(text, &cache, AttentionScope::Full, None);
                let found = together.clone().slice([0..1, first..first + length, 0..40]);
                // Sums in another order.
                assert!((found - alone).abs().max().into_scalar::<f32>() < 1e-5, "{kv_heads} {length}");
                first += length;
            }
        }
    }
}
