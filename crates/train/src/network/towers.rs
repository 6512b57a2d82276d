//! What is trained, how it is built, and the features it makes of a batch.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use lexiform_model::clip::{ClipText, ClipVision};
use lexiform_model::point::PointTower;

/// The encoders and the logarithm of the scale. A tower that only gives targets is not among them.
#[derive(Module, Debug)]
pub struct Towers {
    pub(crate) text: Option<ClipText>,
    pub(crate) vision: Option<ClipVision>,
    pub(crate) points: Option<PointTower>,
    pub(crate) logit_scale: Param<Tensor<1>>,
}
