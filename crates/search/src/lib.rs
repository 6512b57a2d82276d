//! Indexes folders of 3D files and searches them by text, image or shape.
//!
//! ```
//! use lexiform_search::{EncoderOptions, IndexOptions, Library, LibraryPath, Query};
//!
//! let folder = tempfile::tempdir()?;
//! let root = folder.path().canonicalize()?;
//! let pyramid = "v -1 0 -1\nv 1 0 -1\nv 1 0 1\nv -1 0 1\nv 0 2 0\n\
//!                f 1 2 3 4\nf 1 5 2\nf 2 5 3\nf 3 5 4\nf 4 5 1\n";
//! std::fs::write(root.join("pyramid.obj"), pyramid)?;
//!
//! let encoder = EncoderOptions::default().open("nano")?;
//! let library = Library::open(LibraryPath::for_assets(&root), encoder, "nano")?;
//! let summary = library.index(&[root], &IndexOptions::default(), &mut |_event| {})?;
//! assert_eq!(summary.indexed, 1);
//!
//! let answers = library.search(&Query::text("a pyramid", 10))?;
//! assert_eq!(answers[0].payload.name(), "pyramid.obj");
//! assert_eq!(answers[0].payload.triangles, 6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Library`] contains the embeddings of the files of a folder. [`Library::index`] updates it from the file system,
//! [`Library::search`] answers a [`Query`] of texts, images, shapes or a mix of them, by meaning and by names
//! ([`RankBy`]). A [`ZeroShotClassifier`] labels shapes, and [`find_duplicates`] finds files with the same shape. Any
//! implementation of [`Encoder`] can be the model.
//!
//! This crate does not print and does not use the network: progress is reported as [`IndexEvent`]s.

mod answer;
mod candidate;
mod captions;
mod classify;
mod duplicates;
mod encoder;
mod ensemble;
mod error;
mod event;
mod fileless;
mod fingerprint;
mod fusion;
mod hybrid;
mod image_file;
mod index;
mod library;
mod library_path;
mod listing;
mod map;
mod min_search;
mod paired_encoder;
mod part_names;
mod preprocess;
mod query;
mod query_names;
mod read_limits;
mod scene;
mod signature_cache;
mod similarity;
mod stored_encoder;
mod surface_colors;
mod view_set;

pub use answer::Answer;
pub use classify::{LabelScore, ZeroShotClassifier};
pub use duplicates::{
    Duplicate, DuplicateGroup, DuplicateOptions, DuplicateRelation, DuplicateReport, find_duplicates,
    library_files,
};
pub use encoder::{EncodeError, Encoder, InputSpec, ModelInput};
pub use ensemble::{Ensemble, EnsembleMember, Fusion};
pub use error::Error;
pub use event::{FileStatus, IndexEvent, IndexSummary};
pub use fileless::{EMBEDDING_FORMAT, SCENE_OBJECT_FORMAT};
pub use fingerprint::content_hash;
pub use hybrid::SearchResults;
pub use image_file::read_image;
pub use index::{EmbeddingSource, IndexOptions, NamedFeatures, RowFeatures};
pub use lexiform_mesh_io::{UpRule, WalkResult, walk};
pub use lexiform_model::{Embedding, TowerWork, ViewSubsetEmbeddings};
pub use lexiform_segment::{SegmentConfig, Segmentation, Structure, kmeans, overlap, segment};
pub use lexiform_store::{
    Captions, Failure, Filter, Payload, Record, RecordId, SpellingCorrection, StoreError,
};
pub use library::{Library, LibraryOptions};
pub use library_path::{HIDDEN_FOLDER, LibraryPath};
pub use map::neighbor_map;
pub use paired_encoder::EncoderOptions;
pub use preprocess::{Processed, ShapePreprocessor, SimulatedScan};
pub use query::{
    Combine, NOT_WEIGHT, Query, QueryTerm, RankBy, embed_file, embed_image_file, embed_photos, embed_shape,
    embed_text, embed_views,
};
pub use scene::{
    ANSWER_COLORS, ElementKind, SceneAnswer, SceneFile, SceneIndex, SceneObject, SceneObjectRef, crop, paint,
};
pub use similarity::{NOT_SIMILAR, model_name, similarity_in_words};
pub use surface_colors::surface_colors;
pub use view_set::{SplitViews, is_view_set, read_views};

/// The README's Rust code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct ReadmeExamples;
