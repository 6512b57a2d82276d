//! Why a measurement is refused.

/// What is wrong with the numbers or labels given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// A matrix that is not one.
    #[error("{found} numbers do not make rows of {dim}")]
    Ragged {
        /// Numbers given.
        found: usize,
        /// Length of a row.
        dim: usize,
    },
    /// A row without a direction.
    #[error("row {row} {fault}")]
    Row {
        /// Index of the first such row.
        row: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Two matrices that cannot be compared.
    #[error("{what}: expected rows of {expected} numbers, found {found}")]
    Dim {
        /// Whose rows.
        what: &'static str,
        /// Length of the other matrix's rows.
        expected: usize,
        /// Length of its own rows.
        found: usize,
    },
    /// Lists that belong together differ in length.
    #[error("{what}: expected {expected}, found {found}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An index beyond its list.
    #[error("{what} of item {item}: expected less than {limit}, found {found}")]
    Index {
        /// What the index is of.
        what: &'static str,
        /// Which item has it.
        item: usize,
        /// Length of the list.
        limit: usize,
        /// The index.
        found: usize,
    },
    /// Too little to measure.
    #[error("{0}")]
    TooLittle(String),
}

/// Fails unless there are as many as expected.
pub(crate) fn check_count(what: &'static str, expected: usize, found: usize) -> Result<(), MetricsError> {
    if expected == found { Ok(()) } else { Err(MetricsError::Count { what, expected, found }) }
}

/// Fails unless all indices lie below the limit.
pub(crate) fn check_indices(what: &'static str, indices: &[usize], limit: usize) -> Result<(), MetricsError> {
    match indices.iter().position(|&i| i >= limit) {
        Some(item) => Err(MetricsError::Index { what, item, limit, found: indices[item] }),
        None => Ok(()),
    }
}
