//! Guarantees of the embedded store beyond the contract.

use std::path::Path;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{SqliteStore, database, schema};
use crate::{
    Captions, Comparison, EmbeddingSpace, Extra, Field, Filter, Glob, IndexState, ListRequest, NameRequest,
    NameWord, Payload, Record, RecordId, SearchRequest, StoreError, Value, VectorStore, contract,
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
fn conforms_to_the_contract() {
    let mut folders = Vec::new();
    contract::check(|| {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open_or_create(folder.path(), &contract::space()).unwrap();
        folders.push(folder);
        store
    });
    // After every test of the contract, which include refused and half-written batches.
    for folder in folders {
        SqliteStore::open(folder.path()).unwrap().verify().unwrap();
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
fn names_of_older_libraries_can_be_searched() {
    let (folder, store) = library();
    let mut chair = record(3, vec![0.6, 0.8]);
    chair.payload.path = "Old Furniture/RedChair_03.glb".into();
    chair.payload.extra.insert("label".into(), "armchair".into());
    store.upsert(&space(2), &[chair]).unwrap();
    store
        .database
        .writer()
        .execute_batch(
            "DROP TRIGGER names_deleted; DROP TABLE vocabulary; DROP TABLE spellings; DROP TABLE names;
             ALTER TABLE records DROP COLUMN objects; ALTER TABLE records DROP COLUMN materials;
             ALTER TABLE records DROP COLUMN captions; ALTER TABLE records DROP COLUMN captioner;
             PRAGMA user_version = 4;",
        )
        .unwrap();
    drop(store);
    assert!(matches!(SqliteStore::open(folder.path()), Err(StoreError::SchemaTooOld { found: 4, .. })));
    drop(SqliteStore::open_for_writing(folder.path()).unwrap());
    let store = SqliteStore::open(folder.path()).unwrap();
    for word in ["chair", "furniture", "armchair"] {
        let words = vec![NameWord { word: word.into(), weight: 1.0 }];
        let hits =
            store.search_names(&NameRequest { groups: vec![words], ..NameRequest::default() }).unwrap().hits;
        assert_eq!(hits.iter().map(|hit| hit.id.value()).collect::<Vec<_>>(), [3], "{word}");
    }
    store.verify().unwrap();
}

#[test]
fn libraries_without_captions_get_them() {
    let (folder, store) = library();
    store.rename(&[(RecordId::new(2).unwrap(), "RedChair_03.glb".into())]).unwrap();
    store
        .database
        .writer()
        .execute_batch(
            "ALTER TABLE records DROP COLUMN captions; ALTER TABLE records DROP COLUMN captioner;
             PRAGMA user_version = 5;",
        )
        .unwrap();
    drop(store);
    assert!(matches!(SqliteStore::open(folder.path()), Err(StoreError::SchemaTooOld { found: 5, .. })));
    let store = SqliteStore::open_for_writing(folder.path()).unwrap();
    let id = RecordId::new(2).unwrap();
    assert_eq!(store.get(&[id]).unwrap()[0].as_ref().unwrap().payload.captions, None);
    let written = Captions { captioner: "c".into(), texts: vec!["a seat made of oak".into()] };
    store.set_captions(&[(id, Some(written.clone()))]).unwrap();
    for word in ["chair", "oak"] {
        let groups = vec![vec![NameWord { word: word.into(), weight: 1.0 }]];
        let hits = store.search_names(&NameRequest { groups, ..NameRequest::default() }).unwrap().hits;
        assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [id], "{word}");
    }
    assert_eq!(store.get(&[id]).unwrap()[0].as_ref().unwrap().payload.captions, Some(written));
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
    let pages: i64 = store.database.writer().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.database.writer().pragma_update(None, "max_page_count", pages + 2).unwrap();
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

/// A file of vectors of the only space.
fn vectors(folder: &TempDir, extension: &str) -> std::path::PathBuf {
    folder.path().join(format!("vectors-1-0.{extension}"))
}

#[test]
fn corruption_is_detected() {
    for extension in ["f32", "i8"] {
        let (folder, store) = library();
        store.verify().unwrap();
        let path = vectors(&folder, extension);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[1] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        let error = store.verify().unwrap_err();
        assert!(error.to_string().contains("1 damaged vectors"), "{error}");
    }
    let (_folder, store) = library();
    store.database.writer().execute("UPDATE vectors SET slot = 7 WHERE record_id = 1", []).unwrap();
    assert!(matches!(store.verify(), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_slot_beyond_the_end_is_an_error() {
    let (_folder, store) = library();
    store.database.writer().execute("UPDATE vectors SET slot = 7 WHERE record_id = 1", []).unwrap();
    let ids = [RecordId::new(1).unwrap()];
    let filter = Some(Filter::parse("triangles = 1").unwrap());
    let request = SearchRequest { filter, ..SearchRequest::new(vec![1.0, 0.0], 9) };
    for error in
        [store.search(&request).unwrap_err(), store.get(&ids).unwrap_err(), store.vectors(&ids).unwrap_err()]
    {
        let StoreError::Corrupt { path, problems } = &error else { panic!("{error}") };
        assert!(path.is_file() && problems[0].contains("slot 7"), "{error}");
    }
}

#[test]
fn missing_and_truncated_vectors_are_errors() {
    let (folder, store) = library();
    drop(store);
    let path = vectors(&folder, "i8");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let request = SearchRequest::new(vec![1.0, 0.0], 9);
    let search = || SqliteStore::open(folder.path()).unwrap().search(&request);
    let error = search().unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }) && error.hint().is_some(), "{error}");
    let writer = SqliteStore::open_for_writing(folder.path()).unwrap();
    assert!(matches!(
        writer.upsert(&space(2), &[record(3, vec![1.0, 0.0])]),
        Err(StoreError::Corrupt { .. })
    ));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(search(), Err(StoreError::Io { .. })));
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(search().unwrap().len(), 2);
}

#[test]
fn what_a_killed_process_left_is_ignored_and_removed() {
    let (folder, store) = library();
    drop(store);
    // Appended without a commit, and copied without one.
    let append = |extension| {
        let mut file = std::fs::OpenOptions::new().append(true).open(vectors(&folder, extension)).unwrap();
        std::io::Write::write_all(&mut file, &[0x7f; 33]).unwrap();
    };
    append("f32");
    append("i8");
    let leftover = folder.path().join("vectors-1-1.f32");
    std::fs::write(&leftover, [0; 8]).unwrap();
    let mine = ["notes.f32", "vectors-of-chairs.f32", "vectors-1-a.i8", "vectors-1.f32", "vectors-1-1-1.i8"];
    mine.iter().for_each(|name| std::fs::write(folder.path().join(name), b"mine").unwrap());
    let reader = SqliteStore::open(folder.path()).unwrap();
    reader.verify().unwrap();
    assert!(leftover.exists(), "readers change nothing");
    let store = SqliteStore::open_for_writing(folder.path()).unwrap();
    assert!(!leftover.exists() && folder.path().join("notes.f32").exists());
    mine.iter().for_each(|name| assert!(folder.path().join(name).exists(), "{name}"));
    store.upsert(&space(2), &[record(3, vec![0.6, 0.8])]).unwrap();
    store.verify().unwrap();
    assert_eq!(reader.search(&SearchRequest::new(vec![0.6, 0.8], 9)).unwrap()[0].id.value(), 3);
}

#[test]
fn sparse_files_are_copied_while_readers_search() {
    let (folder, writer) = library();
    let reader = SqliteStore::open(folder.path()).unwrap();
    let count = || reader.search(&SearchRequest::new(vec![1.0, 0.0], 999)).unwrap().len();
    assert_eq!(count(), 2);
    let batch: Vec<Record> = (10..500).map(|number| record(number, vec![1.0, 0.0])).collect();
    writer.upsert(&space(2), &batch).unwrap();
    assert_eq!(count(), 492);
    let gone: Vec<RecordId> = batch[..300].iter().map(|record| record.id).collect();
    writer.delete(&gone).unwrap();
    assert!(!vectors(&folder, "f32").exists() && folder.path().join("vectors-1-1.f32").exists());
    assert_eq!(std::fs::metadata(folder.path().join("vectors-1-1.f32")).unwrap().len(), 192 * 8);
    assert_eq!((count(), reader.len().unwrap()), (192, 192));
    assert_eq!(reader.get(&[batch[300].id]).unwrap(), [Some(batch[300].clone())]);
    reader.verify().unwrap();
}

#[test]
fn searches_agree_with_a_naive_scan_after_changes() {
    const DIM: usize = 24;
    let mut rng = SmallRng::seed_from_u64(5);
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_or_create(folder.path(), &space(DIM)).unwrap();
    let mut truth: std::collections::BTreeMap<u64, Record> = std::collections::BTreeMap::new();
    for round in 0..60 {
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
        if rng.random_bool(0.5) {
            store.upsert(&space(DIM), &batch).unwrap();
        } else {
            store.upsert_from(&space(DIM), &mut batch.into_iter().map(Ok)).unwrap();
        }
        store.delete(&deleted).unwrap();
        let hits = store.search(&request).unwrap();
        let found: Vec<(RecordId, f32)> = hits.iter().map(|hit| (hit.id, hit.score)).collect();
        assert_eq!(found, expected, "round {round}");
        assert_eq!(store.len().unwrap(), truth.len());
    }
    store.verify().unwrap();
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

const TEXTS: [&str; 9] = ["", "a", "A", "b/a", "10", "true", "ü'\"", "Ü'\"", "a%_"];
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
    let value = |rng: &mut SmallRng| match rng.random_range(0..4) {
        0 => Value::Number(NUMBERS[rng.random_range(0..NUMBERS.len())]),
        1 => Value::Text(TEXTS[rng.random_range(0..TEXTS.len())].into()),
        2 => Value::AnyCase(TEXTS[rng.random_range(0..TEXTS.len())].into()),
        _ => Value::Bool(rng.random_bool(0.5)),
    };
    match rng.random_range(if depth == 0 { 3 } else { 0 }..9) {
        0 => Filter::Not(Box::new(random_filter(rng, depth - 1))),
        1 => Filter::And((0..rng.random_range(0..3)).map(|_| random_filter(rng, depth - 1)).collect()),
        2 => Filter::Or((0..rng.random_range(0..3)).map(|_| random_filter(rng, depth - 1)).collect()),
        3 => Filter::Has(field),
        4 => Filter::Matches(field, Glob::new(globs[rng.random_range(0..globs.len())])),
        5 => Filter::In(field, (0..rng.random_range(0..4)).map(|_| value(rng)).collect()),
        6 => Filter::InFolder(rng.random_range(0..80_u64).to_string()),
        _ => Filter::Compare(field, comparisons[rng.random_range(0..6)], value(rng)),
    }
}
