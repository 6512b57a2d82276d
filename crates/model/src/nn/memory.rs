//! Attention to what is remembered: the words said before, or the tokens of a picture.
//!
//! Keys and values are made once and kept, so that each word of a sentence passes a decoder once.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, activation};

use super::{Linear, host};
use crate::weights::{Source, WeightsError};

/// Attention whose keys and values were made before, perhaps of other tokens than its queries.
#[derive(Module, Debug)]
pub struct MemoryAttention {
    query: Linear,
    key_value: Linear,
    out: Linear,
    heads: usize,
}

/// Keys and values of tokens.
#[derive(Clone, Debug)]
pub struct Memory {
    /// `[rows, heads, head width, tokens]`: transposed, as products with queries need them.
    key: Tensor<4>,
    /// `[rows, heads, tokens, head width]`.
    value: Tensor<4>,
}

impl Memory {
    /// The same rows with the tokens of `later` behind their own.
    pub fn followed_by(self, later: Self) -> Self {
        Self {
            key: Tensor::cat(vec![self.key, later.key], 3),
            value: Tensor::cat(vec![self.value, later.value], 2),
        }
    }

    /// These rows, each as often as it is named.
    pub fn select(self, rows: &Tensor<1, Int>) -> Self {
        Self { key: self.key.select(0, rows.clone()), value: self.value.select(0, rows.clone()) }
    }

    /// Where it is.
    pub fn device(&self) -> Device {
        self.value.device()
    }

    /// The tensor's numbers in the order of its axes: a view would be gathered again by every product.
    fn settled(x: Tensor<4>) -> Tensor<4> {
        if !host::is_plain(&x) {
            return x;
        }
        let device = x.device();
        Tensor::from_data(x.into_data(), &device)
    }
}

impl MemoryAttention {
    /// Reads `query`, `key_value` (keys first) and `out` below `{name}`; queries are `width` wide, what is remembered
    /// `memory_width`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &Source,
        name: &str,
        [width, memory_width]: [usize; 2],
        heads: usize,
    ) -> Result<Self, WeightsError> {
        let linear = |part: &str, sizes: [usize; 2]| {
            let [weight, bias] = ["weight", "bias"].map(|kind| format!("{name}.{part}.{kind}"));
            Linear::load(source, &weight, Some(&bias), sizes, (sizes[0] as f32).powf(-0.5))
        };
        Ok(Self {
            query: linear("query", [width, width])?,
            key_value: linear("key_value", [memory_width, 2 * width])?,
            out: linear("out", [width, width])?,
            heads,
        })
    }

    /// Keys and values of tokens, `[rows, tokens, memory_width]`.
    pub fn remember(&self, x: Tensor<3>) -> Memory {
        let [rows, tokens, _] = x.dims();
        let packed = self.key_value.forward(x);
        let width = packed.dims()[2] / (2 * self.heads);
        let packed = packed.reshape([rows, tokens, 2, self.heads, width]);
        let part = |i: usize| packed.clone().slice([0..rows, 0..tokens, i..i + 1]).squeeze_dim::<4>(2);
        Memory {
            key: Memory::settled(part(0).permute([0, 2, 3, 1])),
            value: Memory::settled(part(1).swap_dims(1, 2)),
        }
    }

    /// What each token finds in the memory of its row: `[rows, tokens, width]` → the same shape.
    pub fn forward(&self, x: Tensor<3>, memory: &Memory) -> Tensor<3> {
        let [rows, tokens, width] = x.dims();
        let head_width = width / self.heads;
        let query = self.query.forward(x).reshape([rows, tokens, self.heads, head_width]).swap_dims(1, 2);
        let scores = query.matmul(memory.key.clone());
        let weights = activation::softmax(scores * (head_width as f32).powf(-0.5), 3);
        let mixed = weights.matmul(memory.value.clone());
        self.out.forward(mixed.swap_dims(1, 2).reshape([rows, tokens, width]))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    fn tokens(count: usize, width: usize) -> Tensor<3> {
        let values: Vec<f32> = (0..2 * count * width).map(|i| (i as f32 * 0.37).sin()).collect();
        Tensor::from_data(TensorData::new(values, [2, count, width]), &Device::flex())
    }

    #[test]
    fn tokens_may_be_remembered_one_by_one() {
        let source = Source::new(3, &Device::flex());
        let attention = MemoryAttention::load(&source, "attn", [8, 12], 2).unwrap();
        let (asked, all) = (tokens(3, 8), tokens(5, 12));
        let whole = attention.forward(asked.clone(), &attention.remember(all.clone()));
        let part =
            |range: std::ops::Range<usize>| attention.remember(all.clone().slice([0..2, range, 0..12]));
        let grown = part(0..1).followed_by(part(1..4)).followed_by(part(4..5));
        let difference = (attention.forward(asked.clone(), &grown) - whole.clone()).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-6);
        let swapped = Tensor::<1, Int>::from_data([1_i64, 0], &Device::flex());
        let other = attention.forward(asked.select(0, swapped.clone()), &grown.select(&swapped));
        let difference = (other.select(0, swapped) - whole).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-6);
    }
}
