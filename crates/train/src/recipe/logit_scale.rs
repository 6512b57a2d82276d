//! The table `logit_scale`: CLIP's learned temperature.

use serde::{Deserialize, Serialize};

/// CLIP's learned temperature, stored as the logarithm of the factor by which cosine similarities are multiplied
/// ([CLIP](https://arxiv.org/abs/2103.00020), section 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogitScaleConfig {
    /// Initial value (logarithm). Default: the network's own or its teacher's, `ln(1 / 0.07)` without either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<f32>,
    /// Lower and upper bound (logarithms).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<[f32; 2]>,
    /// Clamp the parameter itself after each optimizer step (ULIP) rather than its value in the loss.
    #[serde(default)]
    pub clamp_after_step: bool,
}

impl Default for LogitScaleConfig {
    /// OpenCLIP's bounds: factors from 1 to 100.
    fn default() -> Self {
        Self { init: None, bounds: Some([0.0, MAX_LOGIT_SCALE]), clamp_after_step: false }
    }
}

/// OpenCLIP's upper bound, `ln 100`.
const MAX_LOGIT_SCALE: f32 = 4.605_17;
