//! Requests and results of [`VectorStore::search_names`](crate::VectorStore::search_names).

use serde::Serialize;

use crate::{Filter, RecordId};

/// A word to search for in names.
#[derive(Clone, Debug, PartialEq)]
pub struct NameWord {
    /// The word, as [`name_words`](crate::name_words) returns it.
    pub word: String,
    /// Importance among the words, positive: multiplies its rarity.
    pub weight: f32,
}

/// A search in the names of records: of files, folders, objects and materials, and in captions.
#[derive(Clone, Debug, Default)]
pub struct NameRequest {
    /// Groups of words, one for each text. A record matches if it has a word of every group.
    pub groups: Vec<Vec<NameWord>>,
    /// Words of the groups that may be misspelled. If no record has one, the nearest word that a record has is searched for.
    pub misspelled: Vec<String>,
    /// Restricts hits to records it selects.
    pub filter: Option<Filter>,
}

/// A record whose names match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NameHit {
    /// Id of the record.
    pub id: RecordId,
    /// Rank, starting at 1. Records whose names match equally well have the same rank, that of the first one.
    pub rank: usize,
    /// [BM25](https://doi.org/10.1561/1500000019) of the words in the record's names.
    pub score: f32,
    /// Share of the request's words that the record has, weighted by rarity and [`NameWord::weight`]: 1 if it has all. Words that
    /// only its materials have count in part.
    pub coverage: f32,
}

/// The result of a search in names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NameSearch {
    /// All matching records. Those with all words come first, then higher scores, then lower ids.
    pub hits: Vec<NameHit>,
    /// Words of the request that were searched for in another spelling.
    pub corrections: Vec<SpellingCorrection>,
    /// Words of the request that no record has.
    pub unmatched: Vec<String>,
}

/// A word that no record has, and the similar word of the library's names that was searched for instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpellingCorrection {
    /// The word of the request.
    pub typed: String,
    /// The word of the names.
    pub corrected: String,
}
