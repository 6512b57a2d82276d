//! Normalization of tokens in language models: layer norm, or root mean square.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::host::decoder::HostNorm;
use super::{LayerNorm, host};
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// How tokens are normalized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NormKind {
    /// Layer norm, with weight and bias (GPT-2, OPT, Phi, BERT).
    #[default]
    Layer,
    /// Division by the root mean square, with a weight ([arXiv 1910.07467](https://arxiv.org/abs/1910.07467); Llama, Qwen).
    Rms,
}

/// Normalization of the last axis.
#[derive(Module, Debug)]
pub enum Norm {
    /// [`NormKind::Layer`].
    Layer(LayerNorm),
    /// [`NormKind::Rms`].
    Rms(RmsNorm),
}

/// `x / √(mean(x²) + ε) · weight`, along the last axis.
#[derive(Module, Debug)]
pub struct RmsNorm {
    weight: Param<Tensor<1>>,
    epsilon: f64,
}

impl Norm {
    /// Reads `{name}.weight` and, for layer norm, `{name}.bias`, `[width]`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        name: &str,
        kind: NormKind,
        width: usize,
        epsilon: f64,
    ) -> Result<Self, WeightsError> {
        Ok(match kind {
            NormKind::Layer => Self::Layer(LayerNorm::load(source, name, width, epsilon)?),
            NormKind::Rms => Self::Rms(RmsNorm::load(source, name, width, epsilon)?),
        })
    }

    /// `[…, width]` → the same shape.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Layer(norm) => norm.forward(x),
            Self::Rms(norm) => norm.forward(x),
        }
    }

    /// Its numbers in host memory, if they are there, without autodiff.
    pub(crate) fn in_host_memory(&self) -> Option<HostNorm> {
        match self {
            Self::Layer(norm) => norm.in_host_memory(),
            Self::Rms(norm) => norm.in_host_memory(),
        }
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        match self {
            Self::Layer(norm) => norm.save(name, list),
            Self::Rms(norm) => list.push(format!("{name}.weight"), norm.weight.val()),
        }
    }
}

impl RmsNorm {
    /// Reads `{name}.weight`, `[width]`.
    ///
    /// # Errors
    /// If the tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, width: usize, epsilon: f64) -> Result<Self, WeightsError> {
        let weight = source.tensor(&format!("{name}.weight"), [width], Initializer::Constant(1.0))?;
        Ok(Self { weight: Param::from_tensor(weight), epsilon })
    }

    /// `[…, width]` → the same shape.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mean_square = (x.clone() * x.clone()).mean_dim(D - 1);
        x / (mean_square + self.epsilon).sqrt() * self.weight.val().unsqueeze()
    }

    /// Its numbers in host memory, if they are there, without autodiff.
    pub(super) fn in_host_memory(&self) -> Option<HostNorm> {
        let weight = host::decoder::shared(self.weight.val())?;
        Some(HostNorm { weight, bias: None, epsilon: self.epsilon as f32 })
    }

    /// Adds the tensor to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        list.push(format!("{name}.weight"), self.weight.val());
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn the_root_mean_square_becomes_the_weight() {
        let source = WeightSource::random(1, &Device::flex());
        let norm = Norm::load(&source, "norm", NormKind::Rms, 2, 0.0).unwrap();
        let x = Tensor::<2>::from_data([[3.0, 4.0], [-1.0, 1.0]], &Device::flex());
        let found: Vec<f32> = norm.forward(x).into_data().try_into_vec().unwrap();
        // √((9 + 16) / 2) = 3.5355; √((1 + 1) / 2) = 1.
        let expected = [0.848_528, 1.131_371, -1.0, 1.0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
    }
}
