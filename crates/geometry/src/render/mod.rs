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
mod bins;
mod blend;
mod color;
mod config;
mod encode;
mod frame;
mod light;
mod meeting;
mod project;
mod raster;
mod relief;
mod resolve;
mod shade;
mod small;
mod splat;
pub(crate) mod surface;
mod survey;
mod texture;
#[cfg(test)]
mod twins;

use image::RgbaImage;
use lexiform_kernels::Level;
use rayon::prelude::*;

pub use config::{Background, Light, RenderConfig};
pub use relief::Relief;

use self::frame::Frame;
use self::surface::Stage;
use crate::{Camera, Rig, Scene, Views};

/// A scene made ready for drawing: mip maps of its textures, sizes and normals of its points. Worth keeping
/// where views are asked for one by one.
pub struct Renderer<'a> {
    stage: Stage<'a>,
    level: Level,
}

impl<'a> Renderer<'a> {
    /// Prepares a scene. Textures and materials that do not exist are passed over.
    pub fn new(scene: &'a Scene) -> Self {
        Self { stage: Stage::new(scene), level: Level::detect() }
    }

    /// One view, sRGB with straight alpha.
    pub fn render(&self, camera: &Camera, config: &RenderConfig) -> RgbaImage {
        Frame::new(&self.stage, camera, config.clamped(), self.level).draw()
    }

    /// Depth and normals of a view; of the settings the size alone matters.
    pub fn relief(&self, camera: &Camera, config: &RenderConfig) -> Relief {
        Frame::new(&self.stage, camera, config.single(), self.level).relief()
    }

    /// A view from every camera of the rig.
    pub fn render_views(&self, rig: &Rig, config: &RenderConfig) -> Views {
        let images = rig.0.par_iter().map(|camera| self.render(camera, config)).collect();
        Views { images, cameras: rig.0.clone() }
    }
}

/// Draws a scene from every camera of a rig. The scene should fill the unit sphere
/// (see [`normalize`](crate::normalize)).
pub fn render_views(scene: &Scene, rig: &Rig, config: &RenderConfig) -> Views {
    Renderer::new(scene).render_views(rig, config)
}

/// Draws a scene from one camera.
pub fn render(scene: &Scene, camera: &Camera, config: &RenderConfig) -> RgbaImage {
    Renderer::new(scene).render(camera, config)
}
