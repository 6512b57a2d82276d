//! The index of names: arrays of stems with an inverted index, and the scores of FTS5, which the embedded store uses.

use std::ops::RangeInclusive;

use lexiform_store::engine::{
    COLUMN_WEIGHTS, MATERIAL_SHARE, NameIndex, NameLookup, NameMatch, Spelling, search_names,
};
use lexiform_store::{NameRequest, NameSearch};
use postgres::Client;
use rust_stemmers::{Algorithm, Stemmer};

use crate::error::{DatabaseError, record_id};
use crate::read::condition;
use crate::rows::references;
use crate::schema::StoredSpace;

/// Constants of [BM25](https://doi.org/10.1561/1500000019), as in FTS5.
const K1: f64 = 1.2;
const B: f64 = 0.75;
/// The column of materials.
const MATERIALS: usize = 3;
/// Number of records from which their number and the length of their names are estimated instead of counted.
const MANY_ROWS: f64 = 200_000.0;

/// See [`VectorStore::search_names`](lexiform_store::VectorStore::search_names).
pub(crate) fn search(
    client: &mut Client,
    space: &StoredSpace,
    request: &NameRequest,
) -> Result<NameSearch, DatabaseError> {
    search_names(Names { client, space, request, mean_length: 1.0 }, request)
}

struct Names<'a> {
    client: &'a mut Client,
    space: &'a StoredSpace,
    request: &'a NameRequest,
    /// Mean number of words of a record.
    mean_length: f64,
}

impl NameIndex for Names<'_> {
    type Error = DatabaseError;

    fn n_rows(&mut self) -> Result<f64, DatabaseError> {
        let estimate = "SELECT reltuples::float8 FROM pg_class WHERE oid = 'records'::regclass";
        let estimated: f64 = self.client.query_one(estimate, &[])?.get(0);
        let sample = if estimated > MANY_ROWS { "TABLESAMPLE SYSTEM (1)" } else { "" };
        let select = format!(
            "SELECT count(*)::float8, coalesce(avg(n_words), 1)::float8 FROM records {sample} WHERE n_words > 0"
        );
        let row = self.client.query_one(&select, &[])?;
        self.mean_length = row.get(1);
        Ok(if sample.is_empty() { row.get(0) } else { estimated })
    }

    fn lookup(&mut self, words: &[&str], _n_rows: f64) -> Result<NameLookup, DatabaseError> {
        let stemmer = Stemmer::create(Algorithm::English);
        let words = words.iter().flat_map(|text| text.split_whitespace());
        let stems: Vec<String> = words.map(|word| stemmer.stem(word).into_owned()).collect();
        if stems.is_empty() {
            return Ok(NameLookup::default());
        }
        let (condition, mut parameters) = condition(self.request.filter.as_ref());
        parameters.push(Box::new(stems.clone()));
        let select = format!(
            "SELECT id, names, n_words, {condition} AND {} FROM records WHERE stems @> ${}",
            self.space.is_member(),
            parameters.len()
        );
        let mut found = NameLookup::default();
        for row in self.client.query(&select, &references(&parameters))? {
            let fields: Vec<String> = row.get(1);
            if let Some(name_match) = self.score(&fields, row.get(2), &stems) {
                found.n_rows += 1.0;
                if row.get(3) {
                    found.records.insert(record_id(row.get(0))?, name_match);
                }
            }
        }
        Ok(found)
    }

    fn spelled_words(
        &mut self,
        letters: RangeInclusive<usize>,
        spelling: &mut Spelling,
    ) -> Result<(), DatabaseError> {
        let bound = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
        let select = "SELECT word FROM words WHERE length(word) BETWEEN $1 AND $2";
        let rows = self.client.query(select, &[&bound(*letters.start()), &bound(*letters.end())])?;
        let near: Vec<String> =
            rows.iter().map(|row| row.get(0)).filter(|word: &String| spelling.is_near(word)).collect();
        // Words are not removed with their last record.
        for word in near {
            let count = "SELECT count(*) FROM records WHERE words @> ARRAY[$1::text]";
            let records: i64 = self.client.query_one(count, &[&word])?.get(0);
            if records > 0 {
                spelling.consider(&word, records.cast_unsigned());
            }
        }
        Ok(())
    }
}

impl Names<'_> {
    /// How a record matches stems in a row; `None` if it does not.
    fn score(&self, fields: &[String], n_words: i32, stems: &[String]) -> Option<NameMatch> {
        let counts: Vec<usize> = fields.iter().map(|field| occurrences(field, stems)).collect();
        if counts.iter().all(|count| *count == 0) {
            return None;
        }
        let weighted = counts.iter().zip(COLUMN_WEIGHTS).map(|(count, weight)| *count as f64 * weight);
        let frequency: f64 = weighted.sum();
        let length = f64::from(n_words) / self.mean_length;
        let score = frequency * (K1 + 1.0) / (frequency + K1 * (1.0 - B + B * length));
        let elsewhere = counts.iter().enumerate().any(|(column, count)| column != MATERIALS && *count > 0);
        Some(NameMatch { score, share: if elsewhere { 1.0 } else { MATERIAL_SHARE } })
    }
}

/// How often a field has stems in a row.
fn occurrences(field: &str, stems: &[String]) -> usize {
    let words: Vec<&str> = field.split_whitespace().collect();
    words
        .windows(stems.len())
        .filter(|window| window.iter().zip(stems).all(|(word, stem)| word == stem))
        .count()
}
