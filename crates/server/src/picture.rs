//! Images of files: views rendered with a transparent background, as PNG.

use glam::Vec3;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ImageEncoder as _, RgbaImage};
use lexiform_geometry::{Camera, Scene};
use lexiform_render::{Background, RenderConfig, Renderer};

use crate::Problem;

/// Where a camera is, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Angle {
    /// From the front (0) to the right side (90).
    pub azimuth_degrees: f32,
    /// Above the horizon, −90 to 90.
    pub elevation_degrees: f32,
}

impl Angle {
    /// The camera at this angle, for a shape in the unit sphere.
    ///
    /// # Errors
    /// 400 for an angle that is not finite or out of range.
    pub(crate) fn camera(self) -> Result<Camera, Problem> {
        let Self { azimuth_degrees, elevation_degrees } = self;
        if !(azimuth_degrees.abs() <= 3600.0 && elevation_degrees.abs() <= 90.0) {
            let detail = "expected an azimuth of -3600 to 3600 and an elevation of -90 to 90 degrees";
            return Err(Problem::bad_request(detail));
        }
        let (sin, cos) = azimuth_degrees.to_radians().sin_cos();
        let (up, level) = elevation_degrees.to_radians().sin_cos();
        Ok(Camera::around_unit_sphere(Vec3::new(level * sin, up, level * cos)))
    }
}

/// A view as PNG.
///
/// # Errors
/// If it cannot be encoded.
pub(crate) fn render(scene: &Scene, camera: &Camera, size: u32) -> Result<Vec<u8>, Problem> {
    let config = RenderConfig { size, background: Background::Transparent, ..RenderConfig::default() };
    png(&Renderer::new(scene).render(camera, &config))
}

/// A stored thumbnail as PNG.
///
/// # Errors
/// 422 if it is no image.
pub(crate) fn png_of(stored: &[u8]) -> Result<Vec<u8>, Problem> {
    let image = image::load_from_memory(stored).map_err(|error| Problem::unusable(error.to_string()))?;
    png(&image.into_rgba8())
}

fn png(image: &RgbaImage) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
    let (width, height) = image.dimensions();
    let written = encoder.write_image(image.as_raw(), width, height, image::ExtendedColorType::Rgba8);
    written.map_err(|error| Problem::internal(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use lexiform_geometry::test_shapes::bumpy_sphere;

    use super::*;

    #[test]
    fn a_view_is_a_png_with_a_transparent_background() {
        let camera = Angle { azimuth_degrees: 30.0, elevation_degrees: 20.0 }.camera().unwrap();
        let png = render(&bumpy_sphere(100, 16), &camera, 40).unwrap();
        let image = image::load_from_memory(&png).unwrap().into_rgba8();
        assert_eq!(image.dimensions(), (40, 40));
        assert_eq!((image.get_pixel(0, 0).0[3], image.get_pixel(20, 20).0[3]), (0, 255));
    }

    #[test]
    fn an_azimuth_of_90_degrees_is_the_right_side() {
        let eye = |azimuth_degrees, elevation_degrees| {
            let camera = Angle { azimuth_degrees, elevation_degrees }.camera().unwrap();
            Vec3::from(camera.world_from_camera.translation).normalize()
        };
        assert!(eye(0.0, 0.0).abs_diff_eq(Vec3::Z, 1e-6));
        assert!(eye(90.0, 0.0).abs_diff_eq(Vec3::X, 1e-6));
        assert!(eye(0.0, 90.0).abs_diff_eq(Vec3::Y, 1e-6));
        let refused = Angle { azimuth_degrees: f32::NAN, elevation_degrees: 0.0 }.camera();
        assert_eq!(refused.unwrap_err().status, 400);
    }
}
