//! A library from outside, with a model that needs no weights.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod indexing;
mod models;
mod queries;
mod support;
