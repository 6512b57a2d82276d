//! Searching: an index of neighbors (HNSW) in large libraries, every vector in small ones and under selective filters.

use lexiform_store::engine::dot_f64;
use lexiform_store::{Hit, RecordId, SearchRequest};
use pgvector::Vector;
use postgres::{Client, Row};

use crate::error::{DatabaseError, record_id};
use crate::read::{condition, entries};
use crate::rows::{Parameter, references};
use crate::schema::StoredSpace;

/// Most records that a filter may select for all of their vectors to be read.
const MAX_EXACT_SELECTION: usize = 20_000;
/// Most dimensions that an index of `halfvec` has.
pub(crate) const MAX_INDEXED_DIM: usize = 4_000;

/// See [`VectorStore::search`](lexiform_store::VectorStore::search). `is_indexed` says whether the vectors have an index.
pub(crate) fn search(
    client: &mut Client,
    space: &StoredSpace,
    is_indexed: bool,
    request: &SearchRequest,
) -> Result<Vec<Hit>, DatabaseError> {
    let search = Search { space, request, query: Vector::from(request.vector.clone()) };
    let rows = match &request.filter {
        None if is_indexed => search.nearest_by_index(client)?,
        None => search.nearest_of_all(client)?,
        Some(_) => search.nearest_of_selection(client, is_indexed)?,
    };
    search.hits(client, &rows)
}

struct Search<'a> {
    space: &'a StoredSpace,
    request: &'a SearchRequest,
    query: Vector,
}

impl Search<'_> {
    /// Number of candidates: some more than wanted, because the server's scores are rounded and its index is not in strict order.
    fn n_candidates(&self) -> i64 {
        i64::try_from(self.request.k.saturating_mul(2).saturating_add(16)).unwrap_or(i64::MAX)
    }

    /// The order of the index: its expression, as the index has it.
    fn by_index(&self) -> String {
        let dim = self.space.space.dim;
        format!("vector::halfvec({dim}) <#> $1::vector::halfvec({dim})")
    }

    fn nearest_by_index(&self, client: &mut Client) -> Result<Vec<Row>, DatabaseError> {
        let (table, order) = (self.space.table(), self.by_index());
        let select = format!("SELECT record_id, vector FROM {table} ORDER BY {order} LIMIT $2");
        Ok(client.query(&select, &[&self.query, &self.n_candidates()])?)
    }

    fn nearest_of_all(&self, client: &mut Client) -> Result<Vec<Row>, DatabaseError> {
        // Zero is added so that no index has this order.
        let select = format!(
            "SELECT record_id, vector FROM {} ORDER BY (vector <#> $1) + 0, record_id LIMIT $2",
            self.space.table()
        );
        Ok(client.query(&select, &[&self.query, &self.n_candidates()])?)
    }

    fn nearest_of_selection(&self, client: &mut Client, is_indexed: bool) -> Result<Vec<Row>, DatabaseError> {
        let limit = if is_indexed { MAX_EXACT_SELECTION + 1 } else { usize::MAX };
        let mut ids = self.selection(client, limit)?;
        if ids.len() > MAX_EXACT_SELECTION && is_indexed {
            let rows = self.nearest_by_index_and_filter(client)?;
            if rows.len() >= self.request.k {
                return Ok(rows);
            }
            // The index gave up before it had enough.
            ids = self.selection(client, usize::MAX)?;
        }
        let select = format!(
            "SELECT record_id, vector FROM {} WHERE record_id = ANY($3)
                ORDER BY (vector <#> $1) + 0, record_id LIMIT $2",
            self.space.table()
        );
        Ok(client.query(&select, &[&self.query, &self.n_candidates(), &ids])?)
    }

    /// Ids of records that the filter selects, at most `limit`.
    fn selection(&self, client: &mut Client, limit: usize) -> Result<Vec<i64>, DatabaseError> {
        let (condition, mut parameters) = condition(self.request.filter.as_ref());
        parameters.push(Box::new(i64::try_from(limit).unwrap_or(i64::MAX)));
        let select = format!(
            "SELECT id FROM records WHERE {condition} AND {} LIMIT ${}",
            self.space.is_member(),
            parameters.len()
        );
        Ok(client.query(&select, &references(&parameters))?.iter().map(|row| row.get(0)).collect())
    }

    /// Follows the order of the index until enough records are selected.
    fn nearest_by_index_and_filter(&self, client: &mut Client) -> Result<Vec<Row>, DatabaseError> {
        let (condition, mut parameters) = condition(self.request.filter.as_ref());
        parameters.push(Box::new(self.query.clone()) as Parameter);
        let order = self.by_index().replace("$1", &format!("${}", parameters.len()));
        parameters.push(Box::new(self.n_candidates()));
        let (table, limit) = (self.space.table(), parameters.len());
        let select = format!(
            "SELECT record_id, vector FROM {table} JOIN records ON records.id = record_id
                WHERE {condition} ORDER BY {order} LIMIT ${limit}"
        );
        let mut transaction = client.transaction()?;
        // Other plans would read every vector and sort it.
        transaction.batch_execute(
            "SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off",
        )?;
        let rows = transaction.query(&select, &references(&parameters))?;
        transaction.commit()?;
        Ok(rows)
    }

    /// Exact scores of candidates, and the best of them.
    #[expect(clippy::cast_possible_truncation, reason = "scores are reported as f32")]
    fn hits(&self, client: &mut Client, rows: &[Row]) -> Result<Vec<Hit>, DatabaseError> {
        let min_score = self.request.min_score.unwrap_or(f32::NEG_INFINITY);
        let mut scored: Vec<(f32, RecordId)> = Vec::with_capacity(rows.len());
        for row in rows {
            let vector: Vector = row.get(1);
            scored.push((dot_f64(&self.request.vector, vector.as_slice()) as f32, record_id(row.get(0))?));
        }
        scored.retain(|(score, _)| *score >= min_score);
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        // Some more than wanted: what a lost transaction left on a shard is no record.
        scored.truncate(self.request.k.saturating_add(8));
        let ids: Vec<i64> = scored.iter().map(|(_, id)| id.to_i64()).collect();
        let mut found = entries(client, self.space, &ids)?;
        let hit = |(score, id): (f32, RecordId)| {
            found.remove(&id).map(|entry| Hit { id, score, payload: entry.payload })
        };
        Ok(scored.into_iter().filter_map(hit).take(self.request.k).collect())
    }
}
