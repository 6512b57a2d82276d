//! Simulated scans of rooms: points that a few scanners see, with noise in position and color.

use std::f32::consts::{PI, TAU};

use glam::{Vec3, vec3};
use lexiform_geometry::{Bounds, Mesh, PointCloud, PointCloudError, Scene};

use super::Room;
use crate::kit::Rng;

/// Fewest and most columns of a scanner's panorama, by which hidden points are found; half as many rows.
const PANORAMA_COLUMNS: [usize; 2] = [64, 1440];
/// Points per cell of the panorama, about: with fewer, there is nothing in front of what is hidden.
const POINTS_PER_CELL: usize = 4;
/// Height of scanners above the floor as a share of the room's height.
const SCANNER_HEIGHT: f32 = 0.65;
/// Points whose distance to a scanner exceeds that of the nearest in the same direction by more are hidden, in metres and in widths of a
/// cell: surfaces seen at an angle have depth in a cell.
const DEPTH_TOLERANCE: f32 = 0.05;
const CELL_TOLERANCE: f32 = 2.0;

/// How a room is scanned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanConfig {
    /// Points on all surfaces; those that no scanner sees are dropped.
    pub points: usize,
    /// Number of scanner positions; 0 sees everything.
    pub scanners: usize,
    /// Standard deviation of positions in metres.
    pub noise: f32,
    /// Largest relative change of colors.
    pub color_noise: f32,
    /// Random seed.
    pub seed: u64,
}

impl Default for ScanConfig {
    /// 300,000 points from 5 positions with 2 mm of noise, as indoor depth cameras and scanners have.
    fn default() -> Self {
        Self { points: 300_000, scanners: 5, noise: 0.002, color_noise: 0.08, seed: 0 }
    }
}

/// A scanned room.
#[derive(Clone, Debug)]
pub struct RoomScan {
    /// Points with colors.
    pub cloud: PointCloud,
    /// Index into [`Room::instances`] for each point.
    pub instances: Vec<u32>,
}

impl Room {
    /// Scans the room.
    ///
    /// # Errors
    /// If noise makes a position infinite.
    pub fn scan(&self, config: &ScanConfig) -> Result<RoomScan, PointCloudError> {
        let mut rng = Rng::named("room scan", config.seed);
        let samples = self.sample(config.points, &mut rng);
        let visible = match self.scene.bounds() {
            Some(bounds) if config.scanners > 0 => {
                visible(&samples, &scanners(&bounds, config.scanners, &mut rng))
            }
            _ => vec![true; samples.len()],
        };
        let kept: Vec<&Sample> = samples.iter().zip(&visible).filter(|(_, v)| **v).map(|(s, _)| s).collect();
        let mut moved = |s: &&Sample| s.position + gaussian(&mut rng) * config.noise;
        let positions = kept.iter().map(&mut moved).collect();
        let mut tinted = |s: &&Sample| {
            let factor = 1.0 + config.color_noise * rng.between(-1.0, 1.0);
            (s.color * factor).clamp(Vec3::ZERO, Vec3::ONE)
        };
        let colors = kept.iter().map(&mut tinted).collect();
        let cloud = PointCloud::new(positions)?.with_colors(colors)?;
        Ok(RoomScan { cloud, instances: kept.iter().map(|s| s.instance).collect() })
    }

    /// Points uniform over all surfaces.
    fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Sample> {
        let mut total = 0.0_f64;
        let mut cumulative = Vec::with_capacity(self.triangle_instances.len());
        for (mesh, face) in faces(&self.scene) {
            let [a, b, c] = mesh.triangle(face);
            total += f64::from((b - a).cross(c - a).length());
            cumulative.push((total, mesh, face));
        }
        if total <= 0.0 {
            return Vec::new();
        }
        let mut point = |_| {
            let wanted = f64::from(rng.unit()) * total;
            let at = cumulative.partition_point(|c| c.0 <= wanted).min(cumulative.len() - 1);
            let (_, mesh, face) = cumulative[at];
            let [a, b, c] = mesh.triangle(face);
            let (u, v) = (rng.unit().sqrt(), rng.unit());
            let position = a * (1.0 - u) + (b * (1.0 - v) + c * v) * u;
            Sample { position, color: color(&self.scene, mesh), instance: self.triangle_instances[at] }
        };
        (0..count).map(&mut point).collect()
    }
}

/// A point on a surface.
struct Sample {
    position: Vec3,
    color: Vec3,
    instance: u32,
}

fn faces(scene: &Scene) -> impl Iterator<Item = (&Mesh, usize)> {
    scene.meshes.iter().flat_map(|mesh| (0..mesh.faces().len()).map(move |face| (mesh, face)))
}

fn color(scene: &Scene, mesh: &Mesh) -> Vec3 {
    let material = mesh.material.and_then(|index| scene.materials.get(index));
    material.map_or(Vec3::ONE, |material| material.base_color.truncate() + material.emissive)
}

/// Positions in the room, away from the walls.
fn scanners(bounds: &Bounds, count: usize, rng: &mut Rng) -> Vec<Vec3> {
    let extents = bounds.extents();
    let mut at = |i: usize| {
        // Evenly around the middle, so that every side of an object has a chance to be seen.
        let angle = TAU * (i as f32 + 0.5 * rng.unit()) / count as f32;
        let offset = vec3(angle.cos(), 0.0, angle.sin()) * extents * 0.38;
        let height = extents.y * (SCANNER_HEIGHT - 0.5);
        bounds.center() + offset + Vec3::Y * (height + 0.1 * rng.between(-1.0, 1.0))
    };
    (0..count).map(&mut at).collect()
}

/// Which points some scanner sees: the nearest in their direction, on a panorama of depths.
fn visible(samples: &[Sample], scanners: &[Vec3]) -> Vec<bool> {
    let [fewest, most] = PANORAMA_COLUMNS;
    let columns = ((2 * samples.len() / POINTS_PER_CELL) as f32).sqrt() as usize;
    let columns = columns.clamp(fewest, most);
    let rows = columns / 2;
    let tolerance = |distance: f32| DEPTH_TOLERANCE + CELL_TOLERANCE * distance * TAU / columns as f32;
    let mut seen = vec![false; samples.len()];
    for scanner in scanners {
        let mut nearest = vec![f32::INFINITY; columns * rows];
        let cell = |sample: &Sample| {
            let offset = sample.position - *scanner;
            let distance = offset.length();
            let elevation = (offset.y / distance.max(1e-6)).clamp(-1.0, 1.0).asin();
            let column = (offset.x.atan2(offset.z) / TAU + 0.5) * columns as f32;
            let row = ((elevation / PI + 0.5) * rows as f32) as usize;
            let index = row.min(rows - 1) * columns + (column as usize).min(columns - 1);
            (index, distance)
        };
        for sample in samples {
            let (index, distance) = cell(sample);
            nearest[index] = nearest[index].min(distance);
        }
        for (sample, seen) in samples.iter().zip(&mut seen) {
            let (index, distance) = cell(sample);
            *seen |= distance <= nearest[index] + tolerance(distance);
        }
    }
    seen
}

/// A normal distribution in space ([Box–Muller](https://doi.org/10.1214/aoms/1177706645)).
fn gaussian(rng: &mut Rng) -> Vec3 {
    let mut normal = || (-2.0 * (1.0 - rng.unit()).max(1e-7).ln()).sqrt() * (TAU * rng.unit()).cos();
    vec3(normal(), normal(), normal())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RoomConfig;

    #[test]
    fn scans_keep_the_instance_of_each_point() {
        let room = Room::generate(&RoomConfig::of_seed(2));
        let scan = room.scan(&ScanConfig { points: 20_000, ..ScanConfig::default() }).unwrap();
        assert_eq!(scan.cloud.positions().len(), scan.instances.len());
        assert!(scan.instances.len() > 5_000 && scan.instances.len() < 20_000);
        for (position, instance) in scan.cloud.positions().iter().zip(&scan.instances) {
            let bounds = room.instances[*instance as usize].bounds;
            // Five standard deviations.
            assert!(position.cmpge(bounds.min - 0.011).all() && position.cmple(bounds.max + 0.011).all());
        }
    }

    #[test]
    fn points_behind_others_are_hidden() {
        let seen = |positions: &[Vec3], scanner: Vec3| {
            let sample = |&position: &Vec3| Sample { position, color: Vec3::ONE, instance: 0 };
            visible(&positions.iter().map(sample).collect::<Vec<_>>(), &[scanner])
        };
        let line = [Vec3::X, Vec3::X * 2.0, Vec3::Y];
        assert_eq!(seen(&line, Vec3::ZERO), [true, false, true]);
        assert_eq!(seen(&line, Vec3::X * 3.0), [false, true, true]);
    }
}
