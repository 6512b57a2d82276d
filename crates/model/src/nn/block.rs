//! The pre-norm transformer block, and the stack of blocks.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

use super::checkpointing::checkpointed;
use super::config::TransformerConfig;
use super::host::AttentionShape;
use super::host::packed::{BlockLayers, forward_block};
use super::products::{BlockOptions, Products};
use super::{Attention, AttentionScope, DropPath, LayerNorm, Mlp, host};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// `x + attention(norm(x))`, then `x + mlp(norm(x))`.
#[derive(Module, Debug)]
pub struct Block {
    ln_1: LayerNorm,
    attn: Attention,
    ln_2: LayerNorm,
    mlp: Mlp,
}

impl Block {
    fn load(source: &WeightSource, name: &str, config: &TransformerConfig) -> Result<Self, WeightsError> {
        let TransformerConfig { width, epsilon, .. } = *config;
        Ok(Self {
            ln_1: LayerNorm::load(source, &format!("{name}.ln_1"), width, epsilon)?,
            attn: Attention::load(source, &format!("{name}.attn"), config)?,
            ln_2: LayerNorm::load(source, &format!("{name}.ln_2"), width, epsilon)?,
            mlp: Mlp::load(source, &format!("{name}.mlp"), config)?,
        })
    }

    /// `[rows, tokens, width]` → the same shape.
    pub fn forward(&self, x: Tensor<3>, scope: AttentionScope) -> Tensor<3> {
        let [_, tokens, _] = x.dims();
        if let Some(packed) = self.packed_for(&x, scope, tokens) {
            return packed.forward(x);
        }
        // The skip connection is added in the last product's epilogue, without another pass over memory.
        let x = self.attn.forward_residual(self.ln_1.forward(x.clone()), scope, x);
        self.mlp.forward_residual(self.ln_2.forward(x.clone()), x)
    }

    /// As [`forward`](Self::forward), with each branch multiplied by a factor, `[rows, 1, 1]`.
    fn forward_drop_path(
        &self,
        x: Tensor<3>,
        scope: AttentionScope,
        [first, second]: [Tensor<3>; 2],
    ) -> Tensor<3> {
        // Not fused: the factor applies to the branch, before the skip connection.
        let x = x.clone() + self.attn.forward(self.ln_1.forward(x), scope) * first;
        x.clone() + self.mlp.forward(self.ln_2.forward(x)) * second
    }

    /// [`forward`](Self::forward) for the first token of each row only: `[rows, tokens, width]` → `[rows, 1, width]`. The
    /// MLP, two thirds of the work of a block, runs on that token alone.
    fn forward_first_token(&self, x: Tensor<3>, scope: AttentionScope) -> Tensor<3> {
        let [rows, _, width] = x.dims();
        if let Some(packed) = self.packed_for(&x, scope, 1) {
            return packed.forward(x);
        }
        // Keys and values still need all tokens; only the query is one token.
        let first = x.clone().slice([0..rows, 0..1, 0..width]);
        let x = self.attn.forward_prefix_residual(self.ln_1.forward(x), scope, 1, first);
        self.mlp.forward_residual(self.ln_2.forward(x.clone()), x)
    }

    /// The block as one operation for the first `count` tokens of each row, if the layers were loaded for it.
    fn packed_for(&self, x: &Tensor<3>, scope: AttentionScope, count: usize) -> Option<PackedBlock<'_>> {
        if !self.mlp.is_plain() {
            return None;
        }
        let ([in_proj, out_proj], attn_shape) = self.attn.packed_for(x, scope, count)?;
        let mlp = [self.mlp.c_fc.packed_for(x)?.as_ref(), self.mlp.c_proj.packed_for(x)?.as_ref()];
        let norms = [self.ln_1.values(), self.ln_2.values()];
        let layers = BlockLayers { norms, in_proj, out_proj, mlp, activation: self.mlp.activation };
        Some(PackedBlock { layers, attn_shape, views: scope.views() })
    }

    fn with_products(mut self, products: Products) -> Self {
        self.attn = self.attn.with_products(products);
        self.mlp = self.mlp.with_products(products);
        self
    }

    fn with_lora(mut self, source: &WeightSource, rank: usize) -> Result<Self, WeightsError> {
        self.attn = self.attn.with_lora(source, rank)?;
        self.mlp = self.mlp.with_lora(source, rank)?;
        Ok(self)
    }

    fn save(&self, name: &str, list: &mut TensorList) {
        self.ln_1.save(&format!("{name}.ln_1"), list);
        self.attn.save(&format!("{name}.attn"), list);
        self.ln_2.save(&format!("{name}.ln_2"), list);
        self.mlp.save(&format!("{name}.mlp"), list);
    }
}

/// A block whose layers were loaded for inference in `bf16`.
struct PackedBlock<'a> {
    layers: BlockLayers<'a>,
    attn_shape: AttentionShape,
    /// Rows whose tokens attend to each other.
    views: usize,
}

impl PackedBlock<'_> {
    /// `[rows, tokens, width]` → `[rows, count, width]`.
    fn forward(self, x: Tensor<3>) -> Tensor<3> {
        let ([rows, tokens, width], device) = (x.dims(), x.device());
        let shape = [rows, self.attn_shape.first, width];
        let values = forward_block(host::values(x), self.views * tokens, self.attn_shape, &self.layers);
        Tensor::from_data(TensorData::new(values, shape), &device)
    }
}

/// A stack of blocks.
#[derive(Module, Debug)]
pub struct Transformer {
    resblocks: Vec<Block>,
    #[module(skip)]
    options: BlockOptions,
}

impl Transformer {
    /// Reads `{name}.resblocks.{0…}`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, config: &TransformerConfig) -> Result<Self, WeightsError> {
        let blocks =
            (0..config.layers).map(|l| Block::load(source, &format!("{name}.resblocks.{l}"), config));
        Ok(Self { resblocks: blocks.collect::<Result<_, _>>()?, options: BlockOptions::default() })
    }

    /// Changes how blocks are trained.
    pub fn with_block_options(mut self, options: BlockOptions) -> Self {
        self.options = options;
        self.resblocks =
            self.resblocks.into_iter().map(|block| block.with_products(options.products)).collect();
        self
    }

    /// The output of a block, checkpointed or not.
    fn run(
        &self,
        block: &Block,
        x: Tensor<3>,
        forward: impl Fn(&Block, Tensor<3>) -> Tensor<3> + Send + Sync + 'static,
    ) -> Tensor<3> {
        if self.options.checkpoint_activations { checkpointed(block, x, forward) } else { forward(block, x) }
    }

    /// `[rows, tokens, width]` → the same shape. For each block, `scope` says which tokens attend to each other, `before`
    /// may change its input (add positions again, insert prompts), and `hook` is called with its output.
    pub fn forward(
        &self,
        mut x: Tensor<3>,
        scope: impl Fn(usize) -> AttentionScope,
        mut before: impl FnMut(usize, Tensor<3>) -> Tensor<3>,
        mut hook: impl FnMut(usize, &Tensor<3>),
    ) -> Tensor<3> {
        for (layer, block) in self.resblocks.iter().enumerate() {
            let scope = scope(layer);
            x = self.run(block, before(layer, x), move |block, x| block.forward(x, scope));
            hook(layer, &x);
        }
        x
    }

    /// As [`forward`](Self::forward) in training, with stochastic depth.
    pub fn forward_with_drop_path(
        &self,
        mut x: Tensor<3>,
        scope: impl Fn(usize) -> AttentionScope,
        mut before: impl FnMut(usize, Tensor<3>) -> Tensor<3>,
        drop: DropPath,
    ) -> Tensor<3> {
        let layers = self.resblocks.len();
        for (layer, block) in self.resblocks.iter().enumerate() {
            x = before(layer, x);
            // Deeper blocks are dropped more often (Huang et al., section 3).
            let factors = drop.factors([layer, layers], x.dims()[0], &x.device()).map(Tensor::inner);
            let scope = scope(layer);
            x = self.run(block, x, move |block, x| block.forward_drop_path(x, scope, factors.clone()));
        }
        x
    }

    /// Blocks `layers` of [`forward`](Self::forward). After the last block of the stack, only the first token of each row is
    /// left, `[rows, 1, width]`: that block skips the others.
    pub fn forward_first_token(
        &self,
        mut x: Tensor<3>,
        layers: Range<usize>,
        scope: impl Fn(usize) -> AttentionScope,
        mut before: impl FnMut(usize, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let last = self.resblocks.len().saturating_sub(1);
        for (layer, block) in self.resblocks.iter().enumerate().take(layers.end).skip(layers.start) {
            // Only the last block: the tokens of earlier ones are keys and values of the next.
            let (scope, is_last) = (scope(layer), layer == last);
            x = self.run(block, before(layer, x), move |block, x| match is_last {
                true => block.forward_first_token(x, scope),
                false => block.forward(x, scope),
            });
        }
        x
    }

    /// Adds low-rank adapters (LoRA) of rank `rank` to blocks `from…`, trained instead of their matrices.
    ///
    /// # Errors
    /// If `source` is a file, which has no such tensors.
    pub fn with_lora(
        mut self,
        source: &WeightSource,
        rank: usize,
        from: usize,
    ) -> Result<Self, WeightsError> {
        let blocks = self
            .resblocks
            .into_iter()
            .enumerate()
            .map(|(layer, block)| if layer < from { Ok(block) } else { block.with_lora(source, rank) });
        self.resblocks = blocks.collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        for (layer, block) in self.resblocks.iter().enumerate() {
            block.save(&format!("{name}.resblocks.{layer}"), list);
        }
    }
}
