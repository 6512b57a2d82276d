//! Searching names in any index that can look up words in a row: rarity, other spellings, and the order of hits.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use super::spelling::{Spelling, max_distance};
use crate::{NameHit, NameRequest, NameSearch, NameWord, RecordId, SpellingCorrection};

/// How much each of the columns of [`NameFields`](crate::engine::NameFields) counts: a file is called what it is; its objects usually are
/// its parts; folders, materials and captions also name other things.
pub const COLUMN_WEIGHTS: [f64; 5] = [8.0, 5.0, 3.0, 1.0, 1.0];
/// How much of a word a record has whose materials alone have it: orange paint is no orange.
pub const MATERIAL_SHARE: f64 = 0.25;
/// Most groups of a request, which are bits of a number.
const MAX_GROUPS: usize = 64;
/// Most words of a group that are searched for.
const MAX_WORDS: usize = 32;
/// Shortest part of a compound that is searched for as two words: "streetlight" as "street light".
const MIN_PART: usize = 3;
/// Scores that differ by less are ties: what remains of them is the length of the names.
const SCORE_STEP: f64 = 1e-3;

/// An index of the words of names.
pub trait NameIndex {
    /// Error of the database.
    type Error;

    /// Number of records with words, of all spaces.
    ///
    /// # Errors
    /// If the index cannot be read.
    fn n_rows(&mut self) -> Result<f64, Self::Error>;

    /// The records that have these words in a row, compared by their stems. `n_rows` is what [`n_rows`](Self::n_rows) returned.
    ///
    /// # Errors
    /// If the index cannot be read.
    fn lookup(&mut self, words: &[&str], n_rows: f64) -> Result<NameLookup, Self::Error>;

    /// Considers every spelled word with a number of letters in this range.
    ///
    /// # Errors
    /// If the index cannot be read.
    fn spelled_words(
        &mut self,
        letters: RangeInclusive<usize>,
        spelling: &mut Spelling,
    ) -> Result<(), Self::Error>;
}

/// The records with a word.
#[derive(Debug, Default)]
pub struct NameLookup {
    /// Rows of the index that match, of all spaces.
    pub n_rows: f64,
    /// Matches of this space that the filter selects.
    pub records: HashMap<RecordId, NameMatch>,
}

/// How a record matches a word.
#[derive(Clone, Copy, Debug)]
pub struct NameMatch {
    /// The part of BM25 that does not depend on the word's rarity.
    pub score: f64,
    /// How much of the word it has, at most 1.
    pub share: f64,
}

/// See [`VectorStore::search_names`](crate::VectorStore::search_names).
///
/// # Errors
/// If the index cannot be read.
pub fn search_names<I: NameIndex>(index: I, request: &NameRequest) -> Result<NameSearch, I::Error> {
    let mut search = Search { index, request, n_rows: 0.0, result: NameSearch::default() };
    search.n_rows = search.index.n_rows()?;
    let mut words = Vec::new();
    for (group, group_words) in request.groups.iter().take(MAX_GROUPS).enumerate() {
        words.extend(search.matches_of_group(group, group_words)?);
    }
    Ok(NameSearch { hits: ranked(&words), ..search.result })
}

/// A word with the records that have it.
struct WordMatches {
    group: usize,
    /// Rarity times weight.
    importance: f64,
    records: HashMap<RecordId, NameMatch>,
}

struct Search<'a, I> {
    index: I,
    request: &'a NameRequest,
    /// Rows in the index.
    n_rows: f64,
    /// Without hits.
    result: NameSearch,
}

impl<I: NameIndex> Search<'_, I> {
    /// The matches of every word of a group.
    fn matches_of_group(&mut self, group: usize, words: &[NameWord]) -> Result<Vec<WordMatches>, I::Error> {
        let words = &words[..words.len().min(MAX_WORDS)];
        let mut matches = Vec::with_capacity(words.len());
        for word in words {
            matches.push(self.lookup(&[&word.word])?);
        }
        // "trash can" is often one word in names.
        for (i, pair) in words.windows(2).enumerate() {
            let joined = self.lookup(&[&format!("{}{}", pair[0].word, pair[1].word)])?;
            matches[i..i + 2].iter_mut().for_each(|part| part.merge(&joined));
        }
        for (found, word) in matches.iter_mut().zip(words) {
            if found.n_rows == 0.0 {
                *found = self.other_spelling(word)?;
            }
        }
        let with_importance = matches.into_iter().zip(words).map(|(found, word)| {
            let rarity = rarity(self.n_rows, found.n_rows);
            let mut records = found.records;
            records.values_mut().for_each(|record| record.score *= rarity);
            WordMatches { group, importance: rarity * f64::from(word.weight), records }
        });
        Ok(with_importance.collect())
    }

    /// A word that no record has: as two words, or as the word that is probably meant.
    fn other_spelling(&mut self, word: &NameWord) -> Result<NameLookup, I::Error> {
        for (at, _) in word.word.char_indices().skip(MIN_PART) {
            let (first, second) = word.word.split_at(at);
            if second.chars().count() >= MIN_PART {
                let found = self.lookup(&[first, second])?;
                if found.n_rows > 0.0 {
                    return Ok(found);
                }
            }
        }
        let may_be_wrong = self.request.misspelled.contains(&word.word);
        let meant = if may_be_wrong { self.nearest_word(&word.word)? } else { None };
        let Some(corrected) = meant else {
            self.result.unmatched.push(word.word.clone());
            return Ok(NameLookup::default());
        };
        let found = self.lookup(&[&corrected])?;
        let correction = SpellingCorrection { typed: word.word.clone(), corrected };
        if !self.result.corrections.contains(&correction) {
            self.result.corrections.push(correction);
        }
        Ok(found)
    }

    fn nearest_word(&mut self, typed: &str) -> Result<Option<String>, I::Error> {
        let Some(distance) = max_distance(typed) else { return Ok(None) };
        let length = typed.chars().count();
        let mut spelling = Spelling::new(typed, distance);
        self.index.spelled_words(length.saturating_sub(distance)..=length + distance, &mut spelling)?;
        Ok(spelling.into_best())
    }

    fn lookup(&mut self, words: &[&str]) -> Result<NameLookup, I::Error> {
        self.index.lookup(words, self.n_rows)
    }
}

impl NameLookup {
    /// Adds the records of another spelling of the same word.
    fn merge(&mut self, other: &Self) {
        self.n_rows += other.n_rows;
        for (id, found) in &other.records {
            let own = self.records.entry(*id).or_insert(*found);
            *own = NameMatch { score: own.score.max(found.score), share: own.share.max(found.share) };
        }
    }
}

/// The inverse document frequency of a word, never negative, as in Lucene's BM25.
fn rarity(rows: f64, with_word: f64) -> f64 {
    // Records with both spellings of a compound are counted twice.
    let with_word = with_word.min(rows);
    (1.0 + (rows - with_word + 0.5) / (with_word + 0.5)).ln()
}

/// What a record has of the words.
#[derive(Default)]
struct RecordMatch {
    score: f64,
    importance: f64,
    n_words: usize,
    /// One bit for each group.
    groups: u64,
}

/// The order of hits: all words before some, then the score in steps.
type Quality = (bool, i64);

/// The matching records in order of rank.
fn ranked(words: &[WordMatches]) -> Vec<NameHit> {
    let total: f64 = words.iter().map(|word| word.importance).sum();
    let mut found: BTreeMap<RecordId, RecordMatch> = BTreeMap::new();
    for word in words {
        for (id, word_match) in &word.records {
            let record = found.entry(*id).or_default();
            record.score += word_match.score;
            record.importance += word.importance * word_match.share;
            record.n_words += 1;
            record.groups |= 1 << word.group;
        }
    }
    let groups = words.iter().fold(0, |groups, word| groups | 1 << word.group);
    found.retain(|_, record| record.groups == groups);
    let hits = found.into_iter().map(|(id, record)| {
        let has_all = record.n_words == words.len();
        let coverage = (record.importance / total) as f32;
        let steps = (record.score / SCORE_STEP).round();
        let hit = NameHit { id, rank: 0, score: (steps * SCORE_STEP) as f32, coverage };
        ((has_all, steps as i64), hit)
    });
    with_ranks(hits.collect())
}

/// Hits in order; equally good ones share the rank of the first one.
fn with_ranks(mut hits: Vec<(Quality, NameHit)>) -> Vec<NameHit> {
    hits.sort_by(|(a, first), (b, second)| b.cmp(a).then(first.id.cmp(&second.id)));
    let (mut rank, mut last) = (0, None);
    let ranked = hits.into_iter().enumerate().map(|(i, (quality, hit))| {
        if last.replace(quality) != Some(quality) {
            rank = i + 1;
        }
        NameHit { rank, ..hit }
    });
    ranked.collect()
}
