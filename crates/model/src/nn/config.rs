//! Sizes of a transformer.

use super::activation::Activation;

/// Sizes of a stack of blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransformerConfig {
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of heads.
    pub heads: usize,
    /// Width of one head; usually the token's width over the number of heads.
    pub head_width: usize,
    /// Whether queries, keys and values have a bias (true in CLIP, false in Point-BERT and OpenShape).
    pub qkv_bias: bool,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// Activation of the MLP.
    pub activation: Activation,
    /// Added to the variance in layer norms.
    pub epsilon: f64,
    /// Gate, biases and norm of the MLP.
    pub mlp: MlpStyle,
}

/// What MLPs differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MlpStyle {
    /// Whether `activation(gate(x))` multiplies the first layer ([arXiv 2002.05202](https://arxiv.org/abs/2002.05202); Llama,
    /// Qwen).
    pub gated: bool,
    /// Whether the layers have biases.
    pub biases: bool,
    /// Whether the hidden layer is normalized before the last product ([arXiv 2210.06423](https://arxiv.org/abs/2210.06423);
    /// EVA-02).
    pub norm: bool,
}

impl Default for MlpStyle {
    fn default() -> Self {
        Self { gated: false, biases: true, norm: false }
    }
}

impl TransformerConfig {
    /// A block with biases and GELU, to be completed with sizes.
    pub(crate) fn usual() -> Self {
        Self {
            width: 0,
            layers: 0,
            heads: 1,
            head_width: 0,
            qkv_bias: true,
            mlp_width: 0,
            activation: Activation::Gelu,
            epsilon: 1e-5,
            mlp: MlpStyle::default(),
        }
    }
}
