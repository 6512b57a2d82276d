//! The same in plain loops, for tests and for machines without a unit.

use super::activation::{Activation, GELU_TANH};
use crate::blocks::{BF16_TILES as TILES, BLOCK, BlockResult, EDGE, Tile};

/// The side of a product that an operand is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Lines are rows of the left matrix.
    Rows,
    /// Lines are columns of the right matrix.
    Columns,
}

/// Rounded to nearest, ties to even.
fn round(x: f32) -> u32 {
    let bits = x.to_bits();
    if x.is_nan() { bits >> 16 | 0x40 } else { bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16 }
}

/// Packs `lines` of `depth` numbers, `strides` apart.
pub(super) fn pack(
    values: &[f32],
    [lines, depth]: [usize; 2],
    strides: [usize; 2],
    tiles: &mut [Tile],
    side: Side,
) {
    let at = |line: usize, l: usize| {
        if line < lines && l < depth { round(values[line * strides[0] + l * strides[1]]) } else { 0 }
    };
    for (block, tiles) in tiles.chunks_exact_mut(TILES).enumerate() {
        for (line, pair) in (0..BLOCK).flat_map(|line| (0..EDGE).map(move |pair| (line, pair))) {
            let l = block * BLOCK + 2 * pair;
            let place = match side {
                Side::Rows => line % EDGE * EDGE + pair,
                Side::Columns => pair * EDGE + line % EDGE,
            };
            tiles[line / EDGE].0[place] = at(line, l) | at(line, l + 1) << 16;
        }
    }
}

/// `out = rows · columns`, or `out += rows · columns`.
pub(super) fn multiply(rows: &[Tile], columns: &[Tile], out: &mut BlockResult, adds: bool) {
    let halves = |pair: u32| [f32::from_bits(pair << 16), f32::from_bits(pair & 0xffff_0000)];
    for (row, out) in out.0.iter_mut().enumerate() {
        for (column, out) in out.iter_mut().enumerate() {
            let mut sum = if adds { *out } else { 0.0 };
            for (rows, columns) in rows.chunks_exact(TILES).zip(columns.chunks_exact(TILES)) {
                for pair in 0..EDGE {
                    let left = halves(rows[row / EDGE].0[row % EDGE * EDGE + pair]);
                    let right = halves(columns[column / EDGE].0[pair * EDGE + column % EDGE]);
                    sum += left[0] * right[0] + left[1] * right[1];
                }
            }
            *out = sum;
        }
    }
}

/// `activation(block + bias)`.
pub(super) fn finish(block: &mut BlockResult, bias: &[f32; BLOCK], activation: Option<Activation>) {
    for (x, bias) in block.0.iter_mut().flat_map(|row| row.iter_mut().zip(bias)) {
        *x += bias;
        *x = match activation {
            None => *x,
            Some(Activation::Gelu) => *x * normal_share(*x),
            Some(Activation::QuickGelu) => *x / (1.0 + (-1.702 * *x).exp()),
            Some(Activation::GeluTanh) => *x / (1.0 + (-*x * (GELU_TANH[0] + GELU_TANH[1] * *x * *x)).exp()),
            Some(Activation::Silu) => *x / (1.0 + (-*x).exp()),
            Some(Activation::Relu) => {
                if *x < 0.0 {
                    0.0
                } else {
                    *x
                }
            }
        };
    }
}

/// Exponentials of a row of scores relative to the largest, and the reciprocal of their sum.
pub(super) fn softmax_row(scores: &mut [BlockResult], row: usize, scale: f32, seen: usize) -> f32 {
    let numbers = |scores: &[BlockResult]| -> Vec<f32> {
        scores.iter().flat_map(|block| block.0[row]).take(seen).collect()
    };
    let most = numbers(scores).into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (at, x) in scores.iter_mut().flat_map(|block| &mut block.0[row]).enumerate() {
        *x = if at < seen { ((*x - most) * scale).exp() } else { 0.0 };
        sum += *x;
    }
    1.0 / sum
}

/// Φ(x), the share of a normal distribution below `x`, by its Taylor series around 0 and its asymptotic value beyond 6.
fn normal_share(x: f32) -> f32 {
    let x = f64::from(x);
    if x.is_nan() || x.abs() > 6.0 {
        return if x < 0.0 { 0.0 } else { 1.0 };
    }
    // Φ(x) = ½ + φ(x) (x + x³/3 + x⁵/(3·5) + …).
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > 1e-12 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    (0.5 + sum * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()) as f32
}
