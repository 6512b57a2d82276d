//! The largest planes of a scene by [RANSAC](https://doi.org/10.1145/358669.358692), one after the other.

use glam::Vec3;
use lexiform_geometry::normals::estimate_normal;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

/// Planes that are guessed in each round: one point with its normal is a guess, and one in fifty of the points of a small plane is
/// enough to be found.
const GUESSES: usize = 240;
/// Points that guesses are compared on.
const SCORED_POINTS: usize = 2500;
/// Guesses that are fitted to all points.
const FINALISTS: usize = 4;
/// Tolerance of the first fit relative to the last: normals of single points are inexact.
const COARSE_FACTOR: f32 = 3.0;
/// Fits of a finalist.
const FITS: usize = 3;
/// Points of which a plane is fitted.
const FITTED_POINTS: usize = 20_000;
/// Points per parallel task.
const CHUNK: usize = 8192;

/// A plane `normal · p = offset` with the points on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// Unit normal.
    pub normal: Vec3,
    /// Distance from the origin along the normal.
    pub offset: f32,
    /// Indices of its points, ascending.
    pub points: Vec<u32>,
}

impl Plane {
    /// Signed distance of a point.
    pub fn distance(&self, point: Vec3) -> f32 {
        self.normal.dot(point) - self.offset
    }
}

/// Which planes are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaneConfig {
    /// Largest distance of a point.
    pub tolerance: f32,
    /// Smallest cosine between the normals of plane and point.
    pub min_cosine: f32,
    /// Smallest number of points.
    pub min_points: usize,
    /// Most planes.
    pub max_planes: usize,
    /// Random seed.
    pub seed: u64,
}

/// Planes with their points, the largest first in general; no point is on two.
pub fn find_planes(positions: &[Vec3], normals: &[Vec3], config: &PlaneConfig) -> Vec<Plane> {
    let mut rng = SmallRng::seed_from_u64(config.seed);
    let mut remaining: Vec<u32> = (0..positions.len() as u32).collect();
    let mut planes = Vec::new();
    while planes.len() < config.max_planes && remaining.len() >= config.min_points.max(3) {
        let search = Search { positions, normals, remaining: &remaining, config };
        let Some(plane) = search.best(&mut rng) else { break };
        if plane.points.len() < config.min_points {
            break;
        }
        let mut on_plane = vec![false; positions.len()];
        plane.points.iter().for_each(|&i| on_plane[i as usize] = true);
        remaining.retain(|&i| !on_plane[i as usize]);
        planes.push(plane);
    }
    planes
}

struct Search<'a> {
    positions: &'a [Vec3],
    normals: &'a [Vec3],
    remaining: &'a [u32],
    config: &'a PlaneConfig,
}

impl Search<'_> {
    fn best(&self, rng: &mut SmallRng) -> Option<Plane> {
        // `u64`, so that machines with any word size draw the same indices.
        let mut draw = || self.remaining[rng.random_range(0..self.remaining.len() as u64) as usize];
        let scored: Vec<u32> = (0..SCORED_POINTS).map(|_| draw()).collect();
        let guess = |point: u32| {
            let normal = self.normals[point as usize];
            (normal, normal.dot(self.positions[point as usize]))
        };
        let mut guesses: Vec<(usize, Vec3, f32)> = (0..GUESSES)
            .map(|_| guess(draw()))
            .map(|(normal, offset)| {
                let score = scored.iter().filter(|&&i| self.is_on(i, normal, offset, 1.5)).count();
                (score, normal, offset)
            })
            .collect();
        guesses.sort_by_key(|guess| std::cmp::Reverse(guess.0));
        let finalists =
            guesses.iter().take(FINALISTS).map(|&(_, normal, offset)| self.fitted(normal, offset));
        // The first of equal ones: the order does not depend on threads.
        finalists.fold(None, |best: Option<Plane>, plane| match best {
            Some(best) if best.points.len() >= plane.points.len() => Some(best),
            _ => Some(plane),
        })
    }

    fn is_on(&self, point: u32, normal: Vec3, offset: f32, factor: f32) -> bool {
        let i = point as usize;
        (normal.dot(self.positions[i]) - offset).abs() <= factor * self.config.tolerance
            && normal.dot(self.normals[i]).abs() >= self.config.min_cosine
    }

    /// Fits the plane to the points near it, nearer each time.
    fn fitted(&self, mut normal: Vec3, mut offset: f32) -> Plane {
        for fit in 0..FITS {
            let factor = if fit == 0 { COARSE_FACTOR } else { 1.0 };
            let near = self.points_on(normal, offset, factor);
            if near.len() < 3 {
                break;
            }
            let step = near.len().div_ceil(FITTED_POINTS);
            let chosen = || near.iter().step_by(step).map(|&i| self.positions[i as usize]);
            let mean = chosen().map(|p| p.as_dvec3()).sum::<glam::DVec3>() / chosen().count() as f64;
            let fitted = estimate_normal(chosen());
            normal = if fitted.dot(normal) < 0.0 { -fitted } else { fitted };
            offset = normal.as_dvec3().dot(mean) as f32;
        }
        Plane { normal, offset, points: self.points_on(normal, offset, 1.0) }
    }

    fn points_on(&self, normal: Vec3, offset: f32, factor: f32) -> Vec<u32> {
        let near = self.remaining.par_iter().with_min_len(CHUNK).copied();
        near.filter(|&i| self.is_on(i, normal, offset, factor)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_two_planes_among_noise() {
        let mut rng = SmallRng::seed_from_u64(4);
        let tilted = Vec3::new(0.6, 0.8, 0.0);
        let (mut positions, mut normals) = (Vec::new(), Vec::new());
        for i in 0..3000 {
            let (u, v): (f32, f32) = (rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
            let (position, normal) = match i % 3 {
                0 => (Vec3::new(u, 0.5, v), Vec3::Y),
                1 => (tilted * -0.25 + u * Vec3::Z + v * Vec3::new(0.8, -0.6, 0.0), -tilted),
                _ => (Vec3::new(u, v, rng.random_range(-1.0..1.0)), Vec3::new(v, u, 0.3).normalize()),
            };
            positions.push(position);
            normals.push(normal);
        }
        let config =
            PlaneConfig { tolerance: 0.01, min_cosine: 0.9, min_points: 500, max_planes: 9, seed: 1 };
        let mut found = find_planes(&positions, &normals, &config);
        assert_eq!(found.len(), 2);
        found.sort_by(|a, b| a.normal.x.abs().total_cmp(&b.normal.x.abs()));
        for (plane, (normal, offset)) in found.iter().zip([(Vec3::Y, 0.5), (tilted, -0.25)]) {
            let sign = plane.normal.dot(normal).signum();
            assert!(
                (plane.normal * sign).abs_diff_eq(normal, 1e-3)
                    && (plane.offset * sign - offset).abs() < 1e-3
            );
            assert!(plane.points.len() >= 1000);
        }
    }

    #[test]
    fn few_points_have_no_plane() {
        let config = PlaneConfig { tolerance: 0.1, min_cosine: 0.9, min_points: 1, max_planes: 3, seed: 0 };
        assert!(find_planes(&[Vec3::ZERO; 2], &[Vec3::Y; 2], &config).is_empty());
        assert!(find_planes(&[], &[], &config).is_empty());
    }
}
