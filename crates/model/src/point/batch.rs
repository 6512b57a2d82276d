//! Clouds as encoders take them.

use glam::Vec3;

/// Points as an encoder takes them: positions where the model wants them, colors as it saw them in training (sRGB values
/// in `0..=1`). `colors` is empty or as long as `positions`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cloud {
    /// Positions.
    pub positions: Vec<Vec3>,
    /// Colors; encoders that know none ignore them.
    pub colors: Vec<Vec3>,
}

/// A batch: one cloud or more, all with equally many points, at least one, every coordinate finite.
#[derive(Clone, Copy, Debug)]
pub struct Clouds<'a>(&'a [Cloud]);

/// Why clouds are not a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudsError {
    /// Nothing to encode.
    #[error("no clouds were given")]
    Empty,
    /// A cloud without points.
    #[error("cloud {cloud} has no points")]
    NoPoints {
        /// Its place in the batch.
        cloud: usize,
    },
    /// A list is as long as another should be, but is not.
    #[error("cloud {cloud} has {found} {what}, expected {expected}")]
    Length {
        /// Its place in the batch.
        cloud: usize,
        /// Which list.
        what: &'static str,
        /// Length of the list.
        found: usize,
        /// Length of the first cloud.
        expected: usize,
    },
    /// A coordinate or a color is NaN or infinite.
    #[error("point {point} of cloud {cloud} is not finite")]
    NotFinite {
        /// Its place in the batch.
        cloud: usize,
        /// Its place in the cloud.
        point: usize,
    },
}

impl<'a> Clouds<'a> {
    /// Checks a batch; `colored` demands colors.
    ///
    /// # Errors
    /// [`CloudsError`] if there are no clouds, their sizes differ, or a value is not finite.
    pub fn new(clouds: &'a [Cloud], colored: bool) -> Result<Self, CloudsError> {
        let expected = clouds.first().ok_or(CloudsError::Empty)?.positions.len();
        for (cloud, Cloud { positions, colors }) in clouds.iter().enumerate() {
            let length = |what, found| CloudsError::Length { cloud, what, found, expected };
            if positions.is_empty() {
                return Err(CloudsError::NoPoints { cloud });
            }
            if positions.len() != expected {
                return Err(length("points", positions.len()));
            }
            if colors.len() != expected && (colored || !colors.is_empty()) {
                return Err(length("colors", colors.len()));
            }
            let infinite = |list: &[Vec3]| list.iter().position(|v| !v.is_finite());
            if let Some(point) = infinite(positions).or_else(|| infinite(colors)) {
                return Err(CloudsError::NotFinite { cloud, point });
            }
        }
        Ok(Self(clouds))
    }

    /// Number of clouds.
    pub fn n_clouds(&self) -> usize {
        self.0.len()
    }

    /// Number of points of each cloud.
    pub fn n_points(&self) -> usize {
        self.0[0].positions.len()
    }

    /// The clouds.
    pub fn as_slice(&self) -> &'a [Cloud] {
        self.0
    }
}

impl Cloud {
    /// Numbers a point has: three, with colors six.
    pub(super) fn channels(colored: bool) -> usize {
        if colored { 6 } else { 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_checked() {
        let cloud = |n: usize, colors: usize| Cloud {
            positions: vec![Vec3::ONE; n],
            colors: vec![Vec3::ZERO; colors],
        };
        assert_eq!(Clouds::new(&[], false).unwrap_err(), CloudsError::Empty);
        assert!(Clouds::new(&[cloud(2, 0), cloud(2, 2)], false).is_ok());
        for wrong in [[cloud(2, 2), cloud(3, 3)], [cloud(2, 2), cloud(2, 0)], [cloud(0, 0), cloud(0, 0)]] {
            assert!(Clouds::new(&wrong, true).is_err());
        }
        let mut bad = cloud(2, 0);
        bad.positions[1].y = f32::NAN;
        let error = Clouds::new(&[bad], false).unwrap_err();
        assert_eq!(error, CloudsError::NotFinite { cloud: 0, point: 1 });
    }
}
