//! The block of language models and of BLIP-2's Q-Former: self-attention over cached tokens, perhaps cross-attention to other
//! tokens, and an MLP.
//!
//! Models differ in kind and place of the norms, heads, positions, MLP, biases, and in which blocks have cross-attention; all are
//! values.

use burn::module::Module;
use burn::tensor::Tensor;

use super::config::TransformerConfig;
use super::host::decoder::HostBlock;
use super::{AttentionScope, CachedAttention, CachedAttentionConfig, KvCache, Mlp, Norm, NormKind, Rotation};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Where the norms of a block are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormPlacement {
    /// Before each branch: `x + branch(norm(x))` (GPT-2, OPT, Llama).
    Pre,
    /// After each sum: `norm(x + branch(x))` (BERT).
    Post,
    /// One norm before both branches, which are added at once: `x + attention(norm(x)) + mlp(norm(x))` (Phi).
    Parallel,
}

/// Sizes of a decoder block, and in what it differs from others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecoderBlockConfig {
    /// Width, heads, MLP and activation; `qkv_bias` says whether queries, keys and values have a bias.
    pub transformer: TransformerConfig,
    /// Where the norms are.
    pub norms: NormPlacement,
    /// What the norms are.
    pub norm_kind: NormKind,
    /// Number of heads of keys and values.
    pub kv_heads: usize,
    /// Whether the output of attention has a bias.
    pub out_bias: bool,
    /// Whether queries and keys are normalized head by head.
    pub query_key_norm: bool,
    /// Whether files have queries, keys and values as one tensor.
    pub is_packed: bool,
    /// Width of the tokens that the block attends to by cross-attention, if it has that.
    pub context_width: Option<usize>,
}

impl DecoderBlockConfig {
    /// Layer norms, biases everywhere, no gate, all heads with keys and values of their own: BERT and OPT.
    pub fn usual(transformer: TransformerConfig, norms: NormPlacement, context_width: Option<usize>) -> Self {
        Self {
            transformer,
            norms,
            norm_kind: NormKind::Layer,
            kv_heads: transformer.heads,
            out_bias: true,
            query_key_norm: false,
            is_packed: false,
            context_width,
        }
    }

    fn self_attention(&self) -> CachedAttentionConfig {
        let TransformerConfig { width, heads, head_width, qkv_bias, epsilon, .. } = self.transformer;
        CachedAttentionConfig {
            width,
            context_width: width,
            heads,
            kv_heads: self.kv_heads,
            head_width,
            qkv_bias,
            out_bias: self.out_bias,
            query_key_norm: self.query_key_norm.then_some(epsilon),
            is_packed: self.is_packed,
        }
    }
}

/// A block whose tokens attend to cached tokens before them.
#[derive(Module, Debug)]
pub struct DecoderBlock {
    attn: CachedAttention,
    ln_1: Norm,
    cross: Option<CrossAttention>,
    mlp: Mlp,
    /// None where both branches share a norm.
    ln_3: Option<Norm>,
    #[module(skip)]
    norms: NormPlacement,
}

#[derive(Module, Debug)]
struct CrossAttention {
    attn: CachedAttention,
    norm: Norm,
}

impl DecoderBlock {
    /// Reads `attn`, `ln_1`, with cross-attention also `cross` and `ln_2`, `mlp` and, unless the branches are parallel, `ln_3`
    /// below `{name}`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        name: &str,
        config: &DecoderBlockConfig,
    ) -> Result<Self, WeightsError> {
        let TransformerConfig { width, heads, epsilon, .. } = config.transformer;
        let norm =
            |part: &str| Norm::load(source, &format!("{name}.{part}"), config.norm_kind, width, epsilon);
        let cross = |context_width: usize| {
            let attention = CachedAttentionConfig::usual([width, context_width], heads);
            Ok::<_, WeightsError>(CrossAttention {
                attn: CachedAttention::load(source, &format!("{name}.cross"), &attention)?,
                norm: norm("ln_2")?,
            })
        };
        let has_second_norm = config.norms != NormPlacement::Parallel;
        Ok(Self {
            attn: CachedAttention::load(source, &format!("{name}.attn"), &config.self_attention())?,
            ln_1: norm("ln_1")?,
            cross: config.context_width.map(cross).transpose()?,
            mlp: Mlp::load(source, &format!("{name}.mlp"), &config.transformer)?,
            ln_3: has_second_norm.then(|| norm("ln_3")).transpose()?,
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
        if let Some(norm) = &self.ln_3 {
            norm.save(&format!("{name}.ln_3"), list);
        }
    }

    /// Keys and values of the tokens of a context, `[contexts, tokens, context_width]`; `None` without cross-attention.
    pub fn project_context(&self, tokens: &Tensor<3>) -> Option<KvCache> {
        self.cross.as_ref().map(|cross| cross.attn.project_kv(tokens.clone(), None))
    }

    /// The block in host memory, if all its layers are there, without autodiff. Blocks with cross-attention or with norms after
    /// their branches have none.
    pub(crate) fn in_host_memory(&self) -> Option<HostBlock> {
        if self.cross.is_some() || self.norms == NormPlacement::Post {
            return None;
        }
        let ln_3 = self.ln_3.as_ref().map(Norm::in_host_memory);
        Some(HostBlock {
            attn: self.attn.in_host_memory()?,
            ln_1: self.ln_1.in_host_memory()?,
            mlp: self.mlp.in_host_memory()?,
            ln_3: ln_3.map_or(Some(None), |norm| norm.map(Some))?,
        })
    }

    /// Appends tokens, `[rows, tokens, width]`, to those cached in `past`; returns the block's output, of the same shape, and the
    /// longer cache. `scope` says whether the new tokens attend to later ones among them, `rotation` is that of their positions
    /// if these are rotary. Consecutive rows share a context where there are more rows than contexts.
    pub fn forward(
        &self,
        x: Tensor<3>,
        past: Option<KvCache>,
        context: Option<&KvCache>,
        scope: AttentionScope,
        rotation: Option<&Rotation>,
    ) -> (Tensor<3>, KvCache) {
        let input = self.before(&self.ln_1, &x);
        let newest = self.attn.project_kv(input.clone(), rotation);
        let cache = match past {
            Some(past) => past.concat(newest),
            None => newest,
        };
        let attended = self.attn.forward(input.clone(), &cache, scope, rotation);
        let Some(ln_3) = &self.ln_3 else { return (x + attended + self.mlp.forward(input), cache) };
        let mut x = self.after(&self.ln_1, x + attended);
        if let (Some(cross), Some(context)) = (&self.cross, context) {
            x = self.cross_attend(cross, x, context);
        }
        let said = self.mlp.forward(self.before(ln_3, &x));
        (self.after(ln_3, x + said), cache)
    }

    /// As [`forward`](Self::forward) with [`AttentionScope::Full`], of texts of different lengths in one list: `[1, tokens of all texts,
    /// width]` → the same shape. For blocks as BERT's: without cross-attention, rotary positions and norms of heads.
    pub fn forward_ragged(&self, x: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
        let input = self.before(&self.ln_1, &x);
        let attended = self.attn.forward_ragged(input.clone(), lengths);
        let Some(ln_3) = &self.ln_3 else { return x + attended + self.mlp.forward(input) };
        let x = self.after(&self.ln_1, x + attended);
        let said = self.mlp.forward(self.before(ln_3, &x));
        self.after(ln_3, x + said)
    }

    fn cross_attend(&self, cross: &CrossAttention, x: Tensor<3>, context: &KvCache) -> Tensor<3> {
        let [rows, tokens, width] = x.dims();
        let contexts = context.rows().max(1);
        // Captions of the same image attend to it as one row, so that its keys and values are not repeated.
        let input = self.before(&cross.norm, &x).reshape([contexts, rows / contexts * tokens, width]);
        let seen = cross.attn.forward(input, context, AttentionScope::Full, None);
        self.after(&cross.norm, x + seen.reshape([rows, tokens, width]))
    }

    fn before(&self, norm: &Norm, x: &Tensor<3>) -> Tensor<3> {
        match self.norms {
            NormPlacement::Pre | NormPlacement::Parallel => norm.forward(x.clone()),
            NormPlacement::Post => x.clone(),
        }
    }

    fn after(&self, norm: &Norm, sum: Tensor<3>) -> Tensor<3> {
        match self.norms {
            NormPlacement::Pre | NormPlacement::Parallel => sum,
            NormPlacement::Post => norm.forward(sum),
        }
    }
}
