//! The table `run`: how long a run is, what is written when, and what it computes with.

use burn::tensor::FloatDType;
use serde::{Deserialize, Serialize};

use super::schedule::StepsOrEpochs;
use super::skip_if;

/// How long a run is, and what is written when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// How long it is: optimizer steps, or `{ epochs = … }`.
    pub steps: StepsOrEpochs,
    /// How far apart evaluations are.
    pub evaluate_every: StepsOrEpochs,
    /// Whether the network is also measured before the first step.
    #[serde(default)]
    pub evaluate_on_start: bool,
    /// How far apart checkpoints are; one is also written after every evaluation.
    #[serde(default = "RunConfig::default_checkpoint_every")]
    pub checkpoint_every: StepsOrEpochs,
    /// Share of the old value in the running mean of the weights; 0 for none.
    #[serde(default)]
    pub ema_decay: f64,
    /// Evaluations without a better one after which the run ends; 0 never.
    #[serde(default)]
    pub patience: usize,
    /// The run stops when the smoothed loss is this many times its lowest value; 0 never.
    #[serde(default)]
    pub divergence_ratio: f32,
    /// How features of several devices come together.
    #[serde(default)]
    pub gather: Gather,
    /// What the products of the networks' blocks are computed in; weights are kept in 32 bits.
    #[serde(default, skip_serializing_if = "MixedPrecision::is_none")]
    pub mixed_precision: MixedPrecision,
    /// Whether a trained point tower is also written together with its teacher's towers, as one model: `joint.safetensors`.
    #[serde(default, skip_serializing_if = "skip_if::is_false")]
    pub save_joint_model: bool,
}

impl RunConfig {
    fn default_checkpoint_every() -> StepsOrEpochs {
        StepsOrEpochs::Steps(50)
    }
}

/// What the products of the networks' blocks are computed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MixedPrecision {
    /// 32 bits, as everything else.
    #[default]
    None,
    /// bfloat16, which has the range of 32 bits, so that no loss need be scaled. For cards that have it.
    Bf16,
}

impl MixedPrecision {
    /// The kind of numbers, if not that of everything else.
    pub fn dtype(self) -> Option<FloatDType> {
        match self {
            Self::None => None,
            Self::Bf16 => Some(FloatDType::BF16),
        }
    }

    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// What of the other ranks' features carries gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gather {
    /// All: the gradient is that of one machine with the whole batch (OpenShape, Duoduo CLIP).
    #[default]
    WithGradient,
    /// Only the left side of a product, so that `text → points` terms do not reach the encoder (ULIP; with
    /// one rank its gather does nothing, and neither does this).
    Detached,
}
