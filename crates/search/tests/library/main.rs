//! A library from outside, with a model that needs no weights.

mod indexing;
mod queries;
mod support;
