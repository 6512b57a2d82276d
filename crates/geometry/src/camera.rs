//! Cameras, rigs of cameras, and the views rendered from them.

use glam::{Affine3A, Vec3};
use image::RgbaImage;

/// Vertical field of view of [`Camera::around_unit_sphere`].
const UNIT_SPHERE_FOV_Y_RADIANS: f32 = 0.6;

/// A pinhole camera with square pixels: +X right, +Y up, looking along −Z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Camera coordinates → world coordinates (rigid).
    pub world_from_camera: Affine3A,
    /// Full vertical angle of view in radians.
    pub fov_y_radians: f32,
}

impl Camera {
    /// A camera at `eye` that looks at `target` with `+Y` up (or `±Z` when looking straight up or down).
    ///
    /// ```
    /// use glam::Vec3;
    /// use lexiform_geometry::Camera;
    ///
    /// let camera = Camera::look_at(Vec3::new(0.0, 0.0, 3.0), Vec3::ZERO, 49.1_f32.to_radians());
    /// let camera_from_world = camera.world_from_camera.inverse();
    /// // The target is straight ahead: cameras look along −Z.
    /// assert!(camera_from_world.transform_point3(Vec3::ZERO).abs_diff_eq(Vec3::new(0.0, 0.0, -3.0), 1e-6));
    /// ```
    pub fn look_at(eye: Vec3, target: Vec3, fov_y_radians: f32) -> Self {
        let back = (eye - target).try_normalize().unwrap_or(Vec3::Z);
        // Looking along Y, the cross product with +Y would vanish.
        let up = if back.y.abs() > 0.9999 { Vec3::NEG_Z * back.y.signum() } else { Vec3::Y };
        let right = up.cross(back).normalize();
        let world_from_camera =
            Affine3A::from_mat3_translation(glam::Mat3::from_cols(right, back.cross(right), back), eye);
        Self { world_from_camera, fov_y_radians }
    }
}

impl Camera {
    /// The three-quarter view of product catalogs, for a shape that fills the unit sphere: from the front, slightly from
    /// above and from the side, with a narrow field of view.
    pub fn three_quarter_view() -> Self {
        Self::around_unit_sphere(Vec3::new(0.4, 0.35, 0.85).normalize())
    }

    /// A camera in a `direction` from the origin, a unit vector, that looks at a shape in the unit sphere: all of it is in the view, with
    /// a narrow field of view.
    pub fn around_unit_sphere(direction: Vec3) -> Self {
        // The unit sphere touches the edges of the view at a distance of 1 / sin(fov / 2); 5 % is margin.
        let distance = 1.05 / (0.5 * UNIT_SPHERE_FOV_Y_RADIANS).sin();
        Self::look_at(distance * direction, Vec3::ZERO, UNIT_SPHERE_FOV_Y_RADIANS)
    }
}

/// Cameras around a shape that fills the unit sphere at the origin. Never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Rig(pub Vec<Camera>);

/// Images of one shape with their cameras, as many of each and at least one. RGBA, sRGB, straight alpha.
#[derive(Clone, Debug)]
pub struct Views {
    /// One image per camera.
    pub images: Vec<RgbaImage>,
    /// The camera of each image.
    pub cameras: Vec<Camera>,
}
