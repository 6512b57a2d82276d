//! What is evaluated, and with which metrics.

use std::path::PathBuf;

use crate::models::Models;

/// Captions and how they are evaluated.
#[derive(Clone, Debug)]
pub struct CaptionScoresConfig {
    /// Captions of a model, one per item.
    pub predictions: PathBuf,
    /// Captions by others; those in the file of predictions if `None`.
    pub references: Option<PathBuf>,
    /// METEOR's archive, or a folder with its archive or its tables; no METEOR if `None`.
    pub meteor: Option<PathBuf>,
    /// Cosines to compute, if any.
    pub cosine: Option<CosineConfig>,
}

/// Cosines in a joint space.
#[derive(Clone, Debug)]
pub struct CosineConfig {
    /// The model, whose first name is used.
    pub models: Models,
    /// Folder of the shapes that captions describe, named like the items; only texts are compared if `None`.
    pub assets: Option<PathBuf>,
}
