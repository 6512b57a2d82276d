//! What turns an embedding into tokens of a language model.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::config::PrefixSizes;
use crate::nn::Linear;
use crate::weights::{TensorList, WeightSource, WeightsError};

/// One linear layer (DeCap), or two with a tanh in between (ClipCap).
#[derive(Module, Debug)]
pub struct PrefixMapper {
    layers: Vec<Linear>,
    tokens: usize,
}

impl PrefixMapper {
    /// Reads `{name}.{0,1}.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, config: &PrefixSizes) -> Result<Self, WeightsError> {
        let out = config.tokens * config.language.block.transformer.width;
        let widths: Vec<usize> = [Some(config.dim), config.hidden, Some(out)].into_iter().flatten().collect();
        let layer = |(i, widths): (usize, &[usize])| {
            let [weight, bias] = names(name, i);
            let deviation = (widths[0] as f32).powf(-0.5);
            Linear::load(source, &weight, Some(&bias), [widths[0], widths[1]], deviation)
        };
        let layers = widths.windows(2).enumerate().map(layer).collect::<Result<_, _>>()?;
        Ok(Self { layers, tokens: config.tokens })
    }

    /// `[rows, dim]` → `[rows, tokens, width]`.
    pub fn forward(&self, features: Tensor<2>) -> Tensor<3> {
        let mut x = features;
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(if i > 0 { x.tanh() } else { x });
        }
        let [rows, width] = x.dims();
        x.reshape([rows, self.tokens, width / self.tokens])
    }

    /// Where its tensors are.
    pub fn device(&self) -> Device {
        self.layers[0].weight().device()
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        for (i, layer) in self.layers.iter().enumerate() {
            let [weight, bias] = names(name, i);
            layer.save(&weight, Some(&bias), list);
        }
    }
}

fn names(name: &str, layer: usize) -> [String; 2] {
    ["weight", "bias"].map(|kind| format!("{name}.{layer}.{kind}"))
}
