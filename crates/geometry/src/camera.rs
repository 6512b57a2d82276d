//! Cameras, rigs of cameras, and the views they take.

use glam::{Affine3A, Vec3};
use image::RgbaImage;

/// Angle of view of [`Camera::three_quarter_view`] in radians.
const THREE_QUARTER_FOV_Y_RADIANS: f32 = 0.6;

/// A pinhole camera with square pixels: +X right, +Y up, looking along −Z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Camera coordinates → world coordinates (rigid).
    pub world_from_camera: Affine3A,
    /// Full vertical angle of view in radians.
    pub fov_y_radians: f32,
}

impl Camera {
    /// A camera at `eye` that looks at `target` with `+Y` up (or `+Z` when looking straight up or down).
    pub fn look_at(eye: Vec3, target: Vec3, fov_y_radians: f32) -> Self {
        let back = (eye - target).try_normalize().unwrap_or(Vec3::Z);
        let up = if back.y.abs() > 0.9999 { Vec3::NEG_Z * back.y.signum() } else { Vec3::Y };
        let right = up.cross(back).normalize();
        let world_from_camera =
            Affine3A::from_mat3_translation(glam::Mat3::from_cols(right, back.cross(right), back), eye);
        Self { world_from_camera, fov_y_radians }
    }
}

impl Camera {
    /// The view of catalogs, of a shape that fills the unit sphere: from the front, a little from above and from the side,
    /// at a narrow angle.
    pub fn three_quarter_view() -> Self {
        let distance = 1.05 / (0.5 * THREE_QUARTER_FOV_Y_RADIANS).sin();
        Self::look_at(
            distance * Vec3::new(0.4, 0.35, 0.85).normalize(),
            Vec3::ZERO,
            THREE_QUARTER_FOV_Y_RADIANS,
        )
    }
}

/// Cameras around a shape that fills the unit sphere at the origin. Never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Rig(pub Vec<Camera>);

/// Images of one shape with their cameras; the same number of each, never none. RGBA, sRGB, straight alpha.
#[derive(Clone, Debug)]
pub struct Views {
    /// One image a camera.
    pub images: Vec<RgbaImage>,
    /// The cameras that took them.
    pub cameras: Vec<Camera>,
}
