//! What a retrieval is measured on, and how.

use std::path::PathBuf;

use lexiform_metrics::bootstrap::Resampling;

use crate::protocol::Protocol;

/// How retrieval is measured. A query may have several right answers: shapes with the same caption are all right for it.
#[derive(Clone, Debug)]
pub struct RetrievalConfig {
    /// Shapes and their captions.
    pub captions: CaptionSource,
    /// Only shapes of this split: `train`, `val` or `test`.
    pub split: Option<String>,
    /// Number of views; the protocol's, or the model's own number, if `None`.
    pub views: Option<usize>,
    /// The protocol.
    pub protocol: Option<&'static Protocol>,
    /// Photos of the shapes.
    pub photos: Option<PhotoListing>,
    /// Precomputed features of the shapes, a row for each different file: `FILE` or `FILE#TENSOR`.
    pub features: Option<String>,
    /// Precomputed features of the captions, a row for each different one: `FILE` or `FILE#TENSOR`.
    pub text_features: Option<String>,
    /// Templates with `{}` for the caption, whose mean is the query; the caption alone, or for labels the model's templates,
    /// if `None`.
    pub templates: Option<Vec<String>>,
    /// How intervals are computed.
    pub resampling: Resampling,
}

/// Where captions are.
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

/// A CSV file of photos: `image` and the `file` it shows, or `image` and a `label` that shapes have; without a column
/// `image`, its lines of pictures are the photos.
#[derive(Clone, Debug)]
pub struct PhotoListing {
    /// The CSV file.
    pub file: PathBuf,
    /// Folder the photos are relative to; the folder of the CSV file if `None`.
    pub assets: Option<PathBuf>,
}
