//! Decoder blocks for inference in host memory: the residual stream is one list of numbers, which each block changes in place, and
//! memory for what it computes on the way is kept from token to token.

mod attention;
mod cache;

use burn::tensor::Tensor;

pub(crate) use self::attention::HeadSizes;
use self::attention::attend;
pub(crate) use self::cache::{CacheNumber, HostKvCache};
use super::host_tensor::HostTensor;
use super::layer_norm::norm_rows;
use super::memory::room;
use super::rows::{HostLinear, RowsOutput};
use super::simd::{multiversion, zip_sum};
use crate::nn::Activation;

/// New tokens of each text from which the rows of all go through products of matrices. Not a number of rows, so that a text does not
/// depend on how many are generated at once.
const PROMPT_TOKENS: usize = 8;

/// Normalization of rows in host memory.
#[derive(Clone, Debug)]
pub(crate) struct HostNorm {
    /// `[width]`.
    pub weight: HostTensor,
    /// `[width]`; none in RMS norm.
    pub bias: Option<HostTensor>,
    /// Added to the variance or mean square.
    pub epsilon: f32,
}

impl HostNorm {
    /// `[rows, width]` → the same shape.
    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        let weight = self.weight.as_slice();
        match &self.bias {
            Some(bias) => norm_rows(out, x, weight, bias.as_slice(), self.epsilon),
            None => {
                out.copy_from_slice(x);
                rms_norm_rows(out, weight, self.epsilon);
            }
        }
    }

    /// Normalizes heads of queries or keys: rows are some of the numbers of each token.
    fn apply_to_heads(&self, heads: &mut [f32]) {
        rms_norm_rows(heads, self.weight.as_slice(), self.epsilon);
    }
}

multiversion! {
    /// `x / √(mean(x²) + ε) · weight` of each row, in place.
    fn rms_norm_rows(x: &mut [f32], weight: &[f32], epsilon: f32) {
        let width = weight.len();
        for x in x.chunks_exact_mut(width) {
            let mean_square = zip_sum(x, x, |a, b| a * b) / width as f32;
            let root = (mean_square + epsilon).sqrt();
            x.iter_mut().zip(weight).for_each(|(x, weight)| *x = *x / root * weight);
        }
    }

    /// `a · b` in place.
    fn multiply_rows(a: &mut [f32], b: &[f32]) {
        a.iter_mut().zip(b).for_each(|(a, b)| *a *= b);
    }
}

/// A tensor in host memory, shared with its parameter.
pub(crate) fn shared<const D: usize>(tensor: Tensor<D>) -> Option<HostTensor> {
    if !super::is_host_no_grad(&tensor) {
        return None;
    }
    tensor.try_into_primitive::<burn::backend::Flex>().ok().map(HostTensor::of)
}

/// Self-attention in host memory.
#[derive(Clone, Debug)]
pub(crate) struct HostAttention {
    pub query: HostLinear,
    pub key_value: HostLinear,
    pub out: HostLinear,
    pub query_norm: Option<HostNorm>,
    pub key_norm: Option<HostNorm>,
    pub sizes: HeadSizes,
}

/// An MLP in host memory.
#[derive(Clone, Debug)]
pub(crate) struct HostMlp {
    pub c_fc: HostLinear,
    pub gate: Option<HostLinear>,
    pub c_proj: HostLinear,
    pub activation: Activation,
}

/// A decoder block in host memory, with norms before its branches.
#[derive(Clone, Debug)]
pub(crate) struct HostBlock {
    pub attn: HostAttention,
    pub ln_1: HostNorm,
    pub mlp: HostMlp,
    /// None where both branches share a norm.
    pub ln_3: Option<HostNorm>,
}

/// Cosines and sines of the angles of new tokens, `[tokens, half of the rotated width]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Angles {
    pub cos: Vec<f32>,
    pub sin: Vec<f32>,
    pub half: usize,
}

impl Angles {
    /// The angles of `count` tokens from position `start`; `frequencies` are in radians from token to token.
    pub fn set(&mut self, frequencies: &[f32], start: usize, count: usize) {
        self.half = frequencies.len();
        let angles = || {
            (start..start + count)
                .flat_map(|position| frequencies.iter().map(move |frequency| position as f32 * frequency))
        };
        self.cos.clear();
        self.cos.extend(angles().map(f32::cos));
        self.sin.clear();
        self.sin.extend(angles().map(f32::sin));
    }

    /// Rotates the heads of a token, `[heads, head width]`.
    fn apply(&self, token: usize, heads: &mut [f32], head_width: usize) {
        let [cos, sin] = [&self.cos, &self.sin].map(|table| &table[token * self.half..][..self.half]);
        for head in heads.chunks_exact_mut(head_width) {
            let (first, second) = head.split_at_mut(self.half);
            for ((a, b), (cos, sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}

/// Memory of a block, kept from token to token.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockScratch {
    normed: Vec<f32>,
    query: Vec<f32>,
    key_value: Vec<f32>,
    attended: Vec<f32>,
    hidden: Vec<f32>,
    gate: Vec<f32>,
}

impl HostBlock {
    /// Appends tokens of `rows` texts, `x` of shape `[rows, tokens, width]`, to those cached; `x` becomes the block's output.
    pub fn forward<E: CacheNumber>(
        &self,
        x: &mut [f32],
        [rows, tokens]: [usize; 2],
        cache: &mut HostKvCache<E>,
        angles: Option<&Angles>,
        scratch: &mut BlockScratch,
    ) {
        let linear = if tokens >= PROMPT_TOKENS { HostLinear::forward_many } else { HostLinear::forward_few };
        let BlockScratch { normed, query, key_value, attended, hidden, gate } = scratch;
        let normed = room(normed, x.len(), 0.0);
        self.ln_1.forward(x, normed);
        let HostAttention { sizes, .. } = self.attn;
        let [inner, kv_width] = sizes.inner();
        let query = room(query, rows * tokens * inner, 0.0);
        linear(&self.attn.query, normed, query, RowsOutput::SET);
        let key_value = room(key_value, rows * tokens * 2 * kv_width, 0.0);
        linear(&self.attn.key_value, normed, key_value, RowsOutput::SET);
        self.attn.place(query, key_value, tokens, angles);
        cache.append(key_value, [rows, tokens], kv_width);
        let attended = room(attended, rows * tokens * inner, 0.0);
        attend(query, cache, sizes, [rows, tokens], attended);
        linear(&self.attn.out, attended, x, RowsOutput::ADD);
        if let Some(ln_3) = &self.ln_3 {
            ln_3.forward(x, normed);
        }
        let HostMlp { c_fc, c_proj, activation, .. } = &self.mlp;
        let hidden = room(hidden, rows * tokens * c_fc.shape()[1], 0.0);
        let activated = RowsOutput { activation: Some(*activation), ..RowsOutput::SET };
        match &self.mlp.gate {
            Some(layer) => {
                let gate = room(gate, hidden.len(), 0.0);
                linear(layer, normed, gate, activated);
                linear(c_fc, normed, hidden, RowsOutput::SET);
                multiply_rows(hidden, gate);
            }
            None => linear(c_fc, normed, hidden, activated),
        }
        linear(c_proj, hidden, x, RowsOutput::ADD);
    }
}

impl HostAttention {
    /// Normalizes and rotates queries and keys.
    fn place(&self, query: &mut [f32], key_value: &mut [f32], tokens: usize, angles: Option<&Angles>) {
        let [inner, kv_width] = self.sizes.inner();
        let each = |norm: Option<&HostNorm>, token: usize, heads: &mut [f32]| {
            if let Some(norm) = norm {
                norm.apply_to_heads(heads);
            }
            if let Some(angles) = angles {
                angles.apply(token, heads, self.sizes.head_width);
            }
        };
        for (at, query) in query.chunks_exact_mut(inner).enumerate() {
            each(self.query_norm.as_ref(), at % tokens, query);
        }
        for (at, key_value) in key_value.chunks_exact_mut(2 * kv_width).enumerate() {
            each(self.key_norm.as_ref(), at % tokens, &mut key_value[..kv_width]);
        }
    }
}
