//! Reading records, one snapshot per call.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::rows::{self, ENTRY_COLUMNS};
use super::spaces::StoredSpace;
use super::transaction_error::TransactionError;
use super::vector_cache::Vectors;
use super::vectors::{VectorState, no_such_slot};
use crate::{Entry, FileState, Filter, ListRequest, Record, RecordId, StoreError};

/// Number of records with a vector in a space.
pub(super) fn len(connection: &Connection, space_id: i64) -> Result<usize, TransactionError> {
    // Dead slots are few; counting the records of a large library would read its whole index.
    let state = VectorState::read(connection, space_id)?;
    Ok((state.slots as usize).saturating_sub(state.count_dead(connection)?))
}

/// See [`VectorStore::get`](crate::VectorStore::get).
pub(super) fn get(
    connection: &Connection,
    space: &StoredSpace,
    vectors: &Vectors,
    ids: &[RecordId],
) -> Result<Vec<Option<Record>>, TransactionError> {
    ids.iter().map(|id| record(connection, space, vectors, *id)).collect()
}

/// A whole record; `None` if it does not exist or has no vector in the space.
fn record(
    connection: &Connection,
    space: &StoredSpace,
    vectors: &Vectors,
    id: RecordId,
) -> Result<Option<Record>, TransactionError> {
    let Some(Entry { id, payload, index_state }) = entry(connection, id)? else { return Ok(None) };
    // A record of other spaces only has no vector here.
    let Some(vector) = vector(connection, space, vectors, id)? else { return Ok(None) };
    let thumbnail = thumbnail(connection, id)?;
    Ok(Some(Record { id, vector, payload, index_state, thumbnail }))
}

/// See [`VectorStore::vectors`](crate::VectorStore::vectors).
pub(super) fn vectors(
    connection: &Connection,
    space: &StoredSpace,
    vectors: &Vectors,
    ids: &[RecordId],
) -> Result<Vec<Option<Vec<f32>>>, TransactionError> {
    ids.iter().map(|id| vector(connection, space, vectors, *id)).collect()
}

/// The vector of a record; `None` if it has none in the space.
fn vector(
    connection: &Connection,
    space: &StoredSpace,
    vectors: &Vectors,
    id: RecordId,
) -> Result<Option<Vec<f32>>, TransactionError> {
    let slot = connection
        .prepare_cached("SELECT slot FROM vectors WHERE record_id = ? AND space_id = ?")?
        .query_row((id.to_i64(), space.id), |row| row.get(0))
        .optional()?;
    let Some(slot) = slot else { return Ok(None) };
    let mut vector = Vec::new();
    if vectors.read(slot, &mut vector) { Ok(Some(vector)) } else { Err(no_such_slot(connection, slot)) }
}

/// An entry of any space.
pub(super) fn entry(connection: &Connection, id: RecordId) -> rusqlite::Result<Option<Entry>> {
    let select = format!("SELECT {ENTRY_COLUMNS} FROM records WHERE id = ?");
    connection.prepare_cached(&select)?.query_row([id.to_i64()], rows::entry).optional()
}

/// See [`VectorStore::thumbnail`](crate::VectorStore::thumbnail).
pub(super) fn thumbnail(connection: &Connection, id: RecordId) -> rusqlite::Result<Option<Vec<u8>>> {
    let select = "SELECT image FROM thumbnails WHERE record_id = ?";
    connection.prepare_cached(select)?.query_row([id.to_i64()], |row| row.get(0)).optional()
}

/// See [`VectorStore::list`](crate::VectorStore::list).
pub(super) fn list(
    connection: &Connection,
    space: &StoredSpace,
    request: &ListRequest,
) -> Result<Vec<Entry>, TransactionError> {
    let mut parameters = Vec::new();
    let filter =
        request.filter.as_ref().map_or_else(|| "1".into(), |filter| filter.to_sqlite(&mut parameters));
    // Pages continue after an id instead of an offset, so that changes in between skip no record.
    // Ids are not negative: -1 starts at the first one.
    parameters.push(request.after.map_or(-1, RecordId::to_i64).into());
    parameters.push(i64::try_from(request.limit).unwrap_or(i64::MAX).into());
    let has_vector = space.has_vector_sql();
    let mut statement = connection.prepare(&format!(
        "SELECT {ENTRY_COLUMNS} FROM records WHERE {filter} AND id > ? AND {has_vector} ORDER BY id LIMIT ?"
    ))?;
    let entries = statement.query_map(params_from_iter(parameters), rows::entry)?;
    Ok(entries.collect::<Result<_, _>>()?)
}

/// See [`VectorStore::count`](crate::VectorStore::count).
pub(super) fn count(
    connection: &Connection,
    space: &StoredSpace,
    filter: &Filter,
) -> Result<usize, TransactionError> {
    let mut parameters = Vec::new();
    let (filter, has_vector) = (filter.to_sqlite(&mut parameters), space.has_vector_sql());
    let select = format!("SELECT count(*) FROM records WHERE {filter} AND {has_vector}");
    Ok(connection.query_row(&select, params_from_iter(parameters), |row| row.get(0))?)
}

/// See [`VectorStore::count_by_format`](crate::VectorStore::count_by_format).
pub(super) fn count_by_format(
    connection: &Connection,
    space: &StoredSpace,
    filter: &Filter,
) -> Result<BTreeMap<String, usize>, TransactionError> {
    let mut parameters = Vec::new();
    let (filter, has_vector) = (filter.to_sqlite(&mut parameters), space.has_vector_sql());
    let mut statement = connection.prepare(&format!(
        "SELECT format, count(*) FROM records WHERE {filter} AND {has_vector} GROUP BY format"
    ))?;
    let counts = statement.query_map(params_from_iter(parameters), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(counts.collect::<Result<_, _>>()?)
}

/// See [`VectorStore::find_by_path`](crate::VectorStore::find_by_path).
pub(super) fn find_by_path(
    connection: &Connection,
    space: &StoredSpace,
    path: &str,
) -> Result<Option<Entry>, TransactionError> {
    let has_vector = space.has_vector_sql();
    let select = format!("SELECT {ENTRY_COLUMNS} FROM records WHERE path = ? AND {has_vector}");
    Ok(connection.prepare_cached(&select)?.query_row([path], rows::entry).optional()?)
}

/// See [`VectorStore::find_in_any_space`](crate::VectorStore::find_in_any_space).
pub(super) fn find_in_any_space(
    connection: &Connection,
    path: &str,
) -> Result<Option<Entry>, TransactionError> {
    let select = format!("SELECT {ENTRY_COLUMNS} FROM records WHERE path = ?");
    Ok(connection.prepare_cached(&select)?.query_row([path], rows::entry).optional()?)
}

/// See [`VectorStore::find_by_content`](crate::VectorStore::find_by_content).
pub(super) fn find_by_content(
    connection: &Connection,
    space: &StoredSpace,
    content_hash: &str,
) -> Result<Vec<Entry>, TransactionError> {
    let has_vector = space.has_vector_sql();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY_COLUMNS} FROM records WHERE content_hash = ? AND {has_vector} ORDER BY id"
    ))?;
    Ok(statement.query_map([content_hash], rows::entry)?.collect::<Result<_, _>>()?)
}

/// See [`VectorStore::file_states`](crate::VectorStore::file_states).
pub(super) fn file_states(
    connection: &Connection,
    space: &StoredSpace,
) -> Result<Vec<FileState>, TransactionError> {
    let has_vector = space.has_vector_sql();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, path, content_hash, bytes, modified_ns FROM records WHERE {has_vector} ORDER BY path"
    ))?;
    let file_states = statement.query_map([], |row| {
        Ok(FileState {
            id: rows::id(row, 0)?,
            path: row.get(1)?,
            content_hash: row.get(2)?,
            bytes: row.get(3)?,
            modified_ns: row.get(4)?,
        })
    })?;
    Ok(file_states.collect::<Result<_, _>>()?)
}

/// See [`VectorStore::assign_id`](crate::VectorStore::assign_id). Records are shared between spaces, so records without
/// a vector in this space count too.
pub(super) fn assign_id(
    connection: &Connection,
    path: &str,
    content_hash: &str,
) -> Result<RecordId, TransactionError> {
    let select = "SELECT id FROM records WHERE path = ?";
    let known = connection.prepare_cached(select)?.query_row([path], |row| rows::id(row, 0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    for attempt in 0.. {
        let id = RecordId::derive(path, content_hash, attempt);
        if entry(connection, id)?.is_none() {
            return Ok(id);
        }
    }
    Err(StoreError::invalid(path, "no free record id").into())
}
