//! Parts of the fuzz test.

#[allow(dead_code, reason = "not every test that has this module uses these files")]
pub mod exchange;
pub mod instrument;
pub mod mutate;
pub mod samples;
