//! Data sets of shapes on disk: made from 3D files, read at random or in order, imported and exported.
//!
//! A data set is a folder of tar shards that WebDataset readers understand, a Parquet table that says where everything
//! lies, and a manifest with a sum for every shard ([`shard`]). [`prepare`] makes one from 3D files, [`import`] from the
//! files that other projects publish, [`export`] writes those. [`Dataset`] reads.
//!
//! This crate knows no tensors and prints nothing: progress is told as [`Event`]s. Only [`caption::Served`] and, where
//! the feature `cloud` is chosen, the module `remote` know the network.

mod address;
pub mod caption;
mod cloud;
mod copy;
mod dataset;
mod error;
pub mod export;
mod features;
mod gate;
pub mod import;
mod inspect;
mod key;
pub mod listing;
mod make;
mod merge;
pub mod prepare;
#[cfg(feature = "cloud")]
pub mod remote;
mod shape;
pub mod shard;
mod split;
pub mod table;

pub use address::is_remote;
pub use cloud::{cloud_of, points_of};
pub use copy::{Copied, copy};
pub use dataset::Dataset;
pub use error::DataError;
pub use features::{Featurizer, rank};
pub use inspect::{Fault, verify};
pub use key::{Key, Part};
pub use make::{Event, Job, MakeOptions, MakeSummary, Problem, Producer, make};
pub use merge::{join, merge};
pub use shape::{
    ABOUT, About, CAMERAS, Caption, Member, POINTS, Refused, Shape, TEXT_FEATURES, VIEW_FEATURES, split_of,
};
pub use shard::{Failed, Manifest, Row, Scanned, ShardEntry};
pub use split::{known_split, split_called};
