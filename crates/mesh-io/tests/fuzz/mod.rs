//! Parts of the fuzz test.

pub mod mutate;
pub mod samples;
pub mod watch;
