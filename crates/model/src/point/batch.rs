//! Batches of preprocessed point clouds.

use glam::Vec3;
use rayon::prelude::*;

use super::{Grouping, GroupingPlan, Groups, GroupsAhead, PreparedCloud};

/// A batch of one or more clouds with the same, nonzero number of points, all finite.
#[derive(Clone, Copy, Debug)]
pub struct CloudBatch<'a> {
    clouds: &'a [PreparedCloud],
    plan: Option<&'a GroupingPlan>,
    groups: Option<&'a GroupsAhead>,
}

/// Why clouds cannot form a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudBatchError {
    /// No clouds.
    #[error("no clouds were given")]
    Empty,
    /// A cloud without points.
    #[error("cloud {cloud} has no points")]
    NoPoints {
        /// Its index in the batch.
        cloud: usize,
    },
    /// The number of points or colors is not that of the first cloud.
    #[error("cloud {cloud} has {found} {what}, expected {expected}")]
    Length {
        /// Its index in the batch.
        cloud: usize,
        /// `points` or `colors`.
        what: &'static str,
        /// Their number.
        found: usize,
        /// Points of the first cloud.
        expected: usize,
    },
    /// A coordinate or a color is NaN or infinite.
    #[error("point {point} of cloud {cloud} is not finite")]
    NotFinite {
        /// Its index in the batch.
        cloud: usize,
        /// Its index in the cloud.
        point: usize,
    },
}

impl<'a> CloudBatch<'a> {
    /// Validates a batch; `colored` requires colors.
    ///
    /// # Errors
    /// [`CloudBatchError`] if there are no clouds, their sizes differ, or a value is not finite.
    pub fn new(clouds: &'a [PreparedCloud], colored: bool) -> Result<Self, CloudBatchError> {
        let expected = clouds.first().ok_or(CloudBatchError::Empty)?.positions.len();
        for (cloud, PreparedCloud { positions, colors }) in clouds.iter().enumerate() {
            let length = |what, found| CloudBatchError::Length { cloud, what, found, expected };
            if positions.is_empty() {
                return Err(CloudBatchError::NoPoints { cloud });
            }
            if positions.len() != expected {
                return Err(length("points", positions.len()));
            }
            if colors.len() != expected && (colored || !colors.is_empty()) {
                return Err(length("colors", colors.len()));
            }
            let infinite = |list: &[Vec3]| list.iter().position(|v| !v.is_finite());
            if let Some(point) = infinite(positions).or_else(|| infinite(colors)) {
                return Err(CloudBatchError::NotFinite { cloud, point });
            }
        }
        Ok(Self { clouds, plan: None, groups: None })
    }

    /// The batch with groups that were computed ahead; `plan` learns how to compute those of the next batch.
    #[must_use]
    pub fn with_plan(self, plan: &'a GroupingPlan, groups: Option<&'a GroupsAhead>) -> Self {
        Self { plan: Some(plan), groups, ..self }
    }

    /// Groups of the points of a cloud.
    pub(super) fn group(&self, cloud: usize, grouping: Grouping) -> Groups {
        if let Some(plan) = self.plan {
            plan.learn(grouping);
        }
        let known = self.groups.and_then(|groups| groups.get(cloud, grouping));
        known.cloned().unwrap_or_else(|| grouping.of(&self.clouds[cloud].positions))
    }

    /// Groups of the points of every cloud.
    pub fn groups(&self, grouping: Grouping) -> Vec<Groups> {
        (0..self.n_clouds()).into_par_iter().map(|cloud| self.group(cloud, grouping)).collect()
    }

    /// Number of clouds.
    pub fn n_clouds(&self) -> usize {
        self.clouds.len()
    }

    /// Number of points of each cloud.
    pub fn n_points(&self) -> usize {
        self.clouds[0].positions.len()
    }

    /// The clouds.
    pub fn as_slice(&self) -> &'a [PreparedCloud] {
        self.clouds
    }
}

impl PreparedCloud {
    /// Channels of a point: three, or six with colors.
    pub(super) fn channels(colored: bool) -> usize {
        if colored { 6 } else { 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_checked() {
        let cloud = |n: usize, colors: usize| PreparedCloud {
            positions: vec![Vec3::ONE; n],
            colors: vec![Vec3::ZERO; colors],
        };
        assert_eq!(CloudBatch::new(&[], false).unwrap_err(), CloudBatchError::Empty);
        assert!(CloudBatch::new(&[cloud(2, 0), cloud(2, 2)], false).is_ok());
        for wrong in [[cloud(2, 2), cloud(3, 3)], [cloud(2, 2), cloud(2, 0)], [cloud(0, 0), cloud(0, 0)]] {
            assert!(CloudBatch::new(&wrong, true).is_err());
        }
        let mut bad = cloud(2, 0);
        bad.positions[1].y = f32::NAN;
        let error = CloudBatch::new(&[bad], false).unwrap_err();
        assert_eq!(error, CloudBatchError::NotFinite { cloud: 0, point: 1 });
    }
}
