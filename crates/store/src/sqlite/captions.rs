//! Captions of records.

use rusqlite::Connection;

use super::transaction_error::TransactionError;
use super::{names, read_records, rows};
use crate::{Captions, Payload, RecordId, StoreError};

/// The columns `captions` and `captioner` of a payload.
pub(super) fn columns(payload: &Payload) -> Result<(String, &str), StoreError> {
    let written = payload.captions.as_ref().filter(|captions| !captions.texts.is_empty());
    let texts = written.map_or(&[][..], |captions| &captions.texts);
    Ok((rows::to_json(payload, "captions", &texts)?, written.map_or("", |captions| &captions.captioner)))
}

/// See [`VectorStore::set_captions`](crate::VectorStore::set_captions).
pub(super) fn set(
    connection: &Connection,
    captions: &[(RecordId, Option<Captions>)],
) -> Result<(), TransactionError> {
    for (id, captions) in captions {
        let mut entry = read_records::entry(connection, *id)?.ok_or(StoreError::UnknownRecord { id: *id })?;
        entry.payload.captions.clone_from(captions);
        let (texts, captioner) = columns(&entry.payload)?;
        connection
            .prepare_cached("UPDATE records SET captions = ?, captioner = ? WHERE id = ?")?
            .execute((texts, captioner, id.to_i64()))?;
        names::write(connection, *id, &entry.payload, captions.as_ref())?;
    }
    Ok(())
}
