//! Set abstraction: in each stage, some points are sampled as centers, the features of the points around each are gathered,
//! and the centers are the points of the next stage. PointNet++, PointNeXt, PointMLP and PointConv consist of such stages
//! ([arXiv 1706.02413](https://arxiv.org/abs/1706.02413), section 3.2).

use burn::tensor::{Device, Tensor};
use glam::Vec3;
use lexiform_geometry::neighbors::FpsVariant;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::group::{gather, positions_tensor};
use super::{CloudBatch, FpsStart, Grouping, Groups, Neighborhood};

/// The implementation of farthest-point sampling that a network was trained with. They choose different points among ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FpsKernel {
    /// A loop in PyTorch, from a [`FpsStart`].
    Loop,
    /// The kernel of `pointnet2_ops`.
    Pointnet2,
    /// The kernel of `openpoints`.
    Openpoints,
}

/// Positions of a batch of point sets, in host memory, where neighbors are searched.
pub(super) struct PointBatch<'a> {
    positions: Vec<Vec<Vec3>>,
    /// The clouds themselves, before the first stage.
    clouds: Option<CloudBatch<'a>>,
}

/// Grouping of a stage: a [`Grouping`] without the start of sampling.
#[derive(Clone, Copy, Debug)]
pub(super) struct SetAbstractionConfig {
    /// Index of the stage.
    pub stage: usize,
    pub groups: usize,
    pub size: usize,
    pub neighborhood: Neighborhood,
}

impl<'a> PointBatch<'a> {
    pub fn of(clouds: &CloudBatch<'a>) -> Self {
        let positions = clouds.as_slice().iter().map(|cloud| cloud.positions.clone()).collect();
        Self { positions, clouds: Some(*clouds) }
    }

    pub fn n_points(&self) -> usize {
        self.positions[0].len()
    }

    /// Groups of each set.
    pub fn group(&self, sa_config: SetAbstractionConfig, sampler: FpsKernel, start: FpsStart) -> Vec<Groups> {
        let SetAbstractionConfig { stage, groups, size, neighborhood } = sa_config;
        let each = |(cloud, positions): (usize, &Vec<Vec3>)| {
            // The references differ in the first point and in how ties are broken.
            let rule = match sampler {
                FpsKernel::Loop => {
                    FpsVariant::LowestIndex { first: start.first(cloud, stage, positions.len()) }
                }
                FpsKernel::Pointnet2 => FpsVariant::Pointnet2,
                FpsKernel::Openpoints => FpsVariant::Openpoints,
            };
            let grouping = Grouping { groups, size, rule, neighborhood };
            // Groups of whole clouds, the largest sets, may have been computed ahead.
            self.clouds.map_or_else(|| grouping.of(positions), |clouds| clouds.group(cloud, grouping))
        };
        // Clouds are independent; `collect` keeps their order.
        self.positions.par_iter().enumerate().map(each).collect()
    }

    /// Groups around the centers of other groups of the same sets.
    pub fn regroup(&self, groups: &[Groups], sa_config: SetAbstractionConfig) -> Vec<Groups> {
        let SetAbstractionConfig { size, neighborhood, .. } = sa_config;
        let pairs = self.positions.par_iter().zip(groups);
        pairs.map(|(positions, groups)| groups.regroup(positions, size, neighborhood)).collect()
    }

    /// A value of each set, from its positions.
    pub fn map<T>(&self, value: impl Fn(&[Vec3]) -> T) -> Vec<T> {
        self.positions.iter().map(|positions| value(positions)).collect()
    }

    /// The centers of the groups, as point sets.
    pub fn centers(&self, groups: &[Groups]) -> Self {
        let centers = self.positions.iter().zip(groups);
        let centers = centers.map(|(positions, groups)| groups.center_positions(positions).collect());
        Self { positions: centers.collect(), clouds: None }
    }

    /// `[sets, points, 3]`.
    pub fn tensor(&self, device: &Device) -> Tensor<3> {
        let shape = [self.positions.len(), self.n_points(), 3];
        positions_tensor(self.positions.iter().flatten().copied(), shape, device)
    }

    /// Positions of members relative to their center, `[sets, groups, size, 3]`.
    pub fn offsets(&self, groups: &[Groups], device: &Device) -> Tensor<4> {
        let offsets = self.positions.iter().zip(groups);
        let offsets = offsets.flat_map(|(positions, groups)| {
            groups.member_center_pairs().map(|(member, center)| positions[member] - positions[center])
        });
        let [count, size] = sizes(groups);
        positions_tensor(offsets, [groups.len(), count, size, 3], device)
    }
}

/// Features of the groups' centers: `[sets, points, channels]` → `[sets, groups, channels]`.
pub(super) fn gather_centers(features: Tensor<3>, groups: &[Groups]) -> Tensor<3> {
    gather(features, flat(groups, |groups| &groups.centers), sizes(groups)[0])
}

/// Features of the groups' members: `[sets, points, channels]` → `[sets, groups, size, channels]`.
pub(super) fn gather_members(features: Tensor<3>, groups: &[Groups]) -> Tensor<4> {
    let [sets, _, channels] = features.dims();
    let [count, size] = sizes(groups);
    gather(features, flat(groups, |groups| &groups.members), count * size)
        .reshape([sets, count, size, channels])
}

fn flat(groups: &[Groups], list: impl Fn(&Groups) -> &Vec<usize>) -> impl Iterator<Item = (usize, usize)> {
    groups
        .iter()
        .enumerate()
        .flat_map(move |(set, groups)| list(groups).iter().map(move |&point| (set, point)))
}

/// Number of groups per set, and of points per group.
fn sizes(groups: &[Groups]) -> [usize; 2] {
    let count = groups[0].centers.len();
    [count, groups[0].members.len() / count.max(1)]
}
