//! The towers of the trained network.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use lexiform_model::clip::{ClipText, ClipVision};
use lexiform_model::point::PointTower;

/// The encoders and the temperature (logarithm). Frozen towers whose features are only targets are not part of it.
#[derive(Module, Debug)]
pub struct Towers {
    pub(crate) text: Option<ClipText>,
    pub(crate) vision: Option<ClipVision>,
    pub(crate) points: Option<PointTower>,
    pub(crate) logit_scale: Param<Tensor<1>>,
}

impl Towers {
    /// Keeps only the inputs of transformer blocks for the backward pass, which computes the blocks again.
    pub(crate) fn with_checkpointing(self, checkpoint_activations: bool) -> Self {
        Self {
            text: self.text.map(|text| text.with_checkpointing(checkpoint_activations)),
            vision: self.vision.map(|vision| vision.with_checkpointing(checkpoint_activations)),
            points: self.points.map(|points| points.with_checkpointing(checkpoint_activations)),
            ..self
        }
    }
}
