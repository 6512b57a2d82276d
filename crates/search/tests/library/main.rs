//! The public interface of libraries, tested with a model without weights.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod embeddings;
mod indexing;
mod models;
mod names;
mod queries;
mod support;
