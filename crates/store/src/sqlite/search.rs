//! Searching: the scan of coded vectors proposes candidates, whose final scores are computed from the `f32` vectors.

use rusqlite::{Connection, params_from_iter};

use super::transaction_error::TransactionError;
use super::vector_cache::Vectors;
use super::vectors::{VectorState, no_such_slot};
use super::{read_records, rows};
use crate::scan::{self, dot_f64};
use crate::{Filter, Hit, RecordId, SearchRequest};

/// See [`VectorStore::search`](crate::VectorStore::search).
pub(super) fn search(
    connection: &Connection,
    vectors: &Vectors,
    request: &SearchRequest,
) -> Result<Vec<Hit>, TransactionError> {
    hits(connection, &nearest(connection, vectors, request)?)
}

/// See [`VectorStore::nearest`](crate::VectorStore::nearest).
pub(super) fn nearest(
    connection: &Connection,
    vectors: &Vectors,
    request: &SearchRequest,
) -> Result<Vec<(RecordId, f32)>, TransactionError> {
    let state = vectors.state();
    let only = match &request.filter {
        Some(filter) => Some(selected_slots(connection, state, filter)?),
        None => None,
    };
    let min_score = request.min_score.unwrap_or(f32::NEG_INFINITY);
    let rows = vectors.rows();
    // A superset of the answer: coded vectors have errors.
    let wanted = scan::Wanted { query: &request.vector, k: request.k, min_score, only: only.as_deref() };
    let mut scored = exact_scores(vectors, &scan::candidates(rows, wanted), request);
    scored.retain(|(score, _)| *score >= min_score);
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    // Ties with the last hit are ordered by id, which only the database has.
    if let Some((last, _)) = scored.get(request.k.saturating_sub(1)).copied() {
        scored.retain(|(score, _)| *score >= last);
    }
    let mut scored = with_ids(connection, state.space_id, &scored)?;
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.truncate(request.k);
    Ok(scored.into_iter().map(|(score, id)| (id, score)).collect())
}

/// The slots that a filter selects, ascending.
fn selected_slots(
    connection: &Connection,
    state: &VectorState,
    filter: &Filter,
) -> Result<Vec<u32>, TransactionError> {
    let mut parameters = Vec::new();
    let condition = filter.to_sqlite(&mut parameters);
    parameters.push(state.space_id.into());
    let mut statement = connection.prepare(&format!(
        "SELECT slot FROM records JOIN vectors ON record_id = id WHERE {condition} AND space_id = ?"
    ))?;
    let found = statement.query_map(params_from_iter(parameters), |row| row.get(0))?;
    let mut slots: Vec<u32> = found.collect::<Result<_, _>>()?;
    // Ascending, as the scan expects; it also reads memory in order.
    slots.sort_unstable();
    match slots.last() {
        // The scan reads the rows of these slots without another check.
        Some(last) if *last >= state.slots => Err(no_such_slot(connection, *last)),
        _ => Ok(slots),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "scores are reported as f32")]
fn exact_scores(vectors: &Vectors, slots: &[u32], request: &SearchRequest) -> Vec<(f32, u32)> {
    let mut vector = Vec::with_capacity(request.vector.len());
    let score = |slot: &u32| {
        let exists = vectors.read(*slot, &mut vector);
        exists.then(|| (dot_f64(&request.vector, &vector) as f32, *slot))
    };
    slots.iter().filter_map(score).collect()
}

/// The records in some slots.
fn with_ids(
    connection: &Connection,
    space_id: i64,
    scored: &[(f32, u32)],
) -> Result<Vec<(f32, RecordId)>, TransactionError> {
    let select = "SELECT record_id FROM vectors WHERE space_id = ? AND slot = ?";
    let mut statement = connection.prepare_cached(select)?;
    let mut found = Vec::with_capacity(scored.len());
    for (score, slot) in scored {
        found.push((*score, statement.query_row((space_id, slot), |row| rows::id(row, 0))?));
    }
    Ok(found)
}

fn hits(connection: &Connection, scored: &[(RecordId, f32)]) -> Result<Vec<Hit>, TransactionError> {
    let mut hits = Vec::with_capacity(scored.len());
    for (id, score) in scored {
        if let Some(entry) = read_records::entry(connection, *id)? {
            hits.push(Hit { id: *id, score: *score, payload: entry.payload });
        }
    }
    Ok(hits)
}
