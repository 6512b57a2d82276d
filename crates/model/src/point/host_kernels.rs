//! Fast first layers over groups, for tensors in host memory without autodiff.
//!
//! A linear layer of a member's features relative to its center is the difference of two products: that of the member, which
//! is the same in every group it belongs to, and that of the center. So the product is computed once per point instead of
//! once per member.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::Groups;

/// Values of a layer's output that are computed at a time: 2 MiB, which stay in the cache.
const CHUNK_ELEMENTS: usize = 1 << 19;

/// `relu((points[member] − centers[group]) · scale[cloud] + shifts[group])`, for each member of each group.
pub(super) struct RelativeFeatures {
    /// `[clouds, points, width]`.
    pub points: Tensor<3>,
    /// `[clouds, groups, width]`.
    pub centers: Tensor<3>,
    /// `[clouds, groups, width]`.
    pub shifts: Tensor<3>,
    /// One per cloud.
    pub scales: Vec<f32>,
}

impl RelativeFeatures {
    /// Applies `rest` to the differences, `[members, width]`, of some groups at a time. It returns one row per group; rows are
    /// concatenated to `[clouds, groups, …]`.
    pub fn map_groups(self, groups: &[Groups], rest: impl Fn(Tensor<2>, usize) -> Tensor<2>) -> Tensor<3> {
        let [clouds, n_points, width] = self.points.dims();
        let device = self.points.device();
        let [_, n_groups, _] = self.centers.dims();
        // All groups of a batch have the same size.
        let size = groups[0].members.len() / n_groups;
        let [points, centers, shifts] = [self.points, self.centers, self.shifts].map(into_vec);
        let row = |values: &[f32], at: usize| -> std::ops::Range<usize> {
            debug_assert!((at + 1) * width <= values.len());
            at * width..(at + 1) * width
        };
        let group = |at: usize, out: &mut [f32]| {
            let (cloud, place) = (at / n_groups, at % n_groups);
            let (center, shift) = (&centers[row(&centers, at)], &shifts[row(&shifts, at)]);
            let members = &groups[cloud].members[place * size..(place + 1) * size];
            for (member, out) in members.iter().zip(out.chunks_exact_mut(width)) {
                let point = &points[row(&points, cloud * n_points + member)];
                for (((out, point), center), shift) in out.iter_mut().zip(point).zip(center).zip(shift) {
                    let value = (point - center) * self.scales[cloud] + shift;
                    // Not `max`: NaN stays NaN, as in torch.
                    *out = if value < 0.0 { 0.0 } else { value };
                }
            }
        };
        // Whole groups only: `rest` pools over a group.
        let at_once = (CHUNK_ELEMENTS / (size * width)).max(1);
        let mut parts = Vec::new();
        for first in (0..clouds * n_groups).step_by(at_once) {
            let count = at_once.min(clouds * n_groups - first);
            let mut values = vec![0.0; count * size * width];
            let each = values.par_chunks_exact_mut(size * width).enumerate();
            each.for_each(|(i, out)| group(first + i, out));
            let rows = Tensor::from_data(TensorData::new(values, [count * size, width]), &device);
            parts.push(rest(rows, size));
        }
        let joined = Tensor::cat(parts, 0);
        let [_, width] = joined.dims();
        joined.reshape([clouds, n_groups, width])
    }
}

fn into_vec<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().convert::<f32>().try_into_vec().expect("just converted to f32")
}

/// The unbiased standard deviation, for each cloud, of the differences of members from their centers, over all channels.
pub(super) fn group_std(x: &Tensor<3>, groups: &[Groups]) -> Vec<f32> {
    let [_, n_points, width] = x.dims();
    let values = into_vec(x.clone());
    let cloud = |(values, groups): (&[f32], &Groups)| -> f32 {
        let row = |at: usize| &values[at * width..(at + 1) * width];
        let size = groups.members.len() / groups.centers.len().max(1);
        let each = groups.centers.par_iter().zip(groups.members.par_chunks(size.max(1)));
        let sums = each.map(|(center, members)| {
            members.iter().map(|&member| sums(row(member), row(*center))).fold([0.0; 2], add)
        });
        // Added in the order of the groups: the same bits at any number of threads.
        let [sum, squares] = sums.collect::<Vec<_>>().into_iter().fold([0.0; 2], add);
        let n = (groups.members.len() * width) as f64;
        // Cancellation may leave a tiny negative variance. Sums are f64, so little is lost.
        ((squares - sum * sum / n).max(0.0) / (n - 1.0).max(1.0)).sqrt() as f32
    };
    values.chunks_exact(n_points * width).zip(groups).map(cloud).collect()
}

fn add(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

/// Sum and sum of squares of the differences.
fn sums(member: &[f32], center: &[f32]) -> [f64; 2] {
    const LANES: usize = 8;
    // Independent accumulators vectorize, and their fixed order keeps results reproducible.
    let mut lanes = [[0.0_f64; LANES]; 2];
    let (member, center) = (member.chunks(LANES), center.chunks(LANES));
    for (member, center) in member.zip(center) {
        for (lane, (a, b)) in member.iter().zip(center).enumerate() {
            let difference = f64::from(a - b);
            lanes[0][lane] += difference;
            lanes[1][lane] += difference * difference;
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}

/// Ones for every cloud.
pub(super) fn unit_scales(clouds: usize) -> Vec<f32> {
    vec![1.0; clouds]
}

/// Repeats a row for each group of each cloud: `[width]` → `[clouds, groups, width]`.
pub(super) fn broadcast_groups(row: Tensor<1>, [clouds, groups]: [usize; 2]) -> Tensor<3> {
    row.unsqueeze::<3>().repeat_dim(0, clouds).repeat_dim(1, groups)
}
