//! Data, losses, recipes and the training loop; shapes made from nothing to train on.

mod adamw;
mod augment;
mod batch;
mod checkpoint;
mod clock;
pub mod clouds;
mod event;
mod files;
mod fit;
mod generated;
pub mod gradients;
pub mod groups;
pub mod loss;
mod material;
mod measure;
mod needs;
pub mod objective;
pub mod parameters;
mod pool;
mod published;
mod recipe;
mod rehearse;
mod rows_file;
mod run;
mod sampler;
mod saying;
pub mod scan;
mod schedule;
mod set_features;
mod set_supply;
mod shape_set;
pub mod shapes;
mod stored;
mod supply;
mod targets;
mod towers;
mod watch;

pub use augment::{AugmentConfig, ViewChange};
pub use batch::{BatchConfig, HardConfig, Labels, Order, Size};
pub use checkpoint::{Checkpoint, CheckpointError, Progress};
pub use event::{FeatureSource, GroupPlan, Plan, Step, TrainEvent};
pub use files::FilesError;
pub use fit::{FitError, FitOptions, fit};
pub use generated::{held_out, held_out_clouds, held_out_questions};
pub use recipe::{
    ClipNetwork, DataConfig, HeadConfig, LowRankConfig, NetworkConfig, PointNetwork, PretrainedNetwork,
    Recipe, RecipeError, RunConfig, ScaleConfig,
};
pub use rehearse::{Trial, rehearse};
pub use saying::{CaptionRule, Origin, Saying};
pub use schedule::{Position, Schedule, Span};
pub use shape_set::{Names, Sample, ShapeSet};
pub use towers::Design;
pub use watch::Watcher;
