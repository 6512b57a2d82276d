//! Progress events of a training run, as passed to a caller's callback and written to `log.jsonl`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lexiform_metrics::ClassificationMetrics;
use serde::Serialize;

use crate::optim::ParameterGroup;

/// A progress event.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum TrainEvent {
    /// Shapes are being generated, or read and rendered.
    Preparing {
        /// Number of training shapes.
        shapes: usize,
    },
    /// A data set was opened.
    Opened {
        /// Its folder.
        path: PathBuf,
        /// Number of training shapes.
        training: usize,
        /// Number of validation shapes.
        validation: usize,
        /// Shapes excluded from training: reasons and counts.
        skipped: Vec<(String, usize)>,
        /// Source of the teacher's features; absent without a teacher.
        features: Option<FeatureSource>,
    },
    /// A file was skipped.
    FileSkipped {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The teacher's features are being computed.
    Features {
        /// Views and captions done.
        done: usize,
        /// Views and captions in total.
        total: usize,
    },
    /// The first step is about to start.
    Start(TrainPlan),
    /// A step is done.
    Step(StepMetrics),
    /// The model was saved and evaluated on the validation shapes.
    Evaluated {
        /// Steps done.
        step: usize,
        /// Metrics of the validation shapes; absent if there are none.
        report: Option<ClassificationMetrics>,
        /// Whether top-1 is the best so far; always true without validation shapes.
        best: bool,
        /// Path of the saved model.
        path: PathBuf,
    },
    /// A captioner was saved and evaluated on the validation shapes.
    Captioned {
        /// Steps done.
        step: usize,
        /// Metrics of the captions; absent if there are no validation shapes.
        report: Option<CaptionReport>,
        /// Whether CIDEr is the best so far; always true without validation shapes.
        best: bool,
        /// Path of the saved captioner.
        path: PathBuf,
    },
    /// A checkpoint was saved.
    CheckpointSaved {
        /// Steps done.
        step: usize,
    },
    /// Early stopping: the run ends before its last step.
    EarlyStopped {
        /// Steps done.
        step: usize,
        /// The reason.
        reason: String,
    },
    /// The run is finished.
    Finished {
        /// Steps done, including those before a resume.
        step: usize,
        /// Steps since the start or resume. The following numbers are of these.
        steps: usize,
        /// Time of the steps in seconds, without evaluations and checkpoints.
        seconds: f64,
        /// Fraction of this time spent waiting for batches.
        data_wait: f64,
        /// Time of loading batches, in parallel to the steps, as a fraction of `seconds`.
        data_load: f64,
        /// Shapes per second.
        shapes_per_second: f64,
        /// Images per second.
        images_per_second: f64,
    },
}

/// Source of the teacher's features for the shapes of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum FeatureSource {
    /// Stored in the data set.
    Dataset,
    /// Computed by this run, because the data set has none or those of another model.
    Computed {
        /// The teacher.
        expected: String,
        /// The model whose features are in the data set, if known.
        found: Option<String>,
    },
}

/// Metrics of captions of validation shapes, as pycocoevalcap computes them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CaptionReport {
    /// Number of shapes; of questions, where shapes have no captions.
    pub items: usize,
    /// CIDEr ([arXiv 1411.5726](https://arxiv.org/abs/1411.5726)), 1 rather than 100 for 100 %.
    pub cider: f64,
    /// BLEU-4.
    pub bleu_4: f64,
}

/// What a run will train.
#[derive(Clone, Debug, Serialize)]
pub struct TrainPlan {
    /// Steps in total.
    pub steps: usize,
    /// Steps done before a resume.
    pub start_step: usize,
    /// Steps per epoch.
    pub steps_per_epoch: usize,
    /// Parameter groups.
    pub groups: Vec<GroupPlan>,
    /// Number of trainable parameters.
    pub trainable_parameters: usize,
    /// Number of frozen parameters.
    pub frozen_parameters: usize,
    /// Number of categories.
    pub categories: usize,
    /// Vocabulary size of the text tower; 0 without one.
    pub vocabulary_size: usize,
    /// Memory for weights, gradients, optimizer state, averaged weights and shapes in bytes; activations are extra.
    pub memory_bytes: u64,
}

/// A parameter group.
#[derive(Clone, Debug, Serialize)]
pub struct GroupPlan {
    /// Name in the recipe.
    pub name: String,
    /// Number of tensors.
    pub tensors: usize,
    /// Number of parameters.
    pub parameters: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
}

impl GroupPlan {
    /// The plan of a group.
    pub(crate) fn of(group: &ParameterGroup) -> Self {
        Self {
            name: group.name().to_owned(),
            tensors: group.n_tensors(),
            parameters: group.n_parameters,
            learning_rate: group.config().learning_rate,
        }
    }
}

/// Metrics of a step.
#[derive(Clone, Debug, Serialize)]
pub struct StepMetrics {
    /// Step number, from 1.
    pub step: usize,
    /// Weighted sum of the active loss terms.
    pub loss: f64,
    /// Loss terms by name.
    pub losses: BTreeMap<String, f64>,
    /// Accuracy within the batch by loss term, 0–1: fraction of rows whose match, or category, is the most similar.
    pub accuracies: BTreeMap<String, f64>,
    /// Learning rates of the active parameter groups.
    pub learning_rates: BTreeMap<String, f64>,
    /// Gradient norms before clipping, of groups with `grad_clip = { norm = … }`.
    pub grad_norms: BTreeMap<String, f32>,
    /// Logarithm of the temperature factor.
    pub logit_scale: f32,
    /// Shapes per second since the start or resume.
    pub shapes_per_second: f64,
    /// Images per second since the start or resume.
    pub images_per_second: f64,
    /// Time of this step in seconds.
    pub seconds: f64,
    /// Fraction of this time spent waiting for the batch.
    pub data_wait: f64,
    /// Time of loading the next batch, in parallel, as a fraction of `seconds`.
    pub data_load: f64,
}
