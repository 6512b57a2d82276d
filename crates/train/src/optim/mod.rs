//! How gradients become steps: groups of parameters, optimizers, arithmetic on gradients.

mod adamw;
pub mod gradients;
mod param_groups;
pub mod parameters;

pub use param_groups::{ParameterGroup, ParameterGroups, matches_pattern};
