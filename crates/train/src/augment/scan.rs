//! Simulated scanning errors of raw clouds: partial views, uneven density, holes, noise, missing colors.
//!
//! They are applied before a cloud is prepared for the network; augmentations of prepared clouds are in `points`.

use std::collections::HashMap;
use std::f32::consts::TAU;

use glam::{Vec2, Vec3, vec2, vec3};
use lexiform_geometry::{Bounds, PointCloud};
use lexiform_shapes::Rng;

use crate::recipe::ScanAugmentation;

/// Augmentations that would leave fewer points are skipped.
const MIN_POINTS: usize = 32;
/// Pixel size of the simulated depth camera over the mean point spacing. With smaller pixels the far side shows through.
const PIXEL_SPACING: f32 = 2.0;

/// Applies augmentations in order. The result is never empty unless the cloud is.
pub fn simulate_scan(cloud: PointCloud, changes: &[ScanAugmentation], rng: &mut Rng) -> PointCloud {
    if changes.is_empty() {
        return cloud;
    }
    let mut points =
        ScanPoints { positions: cloud.positions().to_vec(), colors: cloud.colors().map(<[Vec3]>::to_vec) };
    changes.iter().for_each(|change| change.apply(&mut points, rng));
    // Invalid clouds cannot occur, but the original is the safe answer.
    points.into_cloud().unwrap_or(cloud)
}

/// Positions, and linear colors if any.
struct ScanPoints {
    positions: Vec<Vec3>,
    colors: Option<Vec<Vec3>>,
}

impl ScanAugmentation {
    fn apply(&self, points: &mut ScanPoints, rng: &mut Rng) {
        let Some(bounds) = Bounds::from_points(points.positions.iter().copied()) else { return };
        let size = bounds.extents().max_element();
        match *self {
            Self::RandomApply { probability, ref apply } => {
                if rng.chance(probability) {
                    apply.apply(points, rng);
                }
            }
            Self::PartialView => {
                let toward_camera = random_view_direction(rng);
                points.keep(&visible_from(toward_camera, &points.positions));
            }
            Self::DensityFalloff { max_ratio } => points.thin_far_side(&bounds, max_ratio, rng),
            Self::Holes { max_count, max_radius } => points.cut_holes(max_count, max_radius, size, rng),
            Self::Noise { max_sigma } => {
                let sigma = rng.between(0.0, max_sigma) * size;
                let mut noise = || rng.normal() * sigma;
                points.positions.iter_mut().for_each(|p| *p += vec3(noise(), noise(), noise()));
            }
            Self::Outliers { max_ratio } => points.scatter_outliers(&bounds, max_ratio, rng),
            Self::Brightness { low, high } => {
                let factor = rng.between(low, high);
                let brighter = |c: &mut Vec3| *c = (*c * factor).clamp(Vec3::ZERO, Vec3::ONE);
                points.colors.iter_mut().flatten().for_each(brighter);
            }
            Self::DropColor => points.colors = None,
        }
    }
}

impl ScanPoints {
    fn keep(&mut self, kept: &[bool]) {
        if kept.iter().filter(|kept| **kept).count() < MIN_POINTS {
            return;
        }
        // Positions and colors are filtered by the same mask.
        for list in std::iter::once(&mut self.positions).chain(&mut self.colors) {
            let mut kept = kept.iter();
            list.retain(|_| kept.next().is_some_and(|kept| *kept));
        }
    }

    /// Drops points with a probability that grows with the distance from a random side.
    fn thin_far_side(&mut self, bounds: &Bounds, max_ratio: f32, rng: &mut Rng) {
        let near = random_view_direction(rng);
        // At the far end 1 of `max_ratio` points is left.
        let drop = rng.between(0.0, 1.0 - 1.0 / max_ratio.max(1.0));
        let reach = bounds.extents().max_element().max(f32::MIN_POSITIVE);
        let away = |p: Vec3| ((bounds.center() - p).dot(near) / reach + 0.5).clamp(0.0, 1.0);
        let kept: Vec<bool> = self.positions.iter().map(|p| !rng.chance(drop * away(*p))).collect();
        self.keep(&kept);
    }

    /// Removes balls around random points.
    fn cut_holes(&mut self, max_count: usize, max_radius: f32, size: f32, rng: &mut Rng) {
        for _ in 0..rng.int_between(0, max_count) {
            let center = self.positions[rng.index(self.positions.len())];
            let radius = rng.between(0.0, max_radius) * size;
            let outside = |p: &Vec3| p.distance(center) > radius;
            self.keep(&self.positions.iter().map(outside).collect::<Vec<bool>>());
        }
    }

    /// Moves random points anywhere in a box slightly larger than the bounding box.
    fn scatter_outliers(&mut self, bounds: &Bounds, max_ratio: f32, rng: &mut Rng) {
        let ratio = rng.between(0.0, max_ratio);
        let half = bounds.extents() * 0.55;
        for p in &mut self.positions {
            if rng.chance(ratio) {
                let anywhere = vec3(rng.between(-1.0, 1.0), rng.between(-1.0, 1.0), rng.between(-1.0, 1.0));
                *p = bounds.center() + anywhere * half;
            }
        }
    }

    fn into_cloud(self) -> Option<PointCloud> {
        let cloud = PointCloud::new(self.positions).ok()?;
        match self.colors {
            Some(colors) => cloud.with_colors(colors).ok(),
            None => Some(cloud),
        }
    }
}

/// A random direction of a scanner: any azimuth, from slightly below to well above.
fn random_view_direction(rng: &mut Rng) -> Vec3 {
    let (turn, height) = (rng.between(0.0, TAU), rng.between(-0.2, 0.8));
    // Uniform in height is uniform on the sphere (Archimedes).
    let across = (1.0 - height * height).sqrt();
    vec3(across * turn.cos(), height, across * turn.sin())
}

/// Points visible to an orthographic depth camera: the nearest in each pixel, and those at most one pixel size behind.
fn visible_from(toward_camera: Vec3, positions: &[Vec3]) -> Vec<bool> {
    let (right, up) = toward_camera.any_orthonormal_pair();
    let flat: Vec<Vec2> = positions.iter().map(|p| vec2(p.dot(right), p.dot(up))).collect();
    let low = flat.iter().copied().fold(Vec2::INFINITY, Vec2::min);
    let high = flat.iter().copied().fold(Vec2::NEG_INFINITY, Vec2::max);
    let spacing = (high - low).max_element() / (positions.len() as f32).sqrt().max(1.0);
    let pixel = (PIXEL_SPACING * spacing).max(f32::MIN_POSITIVE);
    let place = |p: &Vec2| ((*p - low) / pixel).as_ivec2();
    let depth = |p: &Vec3| -p.dot(toward_camera);
    // A sparse depth buffer: most pixels of the bounding square are empty.
    let mut nearest: HashMap<_, f32> = HashMap::new();
    for (p, at) in positions.iter().zip(&flat) {
        let found = nearest.entry(place(at)).or_insert(f32::INFINITY);
        *found = found.min(depth(p));
    }
    let is_seen =
        |(p, at): (&Vec3, &Vec2)| nearest.get(&place(at)).is_some_and(|near| depth(p) <= near + pixel);
    positions.iter().zip(&flat).map(is_seen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points all over a sphere of radius 1.
    fn sphere() -> PointCloud {
        let mut rng = Rng::new(1);
        let positions: Vec<Vec3> =
            (0..4000).map(|_| vec3(rng.normal(), rng.normal(), rng.normal()).normalize()).collect();
        let colors = positions.iter().map(|p| p.abs()).collect();
        PointCloud::new(positions).unwrap().with_colors(colors).unwrap()
    }

    fn scanned(change: ScanAugmentation, seed: u64) -> PointCloud {
        simulate_scan(sphere(), &[change], &mut Rng::new(seed))
    }

    #[test]
    fn a_depth_camera_sees_about_half() {
        for seed in 0..8 {
            let seen = scanned(ScanAugmentation::PartialView, seed);
            let mean = seen.positions().iter().sum::<Vec3>() / seen.positions().len() as f32;
            assert!((1600..2700).contains(&seen.positions().len()), "{}", seen.positions().len());
            assert!(mean.length() > 0.35, "{mean}");
            assert_eq!(seen.colors().unwrap().len(), seen.positions().len());
        }
    }

    #[test]
    fn augmentations_are_bounded() {
        let changes = [
            ScanAugmentation::DensityFalloff { max_ratio: 8.0 },
            ScanAugmentation::Holes { max_count: 4, max_radius: 0.2 },
            ScanAugmentation::Noise { max_sigma: 0.01 },
            ScanAugmentation::Outliers { max_ratio: 0.02 },
            ScanAugmentation::Brightness { low: 0.5, high: 1.5 },
            ScanAugmentation::RandomApply { probability: 1.0, apply: Box::new(ScanAugmentation::DropColor) },
        ];
        for change in changes {
            let cloud = scanned(change.clone(), 3);
            assert!(cloud.positions().len() >= MIN_POINTS, "{change:?}");
            assert!(cloud.positions().iter().all(|p| p.length() < 2.5), "{change:?}");
        }
        assert!(scanned(ScanAugmentation::DropColor, 3).colors().is_none());
    }

    #[test]
    fn small_clouds_are_unchanged() {
        let few = PointCloud::new(vec![Vec3::ZERO; 3]).unwrap();
        let change = [ScanAugmentation::PartialView, ScanAugmentation::DensityFalloff { max_ratio: 1e9 }];
        assert_eq!(simulate_scan(few, &change, &mut Rng::new(1)).positions().len(), 3);
        assert!(simulate_scan(PointCloud::default(), &change, &mut Rng::new(1)).positions().is_empty());
    }
}
