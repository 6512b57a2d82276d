//! Tests of captions.

use super::fixtures::{X, Y, id, put, record};
use crate::{
    Captions, Entry, Filter, IndexState, NameRequest, NameWord, Payload, RecordId, StoreError, VectorStore,
};

pub(super) const TESTS: [fn(&dyn VectorStore); 3] =
    [finds_words_of_captions, keeps_captions_of_the_same_content, rejects_incomplete_captions];

fn written(captioner: &str, text: &str) -> Captions {
    Captions { captioner: captioner.into(), texts: vec![text.into()] }
}

fn set(store: &dyn VectorStore, number: u64, captions: Option<Captions>) {
    store.set_captions(&[(id(number), captions)]).expect("captions");
}

fn captions(store: &dyn VectorStore, number: u64) -> Option<Captions> {
    store.get(&[id(number)]).expect("get").remove(0).expect("a record").payload.captions
}

fn ids(store: &dyn VectorStore, word: &str) -> Vec<RecordId> {
    let groups = vec![vec![NameWord { word: word.into(), weight: 1.0 }]];
    let found = store.search_names(&NameRequest { groups, ..NameRequest::default() }).expect("search");
    found.hits.iter().map(|hit| hit.id).collect()
}

fn finds_words_of_captions(store: &dyn VectorStore) {
    put(store, &[record(1, "a.glb", X), record(2, "oak.glb", Y)]);
    set(store, 1, Some(written("c", "a chair made of oak")));
    assert_eq!(captions(store, 1), Some(written("c", "a chair made of oak")));
    assert_eq!(ids(store, "chairs"), [id(1)]);
    assert_eq!(ids(store, "oak"), [id(2), id(1)], "names before captions");
    let filter = Filter::parse("caption ~ chair").expect("a filter");
    assert_eq!(store.count(&filter).expect("count"), 1);
    assert_eq!(store.count(&Filter::parse("not has caption").expect("a filter")).expect("count"), 1);
    set(store, 1, Some(written("d", "a stool")));
    assert_eq!((ids(store, "chair"), ids(store, "stool")), (vec![], vec![id(1)]));
    set(store, 1, None);
    assert_eq!((captions(store, 1), ids(store, "stool")), (None, vec![]));
    assert_eq!(store.get(&[id(1)]).expect("get").remove(0).expect("a record").vector, X, "vectors stay");
}

fn keeps_captions_of_the_same_content(store: &dyn VectorStore) {
    put(store, &[record(1, "a.glb", X)]);
    set(store, 1, Some(written("c", "a chair")));
    put(store, &[record(1, "a.glb", Y)]);
    assert_eq!((captions(store, 1), ids(store, "chair")), (Some(written("c", "a chair")), vec![id(1)]));
    store.rename(&[(id(1), "b.glb".into())]).expect("rename");
    assert_eq!(ids(store, "chair"), [id(1)]);
    let mut with_captions = record(1, "b.glb", Y);
    with_captions.payload.captions = Some(written("d", "a sofa"));
    put(store, &[with_captions]);
    assert_eq!((captions(store, 1), ids(store, "chair")), (Some(written("d", "a sofa")), vec![]));
    let mut changed = record(1, "b.glb", Y);
    changed.payload.content_hash = "changed".into();
    put(store, &[changed]);
    assert_eq!((captions(store, 1), ids(store, "sofa")), (None, vec![]));
    // An update replaces the whole payload.
    set(store, 1, Some(written("c", "a chair")));
    let payload = Payload { path: "b.glb".into(), content_hash: "changed".into(), ..Payload::default() };
    store.update(&[Entry { id: id(1), payload, index_state: IndexState::default() }]).expect("update");
    assert_eq!((captions(store, 1), ids(store, "chair")), (None, vec![]));
}

fn rejects_incomplete_captions(store: &dyn VectorStore) {
    put(store, &[record(1, "a.glb", X)]);
    for incomplete in [written("", "a chair"), Captions { captioner: "c".into(), texts: Vec::new() }] {
        let error = store.set_captions(&[(id(1), Some(incomplete))]).expect_err("incomplete");
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
    // Nothing of a call that fails is written.
    let known = (id(1), Some(written("c", "a chair")));
    let error = store.set_captions(&[known, (id(2), None)]).expect_err("unknown");
    assert!(matches!(error, StoreError::UnknownRecord { id: found } if found == id(2)), "{error}");
    assert_eq!(captions(store, 1), None);
}
