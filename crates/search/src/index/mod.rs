//! Updating a library from the file system: incremental and resumable; broken files are reported and skipped.
//!
//! `plan` compares the files with the store, `pipeline` runs the stages in threads: `prepare` reads and renders files,
//! `embed` runs the model, `write` stores the outcomes. `embeddings` adds those that were computed elsewhere, without files,
//! `scenes` the objects in scenes.

mod embed;
mod embeddings;
mod options;
mod outcome;
mod pipeline;
mod plan;
mod prepare;
mod run;
mod scenes;
mod task;
mod write;

pub use embeddings::{EmbeddingSource, NamedFeatures, RowFeatures};
pub use options::IndexOptions;
