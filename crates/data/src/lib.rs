//! Data sets of shapes on disk: prepared from 3D files, imported from other projects, read at random or sequentially, exported.
//!
//! A data set is a folder with tar shards in the [WebDataset](https://github.com/webdataset/webdataset) format, a Parquet index with
//! the offsets of all files, and a manifest with checksums ([`shard`]). [`prepare`] builds one from 3D files, [`import`] from the files
//! that other projects publish, [`update`] adds captions and features to one, [`export`] writes the files of other projects.
//! [`Dataset`] reads any views of any shape.
//!
//! ```
//! use lexiform_data::annotations::AnnotationTable;
//! use lexiform_data::prepare::{CombinedSource, Prepare, PrepareConfig};
//! use lexiform_data::{BuildOptions, Dataset, build_dataset, merge_partitions};
//! use lexiform_formats::view_format::decode_view;
//!
//! # let folder = tempfile::tempdir()?;
//! # let (models, set) = (folder.path().join("models"), folder.path().join("set"));
//! # std::fs::create_dir(&models)?;
//! # std::fs::write(models.join("ramp.obj"), "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 3 4\n")?;
//! # let models = models.display().to_string();
//! // Render four views of each 3D file in a folder, on all processors.
//! let source = CombinedSource::open(&[models])?;
//! let config = PrepareConfig { views: 4, size: 64, ..PrepareConfig::default() };
//! let producer = Prepare::new(&source, config, AnnotationTable::default())?;
//! build_dataset(&producer, &set, &BuildOptions::default(), &mut |_| {})?;
//! merge_partitions(&set)?;
//!
//! // Read two views of a shape.
//! let dataset = Dataset::open(&set)?;
//! let views = dataset.views(0, &[0, 2])?;
//! assert_eq!(decode_view(&views[1])?.dimensions(), (64, 64));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate contains no tensors and does not print: progress is reported as [`BuildEvent`]s. Only [`caption::VlmCaptioner`] and,
//! with the feature `cloud`, the module `remote` use the network.

pub mod annotations;
mod build;
pub mod caption;
mod combine_four;
mod dataset;
pub mod embeddings;
mod error;
pub mod export;
mod featurizer;
pub mod import;
mod key;
mod location;
mod points;
pub mod prepare;
#[cfg(feature = "cloud")]
pub mod remote;
mod semaphore;
mod shape;
pub mod shape_csv;
pub mod shard;
mod source;
mod split;
mod storage;
pub mod update;

pub use build::{BuildEvent, BuildOptions, BuildSummary, ProduceError, Producer, ShapeJob, build_dataset};
pub use combine_four::{FourSummary, FourViews, Preferred};
pub use dataset::{Corruption, Dataset, concat_datasets, copy, merge_partitions, verify};
pub use error::DataError;
pub use featurizer::{Featurizer, rank_captions};
pub use key::{Key, Partition};
pub use location::is_remote;
pub use points::{point_rows, points_from_array, points_from_npy, points_to_array};
pub use shape::{
    CAMERAS, Caption, METADATA, Member, Metadata, MissingCaptions, POINTS, Shape, TEXT_FEATURES,
    THUMBNAIL_FEATURES, VIEW_FEATURES, assign_split,
};
pub use shard::{FailedShape, IndexRow, Manifest, ScannedShape, ShardEntry};
pub use split::{normalize_split, parse_split};
pub use storage::CopySummary;
