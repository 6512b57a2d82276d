//! Stores embeddings with metadata and searches for the nearest ones: one trait, [`VectorStore`], and an embedded
//! implementation with a SQLite database, [`SqliteStore`].
//!
//! A store contains [`Record`]s (an id, a unit vector, a [`Payload`], a thumbnail) of one [`EmbeddingSpace`]. A search
//! returns the records nearest to a query vector, among those that a [`Filter`] selects. The crate does not depend on
//! tensors, meshes or the network.
//!
//! ```
//! use lexiform_store::{
//!     EmbeddingSpace, Filter, IndexState, Payload, Record, RecordId, SearchRequest, SqliteStore, VectorStore,
//! };
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let space = EmbeddingSpace { model: "nano".into(), dim: 2, preprocessing: "12 views of 224".into() };
//! let store = SqliteStore::open_or_create(folder, &space)?;
//! let record = |path: &str, triangles: u64, vector: [f32; 2]| Record {
//!     id: RecordId::derive(path, "digest of the file", 0),
//!     vector: vector.to_vec(),
//!     payload: Payload { path: path.into(), format: "glb".into(), triangles, ..Payload::default() },
//!     index_state: IndexState::default(),
//!     thumbnail: None,
//! };
//! let (chair, cup) = (record("chairs/red.glb", 900, [1.0, 0.0]), record("cups/blue.glb", 90_000, [0.0, 1.0]));
//! store.upsert(&space, &[chair, cup])?;
//!
//! let filter = Some(Filter::parse("triangles < 10k and path ~ 'chairs/*'")?);
//! let hits = store.search(&SearchRequest { filter, ..SearchRequest::new(vec![0.6, 0.8], 10) })?;
//! assert_eq!(hits.len(), 1);
//! assert_eq!((hits[0].payload.name(), hits[0].score), ("red.glb", 0.6));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod engine;
mod error;
mod filter;
mod names;
mod parse_id;
mod record;
mod record_id;
mod scan;
mod sqlite;
mod store;
mod vectors;

pub use error::StoreError;
pub use filter::{Comparison, Field, Filter, FilterError, Glob, Value};
pub use names::{NameHit, NameRequest, NameSearch, NameWord, SpellingCorrection, name_words};
pub use record::{Captions, EmbeddingSpace, Entry, Extra, Failure, FileState, IndexState, Payload, Record};
pub use record_id::RecordId;
pub use sqlite::SqliteStore;
pub use store::{Hit, ListRequest, SearchRequest, VectorStore};
