//! Packing with AVX-512.

use std::arch::x86_64::{
    __m256bh, __m256i, __m512, __m512i, _mm256_storeu_si256, _mm512_cvtepu16_epi32, _mm512_cvtneps_pbh,
    _mm512_or_si512, _mm512_slli_epi32, _mm512_storeu_si512,
};

use crate::blocks::{BF16_TILES as TILES, BLOCK, EDGE, Tile};
use crate::tiles::{first_lanes, load, transpose};

/// Each row is a row of the tiles.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn rows_as_rows(values: &[f32], [rows, depth]: [usize; 2], stride: usize, tiles: &mut [Tile]) {
    for (at, block) in tiles.chunks_exact_mut(TILES).enumerate() {
        let first = at * BLOCK;
        let numbers = (depth - first).min(BLOCK);
        let masks = [first_lanes(numbers.min(EDGE)), first_lanes(numbers.saturating_sub(EDGE))];
        for row in 0..BLOCK {
            let out = &mut block[row / EDGE].0[row % EDGE * EDGE..][..EDGE];
            if row >= rows {
                out.fill(0);
                continue;
            }
            for (half, mask) in masks.into_iter().enumerate() {
                let rounded = _mm512_cvtneps_pbh(load(values, row * stride + first + half * EDGE, mask));
                let out = &mut out[half * EDGE / 2..][..EDGE / 2];
                // SAFETY: eight numbers of 32 bits hold sixteen of 16; both vectors are 256 bits in which every value is valid.
                unsafe {
                    _mm256_storeu_si256(
                        out.as_mut_ptr().cast(),
                        std::mem::transmute::<__m256bh, __m256i>(rounded),
                    )
                };
            }
        }
    }
}

/// The numbers of a column are contiguous: packed as rows, then transposed.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn columns_as_rows(values: &[f32], shape: [usize; 2], stride: usize, tiles: &mut [Tile]) {
    rows_as_rows(values, shape, stride, tiles);
    tiles.iter_mut().for_each(|tile| transpose(tile));
}

/// The numbers of all rows at the same depth are contiguous: packed as columns, then transposed.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn rows_by_depth(values: &[f32], [rows, depth]: [usize; 2], stride: usize, tiles: &mut [Tile]) {
    columns_by_depth(values, [depth, rows], [0, stride], tiles);
    tiles.iter_mut().for_each(|tile| transpose(tile));
}

/// The numbers of all columns at the same depth are contiguous: pairs of depths are rows of the tiles.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn columns_by_depth(
    values: &[f32],
    [depth, columns]: [usize; 2],
    [first, stride]: [usize; 2],
    tiles: &mut [Tile],
) {
    let masks = [first_lanes(columns.min(EDGE)), first_lanes(columns.saturating_sub(EDGE))];
    for (at, block) in tiles.chunks_exact_mut(TILES).enumerate() {
        for (half, (tile, mask)) in block.iter_mut().zip(masks).enumerate() {
            for (pair, out) in tile.0.chunks_exact_mut(EDGE).enumerate() {
                let rounded = |row: usize| {
                    let mask = if row < depth { mask } else { 0 };
                    round(load(values, row * stride + first + half * EDGE, mask))
                };
                let row = at * BLOCK + 2 * pair;
                let both = _mm512_or_si512(rounded(row), _mm512_slli_epi32::<16>(rounded(row + 1)));
                // SAFETY: 16 numbers of 32 bits.
                unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), both) };
            }
        }
    }
}

/// Rounded to 16 bits, in the lower halves of 32.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn round(x: __m512) -> __m512i {
    // SAFETY: both are 256 bits in which every value is valid.
    _mm512_cvtepu16_epi32(unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x)) })
}
