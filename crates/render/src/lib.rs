//! A CPU rasterizer for views of a scene: the same bytes on every machine and with any number of threads.
//!
//! ```
//! use lexiform_geometry::Camera;
//! use lexiform_geometry::test_shapes::bumpy_sphere;
//! use lexiform_render::{RenderConfig, render};
//!
//! let scene = bumpy_sphere(100, 16);
//! let view = render(&scene, &Camera::three_quarter_view(), &RenderConfig { size: 32, ..RenderConfig::default() });
//! assert_eq!(view.dimensions(), (32, 32));
//! // The background is white, the shape is not.
//! assert_eq!(view.get_pixel(0, 0).0, [255; 4]);
//! assert_ne!(view.get_pixel(16, 16).0, [255; 4]);
//! ```
//!
//! Each sample of a view stores which triangle or point is visible there (a [visibility buffer]); only visible surfaces are
//! shaded. Triangle edges are exact integers; depths and colors are `f32` sums and products in a fixed order; and colors are
//! encoded through tables. So nothing depends on the machine's `libm` or instruction set.
//!
//! Light is soft and comes from above, as in the renders that the image models were trained on (see
//! [`Light`]). Both sides of a face are lit, whatever its material says, because in many files faces have the wrong winding.
//!
//! [visibility buffer]: https://jcgt.org/published/0002/02/04/

mod band;
mod binned;
mod bins;
mod blend;
mod config;
mod contact_sheet;
mod coverage;
mod depth_normals;
mod encode;
mod fill;
mod frame;
mod hi_z;
mod light;
mod point_depth;
mod prepared_scene;
mod project;
mod raster;
mod ray;
mod resolve;
mod samples;
mod shade;
#[cfg(test)]
mod simd_tests;
mod small_triangles;
mod splat;
mod view_augmentation;

use image::RgbaImage;
use lexiform_geometry::{Camera, Rig, Scene, Views};
use rayon::prelude::*;

pub use config::{Background, Light, RenderConfig};
pub use contact_sheet::{SheetCell, contact_sheet};
pub use depth_normals::DepthNormals;
pub use point_depth::{PointDepthConfig, draw_point_depth};
pub use view_augmentation::{ColorJitter, ViewAugmentation};

use crate::frame::Frame;
use crate::prepared_scene::PreparedScene;
use lexiform_kernels::SimdLevel;

/// A scene prepared for rendering: mip maps of its textures, sizes and normals of its points. Keep it to render several
/// views.
///
/// ```
/// use lexiform_geometry::Rig;
/// use lexiform_geometry::test_shapes::bumpy_sphere;
/// use lexiform_render::{RenderConfig, Renderer};
///
/// let scene = bumpy_sphere(100, 16);
/// let renderer = Renderer::new(&scene);
/// let config = RenderConfig { size: 16, ..RenderConfig::default() };
/// assert_eq!(renderer.render_views(&Rig::ring(3), &config).images.len(), 3);
/// ```
pub struct Renderer<'a> {
    scene: PreparedScene<'a>,
    level: SimdLevel,
}

impl<'a> Renderer<'a> {
    /// Prepares a scene. References to missing textures and materials are ignored.
    pub fn new(scene: &'a Scene) -> Self {
        Self { scene: PreparedScene::new(scene), level: SimdLevel::detect() }
    }

    /// Renders one view, sRGB with straight alpha.
    pub fn render(&self, camera: &Camera, config: &RenderConfig) -> RgbaImage {
        Frame::new(&self.scene, camera, config.clamped(), self.level).draw()
    }

    /// Renders depth and normals; of the settings only the size is used.
    ///
    /// ```
    /// use lexiform_geometry::Camera;
    /// use lexiform_geometry::test_shapes::bumpy_sphere;
    /// use lexiform_render::{RenderConfig, Renderer};
    ///
    /// let scene = bumpy_sphere(100, 16);
    /// let config = RenderConfig { size: 17, ..RenderConfig::default() };
    /// let maps = Renderer::new(&scene).depth_normals(&Camera::three_quarter_view(), &config);
    /// assert!(maps.depth()[8 * 17 + 8] > 0.0);
    /// assert_eq!(maps.depth()[0], 0.0);
    /// ```
    pub fn depth_normals(&self, camera: &Camera, config: &RenderConfig) -> DepthNormals {
        Frame::new(&self.scene, camera, config.single_sample(), self.level).depth_normals()
    }

    /// Renders a view from every camera of the rig.
    pub fn render_views(&self, rig: &Rig, config: &RenderConfig) -> Views {
        // Views in parallel, and bands of each view in parallel: rayon balances both.
        let images = rig.0.par_iter().map(|camera| self.render(camera, config)).collect();
        Views { images, cameras: rig.0.clone() }
    }
}

/// Renders a scene from every camera of a rig. The scene should fill the unit sphere
/// (see [`normalize`](lexiform_geometry::normalize)).
pub fn render_views(scene: &Scene, rig: &Rig, config: &RenderConfig) -> Views {
    Renderer::new(scene).render_views(rig, config)
}

/// Renders a scene from one camera.
pub fn render(scene: &Scene, camera: &Camera, config: &RenderConfig) -> RgbaImage {
    Renderer::new(scene).render(camera, config)
}
