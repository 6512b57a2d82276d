//! Views of a scene, drawn on the CPU: the same bytes on every machine and with any number of threads.
//!
//! Each sample of a view remembers which triangle or point it sees (a visibility buffer); only what is seen is
//! colored. Triangle edges are exact integers, depths and colors plain `f32` sums and products in a fixed
//! order, and colors are encoded through tables, so nothing depends on the machine's `libm` or instruction set.
//!
//! Light is soft and comes from above, as in the renders the image models were trained on (see
//! [`Light`]). Both sides of a face are lit, whatever its material says: files often have their faces
//! the wrong way round.

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
pub use view_augmentation::{ColorJitter, ViewAugmentation};

use crate::frame::Frame;
use crate::prepared_scene::PreparedScene;
use lexiform_kernels::SimdLevel;

/// A scene made ready for drawing: mip maps of its textures, sizes and normals of its points. Worth keeping
/// where views are asked for one by one.
pub struct Renderer<'a> {
    scene: PreparedScene<'a>,
    level: SimdLevel,
}

impl<'a> Renderer<'a> {
    /// Prepares a scene. Textures and materials that do not exist are passed over.
    pub fn new(scene: &'a Scene) -> Self {
        Self { scene: PreparedScene::new(scene), level: SimdLevel::detect() }
    }

    /// One view, sRGB with straight alpha.
    pub fn render(&self, camera: &Camera, config: &RenderConfig) -> RgbaImage {
        Frame::new(&self.scene, camera, config.clamped(), self.level).draw()
    }

    /// Depth and normals of a view; of the settings the size alone matters.
    pub fn depth_normals(&self, camera: &Camera, config: &RenderConfig) -> DepthNormals {
        Frame::new(&self.scene, camera, config.single_sample(), self.level).depth_normals()
    }

    /// A view from every camera of the rig.
    pub fn render_views(&self, rig: &Rig, config: &RenderConfig) -> Views {
        let images = rig.0.par_iter().map(|camera| self.render(camera, config)).collect();
        Views { images, cameras: rig.0.clone() }
    }
}

/// Draws a scene from every camera of a rig. The scene should fill the unit sphere
/// (see [`normalize`](lexiform_geometry::normalize)).
pub fn render_views(scene: &Scene, rig: &Rig, config: &RenderConfig) -> Views {
    Renderer::new(scene).render_views(rig, config)
}

/// Draws a scene from one camera.
pub fn render(scene: &Scene, camera: &Camera, config: &RenderConfig) -> RgbaImage {
    Renderer::new(scene).render(camera, config)
}
