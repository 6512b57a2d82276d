//! A prediction with its references.

/// A prediction with its references.
pub(crate) struct Pair {
    /// The name of the item.
    pub key: String,
    /// The predicted caption.
    pub prediction: String,
    /// Captions by others, at least one.
    pub references: Vec<String>,
}
