//! Point clouds: positions with optional colors and normals.

use glam::{Affine3A, Vec3};

/// Points. Every position is finite; `colors` and `normals` are as long as `positions`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointCloud {
    positions: Vec<Vec3>,
    colors: Option<Vec<Vec3>>,
    normals: Option<Vec<Vec3>>,
}

/// Why lists of numbers do not make a point cloud.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PointCloudError {
    /// A coordinate is NaN or infinite.
    #[error("point {point} is not finite")]
    NotFinite {
        /// Position of the point in the list.
        point: usize,
    },
    /// A per-point list has another length than the positions.
    #[error("{found} {what} for {expected} points")]
    Length {
        /// Which list.
        what: &'static str,
        /// Number of points.
        expected: usize,
        /// Length of the list.
        found: usize,
    },
}

impl PointCloud {
    /// Checks that every position is finite.
    ///
    /// # Errors
    ///
    /// If a position is not finite.
    pub fn new(positions: Vec<Vec3>) -> Result<Self, PointCloudError> {
        match positions.iter().position(|p| !p.is_finite()) {
            Some(point) => Err(PointCloudError::NotFinite { point }),
            None => Ok(Self { positions, colors: None, normals: None }),
        }
    }

    /// Adds linear RGB colors.
    ///
    /// # Errors
    ///
    /// If there are not as many as points.
    pub fn with_colors(mut self, colors: Vec<Vec3>) -> Result<Self, PointCloudError> {
        self.check_length("colors", colors.len())?;
        self.colors = Some(colors);
        Ok(self)
    }

    /// Adds normals.
    ///
    /// # Errors
    ///
    /// If there are not as many as points.
    pub fn with_normals(mut self, normals: Vec<Vec3>) -> Result<Self, PointCloudError> {
        self.check_length("normals", normals.len())?;
        self.normals = Some(normals);
        Ok(self)
    }

    /// Positions.
    pub fn positions(&self) -> &[Vec3] {
        &self.positions
    }

    /// Linear RGB colors in `0..=1`.
    pub fn colors(&self) -> Option<&[Vec3]> {
        self.colors.as_deref()
    }

    /// Normals.
    pub fn normals(&self) -> Option<&[Vec3]> {
        self.normals.as_deref()
    }

    /// The cloud transformed by `target_from_source`; empty if a point leaves the range of `f32`.
    pub fn transformed(mut self, target_from_source: Affine3A) -> Self {
        for position in &mut self.positions {
            *position = target_from_source.transform_point3(*position);
        }
        if self.positions.iter().any(|p| !p.is_finite()) {
            return Self::default();
        }
        for normal in self.normals.iter_mut().flatten() {
            *normal = target_from_source.transform_vector3(*normal).normalize_or_zero();
        }
        self
    }

    fn check_length(&self, what: &'static str, found: usize) -> Result<(), PointCloudError> {
        let expected = self.positions.len();
        if found == expected { Ok(()) } else { Err(PointCloudError::Length { what, expected, found }) }
    }
}
