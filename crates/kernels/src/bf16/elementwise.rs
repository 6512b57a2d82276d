//! What surrounds products: bias and activation of a block, softmax of blocks of scores. The results are rounded to `bf16`, which
//! has 8 bits, so that approximations with 16 are exact enough.

use super::activation::Activation;
#[cfg(target_arch = "x86_64")]
use super::elementwise_x86;
use super::portable;
use super::unit::{Bf16Unit, Kind};
use crate::blocks::{BLOCK, BlockResult};

/// `activation(block + bias)`; the bias has a number for each column.
pub fn finish(unit: Bf16Unit, block: &mut BlockResult, bias: &[f32; BLOCK], activation: Option<Activation>) {
    match unit.0 {
        Kind::Portable => portable::finish(block, bias, activation),
        // SAFETY: machines with another unit have AVX-512.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { elementwise_x86::finish(block, bias, activation) },
    }
}

/// Turns scores into `exp(scale · (score − largest score of the row))` and returns the reciprocals of the sums of rows. `scores` are
/// blocks of 32 keys for the same 32 queries; row `r` sees the first `seen(r)` keys, at least one, and the others become 0.
pub fn softmax(
    unit: Bf16Unit,
    scores: &mut [BlockResult],
    scale: f32,
    seen: impl Fn(usize) -> usize,
) -> [f32; BLOCK] {
    std::array::from_fn(|row| match unit.0 {
        Kind::Portable => portable::softmax_row(scores, row, scale, seen(row)),
        // SAFETY: machines with another unit have AVX-512.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { elementwise_x86::softmax_row(scores, row, scale, seen(row)) },
    })
}

/// Multiplies each row by its factor.
pub fn scale_rows(block: &mut BlockResult, factors: &[f32; BLOCK]) {
    for (row, factor) in block.0.iter_mut().zip(factors) {
        row.iter_mut().for_each(|x| *x *= factor);
    }
}
