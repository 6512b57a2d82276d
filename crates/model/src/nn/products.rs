//! How transformer blocks are trained.

use lexiform_kernels::bf16::Bf16Unit;

/// What the products of linear layers in transformer blocks are computed in, forward and backward, on the CPU. Weights, gradients,
/// sums, norms, softmax and attention are in `f32` ([arXiv 1710.03740](https://arxiv.org/abs/1710.03740)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Products {
    /// 32 bits.
    #[default]
    F32,
    /// Operands are rounded to `bf16`.
    Bf16(Bf16Unit),
}

impl Products {
    /// `bf16`, if this machine's processor multiplies it.
    pub fn bf16() -> Option<Self> {
        Bf16Unit::detect().map(Self::Bf16)
    }
}

/// How the blocks of a network are trained.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockOptions {
    /// Keep only the inputs of blocks for the backward pass, which computes the blocks again: less memory for a third more work.
    /// Gradients are the same to the bit.
    pub checkpoint_activations: bool,
    /// What products are computed in.
    pub products: Products,
}
