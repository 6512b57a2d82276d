//! Data sets of shapes on disk: prepared from 3D files, imported from other projects, read at random or sequentially, exported.
//!
//! A data set is a folder with tar shards in the [WebDataset](https://github.com/webdataset/webdataset) format, a Parquet index with
//! the offsets of all files, and a manifest with checksums ([`shard`]). [`prepare`] makes one from 3D files, [`import`] from the files
//! that other projects publish, [`export`] writes those files. [`Dataset`] reads.
//!
//! ```
//! use lexiform_data::prepare::{Prepare, PrepareConfig, Sources};
//! use lexiform_data::table::Table;
//! use lexiform_data::{Dataset, MakeOptions, make, merge};
//! use lexiform_formats::view_format::decode_view;
//!
//! # let folder = tempfile::tempdir()?;
//! # let (models, set) = (folder.path().join("models"), folder.path().join("set"));
//! # std::fs::create_dir(&models)?;
//! # std::fs::write(models.join("ramp.obj"), "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 3 4\n")?;
//! # let models = models.display().to_string();
//! // Render four views of each 3D file in a folder, on all processors.
//! let source = Sources::open(&[models])?;
//! let config = PrepareConfig { views: 4, size: 64, ..PrepareConfig::default() };
//! make(&Prepare::new(&source, config, Table::default())?, &set, &MakeOptions::default(), &mut |_| {})?;
//! merge(&set)?;
//!
//! // Read two views of a shape.
//! let dataset = Dataset::open(&set)?;
//! let views = dataset.views(0, &[0, 2])?;
//! assert_eq!(decode_view(&views[1])?.dimensions(), (64, 64));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate contains no tensors and does not print: progress is reported as [`Event`]s. Only [`caption::Served`] and, with the
//! feature `cloud`, the module `remote` use the network.

mod address;
mod build;
pub mod caption;
mod cloud;
mod dataset;
mod error;
pub mod export;
mod features;
mod gate;
pub mod import;
mod key;
pub mod listing;
pub mod prepare;
#[cfg(feature = "cloud")]
pub mod remote;
mod shape;
pub mod shard;
mod source;
mod split;
mod storage;
pub mod table;

pub use address::is_remote;
pub use build::{Event, Job, MakeOptions, MakeSummary, Problem, Producer, make};
pub use cloud::{cloud_of, points_of};
pub use dataset::{Dataset, Fault, copy, join, merge, verify};
pub use error::DataError;
pub use features::{Featurizer, rank};
pub use key::{Key, Part};
pub use shape::{
    ABOUT, About, CAMERAS, Caption, Member, POINTS, Refused, Shape, TEXT_FEATURES, VIEW_FEATURES, split_of,
};
pub use shard::{Failed, Manifest, Row, Scanned, ShardEntry};
pub use split::{known_split, split_called};
pub use storage::Copied;
