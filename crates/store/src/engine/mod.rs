//! What implementations of [`VectorStore`](crate::VectorStore) share: checks of values, filters as SQL, and searching names.

pub mod validate;

pub use crate::filter::{SqlDialect, SqlParameter};
pub use crate::names::{
    COLUMN_WEIGHTS, MATERIAL_SHARE, NameFields, NameIndex, NameLookup, NameMatch, Spelling, search_names,
};
pub use crate::scan::dot_f64;
