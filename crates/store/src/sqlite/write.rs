//! Changes, each in one transaction.

use std::collections::HashSet;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};

use super::{Fault, SqliteStore, rows};
use crate::{Entry, Failure, Payload, Record, RecordId, Space, StoreError};

/// See [`VectorStore::upsert`](crate::VectorStore::upsert).
pub(super) fn upsert(store: &SqliteStore, space: &Space, records: &[Record]) -> Result<(), StoreError> {
    store.check_space(space)?;
    let mut seen = HashSet::new();
    for Record { id, vector, payload, .. } in records {
        rows::check_vector(&payload.path, vector, space.dim)?;
        rows::check_payload(payload)?;
        if !seen.insert(id) {
            return Err(StoreError::invalid(payload.path.as_str(), format!("two records with the id {id}")));
        }
    }
    if records.is_empty() {
        return Ok(());
    }
    store.write("cannot write records", |connection| {
        let generation = next_generation(connection, store.space_id)?;
        for record in records {
            upsert_one(connection, store.space_id, generation, record)?;
        }
        Ok(())
    })
}

fn upsert_one(connection: &Connection, space: i64, generation: i64, record: &Record) -> Result<(), Fault> {
    let Record { id, vector, payload, thumbnail } = record;
    drop_outdated(connection, space, *id, &payload.content_hash)?;
    put_payload(
        connection,
        "INSERT INTO records (id, path, name, content_hash, format, bytes, vertices, triangles, points,
                              extent_x, extent_y, extent_z, modified_ns, extra)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (id) DO UPDATE SET
             path = ?2, name = ?3, content_hash = ?4, format = ?5, bytes = ?6, vertices = ?7, triangles = ?8,
             points = ?9, extent_x = ?10, extent_y = ?11, extent_z = ?12, modified_ns = ?13, extra = ?14",
        *id,
        payload,
    )?;
    connection
        .prepare_cached(
            "INSERT INTO vectors (space_id, record_id, generation, vector) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (record_id, space_id) DO UPDATE SET generation = ?3, vector = ?4",
        )?
        .execute((space, id.to_i64(), generation, rows::blob(vector)))?;
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
    connection
        .prepare_cached("DELETE FROM failures WHERE path = ? AND space_id = ?")?
        .execute((&payload.path, space))?;
    Ok(())
}

/// When a record's content changes, vectors that other spaces have of it describe what is no longer there.
fn drop_outdated(connection: &Connection, space: i64, id: RecordId, content_hash: &str) -> Result<(), Fault> {
    let same = connection
        .prepare_cached("SELECT content_hash = ? FROM records WHERE id = ?")?
        .query_row((content_hash, id.to_i64()), |row| row.get(0))
        .optional()?;
    if same != Some(false) {
        return Ok(());
    }
    let count_up = "UPDATE spaces SET generation = generation + 1
                    WHERE id IN (SELECT space_id FROM vectors WHERE record_id = ?1 AND space_id <> ?2)";
    connection.prepare_cached(count_up)?.execute((id.to_i64(), space))?;
    let drop = "DELETE FROM vectors WHERE record_id = ?1 AND space_id <> ?2";
    connection.prepare_cached(drop)?.execute((id.to_i64(), space))?;
    Ok(())
}

/// Runs a statement over id and payload; returns how many rows it changed.
fn put_payload(
    connection: &Connection,
    statement: &str,
    id: RecordId,
    payload: &Payload,
) -> Result<usize, Fault> {
    let [x, y, z] = payload.extents;
    let extra = serde_json::to_string(&payload.extra)
        .map_err(|error| StoreError::invalid(payload.path.as_str(), format!("extra: {error}")))?;
    let changed = connection.prepare_cached(statement)?.execute(params![
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
    ]);
    changed.map_err(|error| path_taken(connection, &payload.path, error))
}

/// Turns the refusal of a second record with one path into an error that names the first.
fn path_taken(connection: &Connection, path: &str, error: rusqlite::Error) -> Fault {
    if error.sqlite_error_code() != Some(ErrorCode::ConstraintViolation) {
        return error.into();
    }
    let holder = connection
        .query_row("SELECT id FROM records WHERE path = ?", [path], |row| rows::id(row, 0))
        .optional();
    match holder {
        Ok(Some(holder)) => StoreError::PathTaken { path: path.into(), holder }.into(),
        _ => error.into(),
    }
}

/// See [`VectorStore::update`](crate::VectorStore::update).
pub(super) fn update(store: &SqliteStore, entries: &[Entry]) -> Result<(), StoreError> {
    entries.iter().try_for_each(|entry| rows::check_payload(&entry.payload))?;
    store.write("cannot write payloads", |connection| {
        for Entry { id, payload } in entries {
            if !exists(connection, store.space_id, *id)? {
                return Err(StoreError::UnknownRecord { id: *id }.into());
            }
            let id = &join_known(connection, store.space_id, *id, payload)?;
            let statement = "UPDATE records SET
                     path = ?2, name = ?3, content_hash = ?4, format = ?5, bytes = ?6, vertices = ?7, triangles = ?8,
                     points = ?9, extent_x = ?10, extent_y = ?11, extent_z = ?12, modified_ns = ?13, extra = ?14
                 WHERE id = ?1";
            put_payload(connection, statement, *id, payload)?;
        }
        Ok(())
    })
}

/// Whether a record has a vector in a space.
fn exists(connection: &Connection, space: i64, id: RecordId) -> Result<bool, Fault> {
    let select = "SELECT 1 FROM vectors WHERE record_id = ? AND space_id = ?";
    Ok(connection.prepare_cached(select)?.exists((id.to_i64(), space))?)
}

/// A path that a record is about to get may be known from another space. Then this space's vector joins the record
/// there. Returns the record that is to have the path.
fn join_known(
    connection: &Connection,
    space: i64,
    id: RecordId,
    payload: &Payload,
) -> Result<RecordId, Fault> {
    let known = connection
        .prepare_cached("SELECT id FROM records WHERE path = ? AND id <> ?")?
        .query_row((&payload.path, id.to_i64()), |row| rows::id(row, 0))
        .optional()?;
    let Some(known) = known else { return Ok(id) };
    if exists(connection, space, known)? {
        // Taken within this space: for the caller to hear.
        return Ok(id);
    }
    drop_outdated(connection, space, known, &payload.content_hash)?;
    let generation = next_generation(connection, space)?;
    let join = "UPDATE vectors SET record_id = ?, generation = ? WHERE record_id = ? AND space_id = ?";
    connection.prepare_cached(join)?.execute((known.to_i64(), generation, id.to_i64(), space))?;
    drop_orphan(connection, id)?;
    Ok(known)
}

/// Removes a record that no space has a vector of; its thumbnail goes with it (ON DELETE CASCADE).
fn drop_orphan(connection: &Connection, id: RecordId) -> Result<(), Fault> {
    let drop = "DELETE FROM records WHERE id = ? AND NOT EXISTS (SELECT 1 FROM vectors WHERE record_id = records.id)";
    connection.prepare_cached(drop)?.execute([id.to_i64()])?;
    Ok(())
}

/// See [`VectorStore::rename`](crate::VectorStore::rename).
pub(super) fn rename(store: &SqliteStore, moves: &[(RecordId, String)]) -> Result<(), StoreError> {
    moves.iter().try_for_each(|(_, path)| rows::check_path(path))?;
    store.write("cannot rename", |connection| {
        // Paths are unique at every moment, so all step aside first and files may trade places.
        for (id, _) in moves {
            if !exists(connection, store.space_id, *id)? {
                return Err(StoreError::UnknownRecord { id: *id }.into());
            }
            let aside = "UPDATE records SET path = char(0) || id WHERE id = ?";
            connection.prepare_cached(aside)?.execute([id.to_i64()])?;
        }
        for (id, path) in moves {
            let name = path.rsplit('/').next().unwrap_or(path);
            connection
                .prepare_cached("UPDATE records SET path = ?, name = ? WHERE id = ?")?
                .execute((path, name, id.to_i64()))
                .map_err(|error| path_taken(connection, path, error))?;
        }
        Ok(())
    })
}

/// See [`VectorStore::delete`](crate::VectorStore::delete).
pub(super) fn delete(store: &SqliteStore, ids: &[RecordId]) -> Result<usize, StoreError> {
    if ids.is_empty() {
        return Ok(0);
    }
    store.write("cannot delete records", |connection| {
        let mut removed = 0;
        for id in ids {
            let delete = "DELETE FROM vectors WHERE record_id = ? AND space_id = ?";
            removed += connection.prepare_cached(delete)?.execute((id.to_i64(), store.space_id))?;
            drop_orphan(connection, *id)?;
        }
        if removed > 0 {
            next_generation(connection, store.space_id)?;
        }
        Ok(removed)
    })
}

/// See [`VectorStore::set_note`](crate::VectorStore::set_note).
pub(super) fn set_note(store: &SqliteStore, key: &str, value: Option<&str>) -> Result<(), StoreError> {
    store.write("cannot write a note", |connection| {
        match value {
            Some(value) => connection.execute(
                "INSERT INTO notes (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
                (key, value),
            )?,
            None => connection.execute("DELETE FROM notes WHERE key = ?", [key])?,
        };
        Ok(())
    })
}

/// See [`VectorStore::record_failures`](crate::VectorStore::record_failures).
pub(super) fn record_failures(store: &SqliteStore, failures: &[Failure]) -> Result<(), StoreError> {
    for Failure { path, bytes, .. } in failures {
        rows::check_path(path)?;
        if i64::try_from(*bytes).is_err() {
            return Err(StoreError::invalid(
                path.as_str(),
                format!("expected bytes below 2^63, found {bytes}"),
            ));
        }
    }
    store.write("cannot note failed files", |connection| {
        let insert =
            "INSERT OR REPLACE INTO failures (space_id, path, content_hash, bytes, modified_ns, error, at_ns)
                      VALUES (?, ?, ?, ?, ?, ?, ?)";
        for Failure { path, content_hash, bytes, modified_ns, error, at_ns } in failures {
            let row = params![store.space_id, path, content_hash, bytes, modified_ns, error, at_ns];
            connection.prepare_cached(insert)?.execute(row)?;
        }
        Ok(())
    })
}

/// See [`VectorStore::clear_failures`](crate::VectorStore::clear_failures).
pub(super) fn clear_failures(store: &SqliteStore, paths: &[&str]) -> Result<(), StoreError> {
    store.write("cannot forget failed files", |connection| {
        for path in paths {
            let delete = "DELETE FROM failures WHERE path = ? AND space_id = ?";
            connection.prepare_cached(delete)?.execute((path, store.space_id))?;
        }
        Ok(())
    })
}

/// Counts one more change of a space's vectors and returns the count.
fn next_generation(connection: &Connection, space_id: i64) -> Result<i64, Fault> {
    let update = "UPDATE spaces SET generation = generation + 1 WHERE id = ? RETURNING generation";
    Ok(connection.prepare_cached(update)?.query_row([space_id], |row| row.get(0))?)
}
