//! The tables `param_groups.*`: which parameters are trained, by which optimizer.

use serde::{Deserialize, Serialize};

use super::schedule::{RunPosition, Schedule};

/// Parameters that share an optimizer. Parameters in no group are frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// Patterns of parameter names, see [`matches_pattern`](crate::optim::matches_pattern). `{joint_from}` in a pattern is
    /// the number of the first block that attends across views (`network.joint_from`). Empty: all parameters of no other group.
    #[serde(default)]
    pub params: Vec<String>,
    /// Optimizer.
    pub optimizer: OptimizerConfig,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Weight decay.
    #[serde(default)]
    pub weight_decay: f32,
    /// Parameters without weight decay.
    #[serde(default)]
    pub no_decay: NoDecay,
    /// Gradient clipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grad_clip: Option<GradClip>,
    /// Learning rate schedule. Default: the recipe's `schedule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Steps in which the group is updated.
    #[serde(default)]
    pub step_parity: StepParity,
}

/// An optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// [AdamW](https://arxiv.org/abs/1711.05101).
    Adamw {
        /// First-moment decay rate β₁.
        beta_1: f32,
        /// Second-moment decay rate β₂.
        beta_2: f32,
        /// Added to the denominator for numerical stability.
        epsilon: f32,
    },
    /// SGD with momentum and L2 weight decay, as `torch.optim.SGD`.
    Sgd {
        /// Momentum factor.
        momentum: f64,
        /// Nesterov momentum, as `torch.optim.SGD(nesterov=True)`.
        #[serde(default)]
        nesterov: bool,
    },
    /// [Muon](https://arxiv.org/abs/2502.16982): momentum with orthogonalized updates, scaled to the RMS of AdamW's. Matrices
    /// only.
    // A unit variant would accept unknown keys: serde checks them only where there are braces.
    Muon {},
}

/// Parameters without weight decay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoDecay {
    /// Those with fewer than two axes: biases, norms, scales.
    #[serde(default)]
    pub vectors: bool,
    /// Those whose name contains one of these.
    #[serde(default)]
    pub names: Vec<String>,
    /// Exceptions: those whose name contains one of these are decayed.
    #[serde(default)]
    pub except: Vec<String>,
}

/// Gradient clipping by Euclidean norm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GradClip {
    /// Maximum norm of all gradients of the group together (`torch.nn.utils.clip_grad_norm_`).
    Norm(f32),
    /// Maximum norm of each tensor's gradient.
    PerTensor(f32),
}

/// Steps of an epoch in which a loss term or a parameter group is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepParity {
    /// All steps.
    #[default]
    All,
    /// Steps 0, 2, 4 … of each epoch ([CG3D](https://arxiv.org/abs/2303.11313): the encoder).
    Even,
    /// Steps 1, 3, 5 … of each epoch (CG3D: the prompts).
    Odd,
}

impl StepParity {
    /// Whether the step at `position` is one of them.
    pub fn includes(self, position: RunPosition) -> bool {
        // Counted within the epoch, as the reference does: with an odd number of steps the parity restarts.
        let in_epoch = position.step % position.steps_per_epoch.max(1);
        match self {
            Self::All => true,
            Self::Even => in_epoch.is_multiple_of(2),
            Self::Odd => !in_epoch.is_multiple_of(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parity_restarts_every_epoch() {
        let even: Vec<bool> = (0..6)
            .map(|step| StepParity::Even.includes(RunPosition { step, steps: 6, steps_per_epoch: 3 }))
            .collect();
        assert_eq!(even, [true, false, true, true, false, true]);
    }
}
