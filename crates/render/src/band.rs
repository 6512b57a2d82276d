//! The visibility buffer of a band of rows.

use std::ops::Range;

use crate::blend::Layers;
use crate::samples::{SAMPLES_PER_STEP, Target, VisibilitySample, empty_columns, widen};

/// The samples of a band of rows.
pub(crate) struct Band {
    pub(crate) rows: Range<i32>,
    /// Samples per row, and the distance between rows in `visibility`.
    pub(crate) grid: usize,
    stride: usize,
    pub(crate) visibility: Vec<VisibilitySample>,
    /// Columns that may have been written.
    pub(crate) dirty_columns: Range<i32>,
    pub(crate) layers: Option<Layers>,
}

impl Band {
    pub(crate) fn new(rows: Range<i32>, grid: u32) -> Self {
        let grid = grid as usize;
        // Small triangles are written in whole steps, which may run over the end of a row.
        let stride = grid.next_multiple_of(SAMPLES_PER_STEP) + SAMPLES_PER_STEP;
        let visibility = vec![VisibilitySample::default(); rows.len() * stride];
        Self { rows, grid, stride, visibility, dirty_columns: empty_columns(grid as i32), layers: None }
    }

    /// A row of samples, counted from the band's first.
    pub(crate) fn row(&self, row: usize) -> &[VisibilitySample] {
        &self.visibility[row * self.stride..][..self.grid]
    }

    /// Index of a sample in the lists.
    #[inline]
    pub(crate) fn index(&self, x: i32, y: i32) -> usize {
        (y - self.rows.start) as usize * self.stride + x as usize
    }

    /// The samples as a render target.
    pub(crate) fn target(&mut self) -> Target<'_> {
        let rows = [self.rows.start, self.rows.end];
        let (grid, stride) = (self.grid as i32, self.stride);
        Target {
            rows,
            grid,
            stride,
            visibility: &mut self.visibility,
            dirty_columns: &mut self.dirty_columns,
        }
    }

    /// Writes a sample if it is nearer than what is visible so far.
    #[inline]
    pub(crate) fn write_sample(&mut self, x: i32, y: i32, inverse_depth: f32, id: u32) {
        let index = self.index(x, y);
        self.visibility[index].put(VisibilitySample::new(inverse_depth, id));
        widen(&mut self.dirty_columns, x, x);
    }
}
