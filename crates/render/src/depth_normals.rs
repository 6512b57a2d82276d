//! Depth and normal maps of a view.
//!
//! Each pixel has one sample, at its center: the mean of a near and a far surface would be the depth of neither. Blended
//! surfaces such as glass count like opaque ones.

use glam::Vec3;
use image::{ImageBuffer, Luma, Rgb, RgbImage};
use rayon::prelude::*;

use crate::band::Band;
use crate::config::RenderConfig;
use crate::frame::{BAND_HEIGHT, Frame};
use crate::samples::NO_ID;

/// Depth and normals of a view, row-major, top-left first.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthNormals {
    size: u32,
    depth: Vec<f32>,
    normals: Vec<Vec3>,
}

impl DepthNormals {
    /// Steps of [`DepthNormals::depth_image`] per unit of the scene. All rigs see a shape in the unit sphere at less than 5
    /// units, and 65,535 steps are 6.5 units.
    pub const DEPTH_STEPS_PER_UNIT: f32 = 10_000.0;

    /// Edge of the view in pixels.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Distance of each pixel's surface from the camera along the optical axis (not along the ray), `[size, size]`, in units
    /// of the scene; 0 for the background.
    pub fn depth(&self) -> &[f32] {
        &self.depth
    }

    /// Unit normals of the visible side in camera coordinates, `[size, size]`: +X right, +Y up, +Z towards the camera; zero for
    /// the background.
    pub fn normals(&self) -> &[Vec3] {
        &self.normals
    }

    /// Depth as 16-bit integers, in steps of 1 / [`DepthNormals::DEPTH_STEPS_PER_UNIT`], rounded. Only the background is 0;
    /// 65,535 is anything farther away.
    pub fn depth_image(&self) -> ImageBuffer<Luma<u16>, Vec<u16>> {
        // At least 1 on a surface, however near: 0 means background.
        let steps = |depth: f32| {
            if depth > 0.0 { ((depth * Self::DEPTH_STEPS_PER_UNIT + 0.5) as u16).max(1) } else { 0 }
        };
        ImageBuffer::from_fn(self.size, self.size, |x, y| Luma([steps(self.depth[self.index(x, y)])]))
    }

    /// Normals as colors, each coordinate mapped from −1..1 to 0..255, rounded: a surface that faces the camera is
    /// (128, 128, 255). The background is black, which is not a normal.
    pub fn normal_image(&self) -> RgbImage {
        let color = |normal: Vec3| {
            if normal == Vec3::ZERO {
                [0; 3]
            } else {
                normal.to_array().map(|c| ((c + 1.0) * 127.5 + 0.5) as u8)
            }
        };
        RgbImage::from_fn(self.size, self.size, |x, y| Rgb(color(self.normals[self.index(x, y)])))
    }

    fn index(&self, x: u32, y: u32) -> usize {
        y as usize * self.size as usize + x as usize
    }
}

impl RenderConfig {
    /// The same settings with one sample per pixel.
    pub(crate) fn single_sample(self) -> Self {
        Self { samples_per_edge: 1, ..self.clamped() }
    }
}

impl Frame<'_> {
    /// Depth and normal at the center of each pixel; the frame must have one sample per pixel.
    pub(crate) fn depth_normals(&self) -> DepthNormals {
        let size = self.config.size;
        let n_pixels = size as usize * size as usize;
        let mut maps = DepthNormals { size, depth: vec![0.0; n_pixels], normals: vec![Vec3::ZERO; n_pixels] };
        if size == 0 {
            return maps;
        }
        let binned = self.binned();
        let chunk = (size * BAND_HEIGHT) as usize;
        let bands = maps.depth.par_chunks_mut(chunk).zip(maps.normals.par_chunks_mut(chunk));
        bands.enumerate().for_each(|(index, (depth, normals))| {
            let band = self.band(&binned, index);
            for (pixel, (depth, normal)) in depth.iter_mut().zip(normals).enumerate() {
                let (x, y) =
                    ((pixel % size as usize) as i32, band.rows.start + (pixel / size as usize) as i32);
                if let Some((inverse_depth, id)) = nearest(&band, x, y) {
                    let ray = self.ray(x as f32 + 0.5, y as f32 + 0.5);
                    *depth = 1.0 / inverse_depth;
                    *normal = self.projection.direction_in_camera(self.scene.normal(id, &ray));
                }
            }
        });
        maps
    }
}

/// Inverse depth and id of the nearest surface at a sample, blended ones included.
fn nearest(band: &Band, x: i32, y: i32) -> Option<(f32, u32)> {
    let index = band.index(x, y);
    let behind = band.row((y - band.rows.start) as usize)[x as usize];
    let veil = band.layers.as_ref().and_then(|layers| layers.nearest(index, behind.inverse_depth()));
    veil.or_else(|| (behind.id() != NO_ID).then(|| (behind.inverse_depth(), behind.id())))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use glam::{Vec2, Vec4};

    use super::*;
    use crate::Renderer;
    use lexiform_geometry::{AlphaMode, Camera, Material, Mesh, PointCloud, Scene};

    const FOV: f32 = 0.8;

    /// A square in the plane `z`, edges `2 · half`.
    fn square(z: f32, half: f32) -> Mesh {
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        let positions = corners.map(|(x, y)| (Vec2::new(x, y) * half).extend(z)).to_vec();
        Mesh::new(positions, vec![[0, 1, 2], [0, 2, 3]]).unwrap()
    }

    fn depth_normals(scene: &Scene, eye: Vec3) -> DepthNormals {
        let config = RenderConfig { size: 65, ..RenderConfig::default() };
        Renderer::new(scene).depth_normals(&Camera::look_at(eye, Vec3::ZERO, FOV), &config)
    }

    #[test]
    fn a_plane_is_as_deep_everywhere_and_faces_the_camera_from_either_side() {
        let scene = Scene { meshes: vec![square(0.0, 0.5)], ..Scene::default() };
        for eye in [Vec3::Z * 3.0, Vec3::NEG_Z * 3.0] {
            let maps = depth_normals(&scene, eye);
            let (middle, corner) = (32 * 65 + 32, 0);
            assert_eq!((maps.depth()[corner], maps.normals()[corner]), (0.0, Vec3::ZERO));
            for (depth, normal) in maps.depth().iter().zip(maps.normals()).filter(|(d, _)| **d > 0.0) {
                assert!((depth - 3.0).abs() < 1e-4 && normal.abs_diff_eq(Vec3::Z, 1e-6), "{depth} {normal}");
            }
            // Depths between vertices are those of the rasterizer, a step off at most.
            assert!(maps.depth_image().get_pixel(32, 32).0[0].abs_diff(30_000) <= 1);
            assert_eq!(maps.normal_image().get_pixel(32, 32).0, [128, 128, 255]);
            assert_eq!(maps.normal_image().get_pixel(0, 0).0, [0; 3]);
            assert!(maps.depth()[middle] > 0.0);
        }
    }

    /// A sphere of radius `radius` around the origin, of `rows` rings, with smooth normals.
    fn sphere(radius: f32, rows: u32) -> Mesh {
        let columns = 2 * rows;
        let direction = |row: u32, column: u32| {
            let (down, around) = (PI * row as f32 / rows as f32, 2.0 * PI * column as f32 / columns as f32);
            Vec3::new(down.sin() * around.sin(), down.cos(), down.sin() * around.cos())
        };
        let normals: Vec<Vec3> =
            (0..=rows).flat_map(|row| (0..columns).map(move |column| direction(row, column))).collect();
        let quad = |row: u32, column: u32| {
            let at = |row: u32, column: u32| row * columns + column % columns;
            let [a, b] = [at(row, column), at(row, column + 1)];
            let [c, d] = [at(row + 1, column), at(row + 1, column + 1)];
            [[a, c, b], [b, c, d]]
        };
        let faces =
            (0..rows).flat_map(|row| (0..columns).flat_map(move |column| quad(row, column))).collect();
        let positions = normals.iter().map(|n| *n * radius).collect();
        Mesh::new(positions, faces).unwrap().with_normals(normals).unwrap()
    }

    #[test]
    fn a_sphere_is_as_deep_and_as_round_as_its_formula_says() {
        const RADIUS: f32 = 0.9;
        const DISTANCE: f32 = 3.0;
        let scene = Scene { meshes: vec![sphere(RADIUS, 300)], ..Scene::default() };
        let slope = (0.5 * FOV).tan();
        for eye in [Vec3::Z, Vec3::new(-0.6, 0.0, 0.8), Vec3::new(0.48, 0.6, -0.64)] {
            let maps = depth_normals(&scene, eye * DISTANCE);
            let mut seen = 0;
            for (i, (depth, normal)) in maps.depth().iter().zip(maps.normals()).enumerate() {
                let across = |at: usize| ((at as f32 + 0.5) / 65.0 * 2.0 - 1.0) * slope;
                // A ray (u, v, −1) · t from (0, 0, D) meets the sphere where t²(u² + v² + 1) − 2tD + D² − r² = 0.
                let (u, v) = (across(i % 65), -across(i / 65));
                let square = u * u + v * v + 1.0;
                let root = DISTANCE.powi(2) - square * (DISTANCE.powi(2) - RADIUS.powi(2));
                if root > 0.1 {
                    let t = (DISTANCE - root.sqrt()) / square;
                    let expected = Vec3::new(t * u, t * v, DISTANCE - t) / RADIUS;
                    assert!((depth - t).abs() < 1e-3, "{i}: {depth}, expected {t}");
                    assert!(normal.abs_diff_eq(expected, 5e-3), "{i}: {normal}, expected {expected}");
                    seen += 1;
                } else if root < -0.01 {
                    assert_eq!((*depth, *normal), (0.0, Vec3::ZERO), "{i}");
                }
            }
            assert!(seen > 1000, "{seen}");
        }
    }

    #[test]
    fn glass_counts_and_holes_do_not() {
        let mut scene = Scene { meshes: vec![square(0.0, 0.5), square(1.0, 0.5)], ..Scene::default() };
        let alpha = |alpha, mode| Material {
            alpha: mode,
            base_color: Vec4::new(1.0, 1.0, 1.0, alpha),
            ..Material::default()
        };
        scene.materials = vec![alpha(0.2, AlphaMode::Blend)];
        scene.meshes[1].material = Some(0);
        let depth = |scene: &Scene| depth_normals(scene, Vec3::Z * 3.0).depth()[32 * 65 + 32];
        assert!((depth(&scene) - 2.0).abs() < 1e-4);
        scene.materials = vec![alpha(0.2, AlphaMode::Mask { cutoff: 0.5 })];
        assert!((depth(&scene) - 3.0).abs() < 1e-4);
    }

    #[test]
    fn points_have_depth_and_normals_too() {
        let grid = |i: i32| Vec3::new((i % 20 - 10) as f32, (i / 20 - 10) as f32, 0.0) * 0.05;
        let cloud = PointCloud::new((0..400).map(grid).collect()).unwrap();
        let maps = depth_normals(&Scene { clouds: vec![cloud], ..Scene::default() }, Vec3::Z * 3.0);
        let middle = 32 * 65 + 32;
        assert!((maps.depth()[middle] - 3.0).abs() < 0.1 && maps.normals()[middle].z > 0.99);
        let empty = super::super::Renderer::new(&Scene::default()).depth_normals(
            &Camera::three_quarter_view(),
            &RenderConfig { size: 0, ..RenderConfig::default() },
        );
        assert!(empty.depth().is_empty());
    }
}
