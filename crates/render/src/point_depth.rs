//! Depth drawings of point clouds, as in CG3D ([arXiv 2303.11313](https://arxiv.org/abs/2303.11313)): round dots, the nearer the brighter.
//!
//! The authors' released models were not trained on them; they are here to compare with the paper's figures and data.

use glam::{DMat3, DVec3, Vec3};
use image::{GrayImage, Luma};

/// Share of what is already drawn that shows through a dot.
const KEPT: f64 = 0.7;

/// How a depth drawing is made. The default is CG3D's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointDepthConfig {
    /// Width and height of the drawing in pixels.
    pub size: u32,
    /// Pixels per unit; the cloud has radius 1 after normalization.
    pub pixels_per_unit: f64,
    /// Diameter of a dot in pixels.
    pub diameter: u32,
}

impl PointDepthConfig {
    /// Rotations of CG3D's three drawings about z, y and x, in degrees.
    pub const CG3D_VIEWS: [[f64; 3]; 3] = [[110.0, 0.0, 45.0], [70.0, 0.0, 135.0], [180.0, 0.0, 90.0]];
}

impl Default for PointDepthConfig {
    fn default() -> Self {
        Self { size: 500, pixels_per_unit: 200.0, diameter: 12 }
    }
}

/// Draws a cloud after rotations about z, then y, then x, `[z, y, x]` in degrees. Rows of the drawing follow the rotated x, columns
/// the rotated y; the lowest z is nearest. Without points the drawing is black.
///
/// ```
/// use glam::Vec3;
/// use lexiform_render::{PointDepthConfig, draw_point_depth};
///
/// let cloud = [Vec3::ZERO, Vec3::new(1.0, 0.0, 1.0), Vec3::new(-1.0, 0.0, -1.0)];
/// let drawing = draw_point_depth(&cloud, [0.0; 3], &PointDepthConfig::default());
/// // The point with the lowest z is the brightest, that with the highest z is black.
/// assert_eq!(drawing.pixels().map(|p| p.0[0]).max(), Some(255));
/// assert_eq!(drawing.get_pixel(250, 391).0[0], 0);
/// ```
pub fn draw_point_depth(positions: &[Vec3], zyx_degrees: [f64; 3], config: &PointDepthConfig) -> GrayImage {
    let mut points = normalized(positions, rotation(zyx_degrees));
    points.sort_by(|a, b| a.z.total_cmp(&b.z));
    let low = points.first().map_or(0.0, |p| p.z);
    let depth = points.last().map_or(0.0, |p| p.z) - low;
    let (dot, size) = (dot(config.diameter), config.size as usize);
    let inside = |at: i64| usize::try_from(at).ok().filter(|at| *at < size);
    let mut drawing = vec![0.0; size * size];
    // From back to front: a later dot covers an earlier one in part.
    for point in points.iter().rev() {
        let nearness = if depth > 0.0 { 1.0 - (point.z - low) / depth } else { 1.0 };
        // NumPy, which the reference uses, rounds halves to the even neighbor.
        let pixel = |along: f64| (size as f64 / 2.0 + along * config.pixels_per_unit).round_ties_even();
        let (row, column) = (pixel(point.x) as i64, pixel(point.y) as i64);
        for &([down, right], value) in &dot {
            if let (Some(row), Some(column)) = (inside(row + down), inside(column + right)) {
                let pixel = &mut drawing[row * size + column];
                *pixel = *pixel * KEPT + value * nearness * (1.0 - KEPT);
            }
        }
    }
    let brightest = drawing.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    // Fractions are cut off, not rounded, as in the reference.
    GrayImage::from_fn(config.size, config.size, |column, row| {
        Luma([(drawing[row as usize * size + column as usize] / brightest * 255.0) as u8])
    })
}

fn rotation([z, y, x]: [f64; 3]) -> DMat3 {
    let turn_z = DMat3::from_rotation_z(z.to_radians());
    let turn_y = DMat3::from_rotation_y(y.to_radians());
    DMat3::from_rotation_x(x.to_radians()) * turn_y * turn_z
}

/// The rotated cloud with its mean at the origin and radius 1, in f64 as in the reference.
fn normalized(positions: &[Vec3], rotation: DMat3) -> Vec<DVec3> {
    let mut points: Vec<DVec3> = positions.iter().map(|p| rotation * p.as_dvec3()).collect();
    let mean = points.iter().sum::<DVec3>() / points.len().max(1) as f64;
    points.iter_mut().for_each(|p| *p -= mean);
    let radius = points.iter().map(|p| p.length()).fold(f64::MIN_POSITIVE, f64::max);
    points.iter_mut().for_each(|p| *p /= radius);
    points
}

/// Offsets and brightness of a dot's pixels: a Gaussian, cut off at the radius.
fn dot(diameter: u32) -> Vec<([i64; 2], f64)> {
    let radius = f64::from(diameter.saturating_sub(1)) / 2.0;
    // A dot of one pixel has radius 0.
    let scale = (radius * radius).max(f64::MIN_POSITIVE);
    let edge = i64::from(diameter);
    let cells = (0..edge).flat_map(|row| (0..edge).map(move |column| [row, column]));
    let squares = cells.map(|cell| {
        let [down, right] = cell.map(|at| at as f64 - radius);
        (cell, down * down + right * right)
    });
    squares.filter(|(_, d)| *d <= radius * radius).map(|(cell, d)| (cell, (-d / scale).exp())).collect()
}
