//! Parts of the fuzz test.

pub mod instrument;
pub mod mutate;
pub mod samples;
