//! A point cloud as encoders take it.

use glam::Vec3;

/// A preprocessed point cloud: normalized positions, and sRGB colors in `0..=1`. `colors` is empty or as long as `positions`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreparedCloud {
    /// Positions.
    pub positions: Vec<Vec3>,
    /// Colors; ignored by encoders that use none.
    pub colors: Vec<Vec3>,
}
