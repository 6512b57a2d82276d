//! What a zero-shot classification is made on, and how.

use lexiform_metrics::bootstrap::Resampling;
use lexiform_search::SimulatedScan;

use crate::class_texts::ClassTexts;
use crate::generated::ShapeGenerator;
use crate::source::{DataConfig, ShapeSource};

/// Seeds of Duoduo CLIP's three runs.
pub const REFERENCE_SEEDS: [u32; 3] = [678, 789, 900];

/// How a zero-shot classification is measured.
pub struct ZeroShotConfig<'a> {
    /// The shapes.
    pub shapes: ZeroShotShapes<'a>,
    /// Labels, sentences and protocol.
    pub texts: ClassTexts,
    /// Numbers of views, a result each; the protocol's, or the model's own number, if empty.
    pub views: Vec<usize>,
    /// Measure point clouds sampled from the surfaces instead of the shapes.
    pub clouds: Option<SimulatedScan>,
    /// Points that a point encoder is given; the protocol's, or the model's own number, if `None`.
    pub points: Option<usize>,
    /// Seeds that views and crop windows are sampled with, a result each; evenly spread views if empty.
    pub seeds: Vec<u32>,
    /// How intervals are computed.
    pub resampling: Resampling,
}

/// The shapes of a zero-shot classification.
pub enum ZeroShotShapes<'a> {
    /// Files or a data set.
    Files(ShapeSource),
    /// Precomputed features of files or a data set.
    Features {
        /// What the rows belong to.
        shapes: ShapeSource,
        /// `FILE` or `FILE#TENSOR`.
        file: String,
    },
    /// Generated shapes; `views`, `seeds` and the protocol do not apply.
    Generated(&'a dyn ShapeGenerator),
}

impl ZeroShotShapes<'_> {
    /// Files or a data set, or the features that replace them.
    pub fn from_data(data: DataConfig) -> Self {
        let DataConfig { shapes, features } = data;
        match features {
            Some(file) => Self::Features { shapes, file },
            None => Self::Files(shapes),
        }
    }
}
