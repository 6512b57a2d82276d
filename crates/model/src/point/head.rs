//! The classification head of a fine-tuned encoder.

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use super::point_bert::save_linear;
use crate::nn::{Bias, Dropout, Linear, pointwise_conv};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Sizes of a [`ClassHead`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassHeadConfig {
    /// Width of the hidden layer; PointMLP's head has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// Number of classes.
    pub classes: usize,
}

/// A classification head: a linear layer, usually after another one with ReLU.
#[derive(Module, Debug)]
pub struct ClassHead {
    hidden: Option<Linear>,
    output: Linear,
}

impl ClassHead {
    /// Reads `classifier.0`, if the head has a hidden layer, and `classifier.3`, as numbered in the references.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        features: usize,
        config: &ClassHeadConfig,
    ) -> Result<Self, WeightsError> {
        let map = |name: &str, sizes| pointwise_conv(source, name, Bias::Learned, sizes);
        let hidden = config.hidden.map(|hidden| map("classifier.0", [features, hidden])).transpose()?;
        let output = map("classifier.3", [config.hidden.unwrap_or(features), config.classes])?;
        Ok(Self { hidden, output })
    }

    /// Features `[clouds, width]` → logits `[clouds, classes]`.
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.output.forward(self.hidden(features))
    }

    /// As [`forward`](Self::forward) in training, with dropout before the last layer.
    pub fn forward_with_dropout(&self, features: Tensor<2>, dropout: Dropout) -> Tensor<2> {
        self.output.forward(dropout.apply(self.hidden(features)))
    }

    fn hidden(&self, features: Tensor<2>) -> Tensor<2> {
        match &self.hidden {
            Some(hidden) => activation::relu(hidden.forward(features)),
            None => features,
        }
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, list: &mut TensorList) {
        if let Some(hidden) = &self.hidden {
            save_linear(hidden, "classifier.0", list);
        }
        save_linear(&self.output, "classifier.3", list);
    }
}
