//! The table `augment`: how samples are changed each time they are seen.

use serde::{Deserialize, Serialize};

use super::skip_if;

/// How samples are changed each time they are seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentConfig {
    /// How views are changed.
    #[serde(default)]
    pub views: ViewAugmentMode,
    /// How clouds are changed before they are prepared, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scan: Vec<ScanAugmentation>,
    /// How clouds are changed after normalization while they have all points that `data.points` keeps; the farthest of them
    /// are taken afterwards (CG3D, section 3). For `network.input.resample = "farthest-normalized"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before_sampling: Vec<PointAugmentation>,
    /// Whether clouds are given as looks that vote are, after Point-BERT: of a sixth more of the farthest points a random part,
    /// stretched and shifted ([`CloudInput::prepare_look`](lexiform_model::point::CloudInput::prepare_look)).
    #[serde(default, skip_serializing_if = "skip_if::is_false")]
    pub test_time_augment: bool,
    /// How prepared clouds are changed, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointAugmentation>,
}

/// How views are changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewAugmentMode {
    /// Not at all.
    #[default]
    None,
    /// Another background, exposure and framing for each view.
    DomainRandomization,
    /// One window for all views of a batch, enlarged (Duoduo CLIP); only of 224-pixel views.
    RandomCrop,
}

/// One change of a normalized cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PointAugmentation {
    /// The inner change, with this chance.
    RandomApply {
        /// How likely.
        probability: f32,
        /// What then happens.
        apply: Box<PointAugmentation>,
    },
    /// A share of up to `most` of the positions becomes the first one; colors stay where they are.
    Dropout {
        /// Largest share.
        max_ratio: f32,
    },
    /// One factor for the whole cloud.
    Scale {
        /// Smallest factor.
        low: f32,
        /// Largest factor.
        high: f32,
    },
    /// A factor for each axis.
    AnisotropicScale {
        /// Smallest factor.
        low: f32,
        /// Largest factor.
        high: f32,
    },
    /// A move along each axis.
    Shift {
        /// Largest move.
        max: f32,
    },
    /// A small turn about all three axes.
    RotatePerturb {
        /// Standard deviation of each angle in radians.
        sigma: f32,
        /// Largest angle.
        clip: f32,
    },
    /// A turn about one axis by any angle.
    Rotate {
        /// Which.
        axis: Axis,
    },
    /// A turn about one axis by a multiple of 90 degrees.
    Rotate90 {
        /// Which.
        axis: Axis,
    },
    /// Noise on every coordinate.
    Jitter {
        /// Standard deviation.
        sigma: f32,
        /// Largest.
        clip: f32,
    },
    /// This share of the points, drawn with repetition, falls to the origin.
    Zero {
        /// Which share.
        ratio: f32,
    },
    /// All colors become this gray.
    Gray {
        /// Its value, 0–1.
        value: f32,
    },
}

/// An axis of the network's world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// ULIP and CG3D, where +Y is up.
    Y,
    /// OpenShape, where +Z is up.
    Z,
}

/// One change of a cloud in a file. Lengths are shares of the largest extent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ScanAugmentation {
    /// The inner change, with this chance.
    RandomApply {
        /// How likely.
        probability: f32,
        /// What then happens.
        apply: Box<ScanAugmentation>,
    },
    /// Only what a depth camera sees from one place around the shape.
    PartialView,
    /// Fewer points the farther away, as one scanner sees a shape: at the far end down to one of `most`.
    DensityFalloff {
        /// Largest ratio of densities.
        max_ratio: f32,
    },
    /// Balls of missing points.
    Holes {
        /// Most balls.
        max_count: usize,
        /// Largest radius.
        max_radius: f32,
    },
    /// Noise on every coordinate.
    Noise {
        /// Largest standard deviation.
        max_sigma: f32,
    },
    /// Points anywhere in the box around the shape and a little beyond.
    Outliers {
        /// Largest share of the points.
        max_ratio: f32,
    },
    /// All colors darker or brighter.
    Brightness {
        /// Smallest factor.
        low: f32,
        /// Largest factor.
        high: f32,
    },
    /// No colors.
    DropColor,
}
