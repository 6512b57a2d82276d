//! The real binary, as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod answers;
mod captions;
mod card;
mod data;
mod devices;
mod duplicates;
mod eval_sets;
mod evaluation;
mod joined;
mod shapes;
mod support;
mod training;
mod walk;
