//! Tests of a store of one space.

use super::fixtures::{X, XY, Y, id, put, record, space};
use crate::{
    EmbeddingSpace, Entry, Failure, Filter, IndexState, ListRequest, Payload, Record, RecordId,
    SearchRequest, StoreError, VectorStore,
};

/// Runs every test, each on a new, empty store of [`space`] that `empty` creates.
///
/// # Panics
/// If the store breaks the contract.
pub fn check<S: VectorStore>(mut empty: impl FnMut() -> S) {
    let tests: [fn(&dyn VectorStore); 17] = [
        returns_whole_records,
        counts_changes,
        replaces_by_id,
        rejects_invalid_records,
        rejects_other_spaces,
        writes_atomically,
        writes_from_an_iterator_atomically,
        stays_exact_after_many_replacements,
        updates_payloads_only,
        renames_and_swaps_paths,
        deletes,
        finds_the_nearest,
        filters_before_ranking,
        lists_in_pages_and_looks_up,
        counts_by_format,
        stores_metadata_and_failures,
        keeps_index_state_out_of_payloads,
    ];
    for test in tests.iter().chain(&super::names::TESTS).chain(&super::captions::TESTS) {
        test(&empty());
    }
}

fn returns_whole_records(store: &dyn VectorStore) {
    let mut first = record(1 << 62, "a/ü '\"%_.glb", XY);
    first.payload = Payload {
        format: "glb".into(),
        bytes: 1 << 40,
        vertices: 3,
        triangles: 1,
        points: 7,
        extents: [0.1, f32::MAX, -0.0],
        modified_ns: Some(-1),
        objects: vec!["a\n\"b\"".into(), "ü".into()],
        materials: vec!["oak".into()],
        extra: [("key \"x\"".into(), serde_json::json!({"deep": [1, null, "\u{1F4A1}"]}))]
            .into_iter()
            .collect(),
        ..first.payload
    };
    first.thumbnail = Some(vec![0, 1, 255]);
    let second = record(0, "b", X);
    assert!(store.is_empty().expect("len"));
    put(store, &[first.clone(), second.clone()]);
    assert_eq!(store.len().expect("len"), 2);
    let (a, b) = (first.id, second.id);
    let got = store.get(&[b, id(9), a, a]).expect("get");
    let vectors = store.vectors(&[b, id(9), a, a]).expect("vectors");
    let vector = |record: &Option<Record>| record.as_ref().map(|record| record.vector.clone());
    assert_eq!(vectors, got.iter().map(vector).collect::<Vec<_>>());
    let payloads = store.payloads(&[b, id(9), a, a]).expect("payloads");
    let payload = |record: &Option<Record>| record.as_ref().map(|record| record.payload.clone());
    assert_eq!(payloads, got.iter().map(payload).collect::<Vec<_>>());
    assert_eq!(got, [Some(second), None, Some(first.clone()), Some(first.clone())]);
    assert_eq!(store.thumbnail(a).expect("thumbnail"), first.thumbnail);
    assert_eq!(store.thumbnail(b).expect("thumbnail"), None);
    assert_eq!(store.thumbnail(id(9)).expect("thumbnail"), None);
    assert_eq!(store.space(), &space());
}

fn counts_changes(store: &dyn VectorStore) {
    let generation = || store.generation().expect("generation");
    let Some(first) = generation() else { return };
    let mut seen = vec![first];
    let mut check = |is_change: bool, what: &str| {
        let found = generation().expect("a store that counts changes");
        assert_eq!(found != seen[seen.len() - 1], is_change, "{what}");
        assert!(!is_change || !seen.contains(&found), "{what}: a number of before");
        seen.push(found);
    };
    put(store, &[record(1, "a", X)]);
    check(true, "a new record");
    store.search(&SearchRequest::new(X.to_vec(), 1)).expect("search");
    check(false, "a search");
    store.rename(&[(id(1), "b".into())]).expect("rename");
    check(true, "a new path");
    store.delete(&[id(1)]).expect("delete");
    check(true, "a deletion");
}

fn replaces_by_id(store: &dyn VectorStore) {
    put(store, &[Record { thumbnail: Some(vec![1]), ..record(1, "a", X) }]);
    let replaced = record(1, "b", Y);
    put(store, std::slice::from_ref(&replaced));
    assert_eq!(store.len().expect("len"), 1);
    assert_eq!(store.get(&[id(1)]).expect("get"), [Some(replaced)]);
    assert_eq!(store.find_by_path("a").expect("find"), None);
    let hits = store.search(&SearchRequest::new(Y.to_vec(), 5)).expect("search");
    assert_eq!((hits.len(), hits[0].score), (1, 1.0));
}

fn rejects_invalid_records(store: &dyn VectorStore) {
    let reject = |records: &[Record]| {
        let error = store.upsert(&space(), records).expect_err("an invalid record");
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    };
    reject(&[Record { vector: vec![1.0, 0.0], ..record(1, "a", X) }]);
    reject(&[Record { vector: vec![f32::NAN, 0.0, 0.0], ..record(1, "a", X) }]);
    reject(&[record(1, "a", [0.5, 0.0, 0.0])]);
    reject(&[record(1, "a", [0.0; 3])]);
    reject(&[record(1, "", X)]);
    reject(&[record(1, "a\0", X)]);
    reject(&[record(1, "a", X), record(1, "b", X)]);
    let mut flat = record(1, "a", X);
    flat.payload.extents[1] = f32::INFINITY;
    reject(&[flat]);
    for vector in [vec![1.0], vec![f32::NAN; 3], vec![2.0, 0.0, 0.0]] {
        let error = store.search(&SearchRequest::new(vector, 1)).expect_err("a query that is not sound");
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
    assert!(store.is_empty().expect("len"));
}

fn rejects_other_spaces(store: &dyn VectorStore) {
    let base = space();
    let others = [
        EmbeddingSpace { model: "other".into(), ..base.clone() },
        EmbeddingSpace { dim: 4, ..base.clone() },
        EmbeddingSpace { preprocessing: "other".into(), ..base },
    ];
    for other in others {
        let mut unit = vec![0.0; other.dim];
        unit[0] = 1.0;
        let records = [Record { vector: unit, ..record(1, "a", X) }];
        let error = store.upsert(&other, &records).expect_err("another space");
        assert!(matches!(error, StoreError::ModelMismatch { .. }), "{error}");
    }
    assert!(store.is_empty().expect("len"));
}

fn writes_atomically(store: &dyn VectorStore) {
    put(store, &[record(1, "a", X)]);
    let error = store.upsert(&space(), &[record(2, "b", X), record(3, "a", X)]).expect_err("a path twice");
    assert!(matches!(&error, StoreError::DuplicatePath { existing, .. } if *existing == id(1)), "{error}");
    let moves = [(id(1), "c".to_owned()), (id(9), "d".to_owned())];
    let unknown = store.rename(&moves).expect_err("an unknown id");
    assert!(matches!(unknown, StoreError::UnknownRecord { .. }), "{unknown}");
    assert_eq!(store.len().expect("len"), 1);
    assert_eq!(store.get(&[id(1)]).expect("get"), [Some(record(1, "a", X))]);
    assert_eq!(store.search(&SearchRequest::new(X.to_vec(), 5)).expect("search").len(), 1);
}

fn writes_from_an_iterator_atomically(store: &dyn VectorStore) {
    put(store, &[record(1, "a", X)]);
    let write =
        |records: Vec<Result<Record, StoreError>>| store.upsert_from(&space(), &mut records.into_iter());
    let refused = |records: Vec<Result<Record, StoreError>>| {
        let error = write(records).expect_err("an error among the records");
        assert_eq!(store.len().expect("len"), 1);
        assert_eq!(store.get(&[id(1)]).expect("get"), [Some(record(1, "a", X))]);
        error
    };
    let broken = StoreError::Source("the file ends".into());
    let error = refused(vec![Ok(record(1, "a", Y)), Ok(record(2, "b", Y)), Err(broken)]);
    assert_eq!(error.to_string(), "the file ends");
    let twice = refused(vec![Ok(record(2, "b", Y)), Ok(record(2, "c", Y))]);
    assert!(matches!(twice, StoreError::Invalid { .. }), "{twice}");
    let taken = refused(vec![Ok(record(3, "c", Y)), Ok(record(2, "a", Y))]);
    assert!(matches!(taken, StoreError::DuplicatePath { .. }), "{taken}");
    let other = EmbeddingSpace { model: "other".into(), ..space() };
    let mismatch = store.upsert_from(&other, &mut std::iter::empty()).expect_err("another model");
    assert!(matches!(mismatch, StoreError::ModelMismatch { .. }), "{mismatch}");
    assert_eq!(write(Vec::new()).expect("nothing"), 0);
    assert_eq!(write(vec![Ok(record(1, "a", Y)), Ok(record(2, "b", XY))]).expect("records"), 2);
    let hits = store.search(&SearchRequest::new(Y.to_vec(), 5)).expect("search");
    let found: Vec<(RecordId, f32)> = hits.iter().map(|hit| (hit.id, hit.score)).collect();
    assert_eq!(found, [(id(1), 1.0), (id(2), 0.6)]);
}

/// Replaces and deletes often enough that a store has to reclaim what it no longer needs.
fn stays_exact_after_many_replacements(store: &dyn VectorStore) {
    let path = |number: u64| format!("{number}");
    for round in 0..40 {
        let turned = if round % 2 == 0 { X } else { Y };
        let batch: Vec<Record> = (0..40)
            .map(|number| record(number, &path(number), if number % 3 == 0 { turned } else { XY }))
            .collect();
        put(store, &batch);
        if round % 5 == 4 {
            store.delete(&[id(round), id(39)]).expect("delete");
        }
    }
    // The last round turned to Y, and deleted 39, which is one of those that turn.
    assert_eq!(store.len().expect("len"), 39);
    let hits = store.search(&SearchRequest::new(Y.to_vec(), 100)).expect("search");
    let best: Vec<u64> = hits.iter().filter(|hit| hit.score > 0.9).map(|hit| hit.id.value()).collect();
    assert_eq!(best, (0..39).step_by(3).collect::<Vec<u64>>());
    assert_eq!(hits.len(), 39);
    assert_eq!(store.get(&[id(3), id(39)]).expect("get"), [Some(record(3, &path(3), Y)), None]);
    store.delete(&(0..39).map(id).collect::<Vec<_>>()).expect("delete");
    assert!(store.is_empty().expect("len"));
    assert!(store.search(&SearchRequest::new(Y.to_vec(), 9)).expect("search").is_empty());
    put(store, &[record(1, "a", Y)]);
    assert_eq!(store.search(&SearchRequest::new(Y.to_vec(), 9)).expect("search").len(), 1);
}

fn updates_payloads_only(store: &dyn VectorStore) {
    let before = Record { thumbnail: Some(vec![1]), ..record(1, "a", X) };
    put(store, std::slice::from_ref(&before));
    let payload = Payload { path: "b".into(), bytes: 5, modified_ns: Some(3), ..Payload::default() };
    let entry = |id: RecordId| Entry { id, payload: payload.clone(), index_state: IndexState::default() };
    store.update(&[entry(id(1))]).expect("update");
    assert_eq!(store.get(&[id(1)]).expect("get"), [Some(Record { payload: payload.clone(), ..before })]);
    let unknown = store.update(&[entry(id(2))]).expect_err("an unknown id");
    assert!(matches!(unknown, StoreError::UnknownRecord { .. }), "{unknown}");
}

fn renames_and_swaps_paths(store: &dyn VectorStore) {
    put(store, &[record(1, "a", X), record(2, "b", Y), record(3, "c", XY)]);
    store.rename(&[(id(1), "b".into()), (id(2), "d/a".into())]).expect("rename");
    let by_path = |path: &str| store.find_by_path(path).expect("find").map(|entry| entry.id);
    assert_eq!([by_path("a"), by_path("b"), by_path("d/a")], [None, Some(id(1)), Some(id(2))]);
    let named = store.count(&Filter::parse("name = a").expect("a filter")).expect("count");
    assert_eq!(named, 1, "the name follows the path");
    assert_eq!(store.get(&[id(1)]).expect("get"), [Some(record(1, "b", X))]);
    let error = store.rename(&[(id(1), "c".into())]).expect_err("a path twice");
    assert!(matches!(&error, StoreError::DuplicatePath { existing, .. } if *existing == id(3)), "{error}");
    assert_eq!(by_path("b"), Some(id(1)));

    assert_eq!(store.assign_id("b", "any").expect("id"), id(1), "a known path keeps its id");
    let first = store.assign_id("new", "h").expect("id");
    put(store, &[Record { id: first, ..record(0, "new", X) }]);
    store.rename(&[(first, "moved".into())]).expect("rename");
    assert_ne!(store.assign_id("new", "h").expect("id"), first, "the same file again is another record");
}

fn deletes(store: &dyn VectorStore) {
    put(store, &[record(1, "a", X), record(2, "b", Y), record(3, "c", XY)]);
    // Searched first, so that a store with a cache of vectors must update it.
    assert_eq!(store.search(&SearchRequest::new(X.to_vec(), 9)).expect("search").len(), 3);
    assert_eq!(store.delete(&[id(1), id(7), id(1)]).expect("delete"), 1);
    assert_eq!(store.delete(&[]).expect("delete"), 0);
    let left: Vec<_> = store.search(&SearchRequest::new(X.to_vec(), 9)).expect("search");
    assert_eq!(left.iter().map(|hit| hit.id).collect::<Vec<_>>(), [id(3), id(2)]);
    assert_eq!(store.get(&[id(1)]).expect("get"), [None]);
    put(store, &[record(1, "a", X)]);
    assert_eq!(store.search(&SearchRequest::new(X.to_vec(), 1)).expect("search")[0].id, id(1));
}

fn finds_the_nearest(store: &dyn VectorStore) {
    let none = store.search(&SearchRequest::new(X.to_vec(), 3)).expect("search");
    assert!(none.is_empty());
    put(store, &[record(5, "e", X), record(4, "d", X), record(3, "c", XY), record(2, "b", Y)]);
    let search = |k: usize, min_score: Option<f32>| {
        let request = SearchRequest { min_score, ..SearchRequest::new(X.to_vec(), k) };
        let hits = store.search(&request).expect("search");
        let nearest: Vec<(RecordId, f32)> = hits.iter().map(|hit| (hit.id, hit.score)).collect();
        assert_eq!(store.nearest(&request).expect("nearest"), nearest);
        nearest.into_iter().map(|(id, score)| (id.value(), score)).collect::<Vec<_>>()
    };
    assert_eq!(search(9, None), [(4, 1.0), (5, 1.0), (3, 0.8), (2, 0.0)], "ties in order of id");
    assert_eq!(search(1, None), [(4, 1.0)]);
    assert_eq!(search(0, None), []);
    assert_eq!(search(9, Some(0.8)), [(4, 1.0), (5, 1.0), (3, 0.8)]);
    assert_eq!(search(9, Some(1.5)), []);
    assert_eq!(store.search(&SearchRequest::new(X.to_vec(), 1)).expect("search")[0].payload.path, "d");
}

fn filters_before_ranking(store: &dyn VectorStore) {
    let far = (0..200).map(|number| record(number, &format!("far/{number}"), X));
    let near = (200..203).map(|number| record(number, &format!("near/{number}"), Y));
    put(store, &far.chain(near).collect::<Vec<_>>());
    let search = |filter: &str| {
        let filter = Some(Filter::parse(filter).expect("a filter"));
        let hits =
            store.search(&SearchRequest { filter, ..SearchRequest::new(X.to_vec(), 5) }).expect("search");
        hits.iter().map(|hit| hit.id.value()).collect::<Vec<_>>()
    };
    assert_eq!(
        search("path ~ 'near/*'"),
        [200, 201, 202],
        "a filter that selects few records finds all of them"
    );
    assert_eq!(search("path ~ 'no/*'"), [] as [u64; 0]);
    assert_eq!(search("path !~ 'no/*'").len(), 5);
}

fn lists_in_pages_and_looks_up(store: &dyn VectorStore) {
    let mut records: Vec<Record> =
        (0..7).map(|number| record(number, &format!("p{}", 9 - number), X)).collect();
    records[4].payload.content_hash = "h2".into();
    put(store, &records);
    let mut request =
        ListRequest { filter: Some(Filter::parse("path != p8").expect("a filter")), after: None, limit: 4 };
    let first: Vec<u64> = store.list(&request).expect("list").iter().map(|entry| entry.id.value()).collect();
    request.after = Some(id(4));
    let second: Vec<u64> = store.list(&request).expect("list").iter().map(|entry| entry.id.value()).collect();
    assert_eq!((first, second), (vec![0, 2, 3, 4], vec![5, 6]));
    let everything = store.list(&ListRequest::default()).expect("list");
    assert!(everything.iter().zip(&records).all(|(entry, record)| entry.payload == record.payload));

    let same: Vec<u64> =
        store.find_by_content("h2").expect("find").iter().map(|entry| entry.id.value()).collect();
    assert_eq!(same, [2, 4]);
    let file_states = store.file_states().expect("file_states");
    assert_eq!(file_states.len(), 7);
    assert!(file_states.is_sorted_by(|a, b| a.path < b.path));
    assert_eq!(
        (file_states[0].path.as_str(), file_states[0].id, file_states[0].content_hash.as_str()),
        ("p3", id(6), "h6")
    );
}

fn counts_by_format(store: &dyn VectorStore) {
    let formats = [(1, "glb"), (2, "stl"), (3, "glb"), (4, "obj")];
    let records = formats.map(|(number, format)| {
        let mut record = record(number, &format!("{number}"), X);
        record.payload.format = format.into();
        record
    });
    let counts = |filter: &str| {
        let filter = Filter::parse(filter).expect("a filter");
        let counts = store.count_by_format(&filter).expect("count");
        assert_eq!(counts.values().sum::<usize>(), store.count(&filter).expect("count"));
        counts.into_iter().collect::<Vec<_>>()
    };
    assert!(counts("path ~ '*'").is_empty());
    put(store, &records);
    let of = |format: &str, count: usize| (format.to_owned(), count);
    assert_eq!(counts("path ~ '*'"), [of("glb", 2), of("obj", 1), of("stl", 1)]);
    assert_eq!(counts("path != '1' and format != obj"), [of("glb", 1), of("stl", 1)]);
}

fn stores_metadata_and_failures(store: &dyn VectorStore) {
    assert_eq!(store.metadata("root").expect("metadata"), None);
    store.set_metadata("root", Some("/a")).expect("set");
    store.set_metadata("root", Some("/b")).expect("set");
    assert_eq!(store.metadata("root").expect("metadata").as_deref(), Some("/b"));
    store.set_metadata("root", None).expect("set");
    assert_eq!(store.metadata("root").expect("metadata"), None);

    let failure = |path: &str, error: &str| Failure {
        path: path.into(),
        content_hash: (path != "b").then(|| "h".into()),
        bytes: 3,
        modified_ns: Some(7),
        error: error.into(),
        failed_at_ns: 11,
    };
    store.record_failures(&[failure("b", "x"), failure("a", "y"), failure("c", "z")]).expect("record");
    store.record_failures(&[failure("b", "again")]).expect("record");
    assert_eq!(
        store.failures().expect("list"),
        [failure("a", "y"), failure("b", "again"), failure("c", "z")]
    );
    store.clear_failures(&["a", "not there"]).expect("clear");
    put(store, &[record(1, "b", X)]);
    assert_eq!(
        store.failures().expect("list"),
        [failure("c", "z")],
        "a record at the path deletes its failure"
    );
}

fn keeps_index_state_out_of_payloads(store: &dyn VectorStore) {
    let state =
        IndexState { stat_hash: "0f".into(), dependencies: vec!["a.mtl".into(), "ü \"'.png".into()] };
    let indexed = Record { index_state: state.clone(), ..record(1, "a", X) };
    put(store, &[indexed.clone(), record(2, "b", Y)]);
    assert_eq!(store.get(&[id(1)]).expect("get"), [Some(indexed.clone())]);
    let entry = Entry { id: id(1), payload: indexed.payload.clone(), index_state: state };
    assert_eq!(store.list(&ListRequest::default()).expect("list")[0], entry);
    assert_eq!(store.find_by_path("a").expect("find"), Some(entry.clone()));
    assert_eq!(store.find_by_content("h1").expect("find"), std::slice::from_ref(&entry));
    let visible = Filter::parse("has extra.stat_hash or has extra.dependencies").expect("a filter");
    assert_eq!(store.count(&visible).expect("count"), 0, "filters do not see it");
    let hits = store.search(&SearchRequest::new(X.to_vec(), 1)).expect("search");
    assert_eq!(hits[0].payload, indexed.payload);

    store.rename(&[(id(1), "c".into())]).expect("rename");
    let renamed = store.find_by_path("c").expect("find").expect("a record");
    assert_eq!(renamed.index_state, entry.index_state, "renaming keeps it");
    store.update(&[Entry { index_state: IndexState::default(), ..renamed }]).expect("update");
    let updated = store.find_by_path("c").expect("find").expect("a record");
    assert_eq!(updated.index_state, IndexState::default(), "updating replaces it");
    put(store, std::slice::from_ref(&indexed));
    assert_eq!(store.get(&[id(1)]).expect("get"), [Some(indexed)], "so does inserting the record again");
}
