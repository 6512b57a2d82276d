//! Conversions between values and columns of table rows.

use lexiform_store::engine::{NameFields, SqlParameter};
use lexiform_store::{Captions, Entry, IndexState, Payload, RecordId, StoreError};
use postgres::Row;
use postgres::types::{ToSql, Type};
use rust_stemmers::{Algorithm, Stemmer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{DatabaseError, record_id};

/// Columns of `records`, their types, and their types in the table of rows to write.
pub(crate) const COLUMNS: [(&str, &str, Type); 24] = [
    ("id", "bigint", Type::INT8),
    ("path", "text", Type::TEXT),
    ("name", "text", Type::TEXT),
    ("content_hash", "text", Type::TEXT),
    ("format", "text", Type::TEXT),
    ("bytes", "bigint", Type::INT8),
    ("vertices", "bigint", Type::INT8),
    ("triangles", "bigint", Type::INT8),
    ("points", "bigint", Type::INT8),
    ("extent_x", "real", Type::FLOAT4),
    ("extent_y", "real", Type::FLOAT4),
    ("extent_z", "real", Type::FLOAT4),
    ("modified_ns", "bigint", Type::INT8),
    ("extra", "json", Type::TEXT),
    ("stat_hash", "text", Type::TEXT),
    ("dependencies", "text", Type::TEXT),
    ("objects", "text", Type::TEXT),
    ("materials", "text", Type::TEXT),
    ("captions", "json", Type::TEXT),
    ("captioner", "text", Type::TEXT),
    ("names", "text[]", Type::TEXT_ARRAY),
    ("stems", "text[]", Type::TEXT_ARRAY),
    ("words", "text[]", Type::TEXT_ARRAY),
    ("n_words", "integer", Type::INT4),
];

/// Columns of `records`, in the order [`entry`] reads them.
pub(crate) const ENTRY_COLUMNS: &str = "id, path, content_hash, format, bytes, vertices, triangles, points, \
                                        extent_x, extent_y, extent_z, modified_ns, extra::text, stat_hash, \
                                        dependencies, objects, materials, captions::text, captioner";

/// The statement that creates a session's table of rows to write.
pub(crate) fn stage_table() -> String {
    let columns: Vec<String> =
        COLUMNS.iter().map(|(name, kind, _)| format!("{name} {}", kind.replace("json", "text"))).collect();
    format!(
        "CREATE TEMP TABLE IF NOT EXISTS stage ({}, vector vector, thumbnail bytea) ON COMMIT DELETE ROWS",
        columns.join(", ")
    )
}

/// A value of a column.
pub(crate) type Parameter = Box<dyn ToSql + Sync>;

/// The values of [`COLUMNS`].
pub(crate) fn columns(
    id: RecordId,
    payload: &Payload,
    index_state: &IndexState,
) -> Result<Vec<Parameter>, DatabaseError> {
    let [x, y, z] = payload.extents;
    let written = payload.captions.as_ref().filter(|captions| !captions.texts.is_empty());
    let texts = written.map_or(&[][..], |captions| &captions.texts);
    let mut values: Vec<Parameter> = vec![
        Box::new(id.to_i64()),
        Box::new(payload.path.clone()),
        Box::new(payload.name().to_owned()),
        Box::new(payload.content_hash.clone()),
        Box::new(payload.format.clone()),
        Box::new(payload.bytes.cast_signed()),
        Box::new(payload.vertices.cast_signed()),
        Box::new(payload.triangles.cast_signed()),
        Box::new(payload.points.cast_signed()),
        Box::new(x),
        Box::new(y),
        Box::new(z),
        Box::new(payload.modified_ns),
        Box::new(json(&payload.extra)?),
        Box::new(index_state.stat_hash.clone()),
        Box::new(json(&index_state.dependencies)?),
        Box::new(json(&payload.objects)?),
        Box::new(json(&payload.materials)?),
        Box::new(json(texts)?),
        Box::new(written.map_or_else(String::new, |captions| captions.captioner.clone())),
    ];
    values.extend(names(payload));
    Ok(values)
}

/// The values of the last four columns: stems of each field, distinct stems, distinct words, number of words.
pub(crate) fn names(payload: &Payload) -> [Parameter; 4] {
    let fields = NameFields::of(payload, payload.captions.as_ref());
    let stemmer = Stemmer::create(Algorithm::English);
    let stem_all = |text: &str| {
        let stems: Vec<_> = text.split(' ').map(|word| stemmer.stem(word)).collect();
        stems.join(" ")
    };
    let fields_of_stems: Vec<String> = fields.columns().iter().map(|text| stem_all(text)).collect();
    let distinct = |texts: &[&str]| {
        let mut words: Vec<String> =
            texts.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect();
        words.sort_unstable();
        words.dedup();
        words
    };
    let stems: Vec<&str> = fields_of_stems.iter().map(String::as_str).collect();
    let n_words = stems.iter().map(|text| text.split_whitespace().count()).sum::<usize>();
    let (stems, words) = (distinct(&stems), distinct(&fields.columns()));
    let n_words = i32::try_from(n_words).unwrap_or(i32::MAX);
    [Box::new(fields_of_stems), Box::new(stems), Box::new(words), Box::new(n_words)]
}

/// Reads [`ENTRY_COLUMNS`].
pub(crate) fn entry(row: &Row) -> Result<Entry, DatabaseError> {
    let count = |column: usize| row.get::<_, i64>(column).cast_unsigned();
    let texts: Vec<String> = from_json(row.get(17))?;
    let captions = (!texts.is_empty()).then(|| Captions { captioner: row.get(18), texts });
    Ok(Entry {
        id: record_id(row.get(0))?,
        payload: Payload {
            path: row.get(1),
            content_hash: row.get(2),
            format: row.get(3),
            bytes: count(4),
            vertices: count(5),
            triangles: count(6),
            points: count(7),
            extents: [row.get(8), row.get(9), row.get(10)],
            modified_ns: row.get(11),
            objects: from_json(row.get(15))?,
            materials: from_json(row.get(16))?,
            captions,
            extra: from_json(row.get(12))?,
        },
        index_state: IndexState { stat_hash: row.get(13), dependencies: from_json(row.get(14))? },
    })
}

/// Values of a filter's parameters.
pub(crate) fn parameters(bound: Vec<SqlParameter>) -> Vec<Parameter> {
    let value = |parameter| -> Parameter {
        match parameter {
            SqlParameter::Text(text) => Box::new(text),
            SqlParameter::Number(number) => Box::new(number),
            SqlParameter::Null => Box::new(None::<String>),
        }
    };
    bound.into_iter().map(value).collect()
}

/// References to parameters, as the client takes them.
pub(crate) fn references(parameters: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|parameter| &**parameter).collect()
}

/// Ids as values of a column.
pub(crate) fn numbers(ids: &[RecordId]) -> Vec<i64> {
    ids.iter().map(|id| id.to_i64()).collect()
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, DatabaseError> {
    Ok(serde_json::to_string(value)?)
}

fn from_json<T: DeserializeOwned + Default>(text: &str) -> Result<T, DatabaseError> {
    // Most records have none: listing a library should not parse JSON for them.
    if text == "[]" || text == "{}" {
        return Ok(T::default());
    }
    serde_json::from_str(text).map_err(|error| StoreError::invalid("record", error.to_string()).into())
}
