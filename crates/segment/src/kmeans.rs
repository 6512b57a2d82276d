//! [k-means](https://en.wikipedia.org/wiki/K-means_clustering) on positions, from centers by [k-means++].
//!
//! [k-means++]: https://dl.acm.org/doi/10.5555/1283383.1283494

use glam::{DVec3, Vec3};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

/// Iterations at most, as in scikit-learn 0.x.
const MAX_ITERATIONS: usize = 300;
/// Points per parallel task.
const CHUNK: usize = 4096;

/// The cluster of each point, `0..k`; fewer clusters if there are fewer distinct points.
///
/// ```
/// use glam::Vec3;
/// use lexiform_segment::kmeans;
///
/// let points = [0.0, 0.1, 5.0, 5.1].map(|x| Vec3::X * x);
/// let clusters = kmeans(&points, 2, 1);
/// assert!(clusters[0] == clusters[1] && clusters[2] == clusters[3] && clusters[0] != clusters[2]);
/// ```
pub fn kmeans(positions: &[Vec3], k: usize, seed: u64) -> Vec<u32> {
    let mut centers = plus_plus(positions, k, seed);
    let mut labels = assign(positions, &centers);
    for _ in 0..MAX_ITERATIONS {
        let mut sums = vec![(DVec3::ZERO, 0_u32); centers.len()];
        for (&label, position) in labels.iter().zip(positions) {
            sums[label as usize].0 += position.as_dvec3();
            sums[label as usize].1 += 1;
        }
        for (center, (sum, count)) in centers.iter_mut().zip(&sums) {
            // A cluster without points keeps its center.
            if *count > 0 {
                *center = (*sum / f64::from(*count)).as_vec3();
            }
        }
        let next = assign(positions, &centers);
        if next == labels {
            break;
        }
        labels = next;
    }
    labels
}

fn assign(positions: &[Vec3], centers: &[Vec3]) -> Vec<u32> {
    let nearest = |position: &Vec3| {
        let distances = centers.iter().map(|center| center.distance_squared(*position));
        let first = |best: (usize, f32), next: (usize, f32)| if next.1 < best.1 { next } else { best };
        distances.enumerate().fold((0, f32::INFINITY), first).0 as u32
    };
    positions.par_iter().with_min_len(CHUNK).map(nearest).collect()
}

/// Centers among the points, each with a probability in proportion to its squared distance from those chosen before.
fn plus_plus(positions: &[Vec3], k: usize, seed: u64) -> Vec<Vec3> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut centers: Vec<Vec3> = Vec::new();
    let mut distances = vec![f32::INFINITY; positions.len()];
    while centers.len() < k.min(positions.len()) {
        let total: f64 = distances.iter().map(|&d| f64::from(d)).sum();
        let chosen = if centers.is_empty() {
            rng.random_range(0..positions.len() as u64) as usize
        } else if total > 0.0 {
            let mut wanted = rng.random_range(0.0..total);
            let passed = |&d: &f32| {
                wanted -= f64::from(d);
                wanted < 0.0
            };
            distances.iter().position(passed).unwrap_or(positions.len() - 1)
        } else {
            break;
        };
        let center = positions[chosen];
        centers.push(center);
        for (distance, position) in distances.iter_mut().zip(positions) {
            *distance = distance.min(position.distance_squared(center));
        }
    }
    centers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_the_nearest_means() {
        let mut rng = SmallRng::seed_from_u64(3);
        let offset = |i: usize| Vec3::X * (i % 4) as f32 * 10.0;
        let points: Vec<Vec3> = (0..400).map(|i| offset(i) + Vec3::Y * rng.random_range(-1.0..1.0)).collect();
        let labels = kmeans(&points, 4, 7);
        for i in 0..400 {
            assert_eq!(labels[i], labels[i % 4]);
        }
        assert_eq!(labels[..4].iter().collect::<std::collections::HashSet<_>>().len(), 4);
    }

    #[test]
    fn few_points_are_few_clusters() {
        assert!(kmeans(&[], 3, 0).is_empty());
        assert_eq!(kmeans(&[Vec3::ONE; 5], 3, 0), [0; 5]);
    }
}
