//! Matrices in one byte per number: a column is a column of bytes times a factor, which is the largest magnitude of the column
//! divided by 127.

use crate::blocks::{BF16_TILES as TILES, BLOCK, EDGE, Tile};
use crate::{Kernel, SimdLevel};

/// Columns of a block.
pub const INT8_COLUMNS: usize = 64;

/// The largest byte, for the largest magnitude.
const LARGEST: f32 = 127.0;

/// A matrix `[depth, columns]`: blocks of 64 columns, each row by row, and a factor for each column. Columns beyond the last are 0.
#[derive(Clone, Debug)]
pub struct Int8Matrix {
    bytes: Vec<i8>,
    scales: Vec<f32>,
    depth: usize,
    columns: usize,
}

impl Int8Matrix {
    /// A matrix `[depth, columns]` of zeros, to be filled by [`blocks_mut`](Self::blocks_mut).
    pub fn zeros([depth, columns]: [usize; 2]) -> Self {
        let blocks = columns.div_ceil(INT8_COLUMNS);
        let bytes = vec![0; blocks * depth * INT8_COLUMNS];
        Self { bytes, scales: vec![0.0; blocks * INT8_COLUMNS], depth, columns }
    }

    /// Bytes and factors of each block, for [`pack_int8`].
    pub fn blocks_mut(&mut self) -> impl Iterator<Item = (&mut [i8], &mut [f32])> {
        let size = (self.depth * INT8_COLUMNS).max(1);
        self.bytes.chunks_exact_mut(size).zip(self.scales.chunks_exact_mut(INT8_COLUMNS))
    }

    /// Depth and columns.
    pub fn shape(&self) -> [usize; 2] {
        [self.depth, self.columns]
    }

    /// Bytes in memory.
    pub fn n_bytes(&self) -> usize {
        self.bytes.len() + std::mem::size_of_val(self.scales.as_slice())
    }

    pub(super) fn block(&self, block: usize) -> &[i8] {
        let size = self.depth * INT8_COLUMNS;
        &self.bytes[block * size..][..size]
    }

    /// The factors of a block's columns.
    pub fn scales(&self, block: usize) -> &[f32] {
        &self.scales[block * INT8_COLUMNS..][..INT8_COLUMNS]
    }

    /// The rounded numbers of a column, as long as the depth.
    pub fn column(&self, column: usize, out: &mut [f32]) {
        assert!(column < self.columns && out.len() == self.depth);
        let (bytes, scale) = (self.block(column / INT8_COLUMNS), self.scales[column]);
        let bytes = bytes.iter().skip(column % INT8_COLUMNS).step_by(INT8_COLUMNS);
        out.iter_mut().zip(bytes).for_each(|(x, byte)| *x = f32::from(*byte) * scale);
    }

    /// The bytes, without their factors, of the 32 columns from `32 · block` on and of `tiles.len() / 2` depths of 32 from
    /// `32 · first` on, in `bf16` as [`PackedMatrix`](crate::bf16::PackedMatrix) has them: bytes are exact in it.
    pub fn unpack_tiles(&self, block: usize, first: usize, tiles: &mut [Tile]) {
        let per_block = INT8_COLUMNS / BLOCK;
        let bytes = &self.block(block / per_block)[first * BLOCK * INT8_COLUMNS..];
        let from = block % per_block * BLOCK;
        SimdLevel::detect().run(UnpackTiles { bytes, from, tiles });
    }
}

/// Rounds up to 64 rows of values `[columns, depth]`, one after another, to a block of columns.
pub fn pack_int8(values: &[f32], depth: usize, (bytes, scales): (&mut [i8], &mut [f32])) {
    assert!(values.len() <= depth * INT8_COLUMNS && bytes.len() == depth * INT8_COLUMNS);
    assert!(scales.len() == INT8_COLUMNS);
    SimdLevel::detect().run(Pack { values, depth, bytes, scales });
}

struct Pack<'a> {
    values: &'a [f32],
    depth: usize,
    bytes: &'a mut [i8],
    scales: &'a mut [f32],
}

impl Kernel for Pack<'_> {
    #[inline(always)]
    fn run(self) {
        /// Rows that are read at a time: a line of the cache of each.
        const DEPTH: usize = 16;
        for (row, scale) in self.values.chunks_exact(self.depth.max(1)).zip(self.scales.iter_mut()) {
            let mut most = [0.0_f32; 16];
            let (chunks, rest) = row.as_chunks::<16>();
            for chunk in chunks {
                for (most, x) in most.iter_mut().zip(chunk) {
                    *most = if x.abs() > *most { x.abs() } else { *most };
                }
            }
            let largest = most.into_iter().chain(rest.iter().map(|x| x.abs())).fold(0.0_f32, f32::max);
            *scale = largest / LARGEST;
        }
        let mut factors = [0.0; INT8_COLUMNS];
        for (factor, scale) in factors.iter_mut().zip(self.scales.iter()) {
            *factor = if *scale > 0.0 { 1.0 / scale } else { 0.0 };
        }
        for (at, out) in self.bytes.chunks_mut(DEPTH * INT8_COLUMNS).enumerate() {
            for (column, factor) in (0..self.values.len() / self.depth.max(1)).zip(factors) {
                let row = &self.values[column * self.depth + at * DEPTH..];
                for (out, x) in out.chunks_exact_mut(INT8_COLUMNS).zip(row) {
                    // A conversion saturates, and NaN becomes 0.
                    out[column] = (x * factor).round_ties_even() as i8;
                }
            }
        }
    }
}

struct UnpackTiles<'a> {
    /// Rows of 64, from the first depth on.
    bytes: &'a [i8],
    /// First of the 32 columns.
    from: usize,
    tiles: &'a mut [Tile],
}

impl Kernel for UnpackTiles<'_> {
    #[inline(always)]
    fn run(self) {
        let upper = |byte: i8| f32::from(byte).to_bits();
        for (at, tiles) in self.tiles.chunks_exact_mut(TILES).enumerate() {
            for pair in 0..EDGE {
                let row = (at * BLOCK + 2 * pair) * INT8_COLUMNS + self.from;
                // Rows beyond the depth are 0, as those of other packed matrices.
                let part = |start: usize| {
                    let row = self.bytes.get(start..start + BLOCK);
                    row.and_then(|row| row.as_array::<BLOCK>()).copied().unwrap_or([0; BLOCK])
                };
                let (even, odd) = (part(row), part(row + INT8_COLUMNS));
                for (half, tile) in tiles.iter_mut().enumerate() {
                    let out = &mut tile.0[pair * EDGE..][..EDGE];
                    for (lane, out) in out.iter_mut().enumerate() {
                        let column = half * EDGE + lane;
                        *out = upper(even[column]) >> 16 | (upper(odd[column]) & 0xffff_0000);
                    }
                }
            }
        }
    }
}
