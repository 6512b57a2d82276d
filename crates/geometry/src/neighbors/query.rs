//! k nearest neighbors and ball query.

use glam::Vec3;
use rayon::prelude::*;

use super::KdTree;
use super::grid::{CellGrid, NearestCandidates};

/// Queries per parallel task.
const CHUNK: usize = 64;

/// Indices of the `count` nearest points of each query, nearest first, ties by index: `[queries, count]` flattened, or
/// `[queries, points]` if there are fewer points.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::neighbors::knn;
///
/// let line: Vec<Vec3> = (0..6).map(|i| Vec3::X * i as f32).collect();
/// assert_eq!(knn(&line, &[Vec3::ZERO, Vec3::X * 5.0], 2), [0, 1, 5, 4]);
/// ```
pub fn knn(positions: &[Vec3], queries: &[Vec3], count: usize) -> Vec<usize> {
    let each = count.min(positions.len());
    if each == 0 {
        return Vec::new();
    }
    let mut indices = vec![0; queries.len() * each];
    let tasks = indices.par_chunks_mut(each).zip(queries).with_min_len(CHUNK);
    // The grid is several times as fast where it applies; both give the same indices.
    if let Some(grid) = CellGrid::new(positions, count) {
        tasks.for_each_init(NearestCandidates::new, |found, (out, query)| {
            grid.nearest(*query, each, found);
            out.iter_mut().zip(found.indices()).for_each(|(out, index)| *out = index);
        });
        return indices;
    }
    let tree = KdTree::new(positions);
    tasks.for_each(|(out, query)| {
        out.iter_mut().zip(tree.nearest(*query, each)).for_each(|(out, near)| *out = near.index);
    });
    indices
}

/// Which points count as inside a ball. Reference implementations differ at the border.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ball {
    /// Closer than the radius (openpoints).
    Open {
        /// The radius.
        radius: f32,
    },
    /// At most the radius away (PointNet++ in PyTorch).
    Closed {
        /// The radius.
        radius: f32,
    },
}

impl Ball {
    fn contains(self, distance_squared: f32) -> bool {
        match self {
            Self::Open { radius } => distance_squared < radius * radius,
            Self::Closed { radius } => distance_squared <= radius * radius,
        }
    }
}

/// Ball query ([PointNet++]): for each query the indices of the first `count` points, in list order, inside the ball around
/// it, `[queries, count]` flattened. If there are fewer, the first one fills the rest; if there are none, index 0 does, as in
/// the reference kernels. Empty if there are no points.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::neighbors::{Ball, ball_query};
///
/// let line: Vec<Vec3> = (0..6).map(|i| Vec3::X * i as f32).collect();
/// assert_eq!(ball_query(&line, &[Vec3::X * 4.0], Ball::Closed { radius: 1.0 }, 4), [3, 4, 5, 3]);
/// ```
///
/// [PointNet++]: https://arxiv.org/abs/1706.02413
pub fn ball_query(positions: &[Vec3], queries: &[Vec3], ball: Ball, count: usize) -> Vec<usize> {
    if positions.is_empty() || count == 0 {
        return Vec::new();
    }
    let mut indices = vec![0; queries.len() * count];
    let answer = |(query, found): (&Vec3, &mut [usize])| {
        let inside = |p: &Vec3| {
            let (dx, dy, dz) = (p.x - query.x, p.y - query.y, p.z - query.z);
            ball.contains(dx * dx + dy * dy + dz * dz)
        };
        let mut hits = positions.iter().enumerate().filter(|(_, p)| inside(p)).map(|(i, _)| i);
        // Missing neighbors repeat the first, as in the CUDA kernels: max pooling over the group is then unaffected.
        let first = hits.next().unwrap_or(0);
        found.fill(first);
        for (slot, hit) in found[1..].iter_mut().zip(hits) {
            *slot = hit;
        }
    };
    queries.par_iter().zip(indices.par_chunks_mut(count)).with_min_len(CHUNK).for_each(answer);
    indices
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn points(n: usize, steps: i32, rng: &mut SmallRng) -> Vec<Vec3> {
        let mut coordinate = || rng.random_range(-steps..=steps) as f32 / steps as f32;
        (0..n).map(|_| Vec3::new(coordinate(), coordinate(), coordinate())).collect()
    }

    fn square(a: Vec3, b: Vec3) -> f32 {
        let d = a - b;
        d.x * d.x + d.y * d.y + d.z * d.z
    }

    #[test]
    fn knn_agrees_with_sorting_everything() {
        let mut rng = SmallRng::seed_from_u64(2);
        for (n, steps) in [(1, 9), (8, 9), (9, 2), (500, 3), (2000, 1_000_000)] {
            let (points, mut queries) = (points(n, steps, &mut rng), points(40, steps, &mut rng));
            queries.extend([Vec3::splat(7.0), Vec3::new(-30.0, 0.1, 0.2)]);
            let k = 12.min(n);
            let found = knn(&points, &queries, 12);
            for (query, found) in queries.iter().zip(found.chunks(k)) {
                let mut all: Vec<usize> = (0..n).collect();
                all.sort_by(|&a, &b| {
                    square(points[a], *query).total_cmp(&square(points[b], *query)).then(a.cmp(&b))
                });
                assert_eq!(found, &all[..k], "{n} points, {steps} steps");
            }
        }
        assert!(knn(&[], &[Vec3::ZERO], 3).is_empty());
    }

    /// Sheets, lines, far outliers: cells are crowded or flat, or the tree is used.
    #[test]
    fn knn_agrees_for_any_distribution() {
        let mut rng = SmallRng::seed_from_u64(3);
        let all = points(3000, 1_000_000, &mut rng);
        let outlier = |mut points: Vec<Vec3>| {
            points.push(Vec3::splat(1e6));
            points
        };
        let sheet: Vec<Vec3> = all.iter().map(|p| Vec3::new(p.x, 0.0, p.z * 0.3)).collect();
        let line: Vec<Vec3> = all.iter().map(|p| Vec3::X * p.x).collect();
        let ball: Vec<Vec3> = all.iter().map(|p| p.normalize_or_zero() + Vec3::splat(100.0)).collect();
        for points in [sheet, line, ball, vec![Vec3::ONE; 300], outlier(all)] {
            let queries: Vec<Vec3> = points.iter().step_by(37).map(|p| *p + Vec3::splat(0.003)).collect();
            let tree = KdTree::new(&points);
            for (query, found) in queries.iter().zip(knn(&points, &queries, 20).chunks(20)) {
                let expected: Vec<usize> = tree.nearest(*query, 20).iter().map(|near| near.index).collect();
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn balls_fill_up_with_the_first() {
        let line: Vec<Vec3> = (0..6).map(|i| Vec3::X * i as f32).collect();
        let queries = [Vec3::X * 4.0, Vec3::Y * 9.0];
        assert_eq!(ball_query(&line, &queries, Ball::Closed { radius: 1.0 }, 4), [3, 4, 5, 3, 0, 0, 0, 0]);
        assert_eq!(ball_query(&line, &queries[..1], Ball::Open { radius: 1.0 }, 2), [4, 4]);
        assert_eq!(ball_query(&line, &queries[..1], Ball::Open { radius: 9.0 }, 2), [0, 1]);
    }
}
