//! Reading records.

use std::collections::{BTreeMap, HashMap};

use lexiform_store::engine::SqlDialect;
use lexiform_store::{Entry, Failure, FileState, Filter, ListRequest, Record, RecordId, StoreError};
use pgvector::Vector;
use postgres::{Client, GenericClient, Row};

use crate::error::{DatabaseError, record_id};
use crate::rows::{self, ENTRY_COLUMNS, Parameter, numbers, references};
use crate::schema::StoredSpace;

/// An entry of any space.
pub(crate) fn entry(client: &mut impl GenericClient, id: RecordId) -> Result<Option<Entry>, DatabaseError> {
    let select = format!("SELECT {ENTRY_COLUMNS} FROM records WHERE id = $1");
    client.query_opt(&select, &[&id.to_i64()])?.as_ref().map(rows::entry).transpose()
}

/// The entries of a space with these ids.
pub(crate) fn entries(
    client: &mut Client,
    space: &StoredSpace,
    ids: &[i64],
) -> Result<HashMap<RecordId, Entry>, DatabaseError> {
    let select = format!("SELECT {ENTRY_COLUMNS} FROM records WHERE id = ANY($1) AND {}", space.is_member());
    let found = client.query(&select, &[&ids])?;
    found.iter().map(|row| rows::entry(row).map(|entry| (entry.id, entry))).collect()
}

/// See [`VectorStore::get`](lexiform_store::VectorStore::get).
pub(crate) fn get(
    client: &mut Client,
    space: &StoredSpace,
    ids: &[RecordId],
) -> Result<Vec<Option<Record>>, DatabaseError> {
    let (entries, mut vectors) = (entries(client, space, &numbers(ids))?, by_id(client, space, ids)?);
    let mut images = HashMap::new();
    let select = "SELECT record_id, image FROM thumbnails WHERE record_id = ANY($1)";
    for row in client.query(select, &[&numbers(ids)])? {
        images.insert(record_id(row.get(0))?, row.get::<_, Vec<u8>>(1));
    }
    let mut record = |id: &RecordId| {
        let Entry { id, payload, index_state } = entries.get(id)?.clone();
        // Ids may repeat.
        let vector = vectors.get_mut(&id)?.clone();
        Some(Record { id, vector, payload, index_state, thumbnail: images.get(&id).cloned() })
    };
    Ok(ids.iter().map(&mut record).collect())
}

/// See [`VectorStore::vectors`](lexiform_store::VectorStore::vectors).
pub(crate) fn vectors(
    client: &mut Client,
    space: &StoredSpace,
    ids: &[RecordId],
) -> Result<Vec<Option<Vec<f32>>>, DatabaseError> {
    let vectors = by_id(client, space, ids)?;
    Ok(ids.iter().map(|id| vectors.get(id).cloned()).collect())
}

fn by_id(
    client: &mut Client,
    space: &StoredSpace,
    ids: &[RecordId],
) -> Result<HashMap<RecordId, Vec<f32>>, DatabaseError> {
    let select = format!("SELECT record_id, vector FROM {} WHERE record_id = ANY($1)", space.table());
    let found = client.query(&select, &[&numbers(ids)])?;
    found.iter().map(|row| Ok((record_id(row.get(0))?, row.get::<_, Vector>(1).to_vec()))).collect()
}

/// See [`VectorStore::thumbnail`](lexiform_store::VectorStore::thumbnail).
pub(crate) fn thumbnail(client: &mut Client, id: RecordId) -> Result<Option<Vec<u8>>, DatabaseError> {
    let select = "SELECT image FROM thumbnails WHERE record_id = $1";
    Ok(client.query_opt(select, &[&id.to_i64()])?.map(|row| row.get(0)))
}

/// A filter as a condition, and its parameters; those of the statement follow.
pub(crate) fn condition(filter: Option<&Filter>) -> (String, Vec<Parameter>) {
    match filter {
        Some(filter) => {
            let (condition, bound) = filter.to_sql(SqlDialect::Postgres);
            (condition, rows::parameters(bound))
        }
        None => ("TRUE".into(), Vec::new()),
    }
}

/// See [`VectorStore::list`](lexiform_store::VectorStore::list).
pub(crate) fn list(
    client: &mut Client,
    space: &StoredSpace,
    request: &ListRequest,
) -> Result<Vec<Entry>, DatabaseError> {
    let (condition, mut parameters) = condition(request.filter.as_ref());
    // Pages continue after an id instead of an offset, so that changes in between skip no record.
    // Ids are not negative: -1 starts at the first one.
    parameters.push(Box::new(request.after.map_or(-1, RecordId::to_i64)));
    parameters.push(Box::new(i64::try_from(request.limit).unwrap_or(i64::MAX)));
    let (after, limit) = (parameters.len() - 1, parameters.len());
    let select = format!(
        "SELECT {ENTRY_COLUMNS} FROM records WHERE {condition} AND id > ${after} AND {} ORDER BY id LIMIT ${limit}",
        space.is_member()
    );
    client.query(&select, &references(&parameters))?.iter().map(rows::entry).collect()
}

/// Number of records with a vector in a space.
pub(crate) fn len(client: &mut Client, space: &StoredSpace) -> Result<usize, DatabaseError> {
    let select = "SELECT count(*) FROM members WHERE space_id = $1";
    Ok(size(client.query_one(select, &[&space.id])?.get(0)))
}

/// See [`VectorStore::count`](lexiform_store::VectorStore::count).
pub(crate) fn count(
    client: &mut Client,
    space: &StoredSpace,
    filter: &Filter,
) -> Result<usize, DatabaseError> {
    let (condition, parameters) = condition(Some(filter));
    let select = format!("SELECT count(*) FROM records WHERE {condition} AND {}", space.is_member());
    Ok(size(client.query_one(&select, &references(&parameters))?.get(0)))
}

/// See [`VectorStore::count_by_format`](lexiform_store::VectorStore::count_by_format).
pub(crate) fn count_by_format(
    client: &mut Client,
    space: &StoredSpace,
    filter: &Filter,
) -> Result<BTreeMap<String, usize>, DatabaseError> {
    let (condition, parameters) = condition(Some(filter));
    let select = format!(
        "SELECT format, count(*) FROM records WHERE {condition} AND {} GROUP BY format",
        space.is_member()
    );
    let counts = client.query(&select, &references(&parameters))?;
    Ok(counts.iter().map(|row| (row.get(0), size(row.get(1)))).collect())
}

/// See [`VectorStore::find_by_path`](lexiform_store::VectorStore::find_by_path).
pub(crate) fn find_by_path(
    client: &mut Client,
    space: &StoredSpace,
    path: &str,
) -> Result<Option<Entry>, DatabaseError> {
    let select = format!("SELECT {ENTRY_COLUMNS} FROM records WHERE path = $1 AND {}", space.is_member());
    client.query_opt(&select, &[&path])?.as_ref().map(rows::entry).transpose()
}

/// See [`VectorStore::find_in_any_space`](lexiform_store::VectorStore::find_in_any_space).
pub(crate) fn find_in_any_space(client: &mut Client, path: &str) -> Result<Option<Entry>, DatabaseError> {
    let select = format!("SELECT {ENTRY_COLUMNS} FROM records WHERE path = $1");
    client.query_opt(&select, &[&path])?.as_ref().map(rows::entry).transpose()
}

/// See [`VectorStore::find_by_content`](lexiform_store::VectorStore::find_by_content).
pub(crate) fn find_by_content(
    client: &mut Client,
    space: &StoredSpace,
    content_hash: &str,
) -> Result<Vec<Entry>, DatabaseError> {
    let select = format!(
        "SELECT {ENTRY_COLUMNS} FROM records WHERE content_hash = $1 AND {} ORDER BY id",
        space.is_member()
    );
    client.query(&select, &[&content_hash])?.iter().map(rows::entry).collect()
}

/// See [`VectorStore::file_states`](lexiform_store::VectorStore::file_states).
pub(crate) fn file_states(client: &mut Client, space: &StoredSpace) -> Result<Vec<FileState>, DatabaseError> {
    let select = format!(
        "SELECT id, path, content_hash, bytes, modified_ns FROM records WHERE {} ORDER BY path",
        space.is_member()
    );
    let state = |row: &Row| {
        Ok(FileState {
            id: record_id(row.get(0))?,
            path: row.get(1),
            content_hash: row.get(2),
            bytes: row.get::<_, i64>(3).cast_unsigned(),
            modified_ns: row.get(4),
        })
    };
    client.query(&select, &[])?.iter().map(state).collect()
}

/// See [`VectorStore::assign_id`](lexiform_store::VectorStore::assign_id). Records are shared between spaces, so records without
/// a vector in this space count too.
pub(crate) fn assign_id(
    client: &mut Client,
    path: &str,
    content_hash: &str,
) -> Result<RecordId, DatabaseError> {
    if let Some(row) = client.query_opt("SELECT id FROM records WHERE path = $1", &[&path])? {
        return record_id(row.get(0));
    }
    for attempt in 0.. {
        let id = RecordId::derive(path, content_hash, attempt);
        if client.query_opt("SELECT 1 FROM records WHERE id = $1", &[&id.to_i64()])?.is_none() {
            return Ok(id);
        }
    }
    Err(StoreError::invalid(path, "no free record id").into())
}

/// See [`VectorStore::failures`](lexiform_store::VectorStore::failures).
pub(crate) fn failures(client: &mut Client, space: &StoredSpace) -> Result<Vec<Failure>, DatabaseError> {
    let select = "SELECT path, content_hash, bytes, modified_ns, error, failed_at_ns FROM failures
        WHERE space_id = $1 ORDER BY path";
    let failure = |row: &Row| Failure {
        path: row.get(0),
        content_hash: row.get(1),
        bytes: row.get::<_, i64>(2).cast_unsigned(),
        modified_ns: row.get(3),
        error: row.get(4),
        failed_at_ns: row.get(5),
    };
    Ok(client.query(select, &[&space.id])?.iter().map(failure).collect())
}

/// A number of rows.
pub(crate) fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or_default()
}
