//! Names of records as words, and searching for words in them.
//!
//! `normalize` turns names and queries into words, `fields` collects the words of a payload, `spelling` finds the word that a
//! misspelled one means, `request` has the types of [`VectorStore::search_names`](crate::VectorStore::search_names).

mod fields;
mod normalize;
mod request;
mod spelling;

pub(crate) use fields::NameFields;
pub use normalize::name_words;
pub use request::{NameHit, NameRequest, NameSearch, NameWord, SpellingCorrection};
pub(crate) use spelling::{Spelling, max_distance};
