//! What happens while training, for whoever shows it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::evaluate::ZeroShotReport;

/// What happens while training.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum TrainEvent {
    /// Shapes are being made, or read and drawn.
    Preparing {
        /// How many.
        shapes: usize,
    },
    /// A file cannot be used.
    LeftOut {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Features of the frozen model are being computed.
    Features {
        /// Views and captions done.
        done: usize,
        /// All.
        all: usize,
    },
    /// Ready to start.
    Start(Plan),
    /// One step is done.
    Step(Step),
    /// The averaged weights were measured on held-out shapes.
    Evaluated {
        /// After which step.
        step: usize,
        /// How well held-out shapes are named.
        report: ZeroShotReport,
        /// Whether it is the best so far.
        best: bool,
        /// Where the model was written.
        path: PathBuf,
    },
    /// A checkpoint is whole.
    Saved {
        /// After which step.
        step: usize,
    },
    /// The run ends before its last step.
    Stopped {
        /// After which step.
        step: usize,
        /// Why.
        reason: String,
    },
}

/// What a run would do.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Steps in all.
    pub steps: usize,
    /// Steps done before.
    pub done: usize,
    /// Steps in which every sample comes once.
    pub steps_per_epoch: usize,
    /// Groups of trained parameters.
    pub groups: Vec<GroupPlan>,
    /// Trained numbers.
    pub parameters: usize,
    /// Numbers that do not change.
    pub frozen: usize,
    /// Categories of shapes.
    pub categories: usize,
    /// Words of the vocabulary.
    pub vocabulary: usize,
    /// Bytes of weights, gradients, optimizer state, running mean and samples; activations come on top.
    pub bytes: u64,
}

/// One group of trained parameters.
#[derive(Clone, Debug, Serialize)]
pub struct GroupPlan {
    /// Its name.
    pub name: String,
    /// Tensors in it.
    pub tensors: usize,
    /// Numbers in it.
    pub parameters: usize,
    /// Largest learning rate.
    pub learning_rate: f64,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Which, from 1.
    pub step: usize,
    /// Weighted sum of the terms whose turn it was.
    pub loss: f64,
    /// Each term.
    pub losses: BTreeMap<String, f64>,
    /// Learning rate of each group that moved.
    pub rates: BTreeMap<String, f64>,
    /// Norm of the gradients of each group whose norm is bounded.
    pub norms: BTreeMap<String, f32>,
    /// Logarithm of the multiplier of similarities.
    pub logit_scale: f32,
    /// Shapes seen per second since the start.
    pub shapes_per_second: f64,
    /// Images seen per second since the start.
    pub images_per_second: f64,
    /// Share of the time in which the step waited for its batch.
    pub waiting: f64,
}
