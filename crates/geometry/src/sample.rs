//! Random points on the surface of a scene, with colors and normals.

use glam::Vec3;
use rand::Rng;
use rand::seq::index;
use rayon::prelude::*;

use crate::surface::{Appearance, SceneSurface};
use crate::{PointCloud, Scene};

/// How often a point is resampled if it falls into a hole cut by alpha.
const MAX_ATTEMPTS: usize = 8;
/// Triangles or points per parallel task.
const CHUNK: usize = 8192;

/// Samples `count` points uniformly by area from the surface of a scene.
///
/// The points have normals, and colors (linear base color with textures and vertex colors, plus emission) if any mesh has a
/// material or vertex colors. The same generator state gives the same points, with any number of threads.
///
/// From a scene without surface, samples its clouds as [`sample_cloud`] does. An empty scene gives no points.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::sample::sample_surface;
/// use lexiform_geometry::{Mesh, Scene};
/// use rand::{SeedableRng as _, rngs::SmallRng};
///
/// let scene = Scene::from_mesh(Mesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]])?);
/// let cloud = sample_surface(&scene, 100, &mut SmallRng::seed_from_u64(1));
/// assert!(cloud.normals().is_some_and(|normals| normals.iter().all(|n| *n == Vec3::Z)));
/// # Ok::<(), lexiform_geometry::MeshError>(())
/// ```
pub fn sample_surface(scene: &Scene, count: usize, rng: &mut impl Rng) -> PointCloud {
    let sampler = SurfaceSampler::new(scene);
    if sampler.area() > 0.0 {
        sampler.sample(count, rng)
    } else {
        sample_cloud(&all_points(scene), count, rng)
    }
}

/// Samples `count` points of a cloud: without replacement if there are enough, otherwise all points and random repetitions.
pub fn sample_cloud(cloud: &PointCloud, count: usize, rng: &mut impl Rng) -> PointCloud {
    let n = cloud.positions().len();
    if n == 0 {
        return PointCloud::default();
    }
    let chosen: Vec<usize> = if count <= n {
        index::sample(rng, n, count).into_vec()
    } else {
        // `u64`, so that machines with any word size draw the same indices.
        (0..n).chain((n..count).map(|_| rng.random_range(0..n as u64) as usize)).collect()
    };
    let pick = |list: &[Vec3]| chosen.iter().map(|&i| list[i]).collect::<Vec<_>>();
    build_cloud(pick(cloud.positions()), cloud.colors().map(pick), cloud.normals().map(pick))
}

/// The triangles of a scene with their cumulative areas.
struct SurfaceSampler<'a> {
    surface: SceneSurface<'a>,
    /// Area of all triangles up to and including this one, over all meshes.
    cumulative_area: Vec<f64>,
}

/// A random position: on the cumulative area, within the triangle, and the index in the result.
struct SampleSite {
    area: f64,
    barycentric: Vec3,
    slot: usize,
}

impl<'a> SurfaceSampler<'a> {
    fn new(scene: &'a Scene) -> Self {
        let mut cumulative_area = Vec::with_capacity(scene.n_faces());
        for mesh in &scene.meshes {
            let area = |face: usize| {
                let [a, b, c] = mesh.triangle(face);
                let area = (b - a).cross(c - a).length();
                if area.is_finite() { f64::from(area) } else { 0.0 }
            };
            cumulative_area.par_extend((0..mesh.faces().len()).into_par_iter().with_min_len(CHUNK).map(area));
        }
        // Sequential: floating-point sums must not depend on the number of threads.
        let mut sum = 0.0;
        for area in &mut cumulative_area {
            sum += *area;
            *area = sum;
        }
        Self { surface: SceneSurface::new(scene), cumulative_area }
    }

    fn area(&self) -> f64 {
        self.cumulative_area.last().copied().unwrap_or(0.0)
    }

    fn sample(&self, count: usize, rng: &mut impl Rng) -> PointCloud {
        let mut sites: Vec<SampleSite> = (0..count).map(|slot| self.random_site(slot, rng)).collect();
        let mut points = vec![None; count];
        for _ in 1..MAX_ATTEMPTS {
            for (slot, point) in self.evaluate(&mut sites) {
                points[slot] = point;
            }
            // Points in holes get a new position; all random numbers come from this thread, in order of the slots.
            let missing = (0..count).filter(|&slot| points[slot].is_none());
            sites = missing.map(|slot| self.random_site(slot, rng)).collect();
        }
        // What still falls into a hole is kept, in the material's plain color: callers expect `count` points.
        for site in &sites {
            let (part, face) = self.face_at(site.area);
            points[site.slot] =
                Some((self.position(part, face, site.barycentric), self.surface.base_appearance(part, face)));
        }
        let points: Vec<(Vec3, Appearance)> = points.into_iter().flatten().collect();
        let colors =
            points.iter().map(|(_, appearance)| appearance.color.clamp(Vec3::ZERO, Vec3::ONE)).collect();
        let normals = points.iter().map(|(_, appearance)| appearance.normal).collect();
        let colored =
            self.surface.parts().iter().any(|p| p.mesh.material.is_some() || p.mesh.colors().is_some());
        build_cloud(points.iter().map(|p| p.0).collect(), colored.then_some(colors), Some(normals))
    }

    fn random_site(&self, slot: usize, rng: &mut impl Rng) -> SampleSite {
        let area = rng.random::<f64>() * self.area();
        let (mut b, mut c) = (rng.random::<f32>(), rng.random::<f32>());
        // Reflects the other half of the unit square into the triangle, which keeps the distribution uniform.
        if b + c > 1.0 {
            (b, c) = (1.0 - b, 1.0 - c);
        }
        SampleSite { area, barycentric: Vec3::new(1.0 - b - c, b, c), slot }
    }

    /// Surface attributes at the sites; `None` in holes. Sorted by triangle first: in random order, cache misses make it ten
    /// times as slow.
    fn evaluate(&self, sites: &mut [SampleSite]) -> Vec<(usize, Option<(Vec3, Appearance)>)> {
        sites.par_sort_unstable_by(|a, b| a.area.total_cmp(&b.area).then(a.slot.cmp(&b.slot)));
        let meet = |site: &SampleSite| {
            let (part, face) = self.face_at(site.area);
            let appearance = self.surface.appearance(part, face, site.barycentric);
            (
                site.slot,
                appearance.map(|appearance| (self.position(part, face, site.barycentric), appearance)),
            )
        };
        sites.par_iter().with_min_len(CHUNK / 8).map(meet).collect()
    }

    /// The part and its triangle at a position on the cumulative area.
    fn face_at(&self, area: f64) -> (usize, usize) {
        let face =
            self.cumulative_area.partition_point(|&until| until <= area).min(self.cumulative_area.len() - 1);
        let part = self.surface.part_of(face as u32);
        (part, face - self.surface.parts()[part].first_face as usize)
    }

    fn position(&self, part: usize, face: usize, barycentric: Vec3) -> Vec3 {
        let [a, b, c] = self.surface.parts()[part].mesh.triangle(face);
        a * barycentric.x + b * barycentric.y + c * barycentric.z
    }
}

/// All clouds of a scene as one; colors and normals only if every cloud has them. For a scene with nothing but triangles of
/// zero area, their corners.
fn all_points(scene: &Scene) -> PointCloud {
    let clouds: Vec<&PointCloud> = scene.clouds.iter().filter(|c| !c.positions().is_empty()).collect();
    let join = |lists: Option<Vec<&[Vec3]>>| lists.map(|l| l.concat());
    let positions: Vec<Vec3> = clouds.iter().flat_map(|c| c.positions()).copied().collect();
    if positions.is_empty() {
        let corners = scene.meshes.iter().flat_map(|m| (0..m.faces().len()).flat_map(|f| m.triangle(f)));
        return build_cloud(corners.collect(), None, None);
    }
    let colors = join(clouds.iter().map(|c| c.colors()).collect());
    let normals = join(clouds.iter().map(|c| c.normals()).collect());
    build_cloud(positions, colors, normals)
}

/// The lists come from checked clouds and meshes, so the checks here cannot fail.
fn build_cloud(positions: Vec<Vec3>, colors: Option<Vec<Vec3>>, normals: Option<Vec<Vec3>>) -> PointCloud {
    let cloud = PointCloud::new(positions).and_then(|cloud| match colors {
        Some(colors) => cloud.with_colors(colors),
        None => Ok(cloud),
    });
    let cloud = cloud.and_then(|cloud| match normals {
        Some(normals) => cloud.with_normals(normals),
        None => Ok(cloud),
    });
    cloud.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use glam::{Vec2, Vec4};
    use image::{Rgba, RgbaImage};
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;
    use crate::{AlphaMode, Material, Mesh, Texture, TextureRef, Wrap};

    fn rng() -> SmallRng {
        SmallRng::seed_from_u64(1)
    }

    /// A large and a small square side by side, the left half of the texture red, the right half see-through blue.
    fn squares(alpha: AlphaMode) -> Scene {
        let square = |x: f32, edge: f32| {
            let corners = [[0.0, 0.0], [edge, 0.0], [edge, edge], [0.0, edge]];
            let positions = corners.map(|c| Vec3::new(x + c[0], c[1], 0.0)).to_vec();
            let uvs = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]].map(Vec2::from).to_vec();
            let mesh = Mesh::new(positions, vec![[0, 1, 2], [0, 2, 3]]).and_then(|m| m.with_uvs(uvs));
            mesh.unwrap().with_material(Some(0))
        };
        let colors = [Rgba([255, 0, 0, 255]), Rgba([0, 0, 255, 10])];
        let image = RgbaImage::from_fn(64, 1, |x, _| colors[usize::from(x >= 32)]);
        let base_color_texture = Some(TextureRef::new(0));
        Scene {
            meshes: vec![square(0.0, 3.0), square(10.0, 1.0)],
            materials: vec![Material { base_color_texture, alpha, ..Material::default() }],
            textures: vec![Texture { image, wrap: [Wrap::Clamp; 2] }],
            ..Scene::default()
        }
    }

    #[test]
    fn points_fall_in_proportion_to_area() {
        let cloud = sample_surface(&squares(AlphaMode::Opaque), 10_000, &mut rng());
        let small = cloud.positions().iter().filter(|p| p.x >= 10.0).count();
        assert!((900..1100).contains(&small), "{small}");
        assert!(cloud.normals().unwrap().iter().all(|&n| n == Vec3::Z));
        let left = cloud.positions().iter().filter(|p| p.x < 1.5).count();
        assert!((4300..4700).contains(&left), "{left}");
        assert_eq!(cloud, sample_surface(&squares(AlphaMode::Opaque), 10_000, &mut rng()));
    }

    #[test]
    fn colors_come_from_the_texture() {
        let cloud = sample_surface(&squares(AlphaMode::Opaque), 1000, &mut rng());
        for (p, c) in cloud.positions().iter().zip(cloud.colors().unwrap()) {
            match p.x % 10.0 / if p.x < 5.0 { 3.0 } else { 1.0 } {
                u if u < 0.48 => assert_eq!(*c, Vec3::X),
                u if u > 0.52 => assert_eq!(*c, Vec3::Z),
                _ => {}
            }
        }
    }

    #[test]
    fn holes_of_a_mask_get_few_points() {
        let cloud = sample_surface(&squares(AlphaMode::Mask { cutoff: 0.5 }), 2000, &mut rng());
        let blue = cloud.colors().unwrap().iter().filter(|c| c.z > 0.9).count();
        assert!(blue < 20, "{blue}");
    }

    #[test]
    fn vertex_colors_are_mixed() {
        let mesh = Mesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]])
            .and_then(|m| m.with_colors(vec![Vec4::ONE, Vec4::W, Vec4::W]));
        let cloud = sample_surface(&Scene::from_mesh(mesh.unwrap()), 100, &mut rng());
        for (p, c) in cloud.positions().iter().zip(cloud.colors().unwrap()) {
            assert!((c.x - (1.0 - p.x - p.y)).abs() < 1e-5);
        }
    }

    #[test]
    fn clouds_are_thinned_or_repeated() {
        let points: Vec<Vec3> = (0..10).map(|i| Vec3::X * i as f32).collect();
        let scene = Scene::from_cloud(PointCloud::new(points.clone()).unwrap());
        let values = |count| {
            let cloud = sample_surface(&scene, count, &mut rng());
            cloud.positions().iter().map(|p| p.x as u32).collect::<Vec<_>>()
        };
        let mut some = values(7);
        some.sort_unstable();
        some.dedup();
        assert_eq!(some.len(), 7);
        assert_eq!(values(25)[..10], (0..10).collect::<Vec<_>>());
        assert_eq!(values(25).len(), 25);
        assert!(sample_surface(&Scene::default(), 5, &mut rng()).positions().is_empty());
    }
}
