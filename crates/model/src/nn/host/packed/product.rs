//! Products of packed operands.
//!
//! The left matrix is packed whole, in parts of its depth whose rows stay in the L2 cache. Each task takes some blocks of columns
//! of the right one, reads them once, and multiplies all rows by them.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use lexiform_kernels::bf16::{Bf16Unit, TILES, finish, pack_result, pack_rows, prefetch};
use lexiform_kernels::blocks::{BLOCK, BlockResult, Tile};
use rayon::prelude::*;

use super::super::matrix::{Matrix, MatrixMut, WriteMode};
use super::super::memory::room;
use super::right::{Right, scale_columns};
use crate::nn::Activation;

/// Blocks of depth that are multiplied at once, at most: rows of a task take 1.3 MB, of 2 MB of L2 cache.
const PART: usize = 32;
/// Blocks of rows of a task, at most.
const ROW_BLOCKS: usize = 20;
/// Blocks of sums that a task keeps from one part of the depth to the next, at most: 512 KiB.
const SUMS: usize = 128;

thread_local! {
    static LEFT: RefCell<Vec<Vec<Tile>>> = const { RefCell::new(Vec::new()) };
    static SUM_BLOCKS: Cell<Vec<BlockResult>> = const { Cell::new(Vec::new()) };
    static ROWS: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
    static UNPACKED: Cell<Vec<Tile>> = const { Cell::new(Vec::new()) };
}

/// Rows in `bf16`: for each part of the depth, blocks of 32 rows, each a list of blocks of depth 32.
#[derive(Default)]
pub(super) struct LeftOperand {
    tiles: Vec<Tile>,
    rows: usize,
    depth: usize,
    /// Parts of the depth, in blocks.
    parts: Vec<Range<usize>>,
}

/// Parts of `size` blocks, the last of which may be smaller.
fn parts(blocks: usize, size: usize) -> Vec<Range<usize>> {
    (0..blocks).step_by(size).map(|start| start..(start + size).min(blocks)).collect()
}

impl LeftOperand {
    /// One in the memory of another that this thread has [put back](Self::put_back), if any.
    pub fn take() -> Self {
        let tiles = LEFT.with_borrow_mut(Vec::pop).unwrap_or_default();
        Self { tiles, ..Self::default() }
    }

    /// Keeps the memory for the next one.
    pub fn put_back(self) {
        LEFT.with_borrow_mut(|kept| kept.push(self.tiles));
    }

    /// Room for rows `[rows, depth]`, in parts of `size` blocks of the depth.
    fn resize(&mut self, [rows, depth]: [usize; 2], size: usize) {
        (self.rows, self.depth) = (rows, depth);
        self.parts = parts(depth.div_ceil(BLOCK), size);
        room(&mut self.tiles, rows.div_ceil(BLOCK) * depth.div_ceil(BLOCK) * TILES, Tile::ZERO);
    }

    /// Room for rows `[rows, depth]`, in equal parts of at most `PART` blocks of the depth.
    fn resize_evenly(&mut self, shape: [usize; 2]) {
        let blocks = shape[1].div_ceil(BLOCK);
        self.resize(shape, blocks.div_ceil(blocks.div_ceil(PART).max(1)).max(1));
    }

    /// Packs rows `[rows, depth]` that `fill` computes: it is given the first row and room for 32, fewer at the end.
    pub fn pack(
        &mut self,
        unit: Bf16Unit,
        [rows, depth]: [usize; 2],
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        self.resize_evenly([rows, depth]);
        self.each_block(|first, parts| {
            let count = BLOCK.min(rows - first);
            let mut kept = ROWS.take();
            let values = room(&mut kept, count * depth, 0.0);
            fill(first, values);
            for (start, tiles) in parts {
                let width = (tiles.len() / TILES * BLOCK).min(depth - start);
                pack_rows(unit, &values[start..], [count, width], [depth, 1], tiles);
            }
            ROWS.set(kept);
        });
    }

    /// Packs the rows of a matrix.
    pub fn pack_matrix(&mut self, unit: Bf16Unit, matrix: Matrix<'_>) {
        let ([rows, depth], strides) = (matrix.shape(), matrix.strides());
        self.resize_evenly([rows, depth]);
        self.each_block(|first, parts| {
            for (start, tiles) in parts {
                let width = (tiles.len() / TILES * BLOCK).min(depth - start);
                let values = &matrix.values()[first * strides[0] + start * strides[1]..];
                pack_rows(unit, values, [BLOCK.min(rows - first), width], strides, tiles);
            }
        });
    }

    /// Calls `pack` with the first row of each block and its tiles, in as many places as the depth has parts, with the depth that
    /// they start at.
    fn each_block(&mut self, pack: impl Fn(usize, Vec<(usize, &mut [Tile])>) + Sync) {
        let mut blocks: Vec<Vec<(usize, &mut [Tile])>> = (0..self.row_blocks()).map(|_| Vec::new()).collect();
        let mut rest = self.tiles.as_mut_slice();
        for part in &self.parts {
            for block in &mut blocks {
                let (tiles, after) = rest.split_at_mut(part.len() * TILES);
                block.push((part.start * BLOCK, tiles));
                rest = after;
            }
        }
        blocks.into_par_iter().enumerate().for_each(|(at, parts)| pack(at * BLOCK, parts));
    }

    fn row_blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK)
    }

    /// A block of rows of a part of the depth.
    fn block(&self, part: &Range<usize>, row_block: usize) -> &[Tile] {
        let start = (self.row_blocks() * part.start + row_block * part.len()) * TILES;
        &self.tiles[start..][..part.len() * TILES]
    }
}

/// What becomes of the blocks of a product.
pub(super) trait Output: Sized {
    /// What a task writes.
    type Task: Send;

    /// The tasks' shares, with the first row and column of each; `size` is the number of rows and columns of a task.
    fn split(self, size: [usize; 2]) -> Vec<([usize; 2], Self::Task)>;

    /// Writes a block of a task; `at` counts blocks of its rows and columns.
    fn write(task: &mut Self::Task, unit: Bf16Unit, at: [usize; 2], block: &BlockResult);
}

/// Written or added to a matrix.
pub(super) struct Write<'a>(pub MatrixMut<'a>, pub WriteMode);

/// Writes a block of a product; `at` counts blocks of rows and columns.
pub(super) fn write_block(
    out: &mut MatrixMut<'_>,
    [row, column]: [usize; 2],
    block: &BlockResult,
    mode: WriteMode,
) {
    let [rows, columns] = out.shape();
    let (row, column) = (row * BLOCK, column * BLOCK);
    let width = BLOCK.min(columns - column);
    let mut out = out.columns(column, width);
    for (row, values) in (row..rows).zip(&block.0) {
        if width == BLOCK {
            // A call to copy 128 bytes would take longer than the copy.
            out.write_row_of(row, values, mode);
        } else {
            out.write_row(row, &values[..width], mode);
        }
    }
}

impl<'a> Output for Write<'a> {
    type Task = Self;

    fn split(self, size: [usize; 2]) -> Vec<([usize; 2], Self)> {
        let Self(out, mode) = self;
        out.split_blocks(size).into_iter().map(|(corner, out)| (corner, Self(out, mode))).collect()
    }

    fn write(Self(out, mode): &mut Self, _: Bf16Unit, at: [usize; 2], block: &BlockResult) {
        write_block(out, at, block, *mode);
    }
}

/// Rounded, as rows of the next product.
pub(super) struct Pack<'a> {
    /// Where to.
    pub left: &'a mut LeftOperand,
    /// Rows and columns of the product.
    pub shape: [usize; 2],
}

/// The tiles of a task, and how many blocks of columns it has.
pub(super) struct PackTask<'a> {
    tiles: &'a mut [Tile],
    column_blocks: usize,
}

impl<'a> Output for Pack<'a> {
    type Task = PackTask<'a>;

    fn split(self, [rows, columns]: [usize; 2]) -> Vec<([usize; 2], Self::Task)> {
        let Self { left, shape } = self;
        // Parts of the depth of the next product are the columns of the tasks of this one.
        left.resize(shape, columns / BLOCK);
        let (mut rest, mut tasks) = (left.tiles.as_mut_slice(), Vec::new());
        for part in &left.parts {
            for row in (0..shape[0]).step_by(rows) {
                let row_blocks = rows.min(shape[0] - row).div_ceil(BLOCK);
                let (tiles, after) = rest.split_at_mut(row_blocks * part.len() * TILES);
                tasks.push(([row, part.start * BLOCK], PackTask { tiles, column_blocks: part.len() }));
                rest = after;
            }
        }
        tasks
    }

    fn write(task: &mut Self::Task, unit: Bf16Unit, [row, column]: [usize; 2], block: &BlockResult) {
        let start = (row * task.column_blocks + column) * TILES;
        pack_result(unit, block, &mut task.tiles[start..start + TILES]);
    }
}

/// `activation(left · right + bias)`; without a bias, there is no activation either.
pub(super) fn product<O: Output>(
    left: &LeftOperand,
    right: Right<'_>,
    activation: Option<Activation>,
    out: O,
) {
    assert_eq!(left.depth, right.matrix.shape()[0], "depth of both operands");
    let task = Task { left, right, activation };
    let [row_blocks, column_blocks] = task.size();
    let tasks = out.split([row_blocks * BLOCK, column_blocks * BLOCK]);
    tasks.into_par_iter().for_each(|([row, column], mut out)| {
        let rows = row / BLOCK..(row / BLOCK + row_blocks).min(left.row_blocks());
        let columns = column / BLOCK..(column / BLOCK + column_blocks).min(right.column_blocks());
        task.run::<O>(rows, columns, &mut out);
    });
}

struct Task<'a> {
    left: &'a LeftOperand,
    right: Right<'a>,
    activation: Option<Activation>,
}

impl Task<'_> {
    /// Blocks of rows and columns of a task: at least four tasks for each thread, where there are as many blocks of columns.
    fn size(&self) -> [usize; 2] {
        let rows = self.left.row_blocks();
        let row_blocks = rows.div_ceil(rows.div_ceil(ROW_BLOCKS).max(1)).max(1);
        let tasks = (4 * rayon::current_num_threads()).div_ceil(rows.div_ceil(row_blocks).max(1));
        let column_blocks = self.right.column_blocks().div_ceil(tasks).max(1);
        // What is kept of several parts must fit into the cache, and so must the columns of a task as a part of the next product.
        let most = if self.left.parts.len() > 1 { (SUMS / row_blocks).max(1) } else { PART };
        [row_blocks, column_blocks.min(most)]
    }

    fn run<O: Output>(&self, rows: Range<usize>, columns: Range<usize>, out: &mut O::Task) {
        let unit = self.right.unit;
        let thread = unit.configure();
        let last = self.left.parts.len().saturating_sub(1);
        // Sums are kept only where another part follows.
        let count = if last > 0 { rows.len() * columns.len() } else { 1 };
        let mut kept = SUM_BLOCKS.take();
        let sums = room(&mut kept, count, BlockResult::ZERO);
        let mut unpacked = UNPACKED.take();
        for (at, part) in self.left.parts.iter().enumerate() {
            for column in columns.clone() {
                let right = self.right.matrix.block(column, part, &mut unpacked);
                let next =
                    if column + 1 < columns.end { self.right.matrix.ahead(column + 1, part) } else { &[] };
                // Weights come from memory: the next columns are fetched while these are multiplied by all rows.
                let mut ahead = next.chunks(next.len().div_ceil(rows.len()).max(1));
                for row in rows.clone() {
                    prefetch(ahead.next().unwrap_or_default());
                    let place = (column - columns.start) * rows.len() + row - rows.start;
                    let sum = &mut sums[place % count];
                    thread.multiply(self.left.block(part, row), right, sum, at > 0);
                    if at == last {
                        if let Some(scales) = self.right.matrix.scales(column) {
                            scale_columns(sum, scales);
                        }
                        if let Some(bias) = self.right.bias.get(column) {
                            finish(unit, sum, bias, self.activation.map(Into::into));
                        }
                        O::write(out, unit, [row - rows.start, column - columns.start], sum);
                    }
                }
            }
        }
        SUM_BLOCKS.set(kept);
        UNPACKED.set(unpacked);
    }
}
