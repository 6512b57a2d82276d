//! Multi-head self-attention in the layout of torch's `MultiheadAttention`.

use burn::module::Module;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Tensor, module};

use super::Linear;
use super::config::TransformerConfig;
use super::host::packed::PackedLinear;
use super::host::{self, AttentionShape};
use super::products::Products;
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Which tokens attend to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttentionScope {
    /// Each token attends to all tokens of its row.
    Full,
    /// Each token attends to itself and those before it.
    Causal,
    /// Each token attends to all tokens of this many consecutive rows: the views of one shape (Duoduo CLIP, section 3.1,
    /// [arXiv 2406.11579](https://arxiv.org/abs/2406.11579)).
    Views(usize),
}

impl AttentionScope {
    /// Rows whose tokens attend to each other.
    pub(super) fn views(self) -> usize {
        if let Self::Views(views) = self { views } else { 1 }
    }
}

/// Multi-head self-attention with packed query, key and value projections
/// ([arXiv 1706.03762](https://arxiv.org/abs/1706.03762)).
#[derive(Module, Debug)]
pub struct Attention {
    in_proj: Linear,
    out_proj: Linear,
    heads: usize,
    head_width: usize,
}

impl Attention {
    /// Reads `{name}.in_proj_weight`, with `qkv_bias` also `{name}.in_proj_bias`, and `{name}.out_proj.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, config: &TransformerConfig) -> Result<Self, WeightsError> {
        let TransformerConfig { width, heads, head_width, layers, .. } = *config;
        let inner = heads * head_width;
        let [weight, bias] = Self::in_proj_names(name);
        let bias = config.qkv_bias.then_some(bias.as_str());
        // Initialization of OpenCLIP: the last layer of a residual branch shrinks with depth.
        let deviation = (width as f32).powf(-0.5);
        let in_proj = Linear::load(source, &weight, bias, [width, 3 * inner], deviation)?;
        let [weight, bias] = Self::out_proj_names(name);
        let deviation = deviation * (2.0 * layers as f32).powf(-0.5);
        let out_proj = Linear::load(source, &weight, Some(&bias), [inner, width], deviation)?;
        Ok(Self { in_proj, out_proj, heads, head_width })
    }

    /// `[rows, tokens, width]` → the same shape.
    pub fn forward(&self, x: Tensor<3>, scope: AttentionScope) -> Tensor<3> {
        let [_, tokens, _] = x.dims();
        self.out_proj.forward(self.attend(x, scope, tokens))
    }

    /// `skip + attention(x)`: `[rows, tokens, width]` → the same shape.
    pub fn forward_residual(&self, x: Tensor<3>, scope: AttentionScope, skip: Tensor<3>) -> Tensor<3> {
        let [_, tokens, _] = x.dims();
        self.forward_prefix_residual(x, scope, tokens, skip)
    }

    /// As [`forward_residual`](Self::forward_residual), with only the first `count` tokens of each row as queries:
    /// `[rows, tokens, width]` → `[rows, count, width]`.
    pub fn forward_prefix_residual(
        &self,
        x: Tensor<3>,
        scope: AttentionScope,
        count: usize,
        skip: Tensor<3>,
    ) -> Tensor<3> {
        let attend = self.attend(x, scope, count);
        self.out_proj.forward_residual(attend, skip)
    }

    /// Projections for inference, and heads for rows of `tokens` tokens of which the first `count` are queries; `None` unless the
    /// layers were loaded for it, or for some but not all tokens as queries.
    pub(super) fn packed_for(
        &self,
        x: &Tensor<3>,
        scope: AttentionScope,
        count: usize,
    ) -> Option<([&PackedLinear; 2], AttentionShape)> {
        let [_, tokens, _] = x.dims();
        if count != 1 && count != tokens {
            return None;
        }
        let layers = [self.in_proj.packed_for(x)?.as_ref(), self.out_proj.packed_for(x)?.as_ref()];
        Some((layers, self.shape(scope, tokens, count)))
    }

    fn shape(&self, scope: AttentionScope, tokens: usize, count: usize) -> AttentionShape {
        let causal = scope == AttentionScope::Causal;
        AttentionShape { heads: self.heads, head_width: self.head_width, row: tokens, first: count, causal }
    }

    /// The concatenated outputs of all heads: `[rows, tokens, width]` → `[rows, count, inner]`.
    fn attend(&self, x: Tensor<3>, scope: AttentionScope, count: usize) -> Tensor<3> {
        let [rows, tokens, _] = x.dims();
        let (groups, inner) = (rows / scope.views(), self.heads * self.head_width);
        // Views of a shape are consecutive rows, so joining them to one long sequence is a reshape.
        let packed = self.in_proj.forward(x).reshape([groups, scope.views() * tokens, 3 * inner]);
        let attend = if host::is_host_f32(&packed) && self.in_proj.dtype() == packed.dtype() {
            let attn_shape = self.shape(scope, tokens, count);
            host::attention(packed, attn_shape)
        } else {
            self.attend_generic(packed, scope, [rows, tokens, count])
        };
        attend.reshape([rows, count, inner])
    }

    /// The same in burn's operations, for other devices and data types.
    fn attend_generic(
        &self,
        packed: Tensor<3>,
        scope: AttentionScope,
        [rows, tokens, count]: [usize; 3],
    ) -> Tensor<3> {
        let [groups, length, _] = packed.dims();
        let (heads, width) = (self.heads, self.head_width);
        let dtype = packed.dtype();
        let packed = packed.cast(self.in_proj.dtype()).reshape([groups, length, 3, heads, width]);
        let part = |i: usize| -> Tensor<4> {
            packed.clone().slice([0..groups, 0..length, i..i + 1]).squeeze_dim::<4>(2)
        };
        let query = match count == tokens {
            true => part(0),
            false => {
                let rows_apart = part(0).reshape([rows, tokens, heads, width]);
                let first = rows_apart.slice([0..rows, 0..count]);
                first.reshape([groups, length / tokens * count, heads, width])
            }
        };
        let [query, key, value] = [query, part(1), part(2)].map(|part| part.swap_dims(1, 2));
        let options =
            AttentionModuleOptions { is_causal: scope == AttentionScope::Causal, ..Default::default() };
        let attend = module::attention(query, key, value, None, None, options).swap_dims(1, 2);
        let [_, queries, _, _] = attend.dims();
        attend.reshape([groups, queries, heads * width]).cast(dtype)
    }

    /// Changes what its products are computed in.
    pub(super) fn with_products(mut self, products: Products) -> Self {
        self.in_proj = self.in_proj.with_products(products);
        self.out_proj = self.out_proj.with_products(products);
        self
    }

    /// Adds low-rank adapters (LoRA) of rank `rank`, which are trained instead of the matrices.
    ///
    /// # Errors
    /// If `source` is a file, which has no such tensors.
    pub fn with_lora(mut self, source: &WeightSource, rank: usize) -> Result<Self, WeightsError> {
        self.in_proj = self.in_proj.with_lora(source, rank)?;
        self.out_proj = self.out_proj.with_lora(source, rank)?;
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
