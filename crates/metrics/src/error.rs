//! Errors of metric computation.

/// Why a metric cannot be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// Values that do not fill whole rows.
    #[error("expected rows of {dim} numbers, found {found} numbers")]
    RaggedRows {
        /// Number of values.
        found: usize,
        /// Length of a row.
        dim: usize,
    },
    /// A row that cannot be normalized.
    #[error("row {row} {reason}")]
    InvalidRow {
        /// Index of the first invalid row.
        row: usize,
        /// Why it is invalid.
        reason: &'static str,
    },
    /// Rows of different lengths.
    #[error("{what}: expected rows of {expected} numbers, found {found}")]
    DimMismatch {
        /// Whose rows.
        what: &'static str,
        /// Length of the other matrix's rows.
        expected: usize,
        /// Length of its own rows.
        found: usize,
    },
    /// Lists of different lengths.
    #[error("{what}: expected {expected}, found {found}")]
    LengthMismatch {
        /// What is counted.
        what: &'static str,
        /// Expected length.
        expected: usize,
        /// Found length.
        found: usize,
    },
    /// An index out of range.
    #[error("{what} of item {item}: expected an index below {limit}, found {found}")]
    IndexOutOfRange {
        /// What the index is of.
        what: &'static str,
        /// The item with this index.
        item: usize,
        /// Length of the list.
        limit: usize,
        /// The index.
        found: usize,
    },
    /// A caption that is too long for METEOR's search.
    #[error("item {item}: METEOR aligns captions of at most {limit} words, found {found}")]
    CaptionTooLong {
        /// The item.
        item: usize,
        /// Most words.
        limit: usize,
        /// Words of the caption or of a reference.
        found: usize,
    },
    /// A table that METEOR needs is not in its format.
    #[error("{0}")]
    InvalidTable(String),
    /// Too few items, classes or queries.
    #[error("{0}")]
    NotEnoughData(String),
}

/// Fails unless the lengths are equal.
pub(crate) fn check_len(what: &'static str, expected: usize, found: usize) -> Result<(), MetricsError> {
    if expected == found { Ok(()) } else { Err(MetricsError::LengthMismatch { what, expected, found }) }
}

/// Fails unless all indices are below the limit.
pub(crate) fn check_indices(what: &'static str, indices: &[usize], limit: usize) -> Result<(), MetricsError> {
    match indices.iter().position(|&i| i >= limit) {
        Some(item) => Err(MetricsError::IndexOutOfRange { what, item, limit, found: indices[item] }),
        None => Ok(()),
    }
}
