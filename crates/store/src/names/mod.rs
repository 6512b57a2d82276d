//! Names of records as words, and searching for words in them.
//!
//! `normalize` turns names and queries into words, `fields` collects the words of a payload, `spelling` finds the word that a
//! misspelled one means, `search` ranks records in any index of words, `request` has the types of [`VectorStore::search_names`](crate::VectorStore::search_names).

mod fields;
mod normalize;
mod request;
mod search;
mod spelling;

pub use fields::NameFields;
pub use normalize::name_words;
pub use request::{NameHit, NameRequest, NameSearch, NameWord, SpellingCorrection};
pub use search::{COLUMN_WEIGHTS, MATERIAL_SHARE, NameIndex, NameLookup, NameMatch, search_names};
pub use spelling::Spelling;
