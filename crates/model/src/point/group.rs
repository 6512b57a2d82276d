//! Grouping points around centers: farthest-point sampling, then nearest neighbors or balls. Exact, and deterministic at any
//! thread count.

use burn::tensor::{Device, Int, Tensor, TensorData};
use glam::Vec3;
use lexiform_geometry::neighbors::{Ball, FpsVariant, ball_query, farthest_point_sample_by, knn};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// The first point of farthest-point sampling, in encoders whose reference starts at a random point, even in evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FpsStart {
    /// The point of this index.
    At(usize),
    /// A random point, as in the reference, from a seed.
    Seed(u64),
}

impl Default for FpsStart {
    fn default() -> Self {
        Self::At(0)
    }
}

impl FpsStart {
    /// The first point of a cloud in a sampling stage.
    pub fn first(self, cloud: usize, stage: usize, n_points: usize) -> usize {
        match self {
            Self::At(first) => first,
            Self::Seed(seed) => {
                // Stage and cloud in separate bits, so that no two share a generator state.
                let mixed = seed ^ ((cloud as u64) << 20) ^ ((stage as u64) << 56);
                SmallRng::seed_from_u64(mixed).random_range(0..n_points.max(1) as u64) as usize
            }
        }
    }
}

/// Which points belong to a center.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Neighborhood {
    /// The nearest ones.
    Nearest,
    /// The first ones in a ball.
    Ball(Ball),
}

/// How the points of a cloud are grouped.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::neighbors::FpsVariant;
/// use lexiform_model::point::{Grouping, Neighborhood};
///
/// let rule = FpsVariant::LowestIndex { first: 0 };
/// let grouping = Grouping { groups: 2, size: 2, rule, neighborhood: Neighborhood::Nearest };
/// let groups = grouping.of(&[Vec3::ZERO, Vec3::X * 0.1, Vec3::X * 3.0, Vec3::X * 2.9]);
/// assert_eq!(groups.centers, [0, 2]);
/// assert_eq!(groups.members, [0, 1, 2, 3]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grouping {
    /// Number of groups.
    pub groups: usize,
    /// Points of a group.
    pub size: usize,
    /// Variant of farthest-point sampling.
    pub rule: FpsVariant,
    /// Which points belong to a center.
    pub neighborhood: Neighborhood,
}

/// Most groups of a cloud, and most points of a group, to bound memory.
const MAX_GROUPS: usize = 1 << 16;

/// Validates the number of groups and their size.
pub(super) fn check_groups(groups: usize, size: usize) -> Result<(), String> {
    let sound = (1..=MAX_GROUPS).contains(&groups)
        && (1..=MAX_GROUPS).contains(&size)
        // Bounds the gathered tensor; both factors are at most 2¹⁶ here, so the product does not overflow.
        && groups * size <= MAX_GROUPS * 64;
    if sound { Ok(()) } else { Err(format!("{groups} groups of {size} points are out of range")) }
}

/// Validates that the number of heads divides the width.
pub(super) fn check_heads(heads: usize, width: usize) -> Result<(), String> {
    let sound = heads > 0 && width > 0 && width.is_multiple_of(heads);
    if sound { Ok(()) } else { Err(format!("{heads} heads do not divide a width of {width}")) }
}

/// The groups of one cloud, as indices of its points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// The center of each group.
    pub centers: Vec<usize>,
    /// The points of each group, concatenated.
    pub members: Vec<usize>,
}

impl Grouping {
    /// Groups the points of one cloud, which must have at least one. If it has fewer points than a group, the nearest is
    /// repeated.
    pub fn of(&self, positions: &[Vec3]) -> Groups {
        let centers = farthest_point_sample_by(positions, self.groups, self.rule);
        let members = members_of(positions, &centers, self.size, self.neighborhood);
        Groups { centers, members }
    }
}

/// The members of the groups around `centers`, concatenated.
fn members_of(positions: &[Vec3], centers: &[usize], size: usize, neighborhood: Neighborhood) -> Vec<usize> {
    let queries: Vec<Vec3> = centers.iter().map(|&i| positions[i]).collect();
    match neighborhood {
        Neighborhood::Ball(ball) => ball_query(positions, &queries, ball, size),
        Neighborhood::Nearest => {
            let found = knn(positions, &queries, size);
            // `knn` returns fewer neighbors than asked from a cloud that has fewer points.
            let each = size.min(positions.len());
            if each == size { found } else { pad_groups(&found, each, size) }
        }
    }
}

fn pad_groups(found: &[usize], each: usize, size: usize) -> Vec<usize> {
    found.chunks(each).flat_map(|group| (0..size).map(|i| group[if i < each { i } else { 0 }])).collect()
}

impl Groups {
    /// Positions of the centers.
    pub fn center_positions<'a>(&'a self, positions: &'a [Vec3]) -> impl Iterator<Item = Vec3> + 'a {
        self.centers.iter().map(|&i| positions[i])
    }

    /// Groups with the same centers and other members.
    pub fn regroup(&self, positions: &[Vec3], size: usize, neighborhood: Neighborhood) -> Self {
        let members = members_of(positions, &self.centers, size, neighborhood);
        Self { centers: self.centers.clone(), members }
    }

    /// Every member with its center, in the order of groups.
    pub fn member_center_pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let size = self.members.len() / self.centers.len().max(1);
        self.members.iter().enumerate().map(move |(i, &member)| (member, self.centers[i / size]))
    }
}

/// Positions as a tensor of the given shape, `[…, 3]`.
pub fn positions_tensor<const D: usize>(
    positions: impl Iterator<Item = Vec3>,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let values: Vec<f32> = positions.flat_map(|p| p.to_array()).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Gathers `count` rows of each cloud by pairs of cloud and point: `[clouds, points, channels]` →
/// `[clouds, count, channels]`.
pub fn gather(features: Tensor<3>, indices: impl Iterator<Item = (usize, usize)>, count: usize) -> Tensor<3> {
    let [clouds, points, channels] = features.dims();
    // One gather over the flattened batch: burn selects along one axis only.
    let flat: Vec<i64> = indices.map(|(cloud, point)| (cloud * points + point) as i64).collect();
    let flat = Tensor::<1, Int>::from_data(TensorData::new(flat, [clouds * count]), &features.device());
    features.reshape([clouds * points, channels]).select(0, flat).reshape([clouds, count, channels])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_clouds_fill_up() {
        let grouping = Grouping {
            groups: 3,
            size: 4,
            rule: FpsVariant::LowestIndex { first: 0 },
            neighborhood: Neighborhood::Nearest,
        };
        let groups = grouping.of(&[Vec3::X, Vec3::X * 3.0]);
        assert_eq!(groups.centers, [0, 1, 0]);
        assert_eq!(groups.members, [0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0]);
        assert_eq!(groups.member_center_pairs().nth(5), Some((0, 1)));
        assert_eq!(groups.center_positions(&[Vec3::X, Vec3::Y]).last(), Some(Vec3::X));
    }

    #[test]
    fn a_seeded_start_varies_and_repeats() {
        let starts: Vec<usize> = (0..8).map(|cloud| FpsStart::Seed(7).first(cloud, 0, 1000)).collect();
        assert!(starts.windows(2).any(|pair| pair[0] != pair[1]));
        assert!(starts.iter().all(|&start| start < 1000));
        assert_eq!(starts[3], FpsStart::Seed(7).first(3, 0, 1000));
        assert_eq!(FpsStart::default().first(3, 1, 10), 0);
    }
}
