//! Searching: the matrix is brought up to the database's generation, proposes rows, and the database has the last word.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use rusqlite::{Connection, params_from_iter};

use super::{Fault, SqliteStore, rows};
use crate::scan::{CandidateIndex, Matrix, exact};
use crate::{Filter, Hit, RecordId, SearchRequest, StoreError};

/// The vectors as they were at a generation of the space.
#[derive(Debug)]
pub(super) struct Loaded {
    generation: i64,
    matrix: Arc<Matrix>,
}

/// See [`VectorStore::search`](crate::VectorStore::search).
pub(super) fn search(store: &SqliteStore, request: &SearchRequest) -> Result<Vec<Hit>, StoreError> {
    rows::check_vector("query", &request.vector, store.space.dim)?;
    if request.k == 0 {
        return Ok(Vec::new());
    }
    store.read("cannot search", |connection| {
        let matrix = current_matrix(store, connection)?;
        let only = match &request.filter {
            Some(filter) => Some(selected_rows(connection, &matrix, filter)?),
            None => None,
        };
        // What cannot be reached excludes nothing.
        let min_score = request.min_score.unwrap_or(f32::NEG_INFINITY);
        let rows = matrix.candidates(&request.vector, request.k, min_score, only.as_deref());
        let mut scored = Vec::with_capacity(rows.len());
        for row in rows {
            let score = exact_score(store, connection, &matrix, row, &request.vector)?;
            if score >= min_score {
                scored.push((score, matrix.id(row)));
            }
        }
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.truncate(request.k);
        hits(connection, &scored)
    })
}

/// The matrix at the generation that `connection`'s transaction sees.
fn current_matrix(store: &SqliteStore, connection: &Connection) -> Result<Arc<Matrix>, Fault> {
    let mut loaded = store.loaded.lock().unwrap_or_else(PoisonError::into_inner);
    // The transaction takes its snapshot here, under the lock: it never sees less than what is loaded.
    let generation = connection
        .prepare_cached("SELECT generation FROM spaces WHERE id = ?")?
        .query_row([store.space_id], |row| row.get(0))?;
    match loaded.as_mut() {
        Some(current) if current.generation == generation => {}
        Some(current) => {
            let since = current.generation;
            // A refresh that fails half way leaves a matrix of no generation.
            current.generation = -1;
            if since < 0 {
                current.matrix = Arc::new(load(store, connection)?);
            } else {
                refresh(store, connection, Arc::make_mut(&mut current.matrix), since)?;
            }
            current.generation = generation;
        }
        None => *loaded = Some(Loaded { generation, matrix: Arc::new(load(store, connection)?) }),
    }
    match loaded.as_ref() {
        Some(Loaded { matrix, .. }) => Ok(matrix.clone()),
        None => Err(StoreError::invalid("search", "no vectors loaded").into()),
    }
}

fn load(store: &SqliteStore, connection: &Connection) -> Result<Matrix, Fault> {
    let count = count_vectors(store, connection)?;
    let mut matrix = Matrix::new(store.space.dim, store.precision, count);
    let mut vector = Vec::with_capacity(store.space.dim);
    let mut statement =
        connection.prepare_cached("SELECT record_id, vector FROM vectors NOT INDEXED WHERE space_id = ?")?;
    let mut found = statement.query([store.space_id])?;
    while let Some(row) = found.next()? {
        rows::vector(row, 1, store.space.dim, &mut vector)?;
        matrix.push(rows::id(row, 0)?, &vector);
    }
    Ok(matrix)
}

/// Takes over what changed after the generation `since`.
fn refresh(
    store: &SqliteStore,
    connection: &Connection,
    matrix: &mut Matrix,
    since: i64,
) -> Result<(), Fault> {
    let mut vector = Vec::with_capacity(store.space.dim);
    let mut statement = connection
        .prepare_cached("SELECT record_id, vector FROM vectors WHERE space_id = ? AND generation > ?")?;
    let mut changed = statement.query((store.space_id, since))?;
    while let Some(row) = changed.next()? {
        rows::vector(row, 1, store.space.dim, &mut vector)?;
        let id = rows::id(row, 0)?;
        match matrix.row(id) {
            Some(row) => matrix.replace(row, &vector),
            None => matrix.push(id, &vector),
        }
    }
    if count_vectors(store, connection)? == matrix.len() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached("SELECT record_id FROM vectors WHERE space_id = ?")?;
    let kept: HashSet<RecordId> =
        statement.query_map([store.space_id], |row| rows::id(row, 0))?.collect::<Result<_, _>>()?;
    matrix.retain(&kept);
    Ok(())
}

fn count_vectors(store: &SqliteStore, connection: &Connection) -> Result<usize, Fault> {
    let select = "SELECT count(*) FROM vectors WHERE space_id = ?";
    Ok(connection.prepare_cached(select)?.query_row([store.space_id], |row| row.get(0))?)
}

/// The rows a filter selects, ascending.
fn selected_rows(connection: &Connection, matrix: &Matrix, filter: &Filter) -> Result<Vec<u32>, Fault> {
    let mut parameters = Vec::new();
    let condition = filter.to_sql(&mut parameters);
    let mut statement = connection.prepare(&format!("SELECT id FROM records WHERE {condition}"))?;
    let mut found = statement.query(params_from_iter(parameters))?;
    let mut selected = Vec::new();
    while let Some(row) = found.next()? {
        selected.extend(matrix.row(rows::id(row, 0)?));
    }
    selected.sort_unstable();
    Ok(selected)
}

#[expect(clippy::cast_possible_truncation, reason = "scores are reported as f32")]
fn exact_score(
    store: &SqliteStore,
    connection: &Connection,
    matrix: &Matrix,
    row: u32,
    query: &[f32],
) -> Result<f32, Fault> {
    if let Some(vector) = matrix.exact_row(row) {
        return Ok(exact(query, vector) as f32);
    }
    let mut vector = Vec::with_capacity(store.space.dim);
    connection
        .prepare_cached("SELECT vector FROM vectors WHERE record_id = ? AND space_id = ?")?
        .query_row((matrix.id(row).to_i64(), store.space_id), |row| {
            rows::vector(row, 0, store.space.dim, &mut vector)
        })?;
    Ok(exact(query, &vector) as f32)
}

fn hits(connection: &Connection, scored: &[(f32, RecordId)]) -> Result<Vec<Hit>, Fault> {
    let mut hits = Vec::with_capacity(scored.len());
    for (score, id) in scored {
        if let Some(entry) = rows::entry_of(connection, *id)? {
            hits.push(Hit { id: *id, score: *score, payload: entry.payload });
        }
    }
    Ok(hits)
}
