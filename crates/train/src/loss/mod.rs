//! What a recipe minimizes: losses as plain functions, and their weighted sum.

mod labels;
mod objective;
mod terms;

pub use labels::BatchLabels;
pub use objective::{BatchFeatures, LossValues, Objective};
pub use terms::{
    Gathered, Negatives, accuracy, argmax_rows, contrastive, contrastive_gathered, cosine_loss,
    cross_entropy, equal_label_mask, gather, hard_negative_mask, multi_positive, nearest, normalize_rows,
    pairwise_sigmoid, same_category_mask, select_rows, similarity_logits, soft_cross_entropy,
};
