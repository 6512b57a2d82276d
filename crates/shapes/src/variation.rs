//! Random variations of files: up axis, scale, missing colors, noise, points instead of faces.

use std::f32::consts::{FRAC_PI_2, TAU};

use glam::{Affine3A, Mat3, Quat, Vec3, Vec4, vec3};
use lexiform_geometry::{Material, Mesh, PointCloud, Scene};

use crate::kit::{Rng, hash_noise};

/// Up axis of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileUpAxis {
    /// +Y, as in glTF.
    #[default]
    Y,
    /// +Z, as in CAD: the shape is on its back if read with +Y up.
    Z,
    /// Fallen on its side.
    X,
}

/// A variation of a specimen's scene; the default is the identity.
///
/// ```
/// use lexiform_shapes::{Variation, generate};
///
/// let scene = generate(0, 1).scene;
/// let cloud = Variation { points: Some(500), ..Variation::default() }.apply(scene);
/// assert_eq!(cloud.n_faces(), 0);
/// assert!(!cloud.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Variation {
    /// Up axis.
    pub up: FileUpAxis,
    /// Rotation about the vertical axis in radians.
    pub yaw: f32,
    /// Scale factors along x, y, z; negative ones mirror.
    pub scale: Vec3,
    /// Replaces all materials by one gray (linear), as in files without materials.
    pub gray: Option<f32>,
    /// Largest displacement of vertices, as a fraction of the largest extent.
    pub jitter: f32,
    /// Parts smaller than this fraction of the largest extent are dropped.
    pub min_part_size: f32,
    /// Largest relative change of vertex colors, as in scans.
    pub color_noise: f32,
    /// Replaces the surface by this many colored points.
    pub points: Option<usize>,
    /// Random seed of `jitter`, `color_noise` and `points`.
    pub seed: u64,
}

impl Default for Variation {
    fn default() -> Self {
        Self {
            up: FileUpAxis::Y,
            yaw: 0.0,
            scale: Vec3::ONE,
            gray: None,
            jitter: 0.0,
            min_part_size: 0.0,
            color_noise: 0.0,
            points: None,
            seed: 0,
        }
    }
}

impl Variation {
    /// Samples a variation: most are upright and two thirds colored; some are noisy or point clouds, half are mirrored.
    pub fn sample(rng: &mut Rng) -> Self {
        let up = match rng.unit() {
            u if u < 0.82 => FileUpAxis::Y,
            u if u < 0.96 => FileUpAxis::Z,
            _ => FileUpAxis::X,
        };
        let stretch = vec3(rng.between(0.85, 1.15), rng.between(0.85, 1.15), rng.between(0.85, 1.15));
        let mirror = if rng.chance(0.5) { vec3(-1.0, 1.0, 1.0) } else { Vec3::ONE };
        let yaw = if rng.chance(0.7) { rng.index(4) as f32 * FRAC_PI_2 } else { rng.between(0.0, TAU) };
        Self {
            up,
            yaw,
            scale: stretch * mirror,
            gray: rng.chance(0.33).then(|| rng.between(0.2, 0.9)),
            jitter: if rng.chance(0.25) { rng.between(0.001, 0.008) } else { 0.0 },
            min_part_size: if rng.chance(0.15) { rng.between(0.02, 0.08) } else { 0.0 },
            color_noise: if rng.chance(0.25) { rng.between(0.05, 0.3) } else { 0.0 },
            points: rng.chance(0.1).then(|| rng.int_between(400, 10_000)),
            seed: rand::RngCore::next_u64(rng),
        }
    }

    /// Applies the variation. The result is not empty unless the scene is.
    pub fn apply(&self, scene: Scene) -> Scene {
        let mut scene = self.drop_small_parts(scene);
        let size = scene.bounds().map_or(1.0, |b| b.extents().max_element());
        if self.jitter > 0.0 || self.color_noise > 0.0 {
            scene.meshes = scene.meshes.into_iter().map(|m| self.noisy(m, size)).collect();
        }
        if let Some(gray) = self.gray {
            let plain = Material { base_color: Vec4::new(gray, gray, gray, 1.0), ..Material::default() };
            // The number of materials stays: meshes refer to them by index.
            scene.materials.iter_mut().for_each(|m| {
                *m = Material { name: m.name.take(), double_sided: m.double_sided, ..plain.clone() };
            });
        }
        let scene = scene.transformed(Affine3A::from_mat3(self.target_from_source()));
        match self.points {
            Some(count) => sample_points(&scene, count, &mut Rng::new(self.seed)),
            None => scene,
        }
    }

    fn target_from_source(&self) -> Mat3 {
        // Rotations into the file's axes; yaw and scale come first, about the shape's own axes.
        let fall = match self.up {
            FileUpAxis::Y => Quat::IDENTITY,
            FileUpAxis::Z => Quat::from_rotation_x(FRAC_PI_2),
            FileUpAxis::X => Quat::from_rotation_z(-FRAC_PI_2),
        };
        Mat3::from_quat(fall * Quat::from_rotation_y(self.yaw)) * Mat3::from_diagonal(self.scale)
    }

    fn drop_small_parts(&self, mut scene: Scene) -> Scene {
        let Some(bounds) = scene.bounds().filter(|_| self.min_part_size > 0.0) else { return scene };
        let smallest = bounds.extents().max_element() * self.min_part_size;
        let extent = |m: &Mesh| {
            lexiform_geometry::Bounds::from_points(m.positions().iter().copied())
                .map_or(0.0, |b| b.extents().max_element())
        };
        // A shape of small parts only would vanish: then all are kept.
        if scene.meshes.iter().any(|m| extent(m) >= smallest) {
            scene.meshes.retain(|m| extent(m) >= smallest);
        }
        scene
    }

    fn noisy(&self, mesh: Mesh, size: f32) -> Mesh {
        let moved: Vec<Vec3> =
            mesh.positions().iter().map(|&p| p + hash_noise(p, self.seed) * self.jitter * size).collect();
        let colors: Vec<Vec4> = mesh
            .positions()
            .iter()
            .map(|&p| {
                (Vec3::ONE + hash_noise(p, !self.seed) * self.color_noise)
                    .clamp(Vec3::ZERO, Vec3::ONE)
                    .extend(1.0)
            })
            .collect();
        let normals = mesh.normals().map(<[Vec3]>::to_vec);
        // Displaced vertices may make a mesh invalid; then the original is kept.
        let rebuilt = Mesh::new(moved, mesh.faces().to_vec()).and_then(|m| match normals {
            Some(normals) => m.with_normals(normals),
            None => Ok(m),
        });
        let rebuilt =
            rebuilt.and_then(|m| if self.color_noise > 0.0 { m.with_colors(colors) } else { Ok(m) });
        match rebuilt {
            Ok(noisy) => noisy.with_material(mesh.material).with_name(mesh.name.clone()),
            Err(_) => mesh,
        }
    }
}

/// `count` random points, uniform over the surface, with colors.
fn sample_points(scene: &Scene, count: usize, rng: &mut Rng) -> Scene {
    let mut areas = Vec::with_capacity(scene.n_faces());
    let mut total = 0.0_f64;
    for (index, mesh) in scene.meshes.iter().enumerate() {
        for face in 0..mesh.faces().len() {
            let [a, b, c] = mesh.triangle(face);
            total += f64::from((b - a).cross(c - a).length());
            areas.push((total, index, face));
        }
    }
    if areas.is_empty() {
        return scene.clone();
    }
    let mut positions = Vec::with_capacity(count);
    let mut colors = Vec::with_capacity(count);
    for _ in 0..count {
        // Inverse transform sampling of a face by cumulative area, then uniform barycentric coordinates.
        let wanted = f64::from(rng.unit()) * total;
        let at = areas.partition_point(|a| a.0 <= wanted).min(areas.len() - 1);
        let (_, index, face) = areas[at];
        let mesh = &scene.meshes[index];
        let [a, b, c] = mesh.triangle(face);
        let (u, v) = (rng.unit().sqrt(), rng.unit());
        positions.push(a * (1.0 - u) + (b * (1.0 - v) + c * v) * u);
        colors.push(color_of(scene, mesh, face));
    }
    PointCloud::new(positions)
        .and_then(|c| c.with_colors(colors))
        .map_or_else(|_| scene.clone(), Scene::from_cloud)
}

fn color_of(scene: &Scene, mesh: &Mesh, face: usize) -> Vec3 {
    let base =
        mesh.material.and_then(|m| scene.materials.get(m)).map_or(Vec3::ONE, |m| m.base_color.truncate());
    base * mesh.colors().map_or(Vec3::ONE, |c| c[mesh.faces()[face][0] as usize].truncate())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::generate;

    #[test]
    fn variations_are_not_empty() {
        let mut rng = Rng::new(5);
        for seed in 0..40 {
            let scene = generate(0, seed).scene;
            let varied = Variation::sample(&mut rng).apply(scene);
            assert!(!varied.is_empty());
            assert!(varied.bounds().unwrap().extents().is_finite());
        }
    }

    #[test]
    fn the_default_changes_nothing() {
        let scene = generate(0, 1).scene;
        assert_eq!(Variation::default().apply(scene.clone()).bounds(), scene.bounds());
    }
}
