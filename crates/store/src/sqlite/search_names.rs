//! Searching names: one full-text query for each word, so that rarity, score and coverage of every word are known.

use std::ops::RangeInclusive;

use rusqlite::{Connection, params_from_iter};

use super::rows;
use super::spaces::StoredSpace;
use super::transaction_error::TransactionError;
use crate::names::{MATERIAL_SHARE, NameIndex, NameLookup, NameMatch, Spelling, search_names};
use crate::{NameRequest, NameSearch};

/// Weights of the columns of `names` in [`bm25`](https://sqlite.org/fts5.html#the_bm25_function), those of
/// [`COLUMN_WEIGHTS`](crate::engine::COLUMN_WEIGHTS).
const BM25: &str = "-bm25(names, 8.0, 5.0, 3.0, 1.0, 1.0)";
/// The same without materials.
const BM25_BUT_MATERIALS: &str = "-bm25(names, 8.0, 5.0, 3.0, 0.0, 1.0)";

/// See [`VectorStore::search_names`](crate::VectorStore::search_names).
pub(super) fn search(
    connection: &Connection,
    space: &StoredSpace,
    request: &NameRequest,
) -> Result<NameSearch, TransactionError> {
    search_names(FullText { connection, space, request }, request)
}

/// The full-text index.
struct FullText<'a> {
    connection: &'a Connection,
    space: &'a StoredSpace,
    request: &'a NameRequest,
}

impl NameIndex for FullText<'_> {
    type Error = TransactionError;

    fn n_rows(&mut self) -> Result<f64, TransactionError> {
        // FTS5 keeps one row here for every row of the index; reading it does not read the words.
        let select = "SELECT count(*) FROM names_docsize";
        let count: u32 = self.connection.query_row(select, [], |row| row.get(0))?;
        Ok(f64::from(count))
    }

    fn spelled_words(
        &mut self,
        letters: RangeInclusive<usize>,
        spelling: &mut Spelling,
    ) -> Result<(), TransactionError> {
        let select = "SELECT term, doc FROM vocabulary WHERE length(term) BETWEEN ? AND ?";
        let mut statement = self.connection.prepare_cached(select)?;
        let mut rows = statement.query((*letters.start() as u64, *letters.end() as u64))?;
        while let Some(row) = rows.next()? {
            spelling.consider(row.get_ref(0)?.as_str().unwrap_or_default(), row.get(1)?);
        }
        Ok(())
    }

    fn lookup(&mut self, words: &[&str], total: f64) -> Result<NameLookup, TransactionError> {
        let query = phrase(&words.join(" "));
        let count = "SELECT count(*) FROM names WHERE names MATCH ?";
        let n_rows: u32 = self.connection.prepare_cached(count)?.query_row([&query], |row| row.get(0))?;
        if n_rows == 0 {
            return Ok(NameLookup::default());
        }
        let n_rows = f64::from(n_rows);
        let mut parameters = vec![query.into(), self.space.id.into()];
        let filter = self.request.filter.as_ref().map(|filter| filter.to_sqlite(&mut parameters));
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
        let weight = fts5_rarity(total, n_rows);
        let found = statement.query_map(params_from_iter(parameters), |row| {
            let share = if row.get::<_, f64>(2)? > 0.0 { 1.0 } else { MATERIAL_SHARE };
            Ok((rows::id(row, 0)?, NameMatch { score: row.get::<_, f64>(1)? / weight, share }))
        })?;
        Ok(NameLookup { n_rows, records: found.collect::<Result<_, _>>()? })
    }
}

/// A word, or words in a row, as a full-text query.
fn phrase(words: &str) -> String {
    format!("\"{}\"", words.replace('"', "\"\""))
}

/// The inverse document frequency with which FTS5's `bm25` multiplies: almost 0 for words of more than half of the rows, which in a
/// small library would be most words.
fn fts5_rarity(rows: f64, with_word: f64) -> f64 {
    let idf = ((rows - with_word + 0.5) / (with_word + 0.5)).ln();
    if idf <= 0.0 { 1e-6 } else { idf }
}
