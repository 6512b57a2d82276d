//! Each level of the machine against sums in 64 bits.

use super::*;
use crate::bf16::{Bf16Unit, TILES, pack_columns};
use crate::blocks::Tile;
use crate::test_numbers::numbers;

/// Rows, depth and columns.
const SIZES: [[usize; 3]; 7] =
    [[1, 1, 1], [1, 33, 17], [2, 64, 64], [3, 31, 65], [4, 128, 100], [5, 7, 200], [9, 70, 130]];

/// Compares `found`, `[rows, columns]`, with products in 64 bits.
fn check(name: &str, found: &[f32], x: &[f32], weight: impl Fn(usize, usize) -> f32, [m, k, n]: [usize; 3]) {
    assert_eq!(found.len(), m * n);
    for (at, found) in found.iter().enumerate() {
        let (row, column) = (at / n, at % n);
        let term = |l: usize| f64::from(x[row * k + l]) * f64::from(weight(l, column));
        let expected: f64 = (0..k).map(term).sum();
        let scale: f64 = (0..k).map(|l| term(l).abs()).sum();
        let off = (f64::from(*found) - expected).abs();
        assert!(off <= 1e-6 * scale.max(1e-3), "{name} {m} {k} {n} at {at}: {found} {expected}");
    }
}

/// Blocks of `[rows, width]` as one matrix `[rows, columns]`.
fn joined(blocks: &[Vec<f32>], width: usize, [m, n]: [usize; 2]) -> Vec<f32> {
    let at = |row: usize, column: usize| blocks[column / width][row * width + column % width];
    (0..m * n).map(|at_| at(at_ / n, at_ % n)).collect()
}

#[test]
fn columns_in_f32_match_sums_in_64_bits() {
    for [m, k, n] in SIZES {
        let (x, weight) = (numbers(m * k, 1), numbers(k * n, 2));
        let width = 48;
        let run = |product: &dyn Fn(usize, usize, &mut [f32])| {
            let mut out = vec![0.0; m * n];
            for first in (0..n).step_by(width) {
                let width = width.min(n - first);
                let mut part = vec![f32::NAN; m * width];
                product(first, width, &mut part);
                for (out, part) in out.chunks_exact_mut(n).zip(part.chunks_exact(width)) {
                    out[first..first + width].copy_from_slice(part);
                }
            }
            out
        };
        let rows = Rows::new(&x, k);
        let found = run(&|first, width, out| multiply_f32(rows, &weight, [first, width, n], out));
        check("detected", &found, &x, |l, column| weight[l * n + column], [m, k, n]);
        for level in SimdLevel::available() {
            let found = run(&|first, width, out| {
                out.fill(0.0);
                portable::f32_columns(level, rows, &weight[first..], [width, n], out);
            });
            check(&format!("{level:?}"), &found, &x, |l, column| weight[l * n + column], [m, k, n]);
        }
    }
}

#[test]
fn blocks_in_bf16_match_sums_in_64_bits() {
    for [m, k, n] in SIZES {
        let (x, values) = (numbers(m * k, 3), numbers(k * n, 4));
        let mut matrix = PackedMatrix::zeros([k, n]);
        for (at, tiles) in matrix.blocks_mut().enumerate() {
            assert_eq!(tiles.len(), k.div_ceil(BLOCK) * TILES);
            pack_columns(Bf16Unit::portable(), &values, [k, n], [n, 1], at * BLOCK, tiles);
        }
        let weight = matrix.unpack();
        let rows = Rows::new(&x, k);
        let run = |product: &dyn Fn(usize, &mut [f32])| {
            let block = |at: usize| {
                let mut out = vec![f32::NAN; m * BLOCK];
                product(at, &mut out);
                out
            };
            let blocks: Vec<Vec<f32>> = (0..n.div_ceil(BLOCK)).map(block).collect();
            joined(&blocks, BLOCK, [m, n])
        };
        let found = run(&|at, out| multiply_bf16(rows, &matrix, at, out));
        check("detected", &found, &x, |l, column| weight[l * n + column], [m, k, n]);
        for level in SimdLevel::available() {
            let found = run(&|at, out| portable::bf16_block(level, rows, matrix.block(at), out));
            check(&format!("{level:?}"), &found, &x, |l, column| weight[l * n + column], [m, k, n]);
        }
        let mut column = vec![0.0; k];
        matrix.column(n - 1, &mut column);
        assert!(column.iter().enumerate().all(|(l, x)| *x == weight[l * n + n - 1]));
    }
}

/// A matrix of bytes from values `[columns, depth]`.
fn int8(values: &[f32], [k, n]: [usize; 2]) -> Int8Matrix {
    let mut matrix = Int8Matrix::zeros([k, n]);
    for (values, block) in values.chunks(k * INT8_COLUMNS).zip(matrix.blocks_mut()) {
        pack_int8(values, k, block);
    }
    matrix
}

#[test]
fn blocks_of_bytes_match_sums_in_64_bits() {
    for [m, k, n] in SIZES {
        let (x, values) = (numbers(m * k, 5), numbers(k * n, 6));
        let matrix = int8(&values, [k, n]);
        let mut weight = vec![0.0; k * n];
        for (column, weight) in weight.chunks_exact_mut(k).enumerate() {
            matrix.column(column, weight);
        }
        let rows = Rows::new(&x, k);
        let run = |product: &dyn Fn(usize, &mut [f32])| {
            let block = |at: usize| {
                let mut out = vec![f32::NAN; m * INT8_COLUMNS];
                product(at, &mut out);
                out
            };
            let blocks: Vec<Vec<f32>> = (0..n.div_ceil(INT8_COLUMNS)).map(block).collect();
            joined(&blocks, INT8_COLUMNS, [m, n])
        };
        let found = run(&|at, out| multiply_int8(rows, &matrix, at, out));
        check("detected", &found, &x, |l, column| weight[column * k + l], [m, k, n]);
        for level in SimdLevel::available() {
            let found = run(&|at, out| {
                portable::int8_block(level, rows, matrix.block(at), out);
                for out in out.chunks_exact_mut(INT8_COLUMNS) {
                    out.iter_mut().zip(matrix.scales(at)).for_each(|(x, scale)| *x *= scale);
                }
            });
            check(&format!("{level:?}"), &found, &x, |l, column| weight[column * k + l], [m, k, n]);
        }
    }
}

#[test]
fn bytes_are_within_half_a_step() {
    let (k, n) = (37, 70);
    let mut values = numbers(k * n, 7);
    values[..k].fill(0.0);
    values[k] = f32::NAN;
    let matrix = int8(&values, [k, n]);
    let mut column = vec![0.0; k];
    for (at, values) in values.chunks_exact(k).enumerate() {
        matrix.column(at, &mut column);
        let largest = values.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        for (found, x) in column.iter().zip(values) {
            let x = if x.is_nan() { 0.0 } else { *x };
            assert!((found - x).abs() <= largest / 127.0 * 0.5001, "column {at}: {found} {x}");
        }
    }
}

#[test]
fn unpacked_tiles_are_those_of_the_bytes() {
    for [k, n] in [[64, 64], [37, 70], [100, 33]] {
        let values = numbers(k * n, 8);
        let matrix = int8(&values, [k, n]);
        // Bytes as numbers, `[columns, depth]`, packed by the loops that units are tested against.
        let mut bytes = vec![0.0; k * n];
        for (column, bytes) in bytes.chunks_exact_mut(k).enumerate() {
            matrix.column(column, bytes);
            let scale = matrix.scales(column / INT8_COLUMNS)[column % INT8_COLUMNS];
            bytes.iter_mut().for_each(|x| *x = (*x / scale).round());
        }
        for block in 0..n.div_ceil(BLOCK) {
            let mut expected = vec![Tile::ZERO; k.div_ceil(BLOCK) * TILES];
            pack_columns(Bf16Unit::portable(), &bytes, [k, n], [1, k], block * BLOCK, &mut expected);
            let mut found = vec![Tile([7; 256]); expected.len()];
            let half = k.div_ceil(BLOCK) / 2;
            matrix.unpack_tiles(block, 0, &mut found[..half * TILES]);
            matrix.unpack_tiles(block, half, &mut found[half * TILES..]);
            assert!(found.iter().zip(&expected).all(|(a, b)| a.0 == b.0), "{k} {n} {block}");
        }
    }
}
