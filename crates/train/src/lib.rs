//! Trains multi-view and point cloud encoders: recipes, data loading, losses, optimizers, and the training loop.
//!
//! A [`Recipe`] is a TOML file: network, data, loss terms, parameter groups and a learning rate schedule. [`fit`] trains it,
//! reports [`TrainEvent`]s, and writes models and a [`Checkpoint`] into an output folder; [`dry_run`] measures a step, an
//! evaluation and a checkpoint in a temporary folder.
//!
//! ```
//! use lexiform_train::{Recipe, StepsOrEpochs};
//!
//! let recipe = Recipe::read("../../recipes/nano.toml".as_ref(), &["run.steps=10".to_owned()])?;
//! assert_eq!(recipe.run.steps, StepsOrEpochs::Steps(10));
//! # Ok::<(), lexiform_train::RecipeError>(())
//! ```

mod augment;
mod batch;
mod captioner;
mod captioning;
mod data;
mod error;
mod event;
mod logging;
pub mod loss;
mod network;
pub mod optim;
pub mod processes;
mod recipe;
mod reference_names;
mod run;
mod sweep;

pub use captioner::{CaptionerOptions, CaptionerStep, train_captioner};
pub use captioning::fit_captioner;
pub use data::{
    Caption, CaptionSource, CategoryNames, Sample, ShapeSet, validation_clouds, validation_questions,
    validation_shapes,
};
pub use error::{CheckpointError, FitError, FolderError};
pub use event::{CaptionReport, FeatureSource, GroupPlan, StepMetrics, TrainEvent, TrainPlan};
pub use logging::RunLogger;
pub use network::OutputConfig;
pub use recipe::{
    AssetsConfig, AugmentConfig, Axis, BatchConfig, BatchSize, CaptionBatch, CaptionNetwork, CaptionRecipe,
    CaptionRun, CaptionSampling, ClipNetwork, DataConfig, Gather, GradClip, GroupConfig, HardNegativesConfig,
    HeadConfig, LanguageConfig, LogitScaleConfig, LoraConfig, LossKind, LossTermConfig, MixedPrecision,
    Modality, NegativesMode, NetworkConfig, NoDecay, OptimizerConfig, PointAugmentation, PointNetwork,
    PretrainedNetwork, Recipe, RecipeError, RunConfig, RunPosition, SampleOrder, SavePrecision,
    ScanAugmentation, Schedule, SecondSourceConfig, StepParity, StepsOrEpochs, ValidationConfig,
    ViewAugmentMode, edit_distance,
};
pub use reference_names::{ReferenceName, find_reference_name, reference_names};
pub use run::{Checkpoint, DryRun, FitOptions, RunProgress, dry_run, fit};
pub use sweep::{Sweep, SweepResult, SweepRun, check_no_run, write_sweep};
