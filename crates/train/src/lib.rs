//! Data, losses, recipes and the training loop; shapes made from nothing to train on.

mod adamw;
mod augment;
mod batch;
mod checkpoint;
mod clock;
pub mod clouds;
pub mod evaluate;
mod event;
mod files;
mod fit;
mod generated;
pub mod gradients;
pub mod groups;
pub mod loss;
pub mod objective;
pub mod parameters;
mod recipe;
mod rehearse;
mod run;
mod schedule;
mod shape_set;
pub mod shapes;
mod supply;
mod targets;
mod towers;
mod watch;

pub use augment::{AugmentConfig, ViewChange};
pub use batch::{BatchConfig, CaptionRule, HardConfig, Labels, Order, Size};
pub use checkpoint::{Checkpoint, CheckpointError, Progress};
pub use event::{GroupPlan, Plan, Step, TrainEvent};
pub use files::FilesError;
pub use fit::{FitError, FitOptions, fit};
pub use generated::{held_out, held_out_clouds};
pub use recipe::{
    ClipNetwork, DataConfig, LowRankConfig, NetworkConfig, PointNetwork, PretrainedNetwork, Recipe,
    RecipeError, RunConfig, ScaleConfig,
};
pub use rehearse::{Trial, rehearse};
pub use schedule::{Position, Schedule};
pub use shape_set::{Names, Sample, ShapeSet};
pub use towers::Design;
pub use watch::Watcher;
