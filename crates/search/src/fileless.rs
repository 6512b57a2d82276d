//! Records without a file: their embeddings were computed elsewhere.

use lexiform_store::{Comparison, Field, Filter, Value};

/// [`Payload::format`](lexiform_store::Payload::format) of records without a file.
pub const EMBEDDING_FORMAT: &str = "embedding";

/// Selects the records with a file.
pub(crate) fn with_files() -> Filter {
    Filter::Compare(Field::Format, Comparison::NotEqual, Value::Text(EMBEDDING_FORMAT.to_owned()))
}
