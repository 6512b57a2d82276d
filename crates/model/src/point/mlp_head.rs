//! The MLP after an encoder's pooled features: two linear layers with batch norm and ReLU. The references' dropout between
//! them is not implemented.

use burn::module::Module;
use burn::tensor::{Tensor, activation};

use crate::nn::{Bias, ConvNorm};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Names of linear layer and batch norm of each layer, relative to the encoder's.
pub(super) type MlpHeadNames = [[&'static str; 2]; 2];

/// `relu(norm(linear(x)))`, twice; or no layers, for an encoder that ends with its pooled features.
#[derive(Module, Debug)]
pub(super) struct MlpHead {
    layers: Vec<ConvNorm>,
}

impl MlpHead {
    /// Reads the layers, for pooled features of width `input`.
    pub fn load(
        source: &WeightSource,
        name: &str,
        (names, bias): (&MlpHeadNames, Bias),
        input: usize,
        widths: Option<[usize; 2]>,
    ) -> Result<Self, WeightsError> {
        let mut layers = Vec::new();
        if let Some([first, second]) = widths {
            for (layer, sizes) in names.iter().zip([[input, first], [first, second]]) {
                let [linear, norm] = layer.map(|part| format!("{name}.{part}"));
                layers.push(ConvNorm::load(source, [&linear, &norm], bias, sizes)?);
            }
        }
        Ok(Self { layers })
    }

    /// `[clouds, input]` → `[clouds, last width]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(x, |x, layer| activation::relu(layer.forward(x)))
    }

    pub fn save(&self, name: &str, names: &MlpHeadNames, list: &mut TensorList) {
        for (layer, parts) in self.layers.iter().zip(names) {
            let [linear, norm] = parts.map(|part| format!("{name}.{part}"));
            layer.save([&linear, &norm], list);
        }
    }
}
