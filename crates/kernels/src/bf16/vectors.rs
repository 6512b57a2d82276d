//! Blocks of 32 × 32 with dot products of AVX-512-BF16, from operands packed for tiles.

use std::arch::x86_64::{
    __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_load_si512, _mm512_set1_epi32, _mm512_setzero_ps,
};

use super::lanes::{load, store};
use crate::blocks::{BF16_TILES as TILES, BLOCK, BlockResult, EDGE, Tile};

/// Rows at a time: with two vectors of columns, 16 of the 32 registers are sums.
const ROWS: usize = 8;

/// `out = rows · columns`, or `out += rows · columns`.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) fn multiply(rows: &[Tile], columns: &[Tile], out: &mut BlockResult, adds: bool) {
    for first in (0..BLOCK).step_by(ROWS) {
        let (half, row) = (first / EDGE, first % EDGE);
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        // Sums go on from those of an earlier part of the depth, so that results do not depend on how it is divided.
        if adds {
            for (sums, row) in sums.iter_mut().zip(&out.0[first..first + ROWS]) {
                *sums = [load(&row[..EDGE]), load(&row[EDGE..])];
            }
        }
        for (rows, columns) in rows.chunks_exact(TILES).zip(columns.chunks_exact(TILES)) {
            for pair in 0..EDGE {
                let right = [pairs(&columns[0], pair), pairs(&columns[1], pair)];
                for (at, sums) in sums.iter_mut().enumerate() {
                    let left = broadcast(rows[half].0[(row + at) * EDGE + pair]);
                    sums[0] = _mm512_dpbf16_ps(sums[0], left, right[0]);
                    sums[1] = _mm512_dpbf16_ps(sums[1], left, right[1]);
                }
            }
        }
        for (out, sums) in out.0[first..first + ROWS].iter_mut().zip(sums) {
            for (out, sum) in out.chunks_exact_mut(EDGE).zip(sums) {
                store(out, sum);
            }
        }
    }
}

/// Row `pair` of a tile of columns.
#[inline]
#[target_feature(enable = "avx512f")]
fn pairs(tile: &Tile, pair: usize) -> __m512bh {
    let start: *const u32 = &raw const tile.0[pair * EDGE];
    // SAFETY: 16 numbers of 32 bits, aligned as a row of a tile is.
    as_bf16(unsafe { _mm512_load_si512(start.cast()) })
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(pair: u32) -> __m512bh {
    as_bf16(_mm512_set1_epi32(pair.cast_signed()))
}

#[inline]
fn as_bf16(bits: __m512i) -> __m512bh {
    // SAFETY: both are 512 bits in which every value is valid.
    unsafe { std::mem::transmute(bits) }
}
