//! Farthest point sampling (FPS; [Eldar et al. 1997]): each next point is the one farthest from all points chosen so far.
//!
//! The result is exact, and ties are broken as in the reference kernels. Most of the work is skipped: points are kept in
//! blocks of close points, and a block is not updated if the newest choice is too far away to be the nearest choice of any of
//! its points.
//!
//! [Eldar et al. 1997]: https://doi.org/10.1109/83.623193

use glam::Vec3;

/// Points per block: a few vector registers' worth, and small in space.
const BLOCK: usize = 64;
/// Initial squared distance in the CUDA kernels, instead of infinity.
const CUDA_START: f32 = 1e10;
/// `pointnet2_ops` never updates nor chooses points whose squared norm is at most this (compared in double).
const POINTNET2_DEAD_ZONE: f64 = 1e-3;

/// Reference implementations differ in the first point, in the points they skip, and in how they break ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FpsVariant {
    /// Starts at `first`; ties go to the lowest index. NumPy, PyTorch on CPU, DGL on CPU.
    LowestIndex {
        /// The first choice, taken modulo the number of points.
        first: usize,
    },
    /// The CUDA kernel of [`pointnet2_ops`] (ULIP, Point-BERT, CG3D): starts at 0, skips points within 0.0316 of the
    /// origin, ties go to the winner of its tree reduction over at most 512 threads.
    ///
    /// [`pointnet2_ops`]: https://github.com/erikwijmans/Pointnet2_PyTorch
    Pointnet2,
    /// The CUDA kernel of [`openpoints`] (PointNeXt): starts at 0, ties as above over at most 1024 threads.
    ///
    /// [`openpoints`]: https://github.com/guochengqian/openpoints
    Openpoints,
}

/// Indices of `count` points, each the farthest from those before it, starting with `first` (modulo the number of points);
/// ties go to the lowest index. When all points are used up, the lowest index repeats. Empty if there are no points.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::neighbors::farthest_point_sample;
///
/// let line: Vec<Vec3> = (0..5).map(|i| Vec3::X * i as f32).collect();
/// assert_eq!(farthest_point_sample(&line, 3, 0), [0, 4, 2]);
/// ```
pub fn farthest_point_sample(positions: &[Vec3], count: usize, first: usize) -> Vec<usize> {
    farthest_point_sample_by(positions, count, FpsVariant::LowestIndex { first })
}

/// [`farthest_point_sample`] as in a reference implementation.
pub fn farthest_point_sample_by(positions: &[Vec3], count: usize, rule: FpsVariant) -> Vec<usize> {
    if positions.is_empty() || count == 0 {
        return Vec::new();
    }
    let mut chosen = Vec::with_capacity(count);
    let mut latest = match rule {
        FpsVariant::LowestIndex { first } => first % positions.len(),
        FpsVariant::Pointnet2 | FpsVariant::Openpoints => 0,
    };
    let mut blocks = Blocks::new(positions, rule);
    chosen.push(latest);
    while chosen.len() < count {
        blocks.choose(positions[latest]);
        latest = blocks.farthest(|index| rule.rank(index, positions.len()));
        chosen.push(latest);
    }
    chosen
}

impl FpsVariant {
    fn is_candidate(self, point: Vec3) -> bool {
        let square = point.x * point.x + point.y * point.y + point.z * point.z;
        self != Self::Pointnet2 || f64::from(square) > POINTNET2_DEAD_ZONE || square.is_nan()
    }

    fn start(self) -> f32 {
        match self {
            Self::LowestIndex { .. } => f32::INFINITY,
            Self::Pointnet2 | Self::Openpoints => CUDA_START,
        }
    }

    /// Of equally far points the one of lowest rank wins. The kernels assign point `k` to thread `k mod threads`, keep the
    /// first maximum of each thread, and reduce by comparing threads `t` and `t + s` for decreasing powers of two `s`. So the
    /// bit-reversed thread number decides, then the order within the thread.
    fn rank(self, index: usize, n_points: usize) -> (usize, usize) {
        let most_threads = match self {
            Self::LowestIndex { .. } => return (index, 0),
            Self::Pointnet2 => 512,
            Self::Openpoints => 1024,
        };
        let bits = n_points.min(most_threads).ilog2();
        let threads = 1 << bits;
        let reversed = if bits == 0 { 0 } else { (index % threads).reverse_bits() >> (usize::BITS - bits) };
        (reversed, index / threads)
    }
}

/// Points in blocks, each with its squared distance to the nearest chosen point.
struct Blocks {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    distance: Vec<f32>,
    index: Vec<u32>,
    bounds: Vec<BlockBounds>,
}

/// The box around a block's points, and the largest of their distances.
struct BlockBounds {
    low: [f32; 3],
    high: [f32; 3],
    farthest: f32,
}

impl Blocks {
    fn new(positions: &[Vec3], rule: FpsVariant) -> Self {
        let mut order: Vec<(Vec3, u32)> =
            positions.iter().copied().zip(0..).filter(|&(p, _)| rule.is_candidate(p)).collect();
        partition_into_blocks(&mut order);
        let part = |axis: usize| order.iter().map(|(p, _)| p[axis]).collect::<Vec<f32>>();
        let (x, y, z) = (part(0), part(1), part(2));
        let fold =
            |values: &[f32], start: f32, pick: fn(f32, f32) -> f32| values.iter().copied().fold(start, pick);
        let bounds = (0..order.len())
            .step_by(BLOCK)
            .map(|start| {
                let range = start..(start + BLOCK).min(order.len());
                let axes = [&x[range.clone()], &y[range.clone()], &z[range]];
                let low = axes.map(|v| fold(v, f32::INFINITY, f32::min));
                let high = axes.map(|v| fold(v, f32::NEG_INFINITY, f32::max));
                BlockBounds { low, high, farthest: rule.start() }
            })
            .collect();
        let distance = vec![rule.start(); order.len()];
        Self { x, y, z, distance, index: order.into_iter().map(|(_, i)| i).collect(), bounds }
    }

    /// Lowers the distances for a newly chosen point.
    fn choose(&mut self, point: Vec3) {
        for (block, span) in self.bounds.iter_mut().enumerate() {
            // The new point cannot be nearer to any point of the block than an earlier choice already is.
            if span.min_distance_squared(point) >= span.farthest {
                continue;
            }
            let range = block * BLOCK..((block + 1) * BLOCK).min(self.x.len());
            let (x, y, z) = (&self.x[range.clone()], &self.y[range.clone()], &self.z[range.clone()]);
            span.farthest = update_distances(point, [x, y, z], &mut self.distance[range]);
        }
    }

    /// Index of the point farthest from all chosen ones; 0 if there is no candidate.
    fn farthest<K: Ord>(&self, rank: impl Fn(usize) -> K) -> usize {
        let most = self.bounds.iter().map(|s| s.farthest).fold(f32::NEG_INFINITY, f32::max);
        let blocks = self.bounds.iter().enumerate().filter(|(_, s)| s.farthest == most);
        let points = blocks.flat_map(|(block, _)| block * BLOCK..((block + 1) * BLOCK).min(self.x.len()));
        let ties = points.filter(|&p| self.distance[p] == most).map(|p| self.index[p] as usize);
        ties.min_by_key(|&index| rank(index)).unwrap_or(0)
    }
}

impl BlockBounds {
    /// No point of the block is nearer than this; holds in `f32` too, because rounding keeps order and the sum is formed
    /// as in [`update_distances`].
    fn min_distance_squared(&self, point: Vec3) -> f32 {
        let gap = |axis: usize| (self.low[axis] - point[axis]).max(point[axis] - self.high[axis]).max(0.0);
        let (x, y, z) = (gap(0), gap(1), gap(2));
        x * x + y * y + z * z
    }
}

/// Lowers each distance to that of `point` where it is nearer, and returns the largest.
fn update_distances(point: Vec3, [x, y, z]: [&[f32]; 3], distance: &mut [f32]) -> f32 {
    const LANES: usize = 8;
    let lower = |x: f32, y: f32, z: f32, distance: &mut f32| {
        let (dx, dy, dz) = (x - point.x, y - point.y, z - point.z);
        let square = dx * dx + dy * dy + dz * dz;
        *distance = if square < *distance { square } else { *distance };
        *distance
    };
    // One maximum per lane, so that the loop has no dependency between lanes and becomes vector instructions.
    let mut most = [f32::NEG_INFINITY; LANES];
    let whole = distance.len() / LANES * LANES;
    let axes = x[..whole]
        .chunks_exact(LANES)
        .zip(y[..whole].chunks_exact(LANES))
        .zip(z[..whole].chunks_exact(LANES));
    for (((x, y), z), distance) in axes.zip(distance[..whole].chunks_exact_mut(LANES)) {
        for lane in 0..LANES {
            let value = lower(x[lane], y[lane], z[lane], &mut distance[lane]);
            most[lane] = if value > most[lane] { value } else { most[lane] };
        }
    }
    for i in whole..distance.len() {
        most[0] = most[0].max(lower(x[i], y[i], z[i], &mut distance[i]));
    }
    most.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

/// Orders points so that every run of [`BLOCK`] is compact: halves along the longest extent, at block borders.
fn partition_into_blocks(points: &mut [(Vec3, u32)]) {
    if points.len() <= BLOCK {
        return;
    }
    let (low, high) = points.iter().fold((points[0].0, points[0].0), |(l, h), (p, _)| (l.min(*p), h.max(*p)));
    let extents = high - low;
    let axis = if extents.x >= extents.y && extents.x >= extents.z {
        0
    } else if extents.y >= extents.z {
        1
    } else {
        2
    };
    let middle = points.len().div_ceil(BLOCK) / 2 * BLOCK;
    points.select_nth_unstable_by(middle, |a, b| a.0[axis].total_cmp(&b.0[axis]));
    let (below, above) = points.split_at_mut(middle);
    partition_into_blocks(below);
    partition_into_blocks(above);
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// The slow twin: the kernels as their source reads, all points at every step.
    fn slow(positions: &[Vec3], count: usize, rule: FpsVariant) -> Vec<usize> {
        let mut distance = vec![rule.start(); positions.len()];
        let mut latest = if let FpsVariant::LowestIndex { first } = rule { first } else { 0 };
        let mut chosen = vec![latest];
        while chosen.len() < count {
            let mut best: Option<usize> = None;
            for (i, p) in positions.iter().enumerate().filter(|(_, p)| rule.is_candidate(**p)) {
                let d = *p - positions[latest];
                distance[i] = distance[i].min(d.x * d.x + d.y * d.y + d.z * d.z);
                let wins = best.is_none_or(|b| {
                    let ranks = rule.rank(i, positions.len()) < rule.rank(b, positions.len());
                    distance[i] > distance[b] || distance[i] == distance[b] && ranks
                });
                best = if wins { Some(i) } else { best };
            }
            latest = best.unwrap_or(0);
            chosen.push(latest);
        }
        chosen
    }

    #[test]
    fn agrees_with_the_slow_twin() {
        let mut rng = SmallRng::seed_from_u64(1);
        for n in [1, 2, 63, 64, 65, 300, 1025, 3000] {
            // A coarse grid makes ties and duplicates.
            for steps in [4, 1_000_000] {
                let mut coordinate = || rng.random_range(-steps..=steps) as f32 / steps as f32;
                let points: Vec<Vec3> =
                    (0..n).map(|_| Vec3::new(coordinate(), coordinate(), coordinate())).collect();
                for rule in
                    [FpsVariant::LowestIndex { first: n / 2 }, FpsVariant::Pointnet2, FpsVariant::Openpoints]
                {
                    let count = (n + 5).min(200);
                    let fast = farthest_point_sample_by(&points, count, rule);
                    assert_eq!(fast, slow(&points, count, rule), "{n} points, {steps} steps, {rule:?}");
                }
            }
        }
    }

    #[test]
    fn odd_input_is_safe() {
        assert!(farthest_point_sample(&[], 3, 0).is_empty());
        assert_eq!(farthest_point_sample(&[Vec3::ONE], 3, 9), [0, 0, 0]);
        assert_eq!(farthest_point_sample(&[Vec3::NAN, Vec3::MAX, Vec3::MIN], 4, 1).len(), 4);
    }
}
