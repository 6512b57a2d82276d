//! Records and a space for the contract tests.

use crate::{EmbeddingSpace, IndexState, Payload, Record, RecordId, VectorStore};

/// The space of the stores that [`check`](super::check) runs on.
pub fn space() -> EmbeddingSpace {
    EmbeddingSpace { model: "contract".into(), dim: 3, preprocessing: "none".into() }
}

pub(super) const X: [f32; 3] = [1.0, 0.0, 0.0];
pub(super) const Y: [f32; 3] = [0.0, 1.0, 0.0];
pub(super) const XY: [f32; 3] = [0.8, 0.6, 0.0];

pub(super) fn record(number: u64, path: &str, vector: [f32; 3]) -> Record {
    let payload = Payload { path: path.into(), content_hash: format!("h{number}"), ..Payload::default() };
    Record {
        id: id(number),
        vector: vector.to_vec(),
        payload,
        index_state: IndexState::default(),
        thumbnail: None,
    }
}

pub(super) fn id(number: u64) -> RecordId {
    RecordId::new(number).expect("a small number")
}

pub(super) fn put(store: &dyn VectorStore, records: &[Record]) {
    store.upsert(&space(), records).expect("valid records");
}
