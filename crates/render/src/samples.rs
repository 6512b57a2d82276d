//! Samples of the visibility buffer.

use std::ops::Range;

/// No triangle and no point.
pub(crate) const NO_ID: u32 = u32::MAX;

/// Samples written at a time.
pub(crate) const SAMPLES_PER_STEP: usize = 4;

/// The nearest surface at a sample: the inverse depth in the upper bits, the id's complement below, so that the larger
/// number is nearer or, at equal depth, has the lower id. 0 is nothing. Signed, because AVX2 only has signed comparisons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct VisibilitySample(i64);

/// Samples of a band to draw into.
pub(crate) struct Target<'a> {
    /// First row and the one past the last.
    pub(crate) rows: [i32; 2],
    /// Samples per row that are in the view.
    pub(crate) grid: i32,
    /// Distance between rows; at least `SAMPLES_PER_STEP` more than are in the view.
    pub(crate) stride: usize,
    pub(crate) visibility: &'a mut [VisibilitySample],
    /// Columns that may have been written.
    pub(crate) dirty_columns: &'a mut Range<i32>,
}

impl VisibilitySample {
    /// Nearer than anything.
    pub(crate) const NEAREST: Self = Self(i64::MAX);

    #[inline(always)]
    pub(crate) fn new(inverse_depth: f32, id: u32) -> Self {
        // The bits of positive floats have the same order as the floats.
        Self(i64::from(inverse_depth.to_bits().cast_signed()) << 32 | i64::from(!id))
    }

    /// Itself if `is_covered`, otherwise nothing; without a branch.
    #[inline(always)]
    pub(crate) fn masked(self, is_covered: bool) -> Self {
        Self(if is_covered { self.0 } else { 0 })
    }

    /// Replaces itself by `other` if that is nearer.
    #[inline(always)]
    pub(crate) fn put(&mut self, other: Self) {
        self.0 = self.0.max(other.0);
    }

    /// The farther of both.
    #[inline(always)]
    pub(crate) fn farther(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The packed bits; 0 is nothing.
    #[inline(always)]
    pub(crate) fn bits(self) -> i64 {
        self.0
    }

    #[inline]
    pub(crate) fn id(self) -> u32 {
        !(self.0 as u32)
    }

    #[inline(always)]
    pub(crate) fn inverse_depth(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }
}

/// The empty range of dirty columns: the start is past the end, so that widening by any column gives that column.
pub(crate) fn empty_columns(grid: i32) -> Range<i32> {
    Range { start: grid, end: 0 }
}

/// Adds columns `first..=last` to the dirty ones.
#[inline(always)]
pub(crate) fn widen(dirty_columns: &mut Range<i32>, first: i32, last: i32) {
    *dirty_columns = dirty_columns.start.min(first)..dirty_columns.end.max(last + 1);
}
