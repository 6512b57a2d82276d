//! The block of language models and of BLIP-2's Q-Former: self-attention over cached tokens, perhaps cross-attention to other
//! tokens, and an MLP.
//!
//! Models differ in where the norms are and in which blocks have cross-attention; both are values.

use burn::module::Module;
use burn::tensor::Tensor;

use super::config::TransformerConfig;
use super::{AttentionScope, CachedAttention, KvCache, LayerNorm, Mlp};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Where the norms of a block are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormPlacement {
    /// Before each branch: `x + branch(norm(x))` (GPT-2, OPT).
    Pre,
    /// After each sum: `norm(x + branch(x))` (BERT).
    Post,
}

/// Sizes of a decoder block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecoderBlockConfig {
    /// Width, heads, MLP and activation.
    pub transformer: TransformerConfig,
    /// Where the norms are.
    pub norms: NormPlacement,
    /// Width of the tokens that the block attends to by cross-attention, if it has that.
    pub context_width: Option<usize>,
}

/// A block whose tokens attend to cached tokens before them.
#[derive(Module, Debug)]
pub struct DecoderBlock {
    attn: CachedAttention,
    ln_1: LayerNorm,
    cross: Option<CrossAttention>,
    mlp: Mlp,
    ln_3: LayerNorm,
    #[module(skip)]
    norms: NormPlacement,
}

#[derive(Module, Debug)]
struct CrossAttention {
    attn: CachedAttention,
    norm: LayerNorm,
}

impl DecoderBlock {
    /// Reads `attn`, `ln_1`, with cross-attention also `cross` and `ln_2`, `mlp` and `ln_3` below `{name}`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        name: &str,
        config: &DecoderBlockConfig,
    ) -> Result<Self, WeightsError> {
        let TransformerConfig { width, heads, epsilon, .. } = config.transformer;
        let attention = |part: &str, context_width: usize| {
            CachedAttention::load(source, &format!("{name}.{part}"), [width, context_width], heads)
        };
        let norm = |part: &str| LayerNorm::load(source, &format!("{name}.{part}"), width, epsilon);
        let cross = |context_width: usize| {
            Ok::<_, WeightsError>(CrossAttention {
                attn: attention("cross", context_width)?,
                norm: norm("ln_2")?,
            })
        };
        Ok(Self {
            attn: attention("attn", width)?,
            ln_1: norm("ln_1")?,
            cross: config.context_width.map(cross).transpose()?,
            mlp: Mlp::load(source, &format!("{name}.mlp"), &config.transformer)?,
            ln_3: norm("ln_3")?,
            norms: config.norms,
        })
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        self.attn.save(&format!("{name}.attn"), list);
        self.ln_1.save(&format!("{name}.ln_1"), list);
        if let Some(cross) = &self.cross {
            cross.attn.save(&format!("{name}.cross"), list);
            cross.norm.save(&format!("{name}.ln_2"), list);
        }
        self.mlp.save(&format!("{name}.mlp"), list);
        self.ln_3.save(&format!("{name}.ln_3"), list);
    }

    /// Keys and values of the tokens of a context, `[contexts, tokens, context_width]`; `None` without cross-attention.
    pub fn project_context(&self, tokens: &Tensor<3>) -> Option<KvCache> {
        self.cross.as_ref().map(|cross| cross.attn.project_kv(tokens.clone()))
    }

    /// Appends tokens, `[rows, tokens, width]`, to those cached in `past`; returns the block's output, of the same shape, and the
    /// longer cache. `scope` says whether the new tokens attend to later ones among them. Consecutive rows share a context where
    /// there are more rows than contexts.
    pub fn forward(
        &self,
        x: Tensor<3>,
        past: Option<KvCache>,
        context: Option<&KvCache>,
        scope: AttentionScope,
    ) -> (Tensor<3>, KvCache) {
        let input = self.before(&self.ln_1, &x);
        let newest = self.attn.project_kv(input.clone());
        let cache = match past {
            Some(past) => past.concat(newest),
            None => newest,
        };
        let mut x = self.after(&self.ln_1, x + self.attn.forward(input, &cache, scope));
        if let (Some(cross), Some(context)) = (&self.cross, context) {
            let [rows, tokens, width] = x.dims();
            let contexts = context.rows().max(1);
            // Captions of the same image attend to it as one row, so that its keys and values are not repeated.
            let input = self.before(&cross.norm, &x).reshape([contexts, rows / contexts * tokens, width]);
            let seen = cross.attn.forward(input, context, AttentionScope::Full);
            x = self.after(&cross.norm, x + seen.reshape([rows, tokens, width]));
        }
        let said = self.mlp.forward(self.before(&self.ln_3, &x));
        (self.after(&self.ln_3, x + said), cache)
    }

    fn before(&self, norm: &LayerNorm, x: &Tensor<3>) -> Tensor<3> {
        match self.norms {
            NormPlacement::Pre => norm.forward(x.clone()),
            NormPlacement::Post => x.clone(),
        }
    }

    fn after(&self, norm: &LayerNorm, sum: Tensor<3>) -> Tensor<3> {
        match self.norms {
            NormPlacement::Pre => sum,
            NormPlacement::Post => norm.forward(sum),
        }
    }
}
