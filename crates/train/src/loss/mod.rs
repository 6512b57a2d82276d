//! Losses as functions of features, and their weighted sum.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use lexiform_train::loss::{Negatives, contrastive};
//!
//! let device = Device::flex();
//! let features = Tensor::<2>::eye(4, &device);
//! let logit_scale = Tensor::<1>::from_floats([100.0_f32.ln()], &device);
//! // Matching rows are equal, all others orthogonal: nothing is left to learn.
//! let loss = contrastive(features.clone(), features, logit_scale, &Negatives::All);
//! assert!(loss.into_scalar::<f32>() < 1e-6);
//! ```

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
