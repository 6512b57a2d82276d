//! What a recipe minimizes: losses as plain functions, and their weighted sum.

mod labels;
mod objective;
mod terms;

pub use labels::Labels;
pub use objective::{Features, Objective, Value};
pub use terms::{
    Gathered, Negatives, apart, contrastive, contrastive_among, cross_entropy, equal_pairs, gather,
    ignored_pairs, kept_hard_negatives, largest, multi_positive, nearest, normalize_rows, pairwise_sigmoid,
    rows, share_right, similarities, soft_cross_entropy,
};
