//! Which shapes are the same, whatever their place, size, turn, triangles and colors.
//!
//! A [`Form`] is what is left of a shape without these: points spread evenly over its surface, and points of
//! its clouds. Its [`Signature`] is a few numbers that do not change with them, for finding candidates among many;
//! [`Form::fit`] lays two forms over each other and measures what lies between.

mod eigen;
mod fit;
mod form;
mod groups;
mod moments;
mod signature;
mod turns;

pub use fit::Fit;
pub use form::Form;
pub use groups::{Group, groups};
pub use signature::Signature;
