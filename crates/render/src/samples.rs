//! What each sample of a view sees, and where samples are kept.

use std::ops::Range;

/// No triangle and no point.
pub(crate) const NO_ID: u32 = u32::MAX;

/// Samples drawn at a time.
pub(crate) const SAMPLES_PER_STEP: usize = 4;

/// The nearest thing at a sample: inverse depth above, the id's complement below, so that the larger number is the
/// nearer one and, at equal depth, the one of lower id. 0 is nothing. Signed, because processors compare that sooner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct VisibilitySample(i64);

/// Samples of some rows.
pub(crate) struct Target<'a> {
    /// First row and the one past the last.
    pub(crate) rows: [i32; 2],
    /// Samples of a row that are in the view.
    pub(crate) grid: i32,
    /// Samples from row to row; at least `SAMPLES_PER_STEP` more than are in the view.
    pub(crate) stride: usize,
    pub(crate) visibility: &'a mut [VisibilitySample],
    /// Columns where anything may have been drawn.
    pub(crate) dirty_columns: &'a mut Range<i32>,
}

impl VisibilitySample {
    /// Nearer than anything.
    pub(crate) const NEAREST: Self = Self(i64::MAX);

    #[inline(always)]
    pub(crate) fn new(inverse_depth: f32, id: u32) -> Self {
        // The bits of positive floats are ordered as the floats are.
        Self(i64::from(inverse_depth.to_bits().cast_signed()) << 32 | i64::from(!id))
    }

    /// Itself where `is_there`, else nothing; without a branch.
    #[inline(always)]
    pub(crate) fn masked(self, is_there: bool) -> Self {
        Self(if is_there { self.0 } else { 0 })
    }

    /// Sees `other` if it is nearer.
    #[inline(always)]
    pub(crate) fn put(&mut self, other: Self) {
        self.0 = self.0.max(other.0);
    }

    /// The farther of both.
    #[inline(always)]
    pub(crate) fn farther(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// All there is of it; 0 is nothing.
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

/// Columns of a grid in which nothing is drawn yet: the first is past the last, so that any column widens it to itself.
pub(crate) fn empty_columns(grid: i32) -> Range<i32> {
    Range { start: grid, end: 0 }
}

/// Takes columns `first..=last` to those that were drawn.
#[inline(always)]
pub(crate) fn widen(dirty_columns: &mut Range<i32>, first: i32, last: i32) {
    *dirty_columns = dirty_columns.start.min(first)..dirty_columns.end.max(last + 1);
}
