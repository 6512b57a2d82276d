//! Searching names: one full-text query for each word, so that rarity, score and coverage of every word are known.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, params_from_iter};

use super::rows;
use super::spaces::StoredSpace;
use super::transaction_error::TransactionError;
use crate::names::{Spelling, max_distance};
use crate::{NameHit, NameRequest, NameSearch, NameWord, RecordId, SpellingCorrection};

/// Weights of the columns of `names` in [`bm25`](https://sqlite.org/fts5.html#the_bm25_function): a file is called what it is; its
/// objects usually are its parts; folders, materials and captions also name other things.
const BM25: &str = "-bm25(names, 8.0, 5.0, 3.0, 1.0, 1.0)";
/// The same without materials.
const BM25_BUT_MATERIALS: &str = "-bm25(names, 8.0, 5.0, 3.0, 0.0, 1.0)";
/// How much of a word a record has whose materials alone have it: orange paint is no orange.
const MATERIAL_SHARE: f64 = 0.25;
/// Most groups of a request, which are bits of a number.
const MAX_GROUPS: usize = 64;
/// Most words of a group that are searched for.
const MAX_WORDS: usize = 32;
/// Shortest part of a compound that is searched for as two words: "streetlight" as "street light".
const MIN_PART: usize = 3;
/// Scores that differ by less are ties: what remains of them is the length of the names.
const SCORE_STEP: f64 = 1e-3;

/// See [`VectorStore::search_names`](crate::VectorStore::search_names).
pub(super) fn search(
    connection: &Connection,
    space: &StoredSpace,
    request: &NameRequest,
) -> Result<NameSearch, TransactionError> {
    let rows = total(connection)?;
    let mut search = Search { connection, space, request, rows, result: NameSearch::default() };
    let mut words = Vec::new();
    for (group, group_words) in request.groups.iter().take(MAX_GROUPS).enumerate() {
        words.extend(search.matches_of_group(group, group_words)?);
    }
    Ok(NameSearch { hits: ranked(&words), ..search.result })
}

/// Number of rows in the index.
fn total(connection: &Connection) -> rusqlite::Result<f64> {
    // FTS5 keeps one row here for every row of the index; reading it does not read the words.
    let count: u32 = connection.query_row("SELECT count(*) FROM names_docsize", [], |row| row.get(0))?;
    Ok(f64::from(count))
}

/// A word with the records that have it.
struct WordMatches {
    group: usize,
    /// Rarity times weight.
    importance: f64,
    records: HashMap<RecordId, WordMatch>,
}

/// How a record matches a word.
#[derive(Clone, Copy)]
struct WordMatch {
    score: f64,
    /// How much of the word it has, at most 1.
    share: f64,
}

struct Search<'a> {
    connection: &'a Connection,
    space: &'a StoredSpace,
    request: &'a NameRequest,
    /// Rows in the index.
    rows: f64,
    /// Without hits.
    result: NameSearch,
}

impl Search<'_> {
    /// The matches of every word of a group.
    fn matches_of_group(
        &mut self,
        group: usize,
        words: &[NameWord],
    ) -> Result<Vec<WordMatches>, TransactionError> {
        let words = &words[..words.len().min(MAX_WORDS)];
        let mut matches = Vec::with_capacity(words.len());
        for word in words {
            matches.push(self.lookup(&phrase(&word.word))?);
        }
        // "trash can" is often one word in names.
        for (i, pair) in words.windows(2).enumerate() {
            let joined = self.lookup(&phrase(&format!("{}{}", pair[0].word, pair[1].word)))?;
            matches[i..i + 2].iter_mut().for_each(|part| part.merge(&joined));
        }
        for (found, word) in matches.iter_mut().zip(words) {
            if found.rows == 0.0 {
                *found = self.other_spelling(word)?;
            }
        }
        let with_importance = matches.into_iter().zip(words).map(|(found, word)| {
            let rarity = rarity(self.rows, found.rows);
            let mut records = found.records;
            records.values_mut().for_each(|record| record.score *= rarity);
            WordMatches { group, importance: rarity * f64::from(word.weight), records }
        });
        Ok(with_importance.collect())
    }

    /// A word that no record has: as two words, or as the word that is probably meant.
    fn other_spelling(&mut self, word: &NameWord) -> Result<Lookup, TransactionError> {
        for (at, _) in word.word.char_indices().skip(MIN_PART) {
            let (first, second) = word.word.split_at(at);
            if second.chars().count() >= MIN_PART {
                let found = self.lookup(&phrase(&format!("{first} {second}")))?;
                if found.rows > 0.0 {
                    return Ok(found);
                }
            }
        }
        let may_be_wrong = self.request.misspelled.contains(&word.word);
        let meant = if may_be_wrong { self.nearest_word(&word.word)? } else { None };
        let Some(corrected) = meant else {
            self.result.unmatched.push(word.word.clone());
            return Ok(Lookup::default());
        };
        let found = self.lookup(&phrase(&corrected))?;
        let correction = SpellingCorrection { typed: word.word.clone(), corrected };
        if !self.result.corrections.contains(&correction) {
            self.result.corrections.push(correction);
        }
        Ok(found)
    }

    fn nearest_word(&self, typed: &str) -> Result<Option<String>, TransactionError> {
        let Some(distance) = max_distance(typed) else { return Ok(None) };
        let length = typed.chars().count();
        let mut spelling = Spelling::new(typed, distance);
        let select = "SELECT term, doc FROM vocabulary WHERE length(term) BETWEEN ? AND ?";
        let mut statement = self.connection.prepare_cached(select)?;
        let mut rows =
            statement.query((length.saturating_sub(distance) as u64, (length + distance) as u64))?;
        while let Some(row) = rows.next()? {
            spelling.consider(row.get_ref(0)?.as_str().unwrap_or_default(), row.get(1)?);
        }
        Ok(spelling.into_best())
    }

    /// The records that match a full-text query.
    fn lookup(&self, query: &str) -> Result<Lookup, TransactionError> {
        let count = "SELECT count(*) FROM names WHERE names MATCH ?";
        let n_rows: u32 = self.connection.prepare_cached(count)?.query_row([query], |row| row.get(0))?;
        if n_rows == 0 {
            return Ok(Lookup::default());
        }
        let n_rows = f64::from(n_rows);
        let mut parameters = vec![query.to_owned().into(), self.space.id.into()];
        let filter = self.request.filter.as_ref().map(|filter| filter.to_sql(&mut parameters));
        let (records, condition) = filter.map_or_else(Default::default, |filter| {
            ("CROSS JOIN records ON records.id = names.rowid", format!("AND {filter}"))
        });
        // CROSS JOIN keeps this order, so that the index of names is read once.
        let select = format!(
            "SELECT names.rowid, {BM25}, {BM25_BUT_MATERIALS}
             FROM names CROSS JOIN vectors ON record_id = names.rowid {records}
             WHERE names MATCH ? AND space_id = ? {condition}"
        );
        let mut statement = self.connection.prepare_cached(&select)?;
        let weight = fts5_rarity(self.rows, n_rows);
        let found = statement.query_map(params_from_iter(parameters), |row| {
            let share = if row.get::<_, f64>(2)? > 0.0 { 1.0 } else { MATERIAL_SHARE };
            Ok((rows::id(row, 0)?, WordMatch { score: row.get::<_, f64>(1)? / weight, share }))
        })?;
        Ok(Lookup { rows: n_rows, records: found.collect::<Result<_, _>>()? })
    }
}

/// The records with a word.
#[derive(Default)]
struct Lookup {
    /// Rows of the index that match, of all spaces.
    rows: f64,
    /// Matches of this space that the filter selects; scores are the part of BM25 that does not depend on rarity.
    records: HashMap<RecordId, WordMatch>,
}

impl Lookup {
    /// Adds the records of another spelling of the same word.
    fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        for (id, found) in &other.records {
            let own = self.records.entry(*id).or_insert(*found);
            *own = WordMatch { score: own.score.max(found.score), share: own.share.max(found.share) };
        }
    }
}

/// A word, or words in a row, as a full-text query.
fn phrase(words: &str) -> String {
    format!("\"{}\"", words.replace('"', "\"\""))
}

/// The inverse document frequency of a word, never negative, as in Lucene's BM25.
fn rarity(rows: f64, with_word: f64) -> f64 {
    // Records with both spellings of a compound are counted twice.
    let with_word = with_word.min(rows);
    (1.0 + (rows - with_word + 0.5) / (with_word + 0.5)).ln()
}

/// The inverse document frequency with which FTS5's `bm25` multiplies: almost 0 for words of more than half of the rows, which in a
/// small library would be most words.
fn fts5_rarity(rows: f64, with_word: f64) -> f64 {
    let idf = ((rows - with_word + 0.5) / (with_word + 0.5)).ln();
    if idf <= 0.0 { 1e-6 } else { idf }
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
