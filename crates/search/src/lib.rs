//! The front door: a folder of 3D files in, answers out.
//!
//! A [`Library`] knows the files of a folder as a model sees them. [`Library::index`] brings it up to date with the
//! disk, [`Library::search`] answers a [`Query`] in words, pictures, shapes or a mix of them, and [`Labels`] name a
//! shape. The model is anything that implements [`Encoder`].
//!
//! This crate prints nothing and knows no network: progress is told as [`Event`]s.

mod classify;
mod duplicates;
mod encoder;
mod ensemble;
mod error;
mod event;
mod fingerprint;
mod index;
mod library;
mod look;
mod picture;
mod pipeline;
mod place;
mod plan;
mod point_words;
mod query;
mod signatures;

pub use classify::{Labels, Scored};
pub use duplicates::{DuplicateOptions, Duplicates, Relation, Twin, Twins, files_of, find_duplicates};
pub use encoder::{EncodeError, Encoder, Intake, Taken};
pub use ensemble::{Combine, Ensemble, Member};
pub use error::Error;
pub use event::{Event, Status, Summary};
pub use index::IndexOptions;
pub use lexiform_mesh_io::{Found, walk};
pub use lexiform_model::Embedding;
pub use lexiform_store::{Failure, Filter, Payload, RecordId, StoreError};
pub use library::{Answer, Library};
pub use look::{Look, Scanned, Seen};
pub use picture::read_picture;
pub use place::{HIDDEN_FOLDER, Place};
pub use point_words::OpenEncoder;
pub use query::{Query, Term, embed_file, embed_picture, embed_shape, embed_text};
