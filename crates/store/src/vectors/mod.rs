//! The vectors of a library, in files next to its database.
//!
//! Each space has two files: `vectors-SPACE-EPOCH.f32` with the vectors as little-endian `f32`, `[slots, dim]`, and
//! `vectors-SPACE-EPOCH.i8` with the same vectors in one byte per number, which searches scan. Both are mapped into
//! memory, so opening a library reads nothing, and processes share what the system keeps cached.
//!
//! Files only grow. The database has the number of valid slots and the slot of each record: a batch is appended and
//! flushed to disk, then the transaction that counts its slots commits. What a killed process appended without a commit
//! is past the count and is overwritten by the next batch. Slots are never reused, so a reader of an older snapshot
//! reads the vectors of its time; [`compact`](crate::sqlite) copies the slots that are in use to files of the next epoch.

mod files;
mod map;
mod writer;

pub(crate) use files::{VectorFiles, remove_unknown};
pub(crate) use map::MappedVectors;
pub(crate) use writer::VectorAppender;
