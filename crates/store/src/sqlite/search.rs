//! Searching: vectors are cached in memory and refreshed to the database's generation; the scan proposes candidate
//! rows, whose final scores are computed from the f32 vectors.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params_from_iter};

use super::spaces::StoredSpace;
use super::transaction_error::TransactionError;
use super::{read_records, rows};
use crate::scan::{CandidateIndex, Matrix, dot_f64};
use crate::{Filter, Hit, Precision, RecordId, SearchRequest, StoreError};

/// The vectors of one space, loaded at the first search.
#[derive(Debug, Default)]
pub(super) struct VectorCache {
    pub(super) precision: Precision,
    cached: Mutex<Option<CachedMatrix>>,
}

/// The vectors at a generation of the space.
#[derive(Debug)]
struct CachedMatrix {
    generation: i64,
    matrix: Arc<Matrix>,
}

impl VectorCache {
    pub(super) fn new(precision: Precision) -> Self {
        Self { precision, cached: Mutex::default() }
    }

    /// The matrix at the generation of `connection`'s snapshot.
    fn matrix(&self, connection: &Connection, space: &StoredSpace) -> Result<Arc<Matrix>, TransactionError> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        // This query starts the snapshot, while the lock is held: the snapshot is never older than the cache.
        let generation = connection
            .prepare_cached("SELECT generation FROM spaces WHERE id = ?")?
            .query_row([space.id], |row| row.get(0))?;
        match cached.as_mut() {
            Some(current) if current.generation == generation => {}
            Some(current) => {
                let since = current.generation;
                // If the refresh fails half-way, the matrix has no valid generation and is loaded again.
                current.generation = -1;
                if since < 0 {
                    current.matrix = Arc::new(self.load(connection, space)?);
                } else {
                    // Copies the matrix only if another thread still searches the previous generation.
                    refresh(connection, space, Arc::make_mut(&mut current.matrix), since)?;
                }
                current.generation = generation;
            }
            None => {
                *cached = Some(CachedMatrix { generation, matrix: Arc::new(self.load(connection, space)?) });
            }
        }
        match cached.as_ref() {
            Some(CachedMatrix { matrix, .. }) => Ok(matrix.clone()),
            None => Err(StoreError::invalid("search", "no vectors loaded").into()),
        }
    }

    fn load(&self, connection: &Connection, space: &StoredSpace) -> Result<Matrix, TransactionError> {
        let dim = space.space.dim;
        let mut matrix = Matrix::new(dim, self.precision, read_records::len(connection, space.id)?);
        let mut vector = Vec::with_capacity(dim);
        // NOT INDEXED: a sequential scan of the table; through an index, every row would be a random access.
        let mut statement = connection
            .prepare_cached("SELECT record_id, vector FROM vectors NOT INDEXED WHERE space_id = ?")?;
        let mut found = statement.query([space.id])?;
        while let Some(row) = found.next()? {
            rows::vector(row, 1, dim, &mut vector)?;
            matrix.push(rows::id(row, 0)?, &vector);
        }
        Ok(matrix)
    }
}

/// See [`VectorStore::search`](crate::VectorStore::search).
pub(super) fn search(
    connection: &Connection,
    space: &StoredSpace,
    cache: &VectorCache,
    request: &SearchRequest,
) -> Result<Vec<Hit>, TransactionError> {
    let matrix = cache.matrix(connection, space)?;
    let only = match &request.filter {
        Some(filter) => Some(selected_rows(connection, &matrix, filter)?),
        None => None,
    };
    let min_score = request.min_score.unwrap_or(f32::NEG_INFINITY);
    // A superset of the answer: quantized scores have errors.
    let rows = matrix.candidates(&request.vector, request.k, min_score, only.as_deref());
    let mut scored = Vec::with_capacity(rows.len());
    for row in rows {
        let score = exact_score(connection, space, &matrix, row, &request.vector)?;
        if score >= min_score {
            scored.push((score, matrix.id(row)));
        }
    }
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.truncate(request.k);
    hits(connection, &scored)
}

/// Applies the changes since a generation to a matrix.
fn refresh(
    connection: &Connection,
    space: &StoredSpace,
    matrix: &mut Matrix,
    since: i64,
) -> Result<(), TransactionError> {
    let mut vector = Vec::with_capacity(space.space.dim);
    let mut statement = connection
        .prepare_cached("SELECT record_id, vector FROM vectors WHERE space_id = ? AND generation > ?")?;
    let mut changed = statement.query((space.id, since))?;
    while let Some(row) = changed.next()? {
        rows::vector(row, 1, space.space.dim, &mut vector)?;
        let id = rows::id(row, 0)?;
        match matrix.row(id) {
            Some(row) => matrix.replace(row, &vector),
            None => matrix.push(id, &vector),
        }
    }
    // Deleted vectors have no row that says so. If the counts agree, nothing was deleted.
    if read_records::len(connection, space.id)? == matrix.len() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached("SELECT record_id FROM vectors WHERE space_id = ?")?;
    let kept: HashSet<RecordId> =
        statement.query_map([space.id], |row| rows::id(row, 0))?.collect::<Result<_, _>>()?;
    matrix.retain(&kept);
    Ok(())
}

/// The rows that a filter selects, ascending.
fn selected_rows(
    connection: &Connection,
    matrix: &Matrix,
    filter: &Filter,
) -> Result<Vec<u32>, TransactionError> {
    let mut parameters = Vec::new();
    let condition = filter.to_sql(&mut parameters);
    let mut statement = connection.prepare(&format!("SELECT id FROM records WHERE {condition}"))?;
    let mut found = statement.query(params_from_iter(parameters))?;
    let mut selected = Vec::new();
    while let Some(row) = found.next()? {
        // Records without a vector in this space have no row.
        selected.extend(matrix.row(rows::id(row, 0)?));
    }
    // Ascending, as the scan expects; it also reads memory in order.
    selected.sort_unstable();
    Ok(selected)
}

#[expect(clippy::cast_possible_truncation, reason = "scores are reported as f32")]
fn exact_score(
    connection: &Connection,
    space: &StoredSpace,
    matrix: &Matrix,
    row: u32,
    query: &[f32],
) -> Result<f32, TransactionError> {
    // Quantized matrices do not have the vector: one row is read from the database.
    if let Some(vector) = matrix.full_precision_row(row) {
        return Ok(dot_f64(query, vector) as f32);
    }
    let mut vector = Vec::with_capacity(space.space.dim);
    connection
        .prepare_cached("SELECT vector FROM vectors WHERE record_id = ? AND space_id = ?")?
        .query_row((matrix.id(row).to_i64(), space.id), |row| {
            rows::vector(row, 0, space.space.dim, &mut vector)
        })?;
    Ok(dot_f64(query, &vector) as f32)
}

fn hits(connection: &Connection, scored: &[(f32, RecordId)]) -> Result<Vec<Hit>, TransactionError> {
    let mut hits = Vec::with_capacity(scored.len());
    for (score, id) in scored {
        if let Some(entry) = read_records::entry(connection, *id)? {
            hits.push(Hit { id: *id, score: *score, payload: entry.payload });
        }
    }
    Ok(hits)
}
