//! One view of a scene, and all that drawing it needs.

use lexiform_geometry::Camera;

use crate::bins::Bands;
use crate::config::RenderConfig;
use crate::light::Lamps;
use crate::project::Projection;
use crate::ray::Ray;
use crate::stage::Stage;
use lexiform_kernels::Level;

/// Pixel rows of a band; its samples fit the second-level cache.
pub(crate) const BAND: u32 = 32;
/// One view to draw.
pub(crate) struct Frame<'a> {
    pub(crate) stage: &'a Stage<'a>,
    pub(crate) config: RenderConfig,
    pub(crate) level: Level,
    pub(crate) lamps: Lamps,
    pub(crate) projection: Projection,
    /// Area of a pixel at depth 1.
    pub(crate) pixel_area: f32,
    pub(crate) bands: Bands,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(stage: &'a Stage<'a>, camera: &Camera, config: RenderConfig, level: Level) -> Self {
        let grid = config.size * config.samples_per_edge;
        let projection = Projection::new(camera, grid);
        let pixel = config.samples_per_edge as f32 / projection.focal;
        let bands = Bands::new(grid, BAND * config.samples_per_edge);
        let lamps = Lamps::new(&config.light);
        Self { stage, config, level, lamps, projection, pixel_area: pixel * pixel, bands }
    }

    /// The ray through a point of the grid.
    #[inline(always)]
    pub(crate) fn ray(&self, x: f32, y: f32) -> Ray {
        Ray { eye: self.projection.eye, direction: self.projection.ray(x, y), pixel_area: self.pixel_area }
    }
}
