//! Classification and retrieval metrics, computed from feature or score matrices, and metrics of captions.
//!
//! The input is [`Features`], one row per item; the output is predictions and ranks, and the metrics that papers report.
//!
//! ```
//! use lexiform_metrics::{ClassFeatures, ClassificationMetrics, Features, zero_shot};
//!
//! // Two classes and three items in a joint space of two dimensions.
//! let classes = ClassFeatures::from_features(&Features::new(vec![1.0, 0.0, 0.0, 1.0], 2)?);
//! let items = Features::new(vec![0.9, 0.1, 0.2, 0.8, 0.6, 0.5], 2)?;
//! let predictions = zero_shot(&items, &classes, &[0, 1, 1])?;
//! let metrics = ClassificationMetrics::from_predictions(&predictions, 2)?;
//! assert_eq!(metrics.top_1, 2.0 / 3.0);
//! assert_eq!(metrics.mean_class_accuracy, 0.75);
//! # Ok::<(), lexiform_metrics::MetricsError>(())
//! ```
//!
//! | metric | where |
//! |---|---|
//! | top-1, top-3, top-5, mean class accuracy, macro F1 | [`ClassificationMetrics`] |
//! | confusion matrix, per-class metrics | [`ConfusionMatrix`] |
//! | zero-shot predictions from class features | [`zero_shot()`] |
//! | recall@k, NDCG@k, mAP, mean reciprocal rank | [`retrieval`] |
//! | mean IoU, mean accuracy, average precision of instances in scenes | [`segmentation`] |
//! | linear probe (logistic regression) | [`probe`] |
//! | few-shot episodes | [`few_shot`] |
//! | test-time augmentation: voting over views or augmentations | [`vote`] |
//! | 95 % bootstrap confidence intervals | [`bootstrap`] |
//! | comparison of two models on the same items | [`paired`] |
//! | BLEU, ROUGE-L, CIDEr, METEOR of captions | [`caption`] |
//!
//! Similarities are f32 dot products summed in index order, with fused multiply-add where the CPU has it, so all such
//! machines give the same bits. Everything derived from them is f64. **Ties**: of equal scores, the lower index ranks
//! first. Results do not depend on the number of threads. This crate has no tensors, reads no 3D files and prints nothing.

mod accuracy;
pub mod bootstrap;
pub mod caption;
mod confusion;
mod error;
mod features;
pub mod few_shot;
mod lbfgs;
mod matmul;
pub mod paired;
mod prediction;
pub mod probe;
pub mod retrieval;
pub mod segmentation;
mod similarity;
mod splitmix64;
pub mod vote;
mod zero_shot;

pub use accuracy::ClassificationMetrics;
pub use bootstrap::Interval;
pub use confusion::{ClassMetrics, ConfusionMatrix};
pub use error::MetricsError;
pub use features::Features;
pub use prediction::Prediction;
pub use similarity::{map_similarities, rank_of, top_k};
pub use splitmix64::SplitMix64;
pub use zero_shot::{ClassFeatures, TemplateAveraging, zero_shot};
