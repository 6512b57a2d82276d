//! Rounding `f32` to `bf16` and ordering the numbers as tiles.

use std::arch::x86_64::{
    __m512, __m512i, __mmask16, _mm256_storeu_si256, _mm512_cvtepu16_epi32, _mm512_cvtneps_pbh,
    _mm512_maskz_loadu_ps, _mm512_or_si512, _mm512_slli_epi32, _mm512_storeu_si512,
};
use std::slice::ChunksExactMut;

use super::super::tiles::{BLOCK, BlockResult, Tile, first_lanes, transpose};
use super::{Bf16Unit, TILES};

/// Rows of a tile, and pairs of numbers in one of its rows.
const EDGE: usize = 16;

/// Packs rows `[rows, depth]` that are `stride` numbers apart, 32 at most, as blocks of depth 32; numbers beyond the last row and
/// depth are 0. `tiles` holds [`TILES`] for each block.
pub fn pack_rows(_: Bf16Unit, values: &[f32], [rows, depth]: [usize; 2], stride: usize, tiles: &mut [Tile]) {
    assert!(rows <= BLOCK && tiles.len() == depth.div_ceil(BLOCK) * TILES);
    assert!(rows == 0 || depth == 0 || (rows - 1) * stride + depth <= values.len());
    // SAFETY: machines with a unit have AVX-512-BF16.
    unsafe { rows_as_rows(values, [rows, depth], stride, tiles) };
}

/// A product, rounded, as a block of rows for the next one.
pub fn pack_result(_: Bf16Unit, result: &BlockResult, tiles: &mut [Tile]) {
    assert_eq!(tiles.len(), TILES);
    // SAFETY: machines with a unit have AVX-512-BF16.
    unsafe { rows_as_rows(result.0.as_flattened(), [BLOCK, BLOCK], BLOCK, tiles) };
}

/// Each row is a row of the tiles.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn rows_as_rows(values: &[f32], [rows, depth]: [usize; 2], stride: usize, tiles: &mut [Tile]) {
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
                unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), std::mem::transmute(rounded)) };
            }
        }
    }
}

/// A right matrix, rounded and packed: blocks of 32 columns, each a list of blocks of depth 32.
#[derive(Clone, Debug)]
pub struct PackedMatrix {
    tiles: Vec<Tile>,
    depth: usize,
    columns: usize,
}

impl PackedMatrix {
    /// A matrix `[depth, columns]` of zeros, to be packed by [`blocks_mut`](Self::blocks_mut).
    pub fn zeros([depth, columns]: [usize; 2]) -> Self {
        let size = depth.div_ceil(BLOCK) * TILES;
        Self { tiles: vec![Tile::ZERO; columns.div_ceil(BLOCK) * size], depth, columns }
    }

    /// The tiles of each 32 columns, for [`pack_columns`].
    pub fn blocks_mut(&mut self) -> ChunksExactMut<'_, Tile> {
        let size = self.depth.div_ceil(BLOCK) * TILES;
        self.tiles.chunks_exact_mut(size.max(1))
    }

    /// Depth and columns.
    pub fn shape(&self) -> [usize; 2] {
        [self.depth, self.columns]
    }

    /// The tiles of the 32 columns from `32 · block` on.
    pub fn block(&self, block: usize) -> &[Tile] {
        let size = self.depth.div_ceil(BLOCK) * TILES;
        &self.tiles[block * size..][..size]
    }

    /// Bytes in memory.
    pub fn n_bytes(&self) -> usize {
        std::mem::size_of_val(self.tiles.as_slice())
    }

    /// The rounded numbers, `[depth, columns]`.
    pub fn unpack(&self) -> Vec<f32> {
        let [depth, columns] = self.shape();
        let mut values = vec![0.0; depth * columns];
        for (row, values) in values.chunks_exact_mut(columns.max(1)).enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                let tiles = &self.block(column / BLOCK)[row / BLOCK * TILES..];
                let tile = &tiles[column % BLOCK / EDGE];
                let pair = tile.0[row % BLOCK / 2 * EDGE + column % EDGE];
                *value = f32::from_bits(if row % 2 == 0 { pair << 16 } else { pair & 0xffff_0000 });
            }
        }
        values
    }
}

/// Packs 32 columns from `first` on of a matrix `[depth, columns]` whose numbers are `strides` apart, one of them 1; numbers beyond
/// it are 0. `tiles` holds [`TILES`] for each depth of 32.
pub fn pack_columns(
    _: Bf16Unit,
    values: &[f32],
    [depth, columns]: [usize; 2],
    strides: [usize; 2],
    first: usize,
    tiles: &mut [Tile],
) {
    assert!(tiles.len() == depth.div_ceil(BLOCK) * TILES && first <= columns && strides.contains(&1));
    let last = depth.saturating_sub(1) * strides[0] + columns.saturating_sub(1) * strides[1];
    assert!(depth == 0 || columns == 0 || last < values.len(), "{columns} columns of {depth}");
    let count = (columns - first).min(BLOCK);
    match strides {
        // SAFETY: machines with a unit have AVX-512-BF16.
        [stride, 1] => unsafe { columns_by_depth(values, [depth, count], [first, stride], tiles) },
        [_, stride] => {
            let start = (first * stride).min(values.len());
            // SAFETY: as above.
            unsafe { columns_as_rows(&values[start..], [count, depth], stride, tiles) }
        }
    }
}

/// The numbers of a column are contiguous: packed as rows, then transposed.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn columns_as_rows(values: &[f32], shape: [usize; 2], stride: usize, tiles: &mut [Tile]) {
    rows_as_rows(values, shape, stride, tiles);
    tiles.iter_mut().for_each(|tile| transpose(tile));
}

/// The numbers of all columns at the same depth are contiguous: pairs of depths are rows of the tiles.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn columns_by_depth(
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
    _mm512_cvtepu16_epi32(unsafe { std::mem::transmute(_mm512_cvtneps_pbh(x)) })
}

/// The numbers from `start` on that `mask` selects, and 0 for the others.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(values: &[f32], start: usize, mask: __mmask16) -> __m512 {
    // SAFETY: selected lanes are inside of the operand, which callers have checked; others are not accessed.
    unsafe { _mm512_maskz_loadu_ps(mask, values.as_ptr().wrapping_add(start)) }
}
