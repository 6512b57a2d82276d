//! Matrix products of numbers rounded to `bf16`, with sums in `f32`: on the tile unit (AMX) or with the dot products of AVX-512-BF16.
//!
//! Both read the same packed operands, so a matrix that is used often, as a weight, is packed once.

mod activation;
#[cfg(target_arch = "x86_64")]
mod amx;
mod elementwise;
#[cfg(target_arch = "x86_64")]
mod elementwise_x86;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod multiply;
mod pack;
#[cfg(target_arch = "x86_64")]
mod pack_x86;
mod portable;
#[cfg(test)]
mod tests;
mod unit;
#[cfg(target_arch = "x86_64")]
mod vectors;

pub use activation::{Activation, GELU_TANH};
pub use elementwise::{finish, scale_rows, softmax};
pub use multiply::{Bf16Thread, prefetch};
pub use pack::{PackedMatrix, pack_columns, pack_result, pack_rows};
pub use unit::Bf16Unit;

pub use crate::blocks::BF16_TILES as TILES;
