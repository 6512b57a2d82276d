//! The result of copying a data set.

/// Counts of a copy between a folder and an object store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopySummary {
    /// Number of files that were copied.
    pub files: usize,
    /// Number of bytes that were copied.
    pub bytes: u64,
    /// Number of files that were skipped, because the destination had them with the same size and checksum.
    pub skipped: usize,
}
