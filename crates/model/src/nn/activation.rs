//! Activation functions of MLPs.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// The activation of a block's MLP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `x Φ(x)` with the error function ([arXiv 1606.08415](https://arxiv.org/abs/1606.08415)): OpenCLIP's LAION models.
    #[default]
    Gelu,
    /// `x σ(1.702 x)`: OpenAI's CLIP.
    QuickGelu,
    /// [`Gelu`](Self::Gelu) by the hyperbolic tangent, `x σ(2 u)` with `u = √(2/π) (x + 0.044715 x³)`: GPT-2 and Phi.
    GeluTanh,
    /// `x σ(x)` ([arXiv 1702.03118](https://arxiv.org/abs/1702.03118)): Llama and Qwen.
    Silu,
    /// `max(x, 0)`: fast on a CPU, for small models.
    Relu,
}

impl Activation {
    /// Applies the activation elementwise, to any shape.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Gelu => activation::gelu(x),
            Self::QuickGelu => x.clone() * activation::sigmoid(x * 1.702),
            Self::GeluTanh => activation::gelu_approximate(x),
            Self::Silu => activation::silu(x),
            Self::Relu => activation::relu(x),
        }
    }
}
