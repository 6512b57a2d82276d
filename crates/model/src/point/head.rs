//! A head that names classes, as fine-tuning adds it.

use burn::module::Module;
use burn::tensor::{Tensor, activation};

use super::point_bert::save_linear;
use super::tower::Classes;
use crate::error::WeightsError;
use crate::nn::{Bias, Linear, pointwise};
use crate::weights::{Source, TensorList};

/// Two linear maps with a ReLU between (dropout is for training and left out).
#[derive(Module, Debug)]
pub struct ClassHead {
    hidden: Linear,
    output: Linear,
}

impl ClassHead {
    /// Reads `classifier.0` and `classifier.3`, as torch numbers them.
    pub fn load(source: &Source, features: usize, config: &Classes) -> Result<Self, WeightsError> {
        let hidden = pointwise(source, "classifier.0", Bias::Learned, [features, config.hidden])?;
        let output = pointwise(source, "classifier.3", Bias::Learned, [config.hidden, config.classes])?;
        Ok(Self { hidden, output })
    }

    /// Features `[clouds, width]` → one number a class, `[clouds, classes]`.
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.output.forward(activation::relu(self.hidden.forward(features)))
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, list: &mut TensorList) {
        save_linear(&self.hidden, "classifier.0", list);
        save_linear(&self.output, "classifier.3", list);
    }
}
