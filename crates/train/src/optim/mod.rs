//! Parameter groups, optimizers, and gradient arithmetic.
//!
//! ```
//! use lexiform_train::optim::matches_pattern;
//!
//! let name = "vision.transformer.resblocks.10.attn.in_proj.weight";
//! assert!(matches_pattern("vision.transformer.resblocks.6+.attn", name));
//! assert!(!matches_pattern("text|points", name));
//! ```

pub(crate) mod adamw;
pub mod gradients;
mod param_groups;
pub mod parameters;

pub use param_groups::{ParameterGroup, ParameterGroups, matches_pattern};
