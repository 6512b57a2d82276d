//! Configuration of a zero-shot evaluation.

use lexiform_metrics::bootstrap::Resampling;
use lexiform_search::SimulatedScan;

use crate::class_texts::ClassTexts;
use crate::generated::ShapeGenerator;
use crate::source::{DataConfig, ShapeSource};

/// Seeds of Duoduo CLIP's three published runs.
pub const REFERENCE_SEEDS: [u32; 3] = [678, 789, 900];

/// Loader workers in Duoduo CLIP's configuration.
pub const REFERENCE_WORKERS: usize = 4;

/// Configuration of a zero-shot evaluation.
pub struct ZeroShotConfig<'a> {
    /// The shapes.
    pub shapes: ZeroShotShapes<'a>,
    /// Labels, prompt templates and protocol.
    pub texts: ClassTexts,
    /// Numbers of views, one result for each; the protocol's, or the model's own number, if empty.
    pub views: Vec<usize>,
    /// Evaluate simulated scans sampled from the surfaces instead of the shapes.
    pub clouds: Option<SimulatedScan>,
    /// Points per shape for point encoders; the protocol's, or the model's own number, if `None`.
    pub points: Option<usize>,
    /// Seeds for sampling views and crop windows, one result for each; evenly spread views if empty.
    pub seeds: Vec<u32>,
    /// Loader workers that views are sampled by, if seeds are given: each has a generator of its own.
    pub num_workers: usize,
    /// How confidence intervals are computed.
    pub resampling: Resampling,
}

/// The shapes of a zero-shot evaluation.
pub enum ZeroShotShapes<'a> {
    /// Files or a data set.
    Files(ShapeSource),
    /// Precomputed features of files or a data set.
    Features {
        /// The shape of each row.
        shapes: ShapeSource,
        /// `FILE` or `FILE#TENSOR`.
        file: String,
    },
    /// Generated shapes; `views`, `seeds` and the protocol do not apply.
    Generated(&'a dyn ShapeGenerator),
}

impl ZeroShotShapes<'_> {
    /// Files or a data set, or precomputed features of them.
    pub fn from_data(data: DataConfig) -> Self {
        let DataConfig { shapes, features } = data;
        match features {
            Some(file) => Self::Features { shapes, file },
            None => Self::Files(shapes),
        }
    }
}
