//! Quantization of vectors, with a bound on the error.

use super::kernel;

/// A query in the number format of the rows.
pub(super) struct QuantizedQuery<'a> {
    pub(super) vector: &'a [f32],
    /// The vector in multiples of `step`; empty unless rows are integers.
    pub(super) integers: Vec<i16>,
    pub(super) step: f32,
    /// The part of the error bound that is the same for every row.
    pub(super) error_bound: f32,
}

impl<'a> QuantizedQuery<'a> {
    /// `to_integers`: whether rows are integers, so that the query must be quantize too.
    pub(super) fn new(vector: &'a [f32], to_integers: bool) -> Self {
        // Norms are 1 up to a thousandth; quantize rows may be slightly longer.
        const ROW_NORM: f32 = 1.1;
        let error_bound = kernel::rounding(vector.len());
        if !to_integers {
            return Self { vector, integers: Vec::new(), step: 0.0, error_bound };
        }
        // The finest scale that fits: the sum of dim products with 127 must stay below 2³¹.
        #[expect(clippy::cast_precision_loss, reason = "a limit, rounded down")]
        let levels = ((i32::MAX / 128) as f32 / vector.len().max(1) as f32).min(4095.0).floor();
        let step = step(vector, levels);
        let integers: Vec<i16> = vector.iter().map(|x| quantize(*x, 1.0 / step)).collect();
        let lost = quantization_error(vector, &integers, |x| f32::from(x) * step);
        Self { vector, integers, step, error_bound: error_bound + lost * ROW_NORM }
    }
}

/// The scale at which the largest number becomes `levels`; never 0.
pub(super) fn step(vector: &[f32], levels: f32) -> f32 {
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    (largest / levels).max(f32::MIN_POSITIVE)
}

/// The number in multiples of `1 / inverse`, rounded. Callers choose a scale that fits their integer type.
#[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate, and the scale fits")]
pub(super) fn quantize(number: f32, inverse: f32) -> i16 {
    // Add one half and truncate: `round` is a library call on CPUs without the instruction.
    let steps = number * inverse;
    (steps + 0.5_f32.copysign(steps)) as i32 as i16
}

/// Norm of the difference between a vector and its cells, converted back by `widen`; rounded up slightly, so that it
/// is a bound.
#[expect(clippy::cast_possible_truncation, reason = "the margin is wider than the rounding")]
pub(super) fn quantization_error<C: Copy>(vector: &[f32], cells: &[C], widen: impl Fn(C) -> f32) -> f32 {
    let mut sums = [0.0_f64; 8];
    let (blocks, rest) = vector.as_chunks::<8>();
    let (cell_blocks, cell_rest) = cells.as_chunks::<8>();
    for (block, cells) in blocks.iter().zip(cell_blocks) {
        for lane in 0..8 {
            sums[lane] += f64::from(block[lane] - widen(cells[lane])).powi(2);
        }
    }
    let rest: f64 = rest.iter().zip(cell_rest).map(|(x, cell)| f64::from(x - widen(*cell)).powi(2)).sum();
    ((sums.iter().sum::<f64>() + rest).sqrt() * 1.000_1) as f32 + f32::EPSILON
}
