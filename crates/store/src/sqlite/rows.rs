//! Conversions between values and columns of table rows.

use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Result, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Captions, Entry, Extra, IndexState, Payload, RecordId, StoreError};

/// Columns of `records`, in the order [`entry`] reads them.
pub(super) const ENTRY_COLUMNS: &str = "id, path, content_hash, format, bytes, vertices, triangles, points, \
                                        extent_x, extent_y, extent_z, modified_ns, extra, stat_hash, dependencies, \
                                        objects, materials, captions, captioner";

/// Reads [`ENTRY_COLUMNS`].
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
            objects: strings(row, 15)?,
            materials: strings(row, 16)?,
            captions: captions(row, 17, 18)?,
            extra: extra(row, 12)?,
        },
        index_state: IndexState { stat_hash: row.get(13)?, dependencies: strings(row, 14)? },
    })
}

/// Reads a record id.
pub(super) fn id(row: &Row<'_>, column: usize) -> Result<RecordId> {
    let value: i64 = row.get(column)?;
    RecordId::from_i64(value).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn extra(row: &Row<'_>, column: usize) -> Result<Extra> {
    let text = row.get_ref(column)?.as_str()?;
    // Most records have no extra fields: listing a library should not parse JSON for them.
    if text == "{}" { Ok(Extra::new()) } else { json(text, column) }
}

fn strings(row: &Row<'_>, column: usize) -> Result<Vec<String>> {
    let text = row.get_ref(column)?.as_str()?;
    // As above: most formats have no dependencies and no names.
    if text == "[]" { Ok(Vec::new()) } else { json(text, column) }
}

/// Reads the sentences and their captioner.
pub(super) fn captions(row: &Row<'_>, texts: usize, captioner: usize) -> Result<Option<Captions>> {
    let texts = strings(row, texts)?;
    if texts.is_empty() { Ok(None) } else { Ok(Some(Captions { captioner: row.get(captioner)?, texts })) }
}

/// A column of JSON of a payload.
pub(super) fn to_json(
    payload: &Payload,
    column: &str,
    value: &impl Serialize,
) -> std::result::Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::invalid(payload.path.as_str(), format!("{column}: {error}")))
}

fn json<T: DeserializeOwned>(text: &str, column: usize) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// Reads the f32 numbers of a little-endian blob into `buffer`: a vector of a library before version 4.
pub(super) fn vector(row: &Row<'_>, column: usize, dim: usize, buffer: &mut Vec<f32>) -> Result<()> {
    let (numbers, rest) = row.get_ref(column)?.as_blob()?.as_chunks::<4>();
    // Written by another program or damaged: an error here, because the scan relies on equal lengths.
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
