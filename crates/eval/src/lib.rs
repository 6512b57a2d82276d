//! Evaluating models on files, data sets, precomputed features or generated shapes.
//!
//! Every evaluation takes a configuration, the [`Models`] and a callback for [`EvalEvent`]s, and returns a report:
//!
//! | function | evaluates |
//! |---|---|
//! | [`zero_shot()`] | zero-shot classification from label text |
//! | [`retrieval()`] | retrieval between shapes, captions and photos |
//! | [`linear_probe()`] | a linear probe on frozen embeddings |
//! | [`few_shot()`] | few-shot classification |
//! | [`few_shot_folds()`] | few-shot classification on published folds |
//! | [`attributes()`] | recognition of color, material and parts |
//! | [`class_scores()`] | a fine-tuned classifier |
//! | [`caption::caption_scores()`] | captions against references |
//! | [`compare_runs()`] | several runs, with a paired significance test |
//!
//! [`protocol`] has the papers' protocols and published results, [`report`] the HTML report. The metrics themselves are in
//! `lexiform_metrics`.
//!
//! ```no_run
//! use lexiform_eval::*;
//! use lexiform_metrics::bootstrap::Resampling;
//!
//! let labels = LabelSource::Folders { root: "models".into() };
//! let shapes = ShapeSource { labels, split: None, orientation: ShapeOrientation::default() };
//! let config = ZeroShotConfig {
//!     shapes: ZeroShotShapes::Files(shapes),
//!     texts: ClassTexts::default(),
//!     views: vec![12],
//!     clouds: None,
//!     points: None,
//!     seeds: Vec::new(),
//!     num_workers: REFERENCE_WORKERS,
//!     resampling: Resampling::default(),
//! };
//! let models = Models { names: vec!["nano".to_owned()], options: Default::default() };
//! let report = zero_shot(&config, &models, &mut |_| {})?;
//! assert!(report.results()[0].top_1 > 0.5);
//! # Ok::<(), EvalError>(())
//! ```
//!
//! This crate links no training code, prints nothing and does not use the network.

mod attributes;
pub mod caption;
mod class_scores;
mod class_texts;
mod compare_runs;
mod data_loader;
mod data_set;
mod embed;
mod entry;
mod error;
mod event;
mod feature_arrays;
mod feature_file;
mod few_shot;
mod few_shot_folds;
mod generated;
mod item_results;
mod label_list;
mod labeled_features;
mod models;
mod mt19937;
mod orientation;
mod probe;
pub mod protocol;
pub mod report;
mod retrieval;
mod scenes;
mod shape_input;
mod source;
mod split;
mod stored_shape;
mod text_features;
mod thumbnail;
mod unusable;
mod zero_shot;

pub use attributes::{AttributeResult, AttributesConfig, Question, QuestionGroup, attributes};
pub use class_scores::{ClassScoresConfig, ClassScoresReport, ScoreSource, class_scores, head_preprocessor};
pub use class_texts::ClassTexts;
pub use compare_runs::{RunComparison, compare_runs};
pub use entry::Entry;
pub use error::EvalError;
pub use event::{EvalEvent, OnEvent};
pub use few_shot::{FewShotConfig, FewShotReport, few_shot};
pub use few_shot_folds::{FoldResult, FoldsConfig, FoldsReport, few_shot_folds};
pub use generated::{GeneratedShape, GeneratedShapes, ShapeGenerator};
pub use item_results::ItemResult;
pub use label_list::LabelList;
pub use models::Models;
pub use orientation::{ShapeOrientation, Turn};
pub use probe::{LinearProbeConfig, LinearProbeReport, linear_probe};
pub use retrieval::{
    CaptionSource, DirectionResult, PhotoListing, RetrievalConfig, RetrievalReport, retrieval,
};
pub use scenes::{
    Cg3dClass, Cg3dReport, LabeledScene, PartReport, SceneEvalConfig, SceneInstance, SceneReport,
    SceneSummary, cg3d_s3dis, find_parts, read_scene_layout, scenes, write_s3dis_room,
};
pub use source::{DataConfig, LabelSource, ShapeSource};
pub use stored_shape::StoredShape;
pub use unusable::UnusableFile;
pub use zero_shot::{
    MeanOverSeeds, ModelResults, REFERENCE_SEEDS, REFERENCE_WORKERS, RunInfo, VariantResult, ZeroShotConfig,
    ZeroShotReport, ZeroShotShapes, zero_shot,
};
