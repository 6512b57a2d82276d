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
