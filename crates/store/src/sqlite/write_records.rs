//! Writing records: every change of the tables `records`, `vectors` and `thumbnails`, and of the index of names with them.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};

use super::spaces::next_generation;
use super::transaction_error::TransactionError;
use super::{captions, names, read_records, rows, vectors};
use crate::vectors::VectorAppender;
use crate::{Entry, IndexState, Payload, Record, RecordId, StoreError};

/// Inserts or replaces a row of `records`; parameters as in [`execute`]. Captions of the same content stay unless there are new ones:
/// indexing a file for another model does not make what is known about it wrong.
// Not INSERT OR REPLACE, which deletes the old row: ON DELETE CASCADE would delete its vectors in all spaces.
const INSERT: &str =
    "INSERT INTO records (id, path, name, content_hash, format, bytes, vertices, triangles, points,
                      extent_x, extent_y, extent_z, modified_ns, extra, stat_hash, dependencies,
                      objects, materials, captions, captioner)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
    ON CONFLICT (id) DO UPDATE SET
        path = ?2, name = ?3, content_hash = ?4, format = ?5, bytes = ?6, vertices = ?7, triangles = ?8,
        points = ?9, extent_x = ?10, extent_y = ?11, extent_z = ?12, modified_ns = ?13, extra = ?14,
        stat_hash = ?15, dependencies = ?16, objects = ?17, materials = ?18,
        captions = iif(?20 = '' AND content_hash = ?4, captions, ?19),
        captioner = iif(?20 = '' AND content_hash = ?4, captioner, ?20)
    RETURNING captions, captioner";
/// Replaces a row of `records`; parameters as in [`execute`].
const UPDATE: &str = "UPDATE records SET
        path = ?2, name = ?3, content_hash = ?4, format = ?5, bytes = ?6, vertices = ?7, triangles = ?8,
        points = ?9, extent_x = ?10, extent_y = ?11, extent_z = ?12, modified_ns = ?13, extra = ?14,
        stat_hash = ?15, dependencies = ?16, objects = ?17, materials = ?18, captions = ?19, captioner = ?20
    WHERE id = ?1 RETURNING captions, captioner";

/// The columns of a row of `records`.
struct RecordRow<'a> {
    id: RecordId,
    payload: &'a Payload,
    index_state: &'a IndexState,
}

/// Inserts and replaces records in a transaction. See [`VectorStore::upsert`](crate::VectorStore::upsert).
pub(super) struct Upsert<'a> {
    connection: &'a Connection,
    space_id: i64,
    appender: VectorAppender,
}

impl<'a> Upsert<'a> {
    /// Opens the files of the space's vectors, which are in `folder`.
    pub(super) fn new(
        connection: &'a Connection,
        folder: &Path,
        space_id: i64,
    ) -> Result<Self, TransactionError> {
        next_generation(connection, space_id)?;
        Ok(Self { connection, space_id, appender: vectors::appender(connection, folder, space_id)? })
    }

    /// Writes a record.
    pub(super) fn add(&mut self, record: &Record) -> Result<(), TransactionError> {
        let Self { connection, space_id, .. } = *self;
        let Record { id, payload, index_state, .. } = record;
        // First, because it compares the new content with the stored one, which the next statement overwrites.
        delete_outdated_vectors(connection, space_id, *id, &payload.content_hash)?;
        execute(connection, INSERT, &RecordRow { id: *id, payload, index_state })?;
        let slot = self.appender.push(&record.vector)?;
        connection
            .prepare_cached(
                "INSERT INTO vectors (record_id, space_id, slot) VALUES (?1, ?2, ?3)
                 ON CONFLICT (record_id, space_id) DO UPDATE SET slot = ?3",
            )?
            .execute((id.to_i64(), space_id, slot))?;
        put_thumbnail(connection, *id, record.thumbnail.as_deref())?;
        connection
            .prepare_cached("DELETE FROM failures WHERE path = ? AND space_id = ?")?
            .execute((&payload.path, space_id))?;
        Ok(())
    }

    /// Flushes the vectors to disk and counts them; the caller commits.
    pub(super) fn finish(self) -> Result<(), TransactionError> {
        Ok(vectors::set_slots(self.connection, self.space_id, self.appender.finish()?)?)
    }
}

/// Inserts, replaces or deletes the thumbnail of a record.
fn put_thumbnail(
    connection: &Connection,
    id: RecordId,
    thumbnail: Option<&[u8]>,
) -> Result<(), TransactionError> {
    match thumbnail {
        Some(image) => connection
            .prepare_cached(
                "INSERT INTO thumbnails (record_id, image) VALUES (?1, ?2)
                 ON CONFLICT (record_id) DO UPDATE SET image = ?2",
            )?
            .execute((id.to_i64(), image))?,
        None => {
            connection.prepare_cached("DELETE FROM thumbnails WHERE record_id = ?")?.execute([id.to_i64()])?
        }
    };
    Ok(())
}

/// If a record's content changes, deletes its vectors in other spaces: they are embeddings of the old content.
fn delete_outdated_vectors(
    connection: &Connection,
    space: i64,
    id: RecordId,
    content_hash: &str,
) -> Result<(), TransactionError> {
    let same = connection
        .prepare_cached("SELECT content_hash = ? FROM records WHERE id = ?")?
        .query_row((content_hash, id.to_i64()), |row| row.get(0))
        .optional()?;
    if same != Some(false) {
        return Ok(());
    }
    // Makes readers of those spaces notice the deletion.
    let next_generations = "UPDATE spaces SET generation = generation + 1
                    WHERE id IN (SELECT space_id FROM vectors WHERE record_id = ?1 AND space_id <> ?2)";
    connection.prepare_cached(next_generations)?.execute((id.to_i64(), space))?;
    let delete = "DELETE FROM vectors WHERE record_id = ?1 AND space_id <> ?2";
    connection.prepare_cached(delete)?.execute((id.to_i64(), space))?;
    Ok(())
}

/// Runs [`INSERT`] or [`UPDATE`].
fn execute(connection: &Connection, statement: &str, row: &RecordRow<'_>) -> Result<(), TransactionError> {
    let RecordRow { id, payload, index_state } = row;
    // One column per axis, so that filters are plain SQL comparisons.
    let [x, y, z] = payload.extents;
    let extra = rows::to_json(payload, "extra", &payload.extra)?;
    let dependencies = rows::to_json(payload, "dependencies", &index_state.dependencies)?;
    let objects = rows::to_json(payload, "objects", &payload.objects)?;
    let materials = rows::to_json(payload, "materials", &payload.materials)?;
    let (captions, captioner) = captions::columns(payload)?;
    let parameters = params![
        id.to_i64(),
        payload.path,
        payload.name(),
        payload.content_hash,
        payload.format,
        payload.bytes,
        payload.vertices,
        payload.triangles,
        payload.points,
        x,
        y,
        z,
        payload.modified_ns,
        extra,
        index_state.stat_hash,
        dependencies,
        objects,
        materials,
        captions,
        captioner,
    ];
    let stored = connection.prepare_cached(statement)?.query_row(parameters, |row| rows::captions(row, 0, 1));
    // The only constraint that valid records can violate is the unique path.
    match stored {
        Ok(captions) => names::write(connection, *id, payload, captions.as_ref()),
        Err(error) => Err(duplicate_path(connection, &payload.path, error)),
    }
}

/// Converts a violation of the unique path into an error that names the record with that path.
fn duplicate_path(connection: &Connection, path: &str, error: rusqlite::Error) -> TransactionError {
    if error.sqlite_error_code() != Some(ErrorCode::ConstraintViolation) {
        return error.into();
    }
    let existing = connection
        .query_row("SELECT id FROM records WHERE path = ?", [path], |row| rows::id(row, 0))
        .optional();
    match existing {
        Ok(Some(existing)) => StoreError::DuplicatePath { path: path.into(), existing }.into(),
        _ => error.into(),
    }
}

/// See [`VectorStore::update`](crate::VectorStore::update).
pub(super) fn update(
    connection: &Connection,
    space_id: i64,
    entries: &[Entry],
) -> Result<(), TransactionError> {
    for Entry { id, payload, index_state } in entries {
        if !exists(connection, space_id, *id)? {
            return Err(StoreError::UnknownRecord { id: *id }.into());
        }
        let id = merge_into_existing(connection, space_id, *id, payload)?;
        execute(connection, UPDATE, &RecordRow { id, payload, index_state })?;
    }
    Ok(())
}

/// Whether a record has a vector in a space.
fn exists(connection: &Connection, space: i64, id: RecordId) -> Result<bool, TransactionError> {
    let select = "SELECT 1 FROM vectors WHERE record_id = ? AND space_id = ?";
    Ok(connection.prepare_cached(select)?.exists((id.to_i64(), space))?)
}

/// If another space already has a record at the new path, moves this space's vector to that record. Returns the record
/// that gets the path.
fn merge_into_existing(
    connection: &Connection,
    space: i64,
    id: RecordId,
    payload: &Payload,
) -> Result<RecordId, TransactionError> {
    let known = connection
        .prepare_cached("SELECT id FROM records WHERE path = ? AND id <> ?")?
        .query_row((&payload.path, id.to_i64()), |row| rows::id(row, 0))
        .optional()?;
    let Some(known) = known else { return Ok(id) };
    if exists(connection, space, known)? {
        // Two records of this space would share a path: the update fails with an error that names them.
        return Ok(id);
    }
    delete_outdated_vectors(connection, space, known, &payload.content_hash)?;
    next_generation(connection, space)?;
    let move_vector = "UPDATE vectors SET record_id = ? WHERE record_id = ? AND space_id = ?";
    connection.prepare_cached(move_vector)?.execute((known.to_i64(), id.to_i64(), space))?;
    delete_orphan(connection, id)?;
    Ok(known)
}

/// Deletes a record without vectors in any space; ON DELETE CASCADE deletes its thumbnail, a trigger its names.
fn delete_orphan(connection: &Connection, id: RecordId) -> Result<(), TransactionError> {
    let delete = "DELETE FROM records WHERE id = ? AND NOT EXISTS (SELECT 1 FROM vectors WHERE record_id = records.id)";
    connection.prepare_cached(delete)?.execute([id.to_i64()])?;
    Ok(())
}

/// See [`VectorStore::rename`](crate::VectorStore::rename).
pub(super) fn rename(
    connection: &Connection,
    space_id: i64,
    moves: &[(RecordId, String)],
) -> Result<(), TransactionError> {
    // Paths are unique after every statement: first all records get placeholders, so that files can swap paths.
    for (id, _) in moves {
        if !exists(connection, space_id, *id)? {
            return Err(StoreError::UnknownRecord { id: *id }.into());
        }
        let placeholder = "UPDATE records SET path = char(0) || id WHERE id = ?";
        connection.prepare_cached(placeholder)?.execute([id.to_i64()])?;
    }
    for (id, path) in moves {
        let name = path.rsplit('/').next().unwrap_or(path);
        connection
            .prepare_cached("UPDATE records SET path = ?, name = ? WHERE id = ?")?
            .execute((path, name, id.to_i64()))
            .map_err(|error| duplicate_path(connection, path, error))?;
        if let Some(entry) = read_records::entry(connection, *id)? {
            names::write(connection, *id, &entry.payload, entry.payload.captions.as_ref())?;
        }
    }
    Ok(())
}

/// See [`VectorStore::delete`](crate::VectorStore::delete).
pub(super) fn delete(
    connection: &Connection,
    space_id: i64,
    ids: &[RecordId],
) -> Result<usize, TransactionError> {
    let mut removed = 0;
    for id in ids {
        let delete = "DELETE FROM vectors WHERE record_id = ? AND space_id = ?";
        removed += connection.prepare_cached(delete)?.execute((id.to_i64(), space_id))?;
        // The record stays while another space has a vector of it.
        delete_orphan(connection, *id)?;
    }
    // Nothing deleted: readers need not refresh their vectors.
    if removed > 0 {
        next_generation(connection, space_id)?;
    }
    Ok(removed)
}
