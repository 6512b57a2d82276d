//! Learning rate schedules.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// A duration: a number of steps, or `{ epochs = … }`.
///
/// ```
/// use lexiform_train::StepsOrEpochs;
///
/// assert_eq!(StepsOrEpochs::Steps(100).steps(31), 100);
/// assert_eq!(StepsOrEpochs::Epochs { epochs: 2.0 }.steps(31), 62);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, expecting = "expected a number of steps, or { epochs = … }")]
pub enum StepsOrEpochs {
    /// Optimizer steps.
    Steps(usize),
    /// Epochs, rounded to whole steps, at least one.
    Epochs {
        /// Number of epochs.
        epochs: f64,
    },
}

impl StepsOrEpochs {
    /// In steps.
    pub fn steps(self, steps_per_epoch: usize) -> usize {
        match self {
            Self::Steps(steps) => steps,
            Self::Epochs { epochs: 0.0 } => 0,
            Self::Epochs { epochs } => ((epochs * steps_per_epoch as f64).round() as usize).max(1),
        }
    }

    /// Whether it is finite and not negative.
    pub(crate) fn is_valid(self) -> bool {
        match self {
            Self::Steps(_) => true,
            Self::Epochs { epochs } => epochs.is_finite() && epochs >= 0.0,
        }
    }

    /// Whether it is valid and more than 0.
    pub(crate) fn is_positive(self) -> bool {
        self.is_valid() && self != Self::Steps(0) && self != Self::Epochs { epochs: 0.0 }
    }
}

impl Default for StepsOrEpochs {
    fn default() -> Self {
        Self::Steps(0)
    }
}

impl std::fmt::Display for StepsOrEpochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Steps(steps) => write!(f, "{steps}"),
            Self::Epochs { epochs } => write!(f, "{{ epochs = {epochs} }}"),
        }
    }
}

/// Learning rate as a function of the step.
///
/// ```
/// use lexiform_train::{RunPosition, Schedule, StepsOrEpochs};
///
/// let warmup = StepsOrEpochs::Steps(10);
/// let schedule = Schedule::Cosine { warmup, warmup_start_lr: None, min_lr: 1e-5, reach_min: true };
/// let rate = |step| schedule.rate(1e-3, RunPosition { step, steps: 100, steps_per_epoch: 20 });
/// assert_eq!(rate(9), 1e-3);
/// assert!((rate(99) - 1e-5).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// The peak learning rate throughout (CG3D's prompts).
    // A unit variant would accept unknown keys: serde checks them only where there are braces.
    Constant {},
    /// Linear warmup, then cosine decay ([SGDR](https://arxiv.org/abs/1608.03983) without restarts), updated every step.
    Cosine {
        /// Length of the warmup.
        #[serde(default)]
        warmup: StepsOrEpochs,
        /// Learning rate of the first step, as in ULIP's `cosine_scheduler`. Default: `peak / warmup`, as in OpenShape.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warmup_start_lr: Option<f64>,
        /// Final learning rate.
        #[serde(default)]
        min_lr: f64,
        /// Whether the last step is at `end` already; otherwise the step after the last would be.
        #[serde(default)]
        reach_min: bool,
    },
    /// Warmup and cosine decay, updated once per epoch.
    EpochCosine {
        /// Length of the decay in epochs. Default: the whole run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epochs: Option<f64>,
        /// Length of the warmup in epochs.
        #[serde(default)]
        warmup: usize,
        /// Learning rate of the first warmup epoch.
        #[serde(default)]
        warmup_start_lr: f64,
        /// Final learning rate.
        min_lr: f64,
        /// Use the learning rate of the previous epoch: CG3D steps its scheduler with the number of the finished epoch, so
        /// that the first two epochs have the same learning rate.
        #[serde(default)]
        one_epoch_late: bool,
    },
    /// Multiplied by `gamma` every `step_size`, as `torch.optim.lr_scheduler.StepLR` (OpenShape).
    Step {
        /// Steps or epochs between decays.
        step_size: StepsOrEpochs,
        /// Decay factor.
        gamma: f64,
    },
}

/// Progress of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunPosition {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Steps per epoch.
    pub steps_per_epoch: usize,
}

impl Schedule {
    /// Whether the learning rates depend on the length of the run, so that a longer run differs from the first step on.
    pub fn depends_on_run_length(&self) -> bool {
        matches!(self, Self::Cosine { .. } | Self::EpochCosine { epochs: None, .. })
    }

    /// Learning rate of the step at `position`.
    pub fn rate(&self, peak: f64, position: RunPosition) -> f64 {
        let RunPosition { step, steps, steps_per_epoch } = position;
        match *self {
            Self::Constant {} => peak,
            Self::Cosine { warmup, warmup_start_lr, min_lr, reach_min } => {
                let warmup = warmup.steps(steps_per_epoch);
                if step < warmup {
                    return warmup_rate(peak, warmup_start_lr, step, warmup);
                }
                // One more step done per step: the last one then reaches the end of the cosine.
                let done = step - warmup + usize::from(reach_min);
                half_cosine(peak, min_lr, done as f64 / steps.saturating_sub(warmup).max(1) as f64)
            }
            Self::EpochCosine { epochs, warmup, warmup_start_lr, min_lr, one_epoch_late } => {
                let epoch = (step / steps_per_epoch.max(1)).saturating_sub(usize::from(one_epoch_late));
                if epoch < warmup {
                    warmup_start_lr + epoch as f64 * (peak - warmup_start_lr) / warmup as f64
                } else {
                    let all = epochs.unwrap_or(steps as f64 / steps_per_epoch.max(1) as f64);
                    half_cosine(peak, min_lr, epoch as f64 / all.max(1.0))
                }
            }
            Self::Step { step_size, gamma } => {
                peak * gamma.powi((step / step_size.steps(steps_per_epoch).max(1)) as i32)
            }
        }
    }
}

/// Learning rate during warmup.
fn warmup_rate(peak: f64, warmup_start_lr: Option<f64>, step: usize, warmup: usize) -> f64 {
    match warmup_start_lr {
        Some(warmup_start_lr) => {
            warmup_start_lr + (peak - warmup_start_lr) * step as f64 / (warmup - 1).max(1) as f64
        }
        None => peak * (step + 1) as f64 / warmup as f64,
    }
}

/// Half a period of a cosine from `peak` to `min_lr`; constant once `done` exceeds 1.
fn half_cosine(peak: f64, min_lr: f64, done: f64) -> f64 {
    min_lr + 0.5 * (peak - min_lr) * (1.0 + (PI * done.min(1.0)).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formulas are the references' own, in the same precision.
    const TOLERANCE: f64 = 1e-12;

    fn check(name: &str, schedule: &Schedule, peak: f64, position: RunPosition, expected: f64) {
        let found = schedule.rate(peak, position);
        assert!((found - expected).abs() <= TOLERANCE, "{name} {position:?}: {found}, expected {expected}");
    }

    /// The formula that nano's first published weights were trained with.
    #[test]
    fn reach_min_ends_at_min_lr() {
        let schedule = Schedule::Cosine {
            warmup: StepsOrEpochs::Steps(50),
            warmup_start_lr: None,
            min_lr: 4e-5,
            reach_min: true,
        };
        for step in 1..=1250_usize {
            let expected = if step <= 50 {
                4e-3 * step as f64 / 50.0
            } else {
                let done = (step - 50) as f64 / 1200.0;
                4e-3 * (0.01 + 0.99 * 0.5 * (1.0 + (PI * done).cos()))
            };
            let position = RunPosition { step: step - 1, steps: 1250, steps_per_epoch: 1 };
            check("nano", &schedule, 4e-3, position, expected);
        }
    }

    #[test]
    fn duoduo_decays_once_per_epoch() {
        let schedule = Schedule::EpochCosine {
            epochs: Some(3.0),
            warmup: 0,
            warmup_start_lr: 0.0,
            min_lr: 1e-7,
            one_epoch_late: false,
        };
        for (epoch, expected) in [5e-5, 3.7525e-5, 1.2575e-5].into_iter().enumerate() {
            for step in [4 * epoch, 4 * epoch + 3] {
                let position = RunPosition { step, steps: 12, steps_per_epoch: 4 };
                check("duoduo", &schedule, 5e-5, position, expected);
            }
        }
    }

    /// Without its own number of epochs, the decay is as long as the run.
    #[test]
    fn epoch_cosine_is_as_long_as_the_run_by_default() {
        let of = |epochs| Schedule::EpochCosine {
            epochs,
            warmup: 0,
            warmup_start_lr: 0.0,
            min_lr: 1e-7,
            one_epoch_late: false,
        };
        for step in 0..80 {
            let position = RunPosition { step, steps: 80, steps_per_epoch: 4 };
            check("as the run", &of(None), 5e-5, position, of(Some(20.0)).rate(5e-5, position));
        }
        assert!(of(None).depends_on_run_length() && !of(Some(20.0)).depends_on_run_length());
    }

    #[test]
    fn epoch_cosine_stays_at_min_lr() {
        let schedule = Schedule::EpochCosine {
            epochs: Some(3.0),
            warmup: 0,
            warmup_start_lr: 0.0,
            min_lr: 1e-7,
            one_epoch_late: false,
        };
        for step in [12, 15, 23, 40] {
            check("after", &schedule, 5e-5, RunPosition { step, steps: 60, steps_per_epoch: 4 }, 1e-7);
        }
    }

    #[test]
    fn lengths_are_steps_or_epochs() {
        #[derive(Deserialize, Serialize)]
        struct Lengths {
            lengths: Vec<StepsOrEpochs>,
        }
        let text = "lengths = [7, { epochs = 2 }, { epochs = 0.5 }]";
        let Lengths { lengths } = toml::from_str(text).unwrap();
        assert_eq!(lengths.iter().map(|span| span.steps(31)).collect::<Vec<_>>(), [7, 62, 16]);
        let again: Lengths =
            toml::from_str(&toml::to_string(&Lengths { lengths: lengths.clone() }).unwrap()).unwrap();
        assert_eq!(again.lengths, lengths);
        let error = toml::from_str::<Lengths>("lengths = [{ epoch = 2 }]").err().map(|e| e.to_string());
        assert!(error.as_ref().is_some_and(|e| e.contains("{ epochs = … }")), "{error:?}");
    }

    /// ULIP's warmup of one epoch.
    #[test]
    fn a_warmup_of_one_epoch_has_its_steps() {
        let of =
            |warmup| Schedule::Cosine { warmup, warmup_start_lr: Some(1e-6), min_lr: 1e-5, reach_min: false };
        for step in 0..300 {
            let position = RunPosition { step, steps: 300, steps_per_epoch: 62 };
            let expected = of(StepsOrEpochs::Steps(62)).rate(3e-3, position);
            check("ulip", &of(StepsOrEpochs::Epochs { epochs: 1.0 }), 3e-3, position, expected);
        }
    }

    #[test]
    fn a_run_without_steps_has_a_finite_rate() {
        let position = RunPosition { step: 0, steps: 0, steps_per_epoch: 0 };
        let all = [
            Schedule::Constant {},
            Schedule::Cosine {
                warmup: StepsOrEpochs::default(),
                warmup_start_lr: Some(0.0),
                min_lr: 0.0,
                reach_min: true,
            },
            Schedule::EpochCosine {
                epochs: None,
                warmup: 0,
                warmup_start_lr: 0.0,
                min_lr: 0.0,
                one_epoch_late: true,
            },
            Schedule::Step { step_size: StepsOrEpochs::default(), gamma: 0.5 },
        ];
        assert!(all.iter().all(|schedule| schedule.rate(1.0, position).is_finite()));
    }
}
