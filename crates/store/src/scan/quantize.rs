//! Numbers in fewer bits, with a bound on what that loses.

use super::kernel;

/// A query as the cells need it.
pub(super) struct Query<'a> {
    pub(super) vector: &'a [f32],
    /// The vector in steps of `step`; empty unless cells are integers.
    pub(super) integers: Vec<i16>,
    pub(super) step: f32,
    /// The part of a score's error that is the same for every row.
    pub(super) slack: f32,
}

impl<'a> Query<'a> {
    /// `to_integers`: whether rows are integers, and the query must be too.
    pub(super) fn new(vector: &'a [f32], to_integers: bool) -> Self {
        // Vectors are unit up to a thousandth, rows rounded to integers a little more.
        const ROW_NORM: f32 = 1.1;
        let slack = kernel::rounding(vector.len());
        if !to_integers {
            return Self { vector, integers: Vec::new(), step: 0.0, slack };
        }
        // As fine as fits: the sum of dim products with 127 must stay below 2³¹.
        #[expect(clippy::cast_precision_loss, reason = "a limit, rounded down")]
        let levels = ((i32::MAX / 128) as f32 / vector.len().max(1) as f32).min(4095.0).floor();
        let step = step(vector, levels);
        let integers: Vec<i16> = vector.iter().map(|x| quantized(*x, 1.0 / step)).collect();
        let lost = distance(vector, &integers, |x| f32::from(x) * step);
        Self { vector, integers, step, slack: slack + lost * ROW_NORM }
    }
}

/// The size of a step if the largest number is `levels` steps; never 0.
pub(super) fn step(vector: &[f32], levels: f32) -> f32 {
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    (largest / levels).max(f32::MIN_POSITIVE)
}

/// In whole steps of `1 / inverse`. Callers choose steps that fit their integer.
#[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate, steps fit")]
pub(super) fn quantized(number: f32, inverse: f32) -> i16 {
    // Half a step and a cut, as `round` is a library call on machines without the instruction.
    let steps = number * inverse;
    (steps + 0.5_f32.copysign(steps)) as i32 as i16
}

/// Length of the difference between a vector and what `widen` makes of its cells, rounded up a little to stay a
/// bound.
#[expect(clippy::cast_possible_truncation, reason = "the margin is wider than the rounding")]
pub(super) fn distance<C: Copy>(vector: &[f32], cells: &[C], widen: impl Fn(C) -> f32) -> f32 {
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
