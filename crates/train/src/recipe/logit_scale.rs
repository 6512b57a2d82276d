//! The table `scale`: the learned multiplier of similarities.

use serde::{Deserialize, Serialize};

/// The logarithm of the multiplier of similarities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogitScaleConfig {
    /// Where it starts; the network's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<f32>,
    /// Its bounds, lowest and highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<[f32; 2]>,
    /// Whether the value is put back within its bounds after each step (ULIP), instead of bounded where it is used.
    #[serde(default)]
    pub clamp_after_step: bool,
}

impl Default for LogitScaleConfig {
    /// OpenCLIP's bounds: multipliers of 1 to 100.
    fn default() -> Self {
        Self { init: None, bounds: Some([0.0, MAX_LOGIT_SCALE]), clamp_after_step: false }
    }
}

/// OpenCLIP's bound on the multiplier: `ln 100`.
const MAX_LOGIT_SCALE: f32 = 4.605_17;
