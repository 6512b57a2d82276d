//! The table `augment`: random changes of views and point clouds.

use serde::{Deserialize, Serialize};

use super::skip_if;

/// Random changes of views and point clouds, sampled again each time a shape is in a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentConfig {
    /// Augmentation of views.
    #[serde(default)]
    pub views: ViewAugmentMode,
    /// Simulated scanning errors, applied in this order before a cloud is prepared for the network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scan: Vec<ScanAugmentation>,
    /// Augmentations applied after normalization but before farthest point sampling, while a cloud still has all
    /// `data.points` points ([CG3D](https://arxiv.org/abs/2303.11313), section 3). Requires
    /// `network.input.resample = "farthest-normalized"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before_sampling: Vec<PointAugmentation>,
    /// Apply the augmentation of test-time voting during training too, as
    /// [Point-BERT](https://arxiv.org/abs/2111.14819) does: a random subset of slightly more farthest points, scaled per
    /// axis and shifted ([`PointPreprocess::prepare_test_time_augmented`](lexiform_model::point::PointPreprocess::prepare_test_time_augmented)).
    #[serde(default, skip_serializing_if = "skip_if::is_false")]
    pub test_time_augment: bool,
    /// Augmentations of prepared clouds, applied in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointAugmentation>,
}

/// Augmentation of views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewAugmentMode {
    /// No augmentation.
    #[default]
    None,
    /// Random background, exposure and framing for each view.
    DomainRandomization,
    /// One random 208-pixel crop for all views of a batch, resized back
    /// ([Duoduo CLIP](https://arxiv.org/abs/2406.11579)); 224-pixel views only.
    RandomCrop,
}

/// An augmentation of a normalized cloud (unit sphere).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PointAugmentation {
    /// Applies another augmentation with some probability.
    RandomApply {
        /// Probability, 0–1.
        probability: f32,
        /// The augmentation.
        apply: Box<PointAugmentation>,
    },
    /// ULIP's `random_point_dropout`: replaces up to `max_ratio` of the positions by the first one; colors stay.
    Dropout {
        /// Largest fraction of points, 0–1.
        max_ratio: f32,
    },
    /// Scales the cloud by one random factor.
    Scale {
        /// Smallest factor.
        low: f32,
        /// Largest factor.
        high: f32,
    },
    /// Scales each axis by its own random factor.
    AnisotropicScale {
        /// Smallest factor.
        low: f32,
        /// Largest factor.
        high: f32,
    },
    /// Translates the cloud along each axis.
    Shift {
        /// Largest translation.
        max: f32,
    },
    /// ULIP's `rotate_perturbation_point_cloud`: a small rotation about all three axes.
    RotatePerturb {
        /// Standard deviation of each angle in radians.
        sigma: f32,
        /// Largest angle in radians.
        clip: f32,
    },
    /// Rotates about one axis by a random angle.
    Rotate {
        /// Rotation axis.
        axis: Axis,
    },
    /// Rotates about one axis by a random multiple of 90°.
    Rotate90 {
        /// Rotation axis.
        axis: Axis,
    },
    /// Adds Gaussian noise to every coordinate.
    Jitter {
        /// Standard deviation.
        sigma: f32,
        /// Largest change of a coordinate.
        clip: f32,
    },
    /// Moves random points to the origin, sampled with replacement.
    Zero {
        /// Number of samples as a fraction of the points, 0–1.
        ratio: f32,
    },
    /// Sets all colors to one gray.
    Gray {
        /// The gray value, 0–1.
        value: f32,
    },
}

/// An axis of the network's coordinate system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// The up axis of ULIP and CG3D.
    Y,
    /// The up axis of OpenShape.
    Z,
}

/// A simulated scanning error of an unprepared cloud. Lengths are fractions of the cloud's largest extent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ScanAugmentation {
    /// Applies another augmentation with some probability.
    RandomApply {
        /// Probability, 0–1.
        probability: f32,
        /// The augmentation.
        apply: Box<ScanAugmentation>,
    },
    /// Keeps only the points visible to a depth camera in a random direction.
    PartialView,
    /// Drops more points the farther they are from a random side.
    DensityFalloff {
        /// Largest ratio of the densities at the near and far end.
        max_ratio: f32,
    },
    /// Removes balls of points.
    Holes {
        /// Largest number of holes.
        max_count: usize,
        /// Largest radius.
        max_radius: f32,
    },
    /// Adds Gaussian noise to every coordinate.
    Noise {
        /// Largest standard deviation.
        max_sigma: f32,
    },
    /// Moves random points anywhere in a box slightly larger than the bounding box.
    Outliers {
        /// Largest fraction of points, 0–1.
        max_ratio: f32,
    },
    /// Multiplies all colors by one random factor.
    Brightness {
        /// Smallest factor.
        low: f32,
        /// Largest factor.
        high: f32,
    },
    /// Removes all colors.
    DropColor,
}
