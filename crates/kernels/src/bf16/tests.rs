//! Each unit of the machine against plain loops, and those against sums in 64 bits.

use super::*;
use crate::blocks::{BLOCK, BlockResult, Tile};
use crate::test_numbers::numbers;

/// The nearest number with 8 bits, ties to even: what both operands are rounded to.
fn rounded(x: f32) -> f64 {
    let step = 2.0_f64.powi(f64::from(x.abs()).log2().floor() as i32 - 7);
    (f64::from(x) / step).round_ties_even() * step
}

fn units() -> Vec<Bf16Unit> {
    [Bf16Unit::available(), vec![Bf16Unit::portable()]].concat()
}

/// A product by way of packed blocks.
fn product(
    unit: Bf16Unit,
    (left, strides): (&[f32], [usize; 2]),
    right: &PackedMatrix,
    [m, n, k]: [usize; 3],
) -> Vec<f32> {
    let (thread, mut out) = (unit.configure(), vec![f32::NAN; m * n]);
    let mut tiles = vec![Tile::ZERO; k.div_ceil(BLOCK) * TILES];
    for row in (0..m).step_by(BLOCK) {
        let rows = BLOCK.min(m - row);
        pack_rows(unit, &left[row * strides[0]..], [rows, k], strides, &mut tiles);
        for column in (0..n).step_by(BLOCK) {
            let mut block = BlockResult([[7.0; BLOCK]; BLOCK]);
            let columns = right.block(column / BLOCK);
            // In two parts of the depth, the second of which is added.
            let half = k.div_ceil(BLOCK) / 2 * TILES;
            thread.multiply(&tiles[..half], &columns[..half], &mut block, false);
            thread.multiply(&tiles[half..], &columns[half..], &mut block, true);
            for (i, values) in block.0.iter().take(rows).enumerate() {
                let count = BLOCK.min(n - column);
                out[(row + i) * n + column..][..count].copy_from_slice(&values[..count]);
            }
        }
    }
    out
}

fn packed(unit: Bf16Unit, values: &[f32], shape: [usize; 2], strides: [usize; 2]) -> PackedMatrix {
    let mut matrix = PackedMatrix::zeros(shape);
    for (at, tiles) in matrix.blocks_mut().enumerate() {
        pack_columns(unit, values, shape, strides, at * BLOCK, tiles);
    }
    matrix
}

#[test]
fn products_of_odd_sizes_match_sums_in_64_bits() {
    for [m, n, k] in [[1, 1, 1], [32, 32, 32], [33, 31, 65], [5, 70, 100], [64, 17, 3], [40, 48, 200]] {
        let (left, right) = (numbers(m * k, 1), numbers(k * n, 2));
        for unit in units() {
            for (left_strides, strides) in [([k, 1], [n, 1]), ([1, m], [1, k])] {
                let matrix = packed(unit, &right, [k, n], strides);
                let found = product(unit, (&left, left_strides), &matrix, [m, n, k]);
                for (at, found) in found.iter().enumerate() {
                    let (row, column) = (at / n, at % n);
                    let term = |l: usize| {
                        let right = right[l * strides[0] + column * strides[1]];
                        rounded(left[row * left_strides[0] + l * left_strides[1]]) * rounded(right)
                    };
                    let expected: f64 = (0..k).map(term).sum();
                    let (off, name) = ((f64::from(*found) - expected).abs(), unit.name());
                    assert!(
                        off < 1e-5 * (k as f64).sqrt(),
                        "{name} {m} {n} {k} {strides:?} at {at}: {off:e}"
                    );
                }
            }
        }
    }
}

/// How the depth is divided depends on the number of threads; results must not.
#[test]
fn parts_of_the_depth_give_the_same_bits() {
    let k = 5 * BLOCK;
    let (left, right) = (numbers(BLOCK * k, 7), numbers(k * BLOCK, 8));
    for unit in units() {
        let (matrix, thread) = (packed(unit, &right, [k, BLOCK], [BLOCK, 1]), unit.configure());
        let mut tiles = vec![Tile::ZERO; 5 * TILES];
        pack_rows(unit, &left, [BLOCK, k], [k, 1], &mut tiles);
        let (mut whole, mut parts) = (BlockResult::ZERO, BlockResult::ZERO);
        thread.multiply(&tiles, matrix.block(0), &mut whole, false);
        thread.multiply(&tiles[..2 * TILES], &matrix.block(0)[..2 * TILES], &mut parts, false);
        thread.multiply(&tiles[2 * TILES..], &matrix.block(0)[2 * TILES..], &mut parts, true);
        assert!(whole.0 == parts.0, "{}", unit.name());
    }
}

#[test]
fn unpacked_weights_are_the_rounded_ones() {
    let (shape, values) = ([37, 45], numbers(37 * 45, 3));
    for unit in units() {
        let unpacked = packed(unit, &values, shape, [45, 1]).unpack();
        assert!(
            unpacked.iter().zip(&values).all(|(found, x)| f64::from(*found) == rounded(*x)),
            "{}",
            unit.name()
        );
    }
}

#[test]
fn results_are_packed_like_rows() {
    let values = numbers(BLOCK * BLOCK, 4);
    for unit in units() {
        let mut block = BlockResult::ZERO;
        block.0.as_flattened_mut().copy_from_slice(&values);
        let (mut found, mut expected) = ([Tile::ZERO; TILES], [Tile::ZERO; TILES]);
        pack_result(unit, &block, &mut found);
        pack_rows(Bf16Unit::portable(), &values, [BLOCK, BLOCK], [BLOCK, 1], &mut expected);
        assert!(found.iter().zip(&expected).all(|(a, b)| a.0 == b.0), "{}", unit.name());
    }
}

/// Φ(x) in 64 bits, by Simpson's rule.
fn normal_share(x: f64) -> f64 {
    let (steps, x) = (2000, x.clamp(-9.0, 9.0));
    let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
    let h = x / f64::from(steps);
    let inner = |i: i32| f64::from(2 + 2 * (i % 2)) * density(h * f64::from(i));
    0.5 + (density(0.0) + density(x) + (1..steps).map(inner).sum::<f64>()) * h / 3.0
}

#[test]
fn activations_match_their_definitions() {
    let bias: [f32; BLOCK] = std::array::from_fn(|at| at as f32 * 0.37 - 6.0);
    let inputs = numbers(BLOCK * BLOCK, 5);
    let all =
        [Activation::Gelu, Activation::QuickGelu, Activation::GeluTanh, Activation::Silu, Activation::Relu];
    for activation in all.map(Some).into_iter().chain([None]) {
        for unit in units() {
            let mut block = BlockResult::ZERO;
            block.0.as_flattened_mut().copy_from_slice(&inputs);
            finish(unit, &mut block, &bias, activation);
            for (at, found) in block.0.as_flattened().iter().enumerate() {
                let x = f64::from(inputs[at] + bias[at % BLOCK]);
                let expected = match activation {
                    None => x,
                    Some(Activation::Gelu) => x * normal_share(x),
                    Some(Activation::QuickGelu) => x / (1.0 + (-1.702 * x).exp()),
                    Some(Activation::GeluTanh) => {
                        let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
                        0.5 * x * (1.0 + u.tanh())
                    }
                    Some(Activation::Silu) => x / (1.0 + (-x).exp()),
                    Some(Activation::Relu) => x.max(0.0),
                };
                let off = (f64::from(*found) - expected).abs();
                // A bf16 number has a relative precision of 2⁻⁹.
                assert!(off < 5e-5 + 2e-5 * x.abs(), "{activation:?} {} of {x}: off by {off:e}", unit.name());
            }
        }
    }
}

#[test]
fn activations_of_infinity_and_nan_are_not_numbers_where_they_should_not_be() {
    let bias = [0.0; BLOCK];
    for unit in units() {
        let all = [
            Activation::Gelu,
            Activation::QuickGelu,
            Activation::GeluTanh,
            Activation::Silu,
            Activation::Relu,
        ];
        for activation in all {
            let mut block = BlockResult::ZERO;
            (block.0[0][0], block.0[0][1], block.0[0][2]) = (f32::NAN, 1e30, -1e30);
            finish(unit, &mut block, &bias, Some(activation));
            let [nan, large, small] = [0, 1, 2].map(|at: usize| block.0[0][at]);
            assert!(
                nan.is_nan() && (large / 1e30 - 1.0).abs() < 2e-5 && small.abs() < 1e-3,
                "{activation:?} {}: {nan} {large} {small}",
                unit.name()
            );
        }
    }
}

#[test]
fn shares_of_scores_sum_to_one_over_the_keys_that_are_seen() {
    let (scale, length) = (0.125, 70);
    let inputs = numbers(3 * BLOCK * BLOCK, 6);
    for unit in units() {
        for causal in [false, true] {
            let seen = |row: usize| if causal { (row + 30).min(length) } else { length };
            let mut scores = vec![BlockResult::ZERO; 3];
            for (block, values) in scores.iter_mut().zip(inputs.chunks_exact(BLOCK * BLOCK)) {
                block.0.as_flattened_mut().iter_mut().zip(values).for_each(|(x, value)| *x = value * 40.0);
            }
            let before = scores.clone();
            let sums = softmax(unit, &mut scores, scale, seen);
            for (row, share) in sums.iter().enumerate() {
                let x = |key: usize| f64::from(before[key / BLOCK].0[row][key % BLOCK]);
                let most = (0..seen(row)).map(x).fold(f64::NEG_INFINITY, f64::max);
                let power = |key: usize| ((x(key) - most) * f64::from(scale)).exp();
                let sum: f64 = (0..seen(row)).map(power).sum();
                for key in 0..3 * BLOCK {
                    let expected = if key < seen(row) { power(key) / sum } else { 0.0 };
                    let found = f64::from(scores[key / BLOCK].0[row][key % BLOCK] * share);
                    assert!(
                        (found - expected).abs() < 1e-5,
                        "{} {row} {key}: {found} {expected}",
                        unit.name()
                    );
                }
            }
        }
    }
}
