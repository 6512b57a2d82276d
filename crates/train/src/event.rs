//! What happens while training, for whoever shows it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lexiform_metrics::ClassificationMetrics;
use serde::Serialize;

/// What happens while training.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum TrainEvent {
    /// Shapes are being made, or read and drawn.
    Preparing {
        /// How many.
        shapes: usize,
    },
    /// A data set was opened.
    Opened {
        /// Its folder.
        path: PathBuf,
        /// Shapes to learn from.
        training: usize,
        /// Shapes to measure on.
        held_out: usize,
        /// Shapes that are not learned from: why, and how many.
        left_out: Vec<(String, usize)>,
        /// Where the teacher's features come from; absent where nothing is learned from any.
        features: Option<FeatureSource>,
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
        /// How well held-out shapes are named; absent where there are none.
        report: Option<ClassificationMetrics>,
        /// Whether it is the best so far; without held-out shapes the last one is.
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
    /// The run is over.
    Finished {
        /// Steps done, those of before it went on included.
        step: usize,
        /// Steps of this part of the run.
        steps: usize,
        /// Seconds of these steps, without evaluations and checkpoints.
        seconds: f64,
        /// Share of these seconds in which steps waited for their batches.
        waiting: f64,
        /// Time in which batches were drawn in parallel to the steps, as a share of these seconds.
        drawing: f64,
        /// Shapes a second.
        shapes_per_second: f64,
        /// Images a second.
        images_per_second: f64,
    },
}

/// Where the teacher's features of a data set's shapes come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum FeatureSource {
    /// They are in the set, made by the teacher.
    Set,
    /// They are computed by this run, because those in the set are of another model, or there are none.
    Computed {
        /// The teacher.
        expected: String,
        /// The model whose features are in the set, where it says so.
        found: Option<String>,
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
    /// Share of the batch whose own match, or category, is the most similar, in 0–1; for each term that asks for one.
    pub accuracies: BTreeMap<String, f64>,
    /// Learning rate of each group that moved.
    pub rates: BTreeMap<String, f64>,
    /// Norm of the gradients of each group whose norm is bounded.
    pub norms: BTreeMap<String, f32>,
    /// Logarithm of the multiplier of similarities.
    pub logit_scale: f32,
    /// Shapes a second of steps since the start.
    pub shapes_per_second: f64,
    /// Images a second of steps since the start.
    pub images_per_second: f64,
    /// Seconds of this step.
    pub seconds: f64,
    /// Share of them in which it waited for its batch.
    pub waiting: f64,
    /// Time in which the next batch was drawn in parallel to it, as a share of them.
    pub drawing: f64,
}
