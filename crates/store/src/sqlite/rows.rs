//! Between records and table rows.

use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Connection, OptionalExtension as _, Result, Row};

use crate::{Entry, Extra, Failure, Payload, Record, RecordId, StoreError};

/// Of `records`, in the order [`entry`] reads them.
pub(super) const ENTRY: &str = "id, path, content_hash, format, bytes, vertices, triangles, points, \
                                extent_x, extent_y, extent_z, modified_ns, extra";

/// How far from 1 the norm of a vector may be: what is left after a round trip through half precision.
const NORM_TOLERANCE: f64 = 1e-3;

/// Reads the columns of [`ENTRY`].
pub(super) fn entry(row: &Row<'_>) -> Result<Entry> {
    Ok(Entry {
        id: id(row, 0)?,
        payload: Payload {
            path: row.get(1)?,
            content_hash: row.get(2)?,
            format: row.get(3)?,
            bytes: row.get(4)?,
            vertices: row.get(5)?,
            triangles: row.get(6)?,
            points: row.get(7)?,
            extents: [row.get(8)?, row.get(9)?, row.get(10)?],
            modified_ns: row.get(11)?,
            extra: extra(row, 12)?,
        },
    })
}

pub(super) fn id(row: &Row<'_>, column: usize) -> Result<RecordId> {
    let value: i64 = row.get(column)?;
    RecordId::from_i64(value).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn extra(row: &Row<'_>, column: usize) -> Result<Extra> {
    let text = row.get_ref(column)?.as_str()?;
    // Most records have none.
    if text == "{}" {
        return Ok(Extra::new());
    }
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// Calls `take` with the f32 numbers of a little-endian blob, using `buffer`.
pub(super) fn vector(row: &Row<'_>, column: usize, dim: usize, buffer: &mut Vec<f32>) -> Result<()> {
    let (numbers, rest) = row.get_ref(column)?.as_blob()?.as_chunks::<4>();
    if numbers.len() != dim || !rest.is_empty() {
        let size = FromSqlError::InvalidBlobSize {
            expected_size: dim * 4,
            blob_size: numbers.len() * 4 + rest.len(),
        };
        return Err(size.into());
    }
    buffer.clear();
    buffer.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    Ok(())
}

/// The little-endian blob of a vector.
pub(super) fn blob(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// A whole record, if there is one with a vector in this space.
pub(super) fn record(
    connection: &Connection,
    id: RecordId,
    space_id: i64,
    dim: usize,
) -> Result<Option<Record>> {
    let Some(entry) = entry_of(connection, id)? else { return Ok(None) };
    let mut numbers = Vec::new();
    let found = connection
        .prepare_cached("SELECT vector FROM vectors WHERE record_id = ? AND space_id = ?")?
        .query_row((id.to_i64(), space_id), |row| vector(row, 0, dim, &mut numbers))
        .optional()?;
    if found.is_none() {
        return Ok(None);
    }
    Ok(Some(Record { id, vector: numbers, payload: entry.payload, thumbnail: thumbnail(connection, id)? }))
}

pub(super) fn entry_of(connection: &Connection, id: RecordId) -> Result<Option<Entry>> {
    let select = format!("SELECT {ENTRY} FROM records WHERE id = ?");
    connection.prepare_cached(&select)?.query_row([id.to_i64()], entry).optional()
}

pub(super) fn thumbnail(connection: &Connection, id: RecordId) -> Result<Option<Vec<u8>>> {
    let select = "SELECT image FROM thumbnails WHERE record_id = ?";
    connection.prepare_cached(select)?.query_row([id.to_i64()], |row| row.get(0)).optional()
}

/// Reads `path, content_hash, bytes, modified_ns, error, at_ns`.
pub(super) fn failure(row: &Row<'_>) -> Result<Failure> {
    Ok(Failure {
        path: row.get(0)?,
        content_hash: row.get(1)?,
        bytes: row.get(2)?,
        modified_ns: row.get(3)?,
        error: row.get(4)?,
        at_ns: row.get(5)?,
    })
}

/// Whether a vector is finite, of the right dim and of unit norm.
pub(crate) fn check_vector(subject: &str, vector: &[f32], dim: usize) -> Result<(), StoreError> {
    if vector.len() != dim {
        let reason = format!("expected a vector of {dim} numbers, found {}", vector.len());
        return Err(StoreError::invalid(subject, reason));
    }
    let square: f64 = vector.iter().map(|x| f64::from(*x).powi(2)).sum();
    // Written so that NaN fails too.
    let is_unit = (square.sqrt() - 1.0).abs() <= NORM_TOLERANCE;
    if is_unit {
        return Ok(());
    }
    let found =
        if square.is_finite() { format!("norm {:.4}", square.sqrt()) } else { "nan or infinity".into() };
    Err(StoreError::invalid(subject, format!("expected a vector of norm 1, found {found}")))
}

/// Whether a payload can be kept.
pub(super) fn check_payload(payload: &Payload) -> Result<(), StoreError> {
    check_path(&payload.path)?;
    let refuse = |reason: String| Err(StoreError::invalid(payload.path.as_str(), reason));
    for (what, count) in [
        ("bytes", payload.bytes),
        ("vertices", payload.vertices),
        ("triangles", payload.triangles),
        ("points", payload.points),
    ] {
        if i64::try_from(count).is_err() {
            return refuse(format!("expected {what} below 2^63, found {count}"));
        }
    }
    if !payload.extents.iter().all(|extent| extent.is_finite()) {
        return refuse(format!("expected finite extents, found {:?}", payload.extents));
    }
    Ok(())
}

/// Whether a path can be kept.
pub(super) fn check_path(path: &str) -> Result<(), StoreError> {
    // A path on its way to another begins with NUL, see `rename`.
    if path.is_empty() || path.contains('\0') {
        return Err(StoreError::invalid("path", format!("expected a path without NUL, found {path:?}")));
    }
    Ok(())
}
