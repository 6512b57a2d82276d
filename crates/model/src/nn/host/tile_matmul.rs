//! Products on the processor's tile unit, by one thread or all.
//!
//! The right matrix is packed once, in blocks that all threads read; each thread packs some rows of the left one, which stay in
//! its L2 cache while the columns pass. Sums over depth have one order, whatever the number of threads.

use std::cell::Cell;

use lexiform_kernels::blocks::{BLOCK, BlockResult, Tile};
use lexiform_kernels::tiles::{NotFinite, Operand, Side, TILES_PER_BLOCK, TileUnit};
use rayon::prelude::*;

use super::matrix::{Matrix, MatrixMut, Parallelism, WriteMode};

/// Fewer columns or products in a sum are not worth packing.
const LEAST: usize = 24;

/// Fewer rows are not worth packing the other matrix. Decoding stays below, so that captions do not depend on how many are
/// generated at once: products here are rounded differently.
const LEAST_ROWS: usize = 256;

/// Depth that is packed at once, at most: 512 rows of it take 1.5 MiB, of 2 MiB of L2 cache. Many rows for each block of columns,
/// which comes from beyond that cache.
const DEPTH: usize = 512;

/// Rows of a task, in blocks, at most.
const ROW_BLOCKS: usize = 16;

/// Tiles of the right matrix that are packed at once, at most: 16 MiB.
const RIGHT_TILES: usize = 1 << 14;

thread_local! {
    static LEFT: Cell<Vec<Tile>> = const { Cell::new(Vec::new()) };
    static RIGHT: Cell<Vec<Tile>> = const { Cell::new(Vec::new()) };
}

/// `out = a · b`, or `out += a · b`, if the machine has a tile unit, the product is large enough, and all numbers are finite.
/// Otherwise returns `false`, and `out` has any values if it was to be set, its own if it was to be added to.
pub(super) fn multiply(
    out: &mut MatrixMut<'_>,
    a: Matrix<'_>,
    b: Matrix<'_>,
    mode: WriteMode,
    parallelism: Parallelism,
) -> bool {
    let ([m, k], [_, n]) = (a.shape(), b.shape());
    let Some(unit) = TileUnit::detect() else { return false };
    if m < LEAST_ROWS || n < LEAST || k < LEAST {
        return false;
    }
    let (Some(left), Some(right)) = (a.operand(), b.transposed().operand()) else { return false };
    // Equal parts, instead of one that is thin.
    let depth = k.div_ceil(k.div_ceil(DEPTH)).next_multiple_of(BLOCK);
    let columns = (RIGHT_TILES / (depth / BLOCK * TILES_PER_BLOCK)).max(1) * BLOCK;
    // Numbers that are not finite must be found before anything is added: in one piece, by one thread.
    let is_one_piece = k <= depth && n <= columns;
    if mode == WriteMode::Add && !(is_one_piece && parallelism == Parallelism::Serial) {
        return false;
    }
    (0..n).step_by(columns).all(|column| {
        let columns = columns.min(n - column);
        (0..k).step_by(depth).all(|start| {
            let mode = if start > 0 { WriteMode::Add } else { mode };
            let (start, depth) = (start, depth.min(k - start));
            let piece = Piece { unit, left, right, column, columns, start, depth, mode };
            piece.multiply(out.columns(column, columns), parallelism).is_ok()
        })
    })
}

/// Some columns of the result, and a part of the depth.
#[derive(Clone, Copy)]
struct Piece<'a> {
    unit: TileUnit,
    left: Operand<'a>,
    right: Operand<'a>,
    column: usize,
    columns: usize,
    start: usize,
    depth: usize,
    mode: WriteMode,
}

impl Piece<'_> {
    fn multiply(&self, out: MatrixMut<'_>, parallelism: Parallelism) -> Result<(), NotFinite> {
        let (mut right, count) = (RIGHT.take(), self.columns.div_ceil(BLOCK) * self.line_tiles());
        if right.len() < count {
            right.resize(count, Tile::ZERO);
        }
        let done = match parallelism {
            Parallelism::Serial => self.multiply_serial(out, &mut right[..count]),
            Parallelism::Parallel => self.multiply_parallel(out, &mut right[..count]),
        };
        RIGHT.set(right);
        done
    }

    fn multiply_serial(&self, mut out: MatrixMut<'_>, right: &mut [Tile]) -> Result<(), NotFinite> {
        let [rows, columns] = out.shape();
        for (at, tiles) in right.chunks_exact_mut(self.line_tiles()).enumerate() {
            self.pack_right(at, tiles)?;
        }
        let mut left = LEFT.take();
        // Before anything is added, all rows are packed, and so checked.
        let size = if self.mode == WriteMode::Add && self.start == 0 { rows } else { ROW_BLOCKS * BLOCK };
        let done = (0..rows).step_by(size).try_for_each(|row| {
            let mut out = out.rows(row, size.min(rows - row));
            self.task(out.columns(0, columns), row, &mut left, right)
        });
        LEFT.set(left);
        done
    }

    fn multiply_parallel(&self, out: MatrixMut<'_>, right: &mut [Tile]) -> Result<(), NotFinite> {
        let size = self.line_tiles();
        let lines = right.par_chunks_exact_mut(size).enumerate();
        lines.try_for_each(|(at, tiles)| self.pack_right(at, tiles))?;
        let task_shape = self.task_shape(out.shape());
        let tasks = out.split_blocks(task_shape);
        tasks.into_par_iter().try_for_each(|([row, column], out)| {
            let mut left = LEFT.take();
            let done = self.task(out, row, &mut left, &right[column / BLOCK * size..]);
            LEFT.set(left);
            done
        })
    }

    fn pack_right(&self, at: usize, tiles: &mut [Tile]) -> Result<(), NotFinite> {
        self.right.pack(self.unit, Side::Right, [self.column + at * BLOCK, self.start], tiles)
    }

    /// Tiles of 32 rows or columns.
    fn line_tiles(&self) -> usize {
        self.depth.div_ceil(BLOCK) * TILES_PER_BLOCK
    }

    /// Rows and columns of a task: at least two tasks for each thread, where there are as many blocks.
    fn task_shape(&self, [rows, columns]: [usize; 2]) -> [usize; 2] {
        let tasks = 2 * rayon::current_num_threads();
        let blocks = rows.div_ceil(BLOCK);
        let row_blocks = blocks.div_ceil(tasks).min(ROW_BLOCKS);
        let column_parts = tasks.div_ceil(blocks.div_ceil(row_blocks));
        [row_blocks * BLOCK, columns.div_ceil(BLOCK).div_ceil(column_parts) * BLOCK]
    }

    /// Some rows of the result, from `row` on, and the columns that start with `right`.
    fn task(
        &self,
        mut out: MatrixMut<'_>,
        row: usize,
        left: &mut Vec<Tile>,
        right: &[Tile],
    ) -> Result<(), NotFinite> {
        let ([rows, columns], size) = (out.shape(), self.line_tiles());
        let count = rows.div_ceil(BLOCK) * size;
        if left.len() < count {
            left.resize(count, Tile::ZERO);
        }
        let left = &mut left[..count];
        for (at, tiles) in left.chunks_exact_mut(size).enumerate() {
            self.left.pack(self.unit, Side::Left, [row + at * BLOCK, self.start], tiles)?;
        }
        let (tiles, mut block) = (self.unit.configure(), BlockResult::ZERO);
        for (column, right) in (0..columns).step_by(BLOCK).zip(right.chunks_exact(size)) {
            let width = BLOCK.min(columns - column);
            let mut out = out.columns(column, width);
            for (row, left) in (0..rows).step_by(BLOCK).zip(left.chunks_exact(size)) {
                tiles.multiply(left, right, &mut block);
                for (row, values) in (row..rows).zip(&block.0) {
                    out.write_row(row, &values[..width], self.mode);
                }
            }
        }
        Ok(())
    }
}
