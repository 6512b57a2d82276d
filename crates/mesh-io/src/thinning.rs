//! Tables of points in files, and which of the points are kept of a large one.

/// One point in a file.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Record {
    Bytes(usize),
    Line,
}

/// The points of a file, one after the other from `start` to the end.
pub(super) struct PointTable {
    pub start: usize,
    /// As the header says; unknown without one.
    pub count: Option<u64>,
    pub record: Record,
    /// The header of a file with another number of points.
    pub with_count: fn(&[u8], u64) -> Vec<u8>,
}

/// Whether a point is the kept one of its `every`: a scattered one, because scanners go line by line, and every n-th point of a grid
/// would be a pattern of stripes.
pub(super) fn is_kept(index: u64, every: u64) -> bool {
    let group = index / every;
    // Fibonacci hashing: the upper bits of a product with 2⁶⁴ / φ.
    index % every == (group.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % every
}

pub(super) fn thinning_note(kept: u64, read: u64, every: u64) -> String {
    format!("large cloud: {kept} of {read} points are read, one of every {every}")
}
