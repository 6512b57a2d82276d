//! Objects embedded as they look in their scene: crops of the views that show most of an object, as in
//! [OpenMask3D](https://arxiv.org/abs/2306.13631) (top 5 views, 3 crops of each) and OpenIns3D
//! ([arXiv 2309.00616](https://arxiv.org/abs/2309.00616)), which renders the views itself.

use glam::{Affine3A, Quat, Vec3};
use image::RgbaImage;
use image::imageops::crop_imm;
use lexiform_geometry::{Camera, Scene};
use lexiform_model::Embedding;
use lexiform_render::{RenderConfig, Renderer};
use rayon::prelude::*;

use super::crop::{crop, without_textures};
use super::{ElementKind, SceneIndex};
use crate::query::encode_error;
use crate::{Encoder, Error, ModelInput};

/// Views of an object, and crops of each view.
const TOP_VIEWS: usize = 5;
const CROP_LEVELS: usize = 3;
/// How much larger each crop is than the one before, relative to the object's box in the view.
const EXPANSION: f32 = 0.1;
/// Share of an object's points that a view has to show.
const MIN_VISIBLE: f32 = 0.2;
/// Directions of cameras around the scene, and their elevations.
const DIRECTIONS: usize = 12;
const ELEVATIONS_DEGREES: [f32; 2] = [25.0, 50.0];
/// Edge of a view in pixels.
const SIZE: u32 = 1024;
const FOV_Y_DEGREES: f32 = 50.0;
/// Points of an object that are looked for in views.
const POINTS: usize = 500;
/// Difference of depth up to which a point is the one that is seen, relative to the extent of the scene.
const DEPTH_TOLERANCE: f32 = 0.01;

/// A view of the scene.
struct Snapshot {
    camera: Camera,
    image: RgbaImage,
    depth: Vec<f32>,
}

/// What a view shows of an object.
struct Sighting {
    visible: usize,
    /// Smallest and largest pixel.
    min: [u32; 2],
    max: [u32; 2],
}

impl SceneIndex {
    /// The same objects, each embedded from the views of the scene that show most of it. Objects hide each other; what is of no object,
    /// as walls are, hides nothing. An object that no view shows keeps its embedding.
    ///
    /// # Errors
    /// [`Error::Encode`] if the model fails.
    pub fn with_scene_views(
        mut self,
        encoder: &dyn Encoder,
        scene: &Scene,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Self, Error> {
        let upright = Affine3A::from_quat(Quat::from_rotation_arc(self.up.normalize_or(Vec3::Y), Vec3::Y));
        let points = element_points(scene, upright);
        let mut shown: Vec<u32> = self.objects.iter().flat_map(|o| o.elements.iter().copied()).collect();
        shown.sort_unstable();
        shown.dedup();
        let objects = crop(&without_textures(scene), &shown).transformed(upright);
        let Some(bounds) = objects.bounds() else { return Ok(self) };
        let extent = bounds.extents().length();
        let snapshots = snapshots(&objects, bounds.center(), extent);
        let total = self.objects.len();
        for (i, object) in self.objects.iter_mut().enumerate() {
            let step = object.elements.len().div_ceil(POINTS).max(1);
            let of_object: Vec<Vec3> =
                object.elements.iter().step_by(step).map(|&e| points[e as usize]).collect();
            let crops = best_crops(&snapshots, &of_object, DEPTH_TOLERANCE * extent);
            if !crops.is_empty() {
                object.embedding = embed(encoder, crops)?;
            }
            progress(i + 1, total);
        }
        Ok(self)
    }
}

/// The center of each triangle, or each point, upright.
fn element_points(scene: &Scene, upright: Affine3A) -> Vec<Vec3> {
    let points: Vec<Vec3> = match ElementKind::of(scene) {
        ElementKind::Points => scene.clouds.iter().flat_map(|c| c.positions().iter().copied()).collect(),
        ElementKind::Triangles => {
            let centers = |mesh: &lexiform_geometry::Mesh| {
                let center = |face| mesh.triangle(face).into_iter().sum::<Vec3>() / 3.0;
                (0..mesh.faces().len()).map(center).collect::<Vec<Vec3>>()
            };
            scene.meshes.iter().flat_map(centers).collect()
        }
    };
    points.into_iter().map(|point| upright.transform_point3(point)).collect()
}

fn snapshots(scene: &Scene, center: Vec3, extent: f32) -> Vec<Snapshot> {
    let renderer = Renderer::new(scene);
    let config = RenderConfig { size: SIZE, ..RenderConfig::default() };
    let fov = FOV_Y_DEGREES.to_radians();
    // The sphere around the scene fills the view.
    let distance = extent / 2.0 / (fov / 2.0).sin();
    let directions = ELEVATIONS_DEGREES.into_iter().flat_map(|elevation| {
        let (sin, cos) = elevation.to_radians().sin_cos();
        (0..DIRECTIONS).map(move |i| {
            let azimuth = std::f32::consts::TAU * i as f32 / DIRECTIONS as f32;
            Vec3::new(azimuth.sin() * cos, sin, azimuth.cos() * cos)
        })
    });
    let view = |direction: Vec3| {
        let camera = Camera::look_at(center + direction * distance, center, fov);
        let depth = renderer.depth_normals(&camera, &config).depth().to_vec();
        Snapshot { image: renderer.render(&camera, &config), depth, camera }
    };
    directions.map(view).collect()
}

/// The crops of the views that show most of an object.
fn best_crops(snapshots: &[Snapshot], points: &[Vec3], tolerance: f32) -> Vec<RgbaImage> {
    let mut seen: Vec<(Sighting, &Snapshot)> = snapshots
        .par_iter()
        .filter_map(|snapshot| Some((snapshot.sighting(points, tolerance)?, snapshot)))
        .collect();
    // A stable sort: equal views stay in the order of cameras.
    seen.sort_by_key(|(sighting, _)| std::cmp::Reverse(sighting.visible));
    let best = seen.iter().take(TOP_VIEWS);
    best.flat_map(|(sighting, snapshot)| {
        (0..CROP_LEVELS).map(|level| snapshot.crop(sighting, EXPANSION * level as f32))
    })
    .collect()
}

impl Snapshot {
    /// What the view shows of points; `None` if it shows too few of them.
    fn sighting(&self, points: &[Vec3], tolerance: f32) -> Option<Sighting> {
        let camera_from_world = self.camera.world_from_camera.inverse();
        let half = (self.camera.fov_y_radians / 2.0).tan();
        let mut found = Sighting { visible: 0, min: [SIZE; 2], max: [0; 2] };
        for point in points {
            let p = camera_from_world.transform_point3(*point);
            let depth = -p.z;
            let pixel = |along: f32| ((along / (depth * half) + 1.0) / 2.0 * SIZE as f32).floor();
            let [x, y] = [pixel(p.x), pixel(-p.y)];
            let inside = 0.0..SIZE as f32;
            if depth <= 0.0 || !inside.contains(&x) || !inside.contains(&y) {
                continue;
            }
            let [x, y] = [x as u32, y as u32];
            if (self.depth[(y * SIZE + x) as usize] - depth).abs() < tolerance {
                found.visible += 1;
                found.min = [found.min[0].min(x), found.min[1].min(y)];
                found.max = [found.max[0].max(x), found.max[1].max(y)];
            }
        }
        (found.visible as f32 >= MIN_VISIBLE * points.len().max(1) as f32).then_some(found)
    }

    /// A square around an object, larger by a share of its box.
    fn crop(&self, sighting: &Sighting, expansion: f32) -> RgbaImage {
        let [width, height] = [0, 1].map(|axis| (sighting.max[axis] - sighting.min[axis] + 1) as f32);
        let edge = (width.max(height) * (1.0 + 2.0 * expansion)).ceil().clamp(8.0, SIZE as f32) as u32;
        let start = |axis: usize| {
            let center = (sighting.min[axis] + sighting.max[axis]) / 2;
            center.saturating_sub(edge / 2).min(SIZE - edge)
        };
        crop_imm(&self.image, start(0), start(1), edge, edge).to_image()
    }
}

fn embed(encoder: &dyn Encoder, crops: Vec<RgbaImage>) -> Result<Embedding, Error> {
    let embeddings = encoder.embed_shapes(vec![ModelInput::Views(crops)]);
    let mut embeddings = embeddings.map_err(|error| encode_error(encoder, error))?;
    embeddings.pop().ok_or_else(|| encode_error(encoder, "no embedding".into()))
}

#[cfg(test)]
mod tests {
    use lexiform_geometry::Mesh;

    use super::*;

    /// A square of two triangles, facing +Z.
    fn square(center: Vec3, size: f32) -> Mesh {
        let corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)];
        let positions = corners.map(|(x, y)| center + Vec3::new(x, y, 0.0) * size).to_vec();
        Mesh::new(positions, vec![[0, 1, 2], [0, 2, 3]]).unwrap()
    }

    #[test]
    fn views_show_what_nothing_hides() {
        // A small square behind a large one, and one next to it.
        let meshes = vec![
            square(Vec3::ZERO, 1.0),
            square(Vec3::new(0.0, 0.0, -0.5), 0.2),
            square(Vec3::new(0.8, 0.0, -0.5), 0.2),
        ];
        let scene = Scene { meshes, ..Scene::default() };
        let camera = Camera::look_at(Vec3::Z * 5.0, Vec3::ZERO, 0.5);
        let config = RenderConfig { size: SIZE, ..RenderConfig::default() };
        let renderer = Renderer::new(&scene);
        let depth = renderer.depth_normals(&camera, &config).depth().to_vec();
        let snapshot = Snapshot { image: renderer.render(&camera, &config), depth, camera };
        let points = element_points(&scene, Affine3A::IDENTITY);
        assert!(snapshot.sighting(&points[0..2], 0.01).is_some());
        assert!(snapshot.sighting(&points[2..4], 0.01).is_none());
        let seen = snapshot.sighting(&points[4..6], 0.01).unwrap();
        // The centers of its triangles are a sixth of 0.2 left and right of 0.8, at a distance of 5.5; tan 0.25 is half of the view.
        let pixel = |x: f32| ((x / (5.5 * 0.25_f32.tan()) + 1.0) / 2.0 * SIZE as f32) as u32;
        let expected = [pixel(0.8 - 0.2 / 6.0), pixel(0.8 + 0.2 / 6.0)];
        assert!(
            [seen.min[0], seen.max[0]].iter().zip(expected).all(|(found, pixel)| found.abs_diff(pixel) <= 1)
        );
        let [small, large] = [0.0, 0.2].map(|expansion| snapshot.crop(&seen, expansion).width());
        assert!(small == small.max(8) && large >= small, "{small} {large}");
    }
}
