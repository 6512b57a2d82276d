//! Metrics of classification and retrieval, from matrices of features or scores alone.
//!
//! [`Features`] go in, one row an item; out come predictions and ranks, and from these the numbers that papers print.
//!
//! | metric | where |
//! |---|---|
//! | top-1, top-3, top-5, mean class accuracy, macro F1 | [`Classification`] |
//! | confusion matrix, scores of each class | [`Confusion`] |
//! | zero-shot predictions from class features | [`zero_shot()`] |
//! | recall@k, NDCG@k, mAP, mean reciprocal rank | [`retrieval`] |
//! | linear probe (logistic regression) | [`probe`] |
//! | few-shot episodes | [`few_shot`] |
//! | votes of several views or augmentations | [`vote`] |
//! | 95 % bootstrap confidence intervals | [`bootstrap`] |
//! | comparison of two models on the same items | [`paired`] |
//!
//! Similarities are sums of 32-bit products in the order of their numbers, fused on machines that can: the same bits on
//! all of these. Everything counted or averaged from them is 64-bit. **Ties** are settled the same way everywhere: of
//! equal scores the one with the lower index comes first. Results do not depend on the number of threads. No tensors, no
//! 3D files, no printing.

mod accuracy;
pub mod bootstrap;
mod confusion;
mod error;
mod features;
pub mod few_shot;
mod lbfgs;
pub mod paired;
mod prediction;
pub mod probe;
mod product;
pub mod retrieval;
mod similarity;
mod splitmix64;
pub mod vote;
mod zero_shot;

pub use accuracy::Classification;
pub use bootstrap::Interval;
pub use confusion::{ClassScore, Confusion};
pub use error::MetricsError;
pub use features::Features;
pub use prediction::Prediction;
pub use similarity::{map_similarities, rank_of, top_k};
pub use splitmix64::SplitMix64;
pub use zero_shot::{ClassFeatures, TextMean, zero_shot};
