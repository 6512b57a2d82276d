//! Guarantees of the embedded store beyond the contract.

use std::path::Path;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{SqliteStore, database, schema};
use crate::{
    Comparison, EmbeddingSpace, Extra, Field, Filter, Glob, IndexState, ListRequest, Payload, Precision,
    Record, RecordId, SearchRequest, StoreError, Value, VectorStore, contract,
};

fn space(dim: usize) -> EmbeddingSpace {
    EmbeddingSpace { model: "test".into(), dim, preprocessing: "none".into() }
}

fn record(number: u64, vector: Vec<f32>) -> Record {
    let payload = Payload { path: format!("{number}.glb"), triangles: number, ..Payload::default() };
    Record {
        id: RecordId::new(number).unwrap(),
        vector,
        payload,
        index_state: IndexState::default(),
        thumbnail: None,
    }
}

fn unit(rng: &mut SmallRng, dim: usize) -> Vec<f32> {
    let raw: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    let norm = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
    raw.iter().map(|x| x / norm).collect()
}

/// A library of two records; the folder is deleted when the first value is dropped.
fn library() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_or_create(folder.path(), &space(2)).unwrap();
    store.upsert(&space(2), &[record(1, vec![1.0, 0.0]), record(2, vec![0.0, 1.0])]).unwrap();
    (folder, store)
}

#[test]
fn conforms_to_the_contract_at_every_precision() {
    for precision in [Precision::F32, Precision::F16, Precision::Int8] {
        let mut folders = Vec::new();
        contract::check(|| {
            let folder = tempfile::tempdir().unwrap();
            let store = SqliteStore::open_or_create(folder.path(), &contract::space()).unwrap();
            folders.push(folder);
            store.with_precision(precision)
        });
    }
}

#[test]
fn conforms_to_the_contract_with_several_models() {
    let mut folders = Vec::new();
    contract::check_spaces(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        folders.push(folder);
        move |space: &EmbeddingSpace| SqliteStore::open_or_add_space(&path, space).unwrap()
    });
}

#[test]
fn a_library_lists_its_models_and_opens_at_each() {
    let (folder, store) = library();
    drop(store);
    let other = EmbeddingSpace { model: "other".into(), ..space(2) };
    let missing = SqliteStore::open_space(folder.path(), &other).unwrap_err();
    assert!(matches!(missing, StoreError::ModelMismatch { .. }), "{missing}");
    assert_eq!(SqliteStore::spaces(folder.path()).unwrap(), [space(2)]);
    drop(SqliteStore::open_or_add_space(folder.path(), &other).unwrap());
    drop(SqliteStore::open_or_add_space(folder.path(), &other).unwrap());
    assert_eq!(SqliteStore::spaces(folder.path()).unwrap(), [space(2), other.clone()]);
    assert_eq!(SqliteStore::open_space(folder.path(), &other).unwrap().space(), &other);
    assert_eq!(SqliteStore::open(folder.path()).unwrap().space(), &space(2));
    let store = SqliteStore::open_or_create(folder.path(), &other).unwrap();
    assert!(store.is_empty().unwrap());
    store.verify().unwrap();
}

#[test]
fn a_library_of_the_first_version_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let database = database::file_in(folder.path());
    let connection = Connection::open(&database).unwrap();
    connection.execute_batch(schema::VERSION_1).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x4c58464d; PRAGMA user_version = 1;
             INSERT INTO spaces VALUES (1, 'test', 2, 'none', 1);
             INSERT INTO notes VALUES ('model', 'nano');
             INSERT INTO records VALUES (5, 'a.glb', 'a.glb', 'h', 'glb', 1, 2, 3, 4, 0, 0, 0, NULL, '{}');
             INSERT INTO vectors VALUES (1, 1, 5, 1, x'0000803f00000000');
             INSERT INTO thumbnails VALUES (5, x'07');
             INSERT INTO failures VALUES ('b.glb', 'g', 9, 8, 'broken', 7);",
        )
        .unwrap();
    drop(connection);
    assert!(matches!(SqliteStore::open(folder.path()), Err(StoreError::SchemaTooOld { found: 1, .. })));
    let store = SqliteStore::open_or_create(folder.path(), &space(2)).unwrap();
    let record = store.get(&[RecordId::new(5).unwrap()]).unwrap().remove(0).unwrap();
    assert_eq!(
        (record.vector, record.thumbnail, record.payload.triangles),
        (vec![1.0, 0.0], Some(vec![7]), 3)
    );
    let failures = store.failures().unwrap();
    assert_eq!((failures.len(), failures[0].error.as_str(), failures[0].failed_at_ns), (1, "broken", 7));
    assert_eq!(store.metadata("model").unwrap().as_deref(), Some("nano"));
    store.verify().unwrap();
}

#[test]
fn index_state_moves_out_of_the_payload_of_older_libraries() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(database::file_in(folder.path())).unwrap();
    connection.execute_batch(schema::VERSION_1).unwrap();
    connection.execute_batch(schema::VERSION_2).unwrap();
    connection
        .execute_batch(
            r#"PRAGMA journal_mode = WAL; PRAGMA application_id = 0x4c58464d; PRAGMA user_version = 2;
             INSERT INTO spaces VALUES (1, 'test', 2, 'none', 1);
             INSERT INTO notes VALUES ('model', 'nano');
             INSERT INTO records VALUES
                 (5, 'a', 'a', 'h', 'obj', 1, 2, 3, 4, 0, 0, 0, NULL, '{"label":"chair","stamp":"0f","sides":["a.mtl","ü.png"]}'),
                 (6, 'b', 'b', 'h', 'obj', 1, 2, 3, 4, 0, 0, 0, NULL, '{"stamp":"1e"}'),
                 (7, 'c', 'c', 'h', 'obj', 1, 2, 3, 4, 0, 0, 0, NULL, '{"stamp":4,"sides":"left"}');
             INSERT INTO vectors SELECT id, 1, id, 1, x'0000803f00000000' FROM records;
             INSERT INTO failures VALUES (1, 'd', 'g', 9, 8, 'broken', 7);"#,
        )
        .unwrap();
    drop(connection);
    assert!(matches!(SqliteStore::open(folder.path()), Err(StoreError::SchemaTooOld { found: 2, .. })));
    drop(SqliteStore::open_for_writing(folder.path()).unwrap());
    let store = SqliteStore::open(folder.path()).unwrap();
    let entries = store.list(&ListRequest::default()).unwrap();
    let state = |stat_hash: &str, dependencies: &[&str]| IndexState {
        stat_hash: stat_hash.into(),
        dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
    };
    let states: Vec<&IndexState> = entries.iter().map(|entry| &entry.index_state).collect();
    assert_eq!(states, [&state("0f", &["a.mtl", "ü.png"]), &state("1e", &[]), &state("", &[])]);
    let extras: Vec<serde_json::Value> =
        entries.into_iter().map(|entry| entry.payload.extra.into()).collect();
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(extras, [r#"{"label":"chair"}"#, "{}", r#"{"stamp":4,"sides":"left"}"#].map(json));
    assert_eq!(store.metadata("model").unwrap().as_deref(), Some("nano"));
    assert_eq!(store.failures().unwrap()[0].failed_at_ns, 7);
    store.verify().unwrap();
}

#[test]
fn a_second_writer_is_refused_with_the_id_of_the_first() {
    let (folder, store) = library();
    let error = SqliteStore::open_for_writing(folder.path()).unwrap_err();
    let pid = if cfg!(unix) { Some(std::process::id()) } else { None };
    assert!(matches!(error, StoreError::Locked { pid: found, .. } if found == pid), "{error}");
    drop(store);
    SqliteStore::open_for_writing(folder.path()).unwrap();
}

#[test]
fn readers_see_the_last_commit() {
    let (folder, writer) = library();
    let reader = SqliteStore::open(folder.path()).unwrap();
    let nearest = || reader.search(&SearchRequest::new(vec![0.6, 0.8], 1)).unwrap()[0].id.value();
    assert_eq!(nearest(), 2);
    writer.upsert(&space(2), &[record(3, vec![0.6, 0.8])]).unwrap();
    assert_eq!(nearest(), 3);
    writer.upsert(&space(2), &[record(1, vec![0.6, 0.8]), record(3, vec![1.0, 0.0])]).unwrap();
    assert_eq!(nearest(), 1);
    writer.delete(&[RecordId::new(1).unwrap()]).unwrap();
    assert_eq!(nearest(), 2);
    // An open transaction neither blocks readers nor is visible to them.
    let connection = writer.database.writer();
    connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM records").unwrap();
    assert_eq!((nearest(), reader.len().unwrap()), (2, 2));
    connection.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_reader_cannot_write() {
    let (folder, store) = library();
    drop(store);
    let reader = SqliteStore::open(folder.path()).unwrap();
    assert!(matches!(reader.delete(&[RecordId::new(1).unwrap()]), Err(StoreError::ReadOnly { .. })));
    assert!(matches!(
        reader.upsert(&space(2), &[record(3, vec![1.0, 0.0])]),
        Err(StoreError::ReadOnly { .. })
    ));
}

#[test]
fn another_model_is_refused() {
    let (folder, store) = library();
    drop(store);
    let other = EmbeddingSpace { preprocessing: "24 views".into(), ..space(2) };
    let error = SqliteStore::open_or_create(folder.path(), &other).unwrap_err();
    assert!(matches!(error, StoreError::ModelMismatch { .. }), "{error}");
    assert!(error.to_string().contains("24 views") && error.hint().is_some());
    assert_eq!(SqliteStore::open(folder.path()).unwrap().space(), &space(2));
}

#[test]
fn other_files_are_not_libraries() {
    let folder = tempfile::tempdir().unwrap();
    let open = |folder: &Path| SqliteStore::open(folder).unwrap_err();
    assert!(matches!(open(folder.path()), StoreError::NotFound { .. }));
    assert!(matches!(SqliteStore::open_for_writing(folder.path()), Err(StoreError::NotFound { .. })));
    let database = database::file_in(folder.path());

    std::fs::write(&database, "").unwrap();
    assert!(matches!(open(folder.path()), StoreError::NotFound { .. }));
    std::fs::write(&database, "not a database, but as long as the header of one".repeat(50)).unwrap();
    assert!(matches!(open(folder.path()), StoreError::NotALibrary { .. }));
    assert!(matches!(
        SqliteStore::open_or_create(folder.path(), &space(2)),
        Err(StoreError::NotALibrary { .. })
    ));
    std::fs::remove_file(&database).unwrap();
    Connection::open(&database).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    assert!(matches!(open(folder.path()), StoreError::NotALibrary { .. }));
    assert!(matches!(
        SqliteStore::open_or_create(folder.path(), &space(2)),
        Err(StoreError::NotALibrary { .. })
    ));
}

#[test]
fn old_and_new_versions_are_recognized() {
    let (folder, store) = library();
    drop(store);
    let set_version = |version: i64| {
        let connection = Connection::open(database::file_in(folder.path())).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
    };
    set_version(99);
    let error = SqliteStore::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, StoreError::SchemaTooNew { found: 99, .. })
            && error.hint().unwrap().contains("update")
    );
    assert!(matches!(SqliteStore::open_for_writing(folder.path()), Err(StoreError::SchemaTooNew { .. })));
    set_version(0);
    assert!(matches!(SqliteStore::open(folder.path()), Err(StoreError::SchemaTooOld { found: 0, .. })));
}

#[test]
fn an_interrupted_creation_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(database::file_in(folder.path())).unwrap();
    connection.pragma_update(None, "page_size", 16_384).unwrap();
    let _mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
    drop(connection);
    assert!(matches!(SqliteStore::open(folder.path()), Err(StoreError::NotFound { .. })));
    let store = SqliteStore::open_or_create(folder.path(), &space(2)).unwrap();
    assert!(store.is_empty().unwrap());
}

#[test]
fn a_full_disk_is_an_error_and_changes_nothing() {
    let (_folder, store) = library();
    store.database.writer().pragma_update(None, "max_page_count", 24).unwrap();
    let big: Vec<Record> = (10..20)
        .map(|number| Record { thumbnail: Some(vec![7; 100_000]), ..record(number, vec![1.0, 0.0]) })
        .collect();
    let error = store.upsert(&space(2), &big).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }) && error.hint().is_some(), "{error}");
    assert_eq!(store.len().unwrap(), 2);
    store.verify().unwrap();
    store.upsert(&space(2), &[record(3, vec![1.0, 0.0])]).unwrap();
    assert_eq!(store.search(&SearchRequest::new(vec![1.0, 0.0], 9)).unwrap().len(), 3);
}

#[test]
fn corruption_is_detected() {
    let (_folder, store) = library();
    store.verify().unwrap();
    let corrupt = "UPDATE vectors SET vector = x'00' WHERE record_id = 1";
    store.database.writer().execute(corrupt, []).unwrap();
    assert!(matches!(store.verify(), Err(StoreError::Corrupt { .. })));
    assert!(store.search(&SearchRequest::new(vec![1.0, 0.0], 9)).is_err());
}

#[test]
fn searches_agree_with_a_naive_scan_after_changes() {
    const DIM: usize = 24;
    let mut rng = SmallRng::seed_from_u64(5);
    let folders: Vec<TempDir> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let stores: Vec<SqliteStore> = folders
        .iter()
        .zip([Precision::F32, Precision::F16, Precision::Int8])
        .map(|(folder, precision)| {
            SqliteStore::open_or_create(folder.path(), &space(DIM)).unwrap().with_precision(precision)
        })
        .collect();
    let mut truth: std::collections::BTreeMap<u64, Record> = std::collections::BTreeMap::new();
    for round in 0..30 {
        let mut batch: Vec<Record> = Vec::new();
        for _ in 0..rng.random_range(0..40) {
            let number = rng.random_range(0..300);
            if batch.iter().all(|record| record.id.value() != number) {
                batch.push(record(number, unit(&mut rng, DIM)));
            }
        }
        let deleted: Vec<RecordId> =
            truth.values().filter(|_| rng.random_bool(0.1)).map(|record| record.id).collect();
        batch.iter().for_each(|record| drop(truth.insert(record.id.value(), record.clone())));
        deleted.iter().for_each(|id| drop(truth.remove(&id.value())));
        let query = unit(&mut rng, DIM);
        let below = rng.random_range(0..300);
        let request = SearchRequest {
            min_score: rng.random_bool(0.5).then_some(0.1),
            filter: rng.random_bool(0.5).then(|| Filter::parse(&format!("triangles < {below}")).unwrap()),
            ..SearchRequest::new(query, rng.random_range(1..30))
        };
        let expected = naive(truth.values(), &request);
        for store in &stores {
            store.upsert(&space(DIM), &batch).unwrap();
            store.delete(&deleted).unwrap();
            let hits = store.search(&request).unwrap();
            let found: Vec<(RecordId, f32)> = hits.iter().map(|hit| (hit.id, hit.score)).collect();
            assert_eq!(found, expected, "round {round}, {:?}", store.vectors.precision);
        }
    }
}

fn naive<'a>(records: impl Iterator<Item = &'a Record>, request: &SearchRequest) -> Vec<(RecordId, f32)> {
    let chosen =
        records.filter(|record| request.filter.as_ref().is_none_or(|filter| filter.matches(&record.payload)));
    let mut scored: Vec<(RecordId, f32)> = chosen
        .map(|record| (record.id, crate::scan::dot_f64(&request.vector, &record.vector) as f32))
        .collect();
    scored.retain(|(_, score)| request.min_score.is_none_or(|min| *score >= min));
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.truncate(request.k);
    scored
}

#[test]
fn filters_select_the_same_records_in_sql_and_in_memory() {
    let mut rng = SmallRng::seed_from_u64(6);
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_or_create(folder.path(), &space(1)).unwrap();
    let records: Vec<Record> = (0..80).map(|number| random_record(&mut rng, number)).collect();
    store.upsert(&space(1), &records).unwrap();
    let mut selected = 0;
    for _ in 0..3_000 {
        let filter = random_filter(&mut rng, 3);
        let chosen = records.iter().filter(|record| filter.matches(&record.payload));
        let expected: Vec<RecordId> = chosen.map(|record| record.id).collect();
        let request = ListRequest { filter: Some(filter.clone()), ..ListRequest::default() };
        let found: Vec<RecordId> = store.list(&request).unwrap().iter().map(|entry| entry.id).collect();
        assert_eq!(found, expected, "{filter:?}");
        selected += usize::from(!found.is_empty() && found.len() < records.len());
    }
    assert!(selected > 500, "too few filters select some records but not all: {selected}");
}

const TEXTS: [&str; 8] = ["", "a", "A", "b/a", "10", "true", "ü'\"", "a%_"];
const NUMBERS: [f64; 6] = [0.0, 1.0, -1.0, 0.1, 10.0, 1e300];

fn random_record(rng: &mut SmallRng, number: u64) -> Record {
    let mut record = record(number, vec![1.0]);
    let json = [
        serde_json::json!(1),
        serde_json::json!(0.1),
        serde_json::json!(-1.0),
        serde_json::json!("a"),
        serde_json::json!("10"),
        serde_json::json!("true"),
        serde_json::json!(true),
        serde_json::json!(false),
        serde_json::json!(null),
        serde_json::json!([1]),
        serde_json::json!({"a": 1}),
    ];
    let mut extra = Extra::new();
    for key in ["label", "a.b", "ü key"] {
        if rng.random_bool(0.8) {
            extra.insert(key.into(), json[rng.random_range(0..json.len())].clone());
        }
    }
    record.payload = Payload {
        path: format!("{number}/{}", TEXTS[rng.random_range(1..TEXTS.len())]),
        content_hash: TEXTS[rng.random_range(0..TEXTS.len())].into(),
        format: TEXTS[rng.random_range(0..TEXTS.len())].into(),
        bytes: rng.random_range(0..3),
        points: rng.random_range(0..12),
        extents: [0.1, rng.random_range(-1.0..1.0), 1.0],
        modified_ns: rng.random_bool(0.5).then(|| rng.random_range(-3..3) * 500_000_000),
        extra,
        ..record.payload
    };
    record
}

fn random_filter(rng: &mut SmallRng, depth: usize) -> Filter {
    let fields = [
        Field::Path,
        Field::Name,
        Field::Format,
        Field::ContentHash,
        Field::Bytes,
        Field::Points,
        Field::Extent(0),
        Field::Extent(1),
        Field::Extent(7),
        Field::Modified,
        Field::Extra("label".into()),
        Field::Extra("a.b".into()),
        Field::Extra("ü key".into()),
        Field::Extra("missing".into()),
    ];
    let comparisons = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessEqual,
        Comparison::Greater,
        Comparison::GreaterEqual,
    ];
    let globs = ["*", "*a", "[0-5]*", "?/A", "", "*/*/*", "tru[!x]"];
    let field = fields[rng.random_range(0..fields.len())].clone();
    let value = |rng: &mut SmallRng| match rng.random_range(0..3) {
        0 => Value::Number(NUMBERS[rng.random_range(0..NUMBERS.len())]),
        1 => Value::Text(TEXTS[rng.random_range(0..TEXTS.len())].into()),
        _ => Value::Bool(rng.random_bool(0.5)),
    };
    match rng.random_range(if depth == 0 { 3 } else { 0 }..8) {
        0 => Filter::Not(Box::new(random_filter(rng, depth - 1))),
        1 => Filter::And((0..rng.random_range(0..3)).map(|_| random_filter(rng, depth - 1)).collect()),
        2 => Filter::Or((0..rng.random_range(0..3)).map(|_| random_filter(rng, depth - 1)).collect()),
        3 => Filter::Has(field),
        4 => Filter::Matches(field, Glob::new(globs[rng.random_range(0..globs.len())])),
        5 => Filter::In(field, (0..rng.random_range(0..4)).map(|_| value(rng)).collect()),
        _ => Filter::Compare(field, comparisons[rng.random_range(0..6)], value(rng)),
    }
}
