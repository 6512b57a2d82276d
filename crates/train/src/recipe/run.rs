//! The table `run`: length, evaluation, checkpoints and numeric precision.

use burn::tensor::FloatDType;
use lexiform_model::weights::Precision;
use serde::{Deserialize, Serialize};

use super::schedule::StepsOrEpochs;
use super::skip_if;

/// Length, evaluation, checkpoints and numeric precision of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Length: optimizer steps, or `{ epochs = … }`.
    pub steps: StepsOrEpochs,
    /// Steps or epochs between evaluations.
    pub evaluate_every: StepsOrEpochs,
    /// Also evaluate before the first step.
    #[serde(default)]
    pub evaluate_on_start: bool,
    /// Steps or epochs between checkpoints; one is also written after every evaluation.
    #[serde(default = "RunConfig::default_checkpoint_every")]
    pub checkpoint_every: StepsOrEpochs,
    /// Decay of the exponential moving average of the weights. 0: no averaging.
    #[serde(default)]
    pub ema_decay: f64,
    /// Early stopping: evaluations without improvement after which the run ends. 0: never.
    #[serde(default)]
    pub patience: usize,
    /// Stop with an error when the smoothed loss exceeds its minimum by this factor. 0: never.
    #[serde(default)]
    pub divergence_ratio: f32,
    /// Batches that are loaded ahead, at the same time, while a step computes; that many are in memory at most, in addition to
    /// the current one. 0: each batch is loaded when it is needed. Batches do not depend on it.
    #[serde(default = "RunConfig::default_prefetch")]
    pub prefetch: usize,
    /// How features are gathered from several devices.
    #[serde(default)]
    pub gather: Gather,
    /// Data type of the matrix products of transformer blocks; weights stay in `f32`.
    #[serde(default, skip_serializing_if = "MixedPrecision::is_none")]
    pub mixed_precision: MixedPrecision,
    /// Precision of the trained model's file.
    #[serde(default, skip_serializing_if = "SavePrecision::is_f16")]
    pub save_precision: SavePrecision,
    /// Keep only the inputs of transformer blocks for the backward pass, which computes the blocks again
    /// ([arXiv 1604.06174](https://arxiv.org/abs/1604.06174)): less memory for about a third more work, and the same gradients.
    #[serde(default, skip_serializing_if = "skip_if::is_false")]
    pub checkpoint_activations: bool,
    /// Also write the trained point encoder together with its teacher as one model, `joint.safetensors`.
    #[serde(default, skip_serializing_if = "skip_if::is_false")]
    pub save_joint_model: bool,
}

impl RunConfig {
    fn default_checkpoint_every() -> StepsOrEpochs {
        StepsOrEpochs::Steps(50)
    }

    fn default_prefetch() -> usize {
        2
    }
}

/// Data type of the matrix products of transformer blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MixedPrecision {
    /// `f32`, as everything else.
    #[default]
    None,
    /// `bf16`, which needs no loss scaling because it has the range of `f32`. For devices that support it.
    Bf16,
}

impl MixedPrecision {
    /// The data type, if not `f32`.
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

/// Precision of the trained model's file; checkpoints are always in `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavePrecision {
    /// Half the size. Embeddings differ by rounding, some 1e-4.
    #[default]
    F16,
    /// The weights of the checkpoint, exactly.
    F32,
}

impl SavePrecision {
    /// As the writer of weights takes it.
    pub fn precision(self) -> Precision {
        match self {
            Self::F16 => Precision::Half,
            Self::F32 => Precision::Full,
        }
    }

    fn is_f16(&self) -> bool {
        *self == Self::F16
    }
}

/// Whether features gathered from other ranks (devices) carry gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gather {
    /// They do: the gradient equals that of one device with the whole batch (OpenShape, Duoduo CLIP).
    #[default]
    WithGradient,
    /// They do not: only the local side of each similarity matrix is differentiated (ULIP). No effect with one rank, as in
    /// the reference.
    Detached,
}
