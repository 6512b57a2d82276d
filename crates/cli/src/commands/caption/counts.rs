//! How many shapes were described.

/// Numbers of shapes.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub described: usize,
    pub failed: usize,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.described += other.described;
        self.failed += other.failed;
    }
}
