//! The table `augment`: how samples are changed each time they are seen.

use serde::{Deserialize, Serialize};

use super::omit;

/// How samples are changed each time they are seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentConfig {
    /// How views are changed.
    #[serde(default)]
    pub views: ViewChange,
    /// How clouds are changed before they are prepared, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scan: Vec<ScanChange>,
    /// How clouds are changed after normalization while they have all points that `data.points` keeps; the farthest of them
    /// are taken afterwards (CG3D, section 3). For `network.input.resample = "farthest-normalized"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dense: Vec<PointChange>,
    /// Whether clouds are given as looks that vote are, after Point-BERT: of a sixth more of the farthest points a random part,
    /// stretched and shifted ([`PointPreprocess::prepare_test_time_augmented`](lexiform_model::point::PointPreprocess::prepare_test_time_augmented)).
    #[serde(default, skip_serializing_if = "omit::is_false")]
    pub voting_looks: bool,
    /// How prepared clouds are changed, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointChange>,
}

/// How views are changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewChange {
    /// Not at all.
    #[default]
    None,
    /// Another background, exposure and framing for each view.
    Looks,
    /// One window for all views of a batch, enlarged (Duoduo CLIP); only of 224-pixel views.
    Window,
}

/// One change of a normalized cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PointChange {
    /// The inner change, with this chance.
    Sometimes {
        /// How likely.
        chance: f32,
        /// What then happens.
        change: Box<PointChange>,
    },
    /// A share of up to `most` of the positions becomes the first one; colors stay where they are.
    Dropout {
        /// Largest share.
        most: f32,
    },
    /// One factor for the whole cloud.
    Scale {
        /// Smallest factor.
        low: f32,
        /// Largest factor.
        high: f32,
    },
    /// A factor for each axis.
    Stretch {
        /// Smallest factor.
        low: f32,
        /// Largest factor.
        high: f32,
    },
    /// A move along each axis.
    Shift {
        /// Largest move.
        most: f32,
    },
    /// A small turn about all three axes.
    Wobble {
        /// Standard deviation of each angle in radians.
        deviation: f32,
        /// Largest angle.
        most: f32,
    },
    /// A turn about one axis by any angle.
    Turn {
        /// Which.
        axis: Axis,
    },
    /// A turn about one axis by a multiple of 90 degrees.
    QuarterTurn {
        /// Which.
        axis: Axis,
    },
    /// Noise on every coordinate.
    Jitter {
        /// Standard deviation.
        deviation: f32,
        /// Largest.
        most: f32,
    },
    /// This share of the points, drawn with repetition, falls to the origin.
    Zero {
        /// Which share.
        share: f32,
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
pub enum ScanChange {
    /// The inner change, with this chance.
    Sometimes {
        /// How likely.
        chance: f32,
        /// What then happens.
        change: Box<ScanChange>,
    },
    /// Only what a depth camera sees from one place around the shape.
    OneSide,
    /// Fewer points the farther away, as one scanner sees a shape: at the far end down to one of `most`.
    Uneven {
        /// Largest ratio of densities.
        most: f32,
    },
    /// Balls of missing points.
    Holes {
        /// Most balls.
        most: usize,
        /// Largest radius.
        radius: f32,
    },
    /// Noise on every coordinate.
    Noise {
        /// Largest standard deviation.
        most: f32,
    },
    /// Points anywhere in the box around the shape and a little beyond.
    Stray {
        /// Largest share of the points.
        most: f32,
    },
    /// All colors darker or brighter.
    Light {
        /// Smallest factor.
        low: f32,
        /// Largest factor.
        high: f32,
    },
    /// No colors.
    Bare,
}
