//! Writing the index of names: a row in `names` and in `spellings` for every record with words.

use rusqlite::Connection;

use super::read_records;
use super::transaction_error::TransactionError;
use crate::names::NameFields;
use crate::{Captions, Payload, RecordId};

/// Inserts or replaces the names of a record. `captions` are those that are stored, which an update may have kept.
pub(super) fn write(
    connection: &Connection,
    id: RecordId,
    payload: &Payload,
    captions: Option<&Captions>,
) -> Result<(), TransactionError> {
    let fields = NameFields::of(payload, captions);
    let words = fields.all();
    // Names of data sets are often identifiers, which have no words; a deletion that finds nothing is cheap.
    if words.is_empty() {
        for delete in ["DELETE FROM names WHERE rowid = ?", "DELETE FROM spellings WHERE rowid = ?"] {
            connection.prepare_cached(delete)?.execute([id.to_i64()])?;
        }
        return Ok(());
    }
    let [stem, objects, folders, materials, captions] = fields.columns();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO names (rowid, stem, objects, folders, materials, captions)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute((id.to_i64(), stem, objects, folders, materials, captions))?;
    let insert = "INSERT OR REPLACE INTO spellings (rowid, words) VALUES (?, ?)";
    connection.prepare_cached(insert)?.execute((id.to_i64(), words))?;
    Ok(())
}

/// Writes the names of all records of a library without them.
pub(super) fn write_all(connection: &Connection) -> Result<(), TransactionError> {
    let mut select = connection.prepare("SELECT id FROM records ORDER BY id")?;
    let ids = select.query_map([], |row| super::rows::id(row, 0))?;
    let ids: Vec<RecordId> = ids.collect::<Result<_, _>>()?;
    for id in ids {
        if let Some(entry) = read_records::entry(connection, id)? {
            write(connection, id, &entry.payload, entry.payload.captions.as_ref())?;
        }
    }
    Ok(())
}
