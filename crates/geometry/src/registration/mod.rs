//! Which shapes are the same, whatever their place, size, turn, triangles and colors.
//!
//! A [`CanonicalShape`] is what is left of a shape without these: points spread evenly over its surface, and points of
//! its clouds. Its [`Signature`] is a few numbers that do not change with them, for finding candidates among many;
//! [`CanonicalShape::fit`] lays two forms over each other and measures what lies between.

mod canonical;
mod duplicates;
mod eigen;
mod icp;
mod moments;
mod rotations;
mod signature;

pub use canonical::CanonicalShape;
pub use duplicates::{DuplicateGroup, duplicate_groups};
pub use icp::RegistrationResult;
pub use signature::Signature;
