//! The towers of the trained network.

use std::collections::HashSet;

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use lexiform_model::clip::{ClipText, ClipVision};
use lexiform_model::nn::BlockOptions;
use lexiform_model::point::PointTower;

use crate::optim::parameters::parameters;

/// The encoders and the temperature (logarithm). Frozen towers whose features are only targets are not part of it.
#[derive(Module, Debug)]
pub struct Towers {
    pub(crate) text: Option<ClipText>,
    pub(crate) vision: Option<ClipVision>,
    pub(crate) points: Option<PointTower>,
    pub(crate) logit_scale: Param<Tensor<1>>,
}

impl Towers {
    /// A copy that computes the same features without a graph. With trained batch norms it has a graph, because only there they
    /// use the statistics of the batch; its running statistics are its own.
    pub(crate) fn without_graph(&self) -> Self {
        let copy = self.valid();
        if self.has_trained_batch_norm() { copy.train() } else { copy }
    }

    fn has_trained_batch_norm(&self) -> bool {
        let all = parameters(self);
        let norms: HashSet<&str> =
            all.iter().filter_map(|buffer| buffer.name.strip_suffix("running_mean")).collect();
        all.iter().any(|parameter| {
            let norm = parameter.name.strip_suffix("weight");
            parameter.requires_grad && norm.is_some_and(|norm| norms.contains(norm))
        })
    }

    /// Changes how transformer blocks are trained.
    pub(crate) fn with_block_options(self, options: BlockOptions) -> Self {
        Self {
            text: self.text.map(|text| text.with_block_options(options)),
            vision: self.vision.map(|vision| vision.with_block_options(options)),
            points: self.points.map(|points| points.with_block_options(options)),
            ..self
        }
    }
}
