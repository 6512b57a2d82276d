//! Configuration of a retrieval evaluation.

use std::path::PathBuf;

use lexiform_metrics::bootstrap::Resampling;

use crate::orientation::ShapeOrientation;
use crate::protocol::Protocol;

/// Configuration of a retrieval evaluation. All shapes with the same caption are relevant to it.
#[derive(Clone, Debug)]
pub struct RetrievalConfig {
    /// Shapes and their captions.
    pub captions: CaptionSource,
    /// Only shapes of this split: `train`, `val` or `test`.
    pub split: Option<String>,
    /// How files and stored points are turned upright.
    pub orientation: ShapeOrientation,
    /// Number of views; the protocol's, or the model's own number, if `None`.
    pub views: Option<usize>,
    /// The protocol.
    pub protocol: Option<&'static Protocol>,
    /// Photos of the shapes.
    pub photos: Option<PhotoListing>,
    /// Precomputed shape features, one row per unique file: `FILE` or `FILE#TENSOR`.
    pub features: Option<String>,
    /// Precomputed caption features, one row per unique caption: `FILE` or `FILE#TENSOR`.
    pub text_features: Option<String>,
    /// Prompt templates with `{}` for the caption, averaged; if `None`, the caption alone, or for labels the model's
    /// templates.
    pub templates: Option<Vec<String>>,
    /// How confidence intervals are computed.
    pub resampling: Resampling,
}

/// Where shapes and captions are.
#[derive(Clone, Debug)]
pub enum CaptionSource {
    /// A CSV file with the columns `file` and `caption`, or `file` and `label`.
    Listing {
        /// The CSV file.
        file: PathBuf,
        /// Folder the files are relative to; the folder of the CSV file if `None`.
        assets: Option<PathBuf>,
    },
    /// A data set with its captions, or its labels if it has none.
    DataSet {
        /// Its folder.
        path: PathBuf,
    },
}

/// A CSV file of photos: `image` and the `file` it shows, or `image` and a `label` of the shapes. Without a column `image`,
/// its lines that name images are the photos.
#[derive(Clone, Debug)]
pub struct PhotoListing {
    /// The CSV file.
    pub file: PathBuf,
    /// Folder the photos are relative to; the folder of the CSV file if `None`.
    pub assets: Option<PathBuf>,
}
