//! The right operand of a product: a weight in `bf16`, or in bytes that are unpacked on the way.

use std::ops::Range;

use lexiform_kernels::bf16::{Bf16Unit, PackedMatrix, TILES};
use lexiform_kernels::blocks::{BLOCK, BlockResult, Tile};
use lexiform_kernels::matvec::{INT8_COLUMNS, Int8Matrix};

use super::super::memory::room;

/// The right operand, and what is added to each row of the product.
#[derive(Clone, Copy)]
pub(super) struct Right<'a> {
    /// What multiplies.
    pub unit: Bf16Unit,
    /// The operand.
    pub matrix: Columns<'a>,
    /// As long as whole blocks of columns, or empty.
    pub bias: &'a [[f32; BLOCK]],
}

/// Columns of the right operand.
#[derive(Clone, Copy)]
pub(super) enum Columns<'a> {
    /// As the units read them.
    Bf16(&'a PackedMatrix),
    /// Unpacked, a part of the depth of a block at a time, into memory that stays in the cache.
    Int8(&'a Int8Matrix),
}

impl<'a> Columns<'a> {
    /// Depth and columns.
    pub fn shape(self) -> [usize; 2] {
        match self {
            Self::Bf16(matrix) => matrix.shape(),
            Self::Int8(matrix) => matrix.shape(),
        }
    }

    /// A block of columns of a part of the depth.
    pub fn block<'b>(self, column: usize, part: &Range<usize>, unpacked: &'b mut Vec<Tile>) -> &'b [Tile]
    where
        'a: 'b,
    {
        match self {
            Self::Bf16(matrix) => &matrix.block(column)[part.start * TILES..part.end * TILES],
            Self::Int8(matrix) => {
                let tiles = room(unpacked, part.len() * TILES, Tile::ZERO);
                matrix.unpack_tiles(column, part.start, tiles);
                tiles
            }
        }
    }

    /// Asks for a part of a block that is read unchanged.
    pub fn ahead(self, column: usize, part: &Range<usize>) -> &'a [Tile] {
        match self {
            Self::Bf16(matrix) => &matrix.block(column)[part.start * TILES..part.end * TILES],
            Self::Int8(_) => &[],
        }
    }

    /// The factors of the 32 columns of a block, if its numbers have some.
    pub fn scales(self, column: usize) -> Option<&'a [f32]> {
        match self {
            Self::Bf16(_) => None,
            Self::Int8(matrix) => {
                let first = column * BLOCK;
                Some(&matrix.scales(first / INT8_COLUMNS)[first % INT8_COLUMNS..][..BLOCK])
            }
        }
    }
}

impl Right<'_> {
    /// Blocks of columns.
    pub fn column_blocks(&self) -> usize {
        self.matrix.shape()[1].div_ceil(BLOCK)
    }
}

/// Multiplies each column by its factor.
pub(super) fn scale_columns(block: &mut BlockResult, factors: &[f32]) {
    for row in &mut block.0 {
        row.iter_mut().zip(factors).for_each(|(x, factor)| *x *= factor);
    }
}
