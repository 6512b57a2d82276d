//! Parts of the fuzz test.

pub mod exchange;
pub mod instrument;
pub mod mutate;
pub mod samples;
