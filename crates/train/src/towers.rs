//! What is trained: both towers and the scale of their similarities.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use lexiform_model::clip::{ClipText, ClipVision};
use lexiform_model::weights::Source;
use lexiform_model::{ModelConfig, WeightsError};

/// CLIP's starting scale, `ln(1 / 0.07)`.
const START_SCALE: f32 = 2.659_26;

/// Both towers and the logarithm of the scale.
#[derive(Module, Debug)]
pub struct Towers {
    pub(crate) text: ClipText,
    pub(crate) vision: ClipVision,
    pub(crate) logit_scale: Param<Tensor<1>>,
}

impl Towers {
    /// Untrained towers.
    pub(crate) fn new(config: &ModelConfig, seed: u64, device: &Device) -> Result<Self, WeightsError> {
        let source = Source::new(seed, device);
        Ok(Self {
            text: ClipText::load(&source, &config.clip)?,
            vision: ClipVision::load(&source, &config.clip)?,
            logit_scale: Param::from_tensor(source.scalar("logit_scale", START_SCALE)?),
        })
    }
}
