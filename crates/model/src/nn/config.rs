//! Sizes of a transformer.

use super::activation::Activation;

/// What a stack of blocks is made of.
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
    /// Whether queries, keys and values have a bias (CLIP has one, Point-BERT and OpenShape have none).
    pub qkv_bias: bool,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// Nonlinearity of the MLP.
    pub activation: Activation,
    /// Added to the variance in layer norms.
    pub epsilon: f64,
}
