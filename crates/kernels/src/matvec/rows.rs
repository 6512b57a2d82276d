//! The left operand.

/// Rows that are multiplied at a time: their sums stay in registers.
pub(super) const ROWS: usize = 4;

/// Rows `[rows, depth]`, one after another.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    pub(super) values: &'a [f32],
    pub(super) depth: usize,
}

impl<'a> Rows<'a> {
    /// Rows of `depth` numbers each.
    pub fn new(values: &'a [f32], depth: usize) -> Self {
        assert!(
            depth > 0 && values.len().is_multiple_of(depth),
            "{} numbers in rows of {depth}",
            values.len()
        );
        Self { values, depth }
    }

    /// Number of rows.
    pub fn count(self) -> usize {
        self.values.len() / self.depth
    }

    /// Groups of at most [`ROWS`] rows.
    pub(super) fn groups(self) -> impl Iterator<Item = Self> {
        self.values.chunks(ROWS * self.depth).map(move |values| Self { values, ..self })
    }
}
