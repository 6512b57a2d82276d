//! Rounding `f32` to `bf16` and ordering the numbers as tiles.

use std::slice::ChunksExactMut;

#[cfg(target_arch = "x86_64")]
use super::pack_x86;
use super::portable::{self, Side};
use super::unit::{Bf16Unit, Kind};
use crate::blocks::{BF16_TILES as TILES, BLOCK, BlockResult, EDGE, Tile, fits};

/// Packs rows `[rows, depth]` whose numbers are `strides` apart, one of them 1; 32 rows at most, as blocks of depth 32. Numbers beyond
/// the last row and depth are 0. `tiles` holds [`TILES`] for each block.
pub fn pack_rows(
    unit: Bf16Unit,
    values: &[f32],
    [rows, depth]: [usize; 2],
    strides: [usize; 2],
    tiles: &mut [Tile],
) {
    assert!(rows <= BLOCK && tiles.len() == depth.div_ceil(BLOCK) * TILES && strides.contains(&1));
    assert!(fits(values.len(), [rows, depth], strides), "{rows} rows of {depth}");
    match unit.0 {
        Kind::Portable => portable::pack(values, [rows, depth], strides, tiles, Side::Rows),
        // SAFETY: machines with another unit have AVX-512-BF16.
        #[cfg(target_arch = "x86_64")]
        _ if strides[1] == 1 => unsafe { pack_x86::rows_as_rows(values, [rows, depth], strides[0], tiles) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { pack_x86::rows_by_depth(values, [rows, depth], strides[1], tiles) },
    }
}

/// A product, rounded, as a block of rows for the next one.
pub fn pack_result(unit: Bf16Unit, result: &BlockResult, tiles: &mut [Tile]) {
    pack_rows(unit, result.0.as_flattened(), [BLOCK, BLOCK], [BLOCK, 1], tiles);
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
            values.iter_mut().enumerate().for_each(|(column, value)| *value = self.at(row, column));
        }
        values
    }

    /// The rounded numbers of a column, as long as the depth.
    pub fn column(&self, column: usize, out: &mut [f32]) {
        assert!(column < self.columns && out.len() == self.depth);
        out.iter_mut().enumerate().for_each(|(row, value)| *value = self.at(row, column));
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        let tiles = &self.block(column / BLOCK)[row / BLOCK * TILES..];
        let tile = &tiles[column % BLOCK / EDGE];
        let pair = tile.0[row % BLOCK / 2 * EDGE + column % EDGE];
        f32::from_bits(if row.is_multiple_of(2) { pair << 16 } else { pair & 0xffff_0000 })
    }
}

/// Packs 32 columns from `first` on of a matrix `[depth, columns]` whose numbers are `strides` apart, one of them 1; numbers beyond
/// it are 0. `tiles` holds [`TILES`] for each depth of 32.
pub fn pack_columns(
    unit: Bf16Unit,
    values: &[f32],
    [depth, columns]: [usize; 2],
    strides: [usize; 2],
    first: usize,
    tiles: &mut [Tile],
) {
    assert!(tiles.len() == depth.div_ceil(BLOCK) * TILES && first <= columns && strides.contains(&1));
    assert!(fits(values.len(), [depth, columns], strides), "{columns} columns of {depth}");
    let count = (columns - first).min(BLOCK);
    let start = (first * strides[1]).min(values.len());
    match unit.0 {
        Kind::Portable => {
            let strides = [strides[1], strides[0]];
            portable::pack(&values[start..], [count, depth], strides, tiles, Side::Columns);
        }
        // SAFETY: machines with another unit have AVX-512-BF16.
        #[cfg(target_arch = "x86_64")]
        _ if strides[1] == 1 => unsafe {
            pack_x86::columns_by_depth(values, [depth, count], [first, strides[0]], tiles);
        },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { pack_x86::columns_as_rows(&values[start..], [count, depth], strides[1], tiles) },
    }
}
