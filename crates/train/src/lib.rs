//! Recipes, losses and the training loop.
//!
//! A [`Recipe`] is a TOML file that composes a network, data, losses, parameter groups and a schedule; [`fit`] runs it.
//!
//! ```
//! use lexiform_train::{Recipe, Span};
//!
//! let recipe = Recipe::read("../../recipes/nano.toml".as_ref(), &["run.steps=10".to_owned()])?;
//! assert_eq!(recipe.run.steps, Span::Steps(10));
//! # Ok::<(), lexiform_train::RecipeError>(())
//! ```

mod augment;
mod batch;
mod data;
mod error;
mod event;
mod logging;
pub mod loss;
mod network;
pub mod optim;
mod recipe;
mod run;

pub use data::{Names, Origin, Sample, Saying, ShapeSet, held_out, held_out_clouds, held_out_questions};
pub use error::{CheckpointError, FilesError, FitError};
pub use event::{FeatureSource, GroupPlan, Plan, Step, TrainEvent};
pub use logging::Watcher;
pub use network::Design;
pub use recipe::{
    AugmentConfig, Axis, BatchConfig, CaptionRule, Clip, ClipNetwork, DataConfig, Feature, Gather,
    GroupConfig, HardConfig, HeadConfig, Kind, LowRankConfig, Method, MixedPrecision, NegativesRule,
    NetworkConfig, Order, PointChange, PointNetwork, Position, PretrainedNetwork, Recipe, RecipeError,
    RunConfig, ScaleConfig, ScanChange, Schedule, Size, Span, Spare, TermConfig, Turn, ViewChange,
};
pub use run::{Checkpoint, FitOptions, Progress, Trial, fit, rehearse};
