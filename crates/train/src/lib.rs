//! Data, losses, recipes and the training loop; shapes made from nothing to train on.

mod augment;
pub mod evaluate;
mod fit;
mod generated;
pub mod loss;
mod recipe;
mod schedule;
pub mod shapes;
mod towers;

pub use fit::{FitError, TrainEvent, fit};
pub use generated::{GeneratedShapes, Sample};
pub use recipe::{DataConfig, NetworkConfig, OptimizerKind, Recipe, RecipeError, ScheduleConfig};
pub use schedule::{Position, Schedule};
