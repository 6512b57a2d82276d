//! Tests of a library with vectors of several spaces.

use super::fixtures::{X, Y, id, put, record, space};
use crate::{
    EmbeddingSpace, Entry, Failure, Filter, IndexState, ListRequest, Payload, Record, SearchRequest,
    StoreError, VectorStore,
};

/// Runs every test of libraries with several models. `library` creates a new, empty library and returns a function that
/// opens it for writing at a space and adds the space if it is new; one store is open at a time.
///
/// # Panics
/// If the store breaks the contract.
pub fn check_spaces<S: VectorStore, O: Fn(&EmbeddingSpace) -> S>(mut library: impl FnMut() -> O) {
    separates_models(&library());
    shares_records(&library());
    deletes_outdated_vectors(&library());
    moves_to_paths_of_other_spaces(&library());
}

/// A second space, of another dim.
fn other_space() -> EmbeddingSpace {
    EmbeddingSpace { model: "other".into(), dim: 2, preprocessing: "none".into() }
}

fn other_record(number: u64, path: &str, content: &str) -> Record {
    let payload = Payload { path: path.into(), content_hash: content.into(), ..Payload::default() };
    Record {
        id: id(number),
        vector: vec![0.0, 1.0],
        payload,
        index_state: IndexState::default(),
        thumbnail: None,
    }
}

fn separates_models<S: VectorStore>(open: &dyn Fn(&EmbeddingSpace) -> S) {
    put(&open(&space()), &[record(1, "a", X), record(2, "b", Y)]);
    let other = open(&other_space());
    assert!(other.is_empty().expect("len") && other.file_states().expect("file_states").is_empty());
    assert!(other.list(&ListRequest::default()).expect("list").is_empty());
    assert_eq!(other.get(&[id(1)]).expect("get"), [None]);
    assert_eq!(
        (other.find_by_path("a").expect("find"), other.find_by_content("h1").expect("find")),
        (None, vec![])
    );
    assert!(matches!(other.rename(&[(id(1), "c".into())]), Err(StoreError::UnknownRecord { .. })));
    assert_eq!(other.delete(&[id(1)]).expect("delete"), 0);
    let mismatch = other.upsert(&space(), &[record(1, "a", X)]).expect_err("the first model's vectors");
    assert!(matches!(mismatch, StoreError::ModelMismatch { .. }), "{mismatch}");
    let failure = Failure {
        path: "b".into(),
        content_hash: None,
        bytes: 1,
        modified_ns: None,
        error: "x".into(),
        failed_at_ns: 1,
    };
    other.record_failures(&[failure]).expect("record");
    drop(other);
    let first = open(&space());
    assert_eq!((first.len().expect("len"), first.failures().expect("failures").len()), (2, 0));
}

fn shares_records<S: VectorStore>(open: &dyn Fn(&EmbeddingSpace) -> S) {
    put(&open(&space()), &[record(1, "a", X), record(2, "b", Y)]);
    let other = open(&other_space());
    assert_eq!(other.find_by_path("a").expect("find"), None);
    let shared = other.find_in_any_space("a").expect("find");
    assert_eq!(shared.map(|entry| entry.payload.content_hash).as_deref(), Some("h1"));
    assert_eq!(other.find_in_any_space("c").expect("find"), None);
    let known = other.assign_id("a", "h1").expect("id");
    assert_eq!(known, id(1), "a file known from another model keeps its id");
    other.upsert(&other_space(), &[other_record(1, "a", "h1")]).expect("upsert");
    assert_eq!(other.len().expect("len"), 1);
    let hits = other.search(&SearchRequest::new(vec![0.0, 1.0], 9)).expect("search");
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [id(1)]);
    let everything = Filter::parse("path ~ '*'").expect("a filter");
    assert_eq!(other.count(&everything).expect("count"), 1);
    let by_format = other.count_by_format(&everything).expect("count");
    assert_eq!(by_format.values().sum::<usize>(), 1, "only records with a vector of this model");
    drop(other);
    let first = open(&space());
    assert_eq!(first.search(&SearchRequest::new(X.to_vec(), 9)).expect("search").len(), 2);
    assert_eq!(first.delete(&[id(1)]).expect("delete"), 1);
    assert_eq!(first.find_by_path("a").expect("find"), None);
    drop(first);
    let other = open(&other_space());
    assert_eq!(
        other.find_by_path("a").expect("find").map(|entry| entry.id),
        Some(id(1)),
        "a deletion does not affect other models"
    );
    assert_eq!(other.delete(&[id(1)]).expect("delete"), 1);
}

fn deletes_outdated_vectors<S: VectorStore>(open: &dyn Fn(&EmbeddingSpace) -> S) {
    put(&open(&space()), &[record(1, "a", X), record(2, "b", Y)]);
    let other = open(&other_space());
    other
        .upsert(&other_space(), &[other_record(1, "a", "changed"), other_record(2, "b", "h2")])
        .expect("upsert");
    drop(other);
    let first = open(&space());
    let left = first.search(&SearchRequest::new(X.to_vec(), 9)).expect("search");
    assert_eq!(
        left.iter().map(|hit| hit.id).collect::<Vec<_>>(),
        [id(2)],
        "the vector of the old content is deleted"
    );
}

fn moves_to_paths_of_other_spaces<S: VectorStore>(open: &dyn Fn(&EmbeddingSpace) -> S) {
    put(&open(&space()), &[record(1, "old", X)]);
    let other = open(&other_space());
    other.upsert(&other_space(), &[other_record(2, "new", "h1")]).expect("upsert");
    drop(other);
    let first = open(&space());
    let payload = Payload { path: "new".into(), content_hash: "h1".into(), ..Payload::default() };
    first
        .update(&[Entry { id: id(1), payload, index_state: IndexState::default() }])
        .expect("a path that only the other model has");
    assert_eq!((first.len().expect("len"), first.find_by_path("old").expect("find")), (1, None));
    let hits = first.search(&SearchRequest::new(X.to_vec(), 9)).expect("search");
    assert_eq!(
        hits.iter().map(|hit| (hit.payload.path.as_str(), hit.score)).collect::<Vec<_>>(),
        [("new", 1.0)]
    );
    drop(first);
    assert_eq!(open(&other_space()).len().expect("len"), 1);
}
