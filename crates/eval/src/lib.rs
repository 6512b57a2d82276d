//! How good embeddings are, measured from matrices of numbers alone.
//!
//! [`Features`] go in, one row an item; out come predictions and ranks, and from these the numbers that papers print:
//! zero-shot classification ([`classify`]), retrieval both ways ([`retrieve`]), a linear [`probe`], [`few_shot`]
//! episodes, intervals by [`bootstrap`], and [`paired`] comparison of models. [`protocol`] knows how each paper
//! measures and what it published; [`report`] draws a page.
//!
//! Similarities are sums of 32-bit products in the order of their numbers, fused on machines that can: the same bits on
//! all of these. Everything counted or averaged from them is 64-bit. **Ties** are settled the
//! same way everywhere: of equal scores the one with the lower index comes first. Results do not depend on the number
//! of threads. No tensors, no 3D files, no printing.

pub mod bootstrap;
mod chance;
pub mod classify;
mod confusion;
mod error;
mod features;
pub mod few_shot;
mod lbfgs;
pub mod paired;
pub mod probe;
mod product;
pub mod protocol;
pub mod python_random;
pub mod report;
pub mod retrieve;
mod similarity;
pub mod vote;

pub use bootstrap::Interval;
pub use chance::Chance;
pub use classify::{ClassFeatures, Classification, Prediction, TextMean, zero_shot};
pub use confusion::{ClassScore, Confusion};
pub use error::EvalError;
pub use features::Features;
pub use similarity::{map_similarities, rank_of, top_k};
