//! The tables `groups.*`: which parameters are trained, and how their gradients become steps.

use serde::{Deserialize, Serialize};

use super::schedule::{RunPosition, Schedule};

/// A group of parameters that move together. What no group names is frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// Patterns of names, see [`matches_pattern`](crate::optim::matches_pattern); without any, everything that no other group names.
    #[serde(default)]
    pub params: Vec<String>,
    /// How gradients become steps.
    pub optimizer: OptimizerConfig,
    /// Largest learning rate.
    pub learning_rate: f64,
    /// Share of a parameter that is taken off per unit of learning rate.
    #[serde(default)]
    pub weight_decay: f32,
    /// Which parameters the decay spares.
    #[serde(default)]
    pub no_decay: NoDecay,
    /// How long gradients may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grad_clip: Option<GradClip>,
    /// How the rate moves, where it is not as the recipe's `schedule` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// In which steps the group moves.
    #[serde(default)]
    pub step_parity: StepParity,
}

/// How gradients become steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// Adam with decoupled weight decay.
    Adamw {
        /// Memory of the mean.
        beta_1: f32,
        /// Memory of the square.
        beta_2: f32,
        /// Added to the root.
        epsilon: f32,
    },
    /// Gradient descent with momentum and weight decay in the gradient, as torch's.
    Sgd {
        /// Memory of the velocity.
        momentum: f64,
    },
    /// Momentum whose steps are made orthogonal, scaled to AdamW's step size. Matrices only. The braces let unknown keys be
    /// errors.
    Muon {},
}

/// Which parameters a group's weight decay spares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoDecay {
    /// Those with fewer than two axes: biases, norms, scales.
    #[serde(default)]
    pub vectors: bool,
    /// Those whose name contains one of these.
    #[serde(default)]
    pub names: Vec<String>,
    /// Those whose name contains one of these are decayed all the same.
    #[serde(default)]
    pub except: Vec<String>,
}

/// How long gradients may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GradClip {
    /// All gradients of the group together.
    Norm(f32),
    /// Each tensor's gradient by itself.
    PerTensor(f32),
}

/// In which steps of an epoch something takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepParity {
    /// In all.
    #[default]
    All,
    /// In the first and every second after it (CG3D: the encoder).
    Even,
    /// In the others (CG3D: the prompts).
    Odd,
}

impl StepParity {
    /// Whether it is this one's turn.
    pub fn includes(self, position: RunPosition) -> bool {
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
    fn turns_restart_every_epoch() {
        let even: Vec<bool> = (0..6)
            .map(|step| StepParity::Even.includes(RunPosition { step, steps: 6, steps_per_epoch: 3 }))
            .collect();
        assert_eq!(even, [true, false, true, true, false, true]);
    }
}
