//! Writing records: all of a call's in one transaction, through a table of the session, so that a million rows take as many statements
//! as one.

use std::collections::BTreeMap;

use lexiform_store::{Captions, Entry, Failure, IndexState, Payload, Record, RecordId, StoreError};
use pgvector::Vector;
use postgres::Transaction;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};

use crate::error::{DatabaseError, record_id};
use crate::read;
use crate::rows::{self, COLUMNS, ENTRY_COLUMNS, numbers, references};
use crate::schema::{StoredSpace, table};

/// Ids of one statement that a shard gets.
const IDS_PER_STATEMENT: usize = 2_000;

/// Inserts and replaces records. See [`VectorStore::upsert`](lexiform_store::VectorStore::upsert).
pub(crate) fn upsert<'a>(
    transaction: &mut Transaction<'_>,
    (space, vector): (&StoredSpace, &Type),
    records: &mut dyn Iterator<Item = Result<RecordSource<'a>, StoreError>>,
) -> Result<usize, DatabaseError> {
    let ids = stage(transaction, vector, records)?;
    if ids.is_empty() {
        return Ok(0);
    }
    // In order of id, so that two writers wait for each other instead of dying.
    transaction
        .execute("SELECT 1 FROM records JOIN stage USING (id) ORDER BY id FOR UPDATE OF records", &[])?;
    delete_outdated(transaction, space)?;
    transaction.execute(&insert(), &[])?;
    refresh_kept_captions(transaction)?;
    // Deleted and inserted: tables on shards have no ON CONFLICT.
    delete_rows(transaction, "thumbnails", &ids)?;
    delete_rows(transaction, &space.table(), &ids)?;
    let insert = format!("INSERT INTO {} SELECT id, vector FROM stage", space.table());
    transaction.execute(&insert, &[])?;
    for statement in [
        "INSERT INTO thumbnails SELECT id, thumbnail FROM stage WHERE thumbnail IS NOT NULL",
        "INSERT INTO words SELECT DISTINCT unnest(words) FROM stage ORDER BY 1 ON CONFLICT DO NOTHING",
    ] {
        transaction.execute(statement, &[])?;
    }
    for statement in [
        "INSERT INTO members SELECT id, $1 FROM stage ON CONFLICT DO NOTHING",
        "DELETE FROM failures USING stage WHERE failures.path = stage.path AND space_id = $1",
    ] {
        transaction.execute(statement, &[&space.id])?;
    }
    Ok(ids.len())
}

/// A record, owned or not.
pub(crate) type RecordSource<'a> = std::borrow::Cow<'a, Record>;

/// Sends records to the table of the session. Returns their ids, ascending.
fn stage<'a>(
    transaction: &mut Transaction<'_>,
    vector: &Type,
    records: &mut dyn Iterator<Item = Result<RecordSource<'a>, StoreError>>,
) -> Result<Vec<i64>, DatabaseError> {
    let mut types: Vec<Type> = COLUMNS.iter().map(|(_, _, kind)| kind.clone()).collect();
    types.extend([vector.clone(), Type::BYTEA]);
    let writer = transaction.copy_in("COPY stage FROM STDIN (FORMAT binary)")?;
    let mut writer = BinaryCopyInWriter::new(writer, &types);
    let mut ids = Vec::new();
    for record in records {
        let record = record?;
        let columns = rows::columns(record.id, &record.payload, &record.index_state)?;
        let vector = Vector::from(record.vector.clone());
        let mut values: Vec<&(dyn ToSql + Sync)> = references(&columns);
        values.extend([&vector as &(dyn ToSql + Sync), &record.thumbnail]);
        writer.write(&values)?;
        ids.push(record.id.to_i64());
    }
    writer.finish()?;
    ids.sort_unstable();
    Ok(ids)
}

/// Inserts the rows of the table of the session, or replaces those with the same id. Captions of the same content stay unless there are
/// new ones: indexing a file for another model does not make what is known about it wrong.
fn insert() -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let values: Vec<String> = COLUMNS.iter().map(|(name, kind, _)| format!("{name}::{kind}")).collect();
    let kept = "excluded.captioner = '' AND records.content_hash = excluded.content_hash";
    let set = COLUMNS.iter().skip(1).map(|(name, ..)| match *name {
        "captions" | "captioner" => {
            format!("{name} = CASE WHEN {kept} THEN records.{name} ELSE excluded.{name} END")
        }
        name => format!("{name} = excluded.{name}"),
    });
    format!(
        "INSERT INTO records ({}) SELECT {} FROM stage ORDER BY id ON CONFLICT (id) DO UPDATE SET {}",
        names.join(", "),
        values.join(", "),
        set.collect::<Vec<_>>().join(", ")
    )
}

/// The words of captions that stayed.
fn refresh_kept_captions(transaction: &mut Transaction<'_>) -> Result<(), DatabaseError> {
    let select = format!(
        "SELECT {ENTRY_COLUMNS} FROM records WHERE captioner <> ''
            AND id IN (SELECT id FROM stage WHERE captioner = '')"
    );
    let entries = transaction.query(&select, &[])?;
    for row in &entries {
        let entry = rows::entry(row)?;
        write_names(transaction, entry.id, &entry.payload)?;
    }
    Ok(())
}

/// Replaces the words of a record by those of its payload.
fn write_names(
    transaction: &mut Transaction<'_>,
    id: RecordId,
    payload: &Payload,
) -> Result<(), DatabaseError> {
    let [names, stems, words, n_words] = rows::names(payload);
    let update = "UPDATE records SET names = $2, stems = $3, words = $4, n_words = $5 WHERE id = $1";
    transaction.execute(update, &[&id.to_i64(), &*names, &*stems, &*words, &*n_words])?;
    add_words(transaction, id)
}

/// Adds the words of a record to those that misspelled ones are compared with.
fn add_words(transaction: &mut Transaction<'_>, id: RecordId) -> Result<(), DatabaseError> {
    let insert = "INSERT INTO words SELECT unnest(words) FROM records WHERE id = $1 ON CONFLICT DO NOTHING";
    transaction.execute(insert, &[&id.to_i64()])?;
    Ok(())
}

/// Where the content of records changes, deletes their vectors in other spaces: they are embeddings of the old content.
fn delete_outdated(transaction: &mut Transaction<'_>, space: &StoredSpace) -> Result<(), DatabaseError> {
    let delete = "DELETE FROM members USING records, stage
        WHERE records.id = stage.id AND members.record_id = stage.id
            AND records.content_hash <> stage.content_hash AND space_id <> $1
        RETURNING space_id, record_id";
    let deleted = transaction.query(delete, &[&space.id])?;
    delete_vectors(transaction, &deleted)
}

/// Deletes the vectors of rows with a space and a record.
fn delete_vectors(transaction: &mut Transaction<'_>, deleted: &[postgres::Row]) -> Result<(), DatabaseError> {
    let mut by_space: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for row in deleted {
        by_space.entry(row.get(0)).or_default().push(row.get(1));
    }
    by_space.iter().try_for_each(|(space, ids)| delete_rows(transaction, &table(*space), ids))
}

/// Deletes rows of a table that may be on shards.
fn delete_rows(transaction: &mut Transaction<'_>, table: &str, ids: &[i64]) -> Result<(), DatabaseError> {
    let delete = transaction.prepare(&format!("DELETE FROM {table} WHERE record_id = ANY($1)"))?;
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        transaction.execute(&delete, &[&chunk])?;
    }
    Ok(())
}

/// See [`VectorStore::update`](lexiform_store::VectorStore::update).
pub(crate) fn update(
    transaction: &mut Transaction<'_>,
    space: &StoredSpace,
    entries: &[Entry],
) -> Result<(), DatabaseError> {
    let placeholders: Vec<String> =
        COLUMNS.iter().enumerate().skip(1).map(|(i, (name, kind, _))| set_column(i, name, kind)).collect();
    let update = format!("UPDATE records SET {} WHERE id = $1", placeholders.join(", "));
    let update = transaction.prepare(&update)?;
    for Entry { id, payload, index_state } in entries {
        check_member(transaction, space, *id)?;
        let id = merge_into_existing(transaction, space, *id, payload)?;
        transaction.execute(&update, &references(&rows::columns(id, payload, index_state)?))?;
        add_words(transaction, id)?;
    }
    Ok(())
}

fn set_column(i: usize, name: &str, kind: &str) -> String {
    // The client sends JSON as text.
    let sent = if kind == "json" { "::text::json" } else { "" };
    format!("{name} = ${}{sent}", i + 1)
}

/// Checks that a record has a vector in a space, and keeps others from changing the record.
fn check_member(
    transaction: &mut Transaction<'_>,
    space: &StoredSpace,
    id: RecordId,
) -> Result<(), DatabaseError> {
    let select = format!("SELECT 1 FROM records WHERE id = $1 AND {} FOR UPDATE", space.is_member());
    match transaction.query_opt(&select, &[&id.to_i64()])? {
        Some(_) => Ok(()),
        None => Err(StoreError::UnknownRecord { id }.into()),
    }
}

/// If another space already has a record at the new path, moves this space's vector to that record. Returns the record
/// that gets the path.
fn merge_into_existing(
    transaction: &mut Transaction<'_>,
    space: &StoredSpace,
    id: RecordId,
    payload: &Payload,
) -> Result<RecordId, DatabaseError> {
    let select = format!(
        "SELECT id, content_hash, {} FROM records WHERE path = $1 AND id <> $2 FOR UPDATE",
        space.is_member()
    );
    let Some(row) = transaction.query_opt(&select, &[&payload.path, &id.to_i64()])? else { return Ok(id) };
    if row.get(2) {
        // Two records of this space would share a path: the update fails with an error that names them.
        return Ok(id);
    }
    let known = record_id(row.get(0))?;
    if row.get::<_, String>(1) != payload.content_hash {
        let delete =
            "DELETE FROM members WHERE record_id = $1 AND space_id <> $2 RETURNING space_id, record_id";
        let deleted = transaction.query(delete, &[&known.to_i64(), &space.id])?;
        delete_vectors(transaction, &deleted)?;
    }
    let name = space.table();
    let select = format!("SELECT vector FROM {name} WHERE record_id = $1");
    let vector: Vector = transaction.query_one(&select, &[&id.to_i64()])?.get(0);
    delete_rows(transaction, &name, &[id.to_i64(), known.to_i64()])?;
    transaction.execute(&format!("INSERT INTO {name} VALUES ($1, $2)"), &[&known.to_i64(), &vector])?;
    let update = "UPDATE members SET record_id = $1 WHERE record_id = $2 AND space_id = $3";
    transaction.execute(update, &[&known.to_i64(), &id.to_i64(), &space.id])?;
    delete_orphans(transaction, &[id.to_i64()])?;
    Ok(known)
}

/// Deletes records without vectors in any space.
fn delete_orphans(transaction: &mut Transaction<'_>, ids: &[i64]) -> Result<(), DatabaseError> {
    let delete = "DELETE FROM records WHERE id = ANY($1)
        AND NOT EXISTS (SELECT 1 FROM members WHERE record_id = records.id) RETURNING id";
    let deleted: Vec<i64> = transaction.query(delete, &[&ids])?.iter().map(|row| row.get(0)).collect();
    delete_rows(transaction, "thumbnails", &deleted)
}

/// See [`VectorStore::rename`](lexiform_store::VectorStore::rename).
pub(crate) fn rename(
    transaction: &mut Transaction<'_>,
    space: &StoredSpace,
    moves: &[(RecordId, String)],
) -> Result<(), DatabaseError> {
    // Paths are unique after every statement: first all records get placeholders, so that files can swap paths.
    for (id, _) in moves {
        check_member(transaction, space, *id)?;
        transaction.execute("UPDATE records SET path = chr(1) || id WHERE id = $1", &[&id.to_i64()])?;
    }
    for (id, path) in moves {
        let name = path.rsplit('/').next().unwrap_or(path);
        let update = "UPDATE records SET path = $2, name = $3 WHERE id = $1";
        transaction.execute(update, &[&id.to_i64(), path, &name])?;
        if let Some(entry) = read::entry(transaction, *id)? {
            write_names(transaction, *id, &entry.payload)?;
        }
    }
    Ok(())
}

/// See [`VectorStore::set_captions`](lexiform_store::VectorStore::set_captions).
pub(crate) fn set_captions(
    transaction: &mut Transaction<'_>,
    captions: &[(RecordId, Option<Captions>)],
) -> Result<(), DatabaseError> {
    for (id, captions) in captions {
        let mut entry = read::entry(transaction, *id)?.ok_or(StoreError::UnknownRecord { id: *id })?;
        entry.payload.captions.clone_from(captions);
        let columns = rows::columns(*id, &entry.payload, &IndexState::default())?;
        let value =
            |name: &str| COLUMNS.iter().position(|(column, ..)| *column == name).map(|i| &*columns[i]);
        let (Some(texts), Some(captioner)) = (value("captions"), value("captioner")) else { continue };
        let update = "UPDATE records SET captions = $2::text::json, captioner = $3 WHERE id = $1";
        transaction.execute(update, &[&id.to_i64(), texts, captioner])?;
        write_names(transaction, *id, &entry.payload)?;
    }
    Ok(())
}

/// See [`VectorStore::delete`](lexiform_store::VectorStore::delete).
pub(crate) fn delete(
    transaction: &mut Transaction<'_>,
    space: &StoredSpace,
    ids: &[RecordId],
) -> Result<usize, DatabaseError> {
    let mut ids = numbers(ids);
    ids.sort_unstable();
    transaction.execute("SELECT 1 FROM records WHERE id = ANY($1) ORDER BY id FOR UPDATE", &[&ids])?;
    let delete = "DELETE FROM members WHERE record_id = ANY($1) AND space_id = $2";
    let deleted = transaction.execute(delete, &[&ids, &space.id])?;
    delete_rows(transaction, &space.table(), &ids)?;
    // A record stays while another space has a vector of it.
    delete_orphans(transaction, &ids)?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}

/// See [`VectorStore::record_failures`](lexiform_store::VectorStore::record_failures).
pub(crate) fn record_failures(
    transaction: &mut Transaction<'_>,
    space: &StoredSpace,
    failures: &[Failure],
) -> Result<(), DatabaseError> {
    let insert = transaction.prepare(
        "INSERT INTO failures (space_id, path, content_hash, bytes, modified_ns, error, failed_at_ns)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (space_id, path) DO UPDATE SET
                content_hash = $3, bytes = $4, modified_ns = $5, error = $6, failed_at_ns = $7",
    )?;
    for Failure { path, content_hash, bytes, modified_ns, error, failed_at_ns } in failures {
        // Names in broken files may have it, and a column of text cannot.
        let error = error.replace('\0', "\u{fffd}");
        let bytes = bytes.cast_signed();
        transaction
            .execute(&insert, &[&space.id, path, content_hash, &bytes, modified_ns, &error, failed_at_ns])?;
    }
    Ok(())
}
