//! One view of a scene with everything that rendering it needs.

use lexiform_geometry::Camera;

use crate::bins::Bands;
use crate::config::RenderConfig;
use crate::light::Lighting;
use crate::prepared_scene::PreparedScene;
use crate::project::Projection;
use crate::ray::Ray;
use lexiform_kernels::SimdLevel;

/// Pixel rows per band; its samples fit into the L2 cache.
pub(crate) const BAND_HEIGHT: u32 = 32;

/// One view to render.
pub(crate) struct Frame<'a> {
    pub(crate) scene: &'a PreparedScene<'a>,
    pub(crate) config: RenderConfig,
    pub(crate) level: SimdLevel,
    pub(crate) lighting: Lighting,
    pub(crate) projection: Projection,
    /// Area of a pixel at depth 1.
    pub(crate) pixel_area: f32,
    pub(crate) bands: Bands,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(
        scene: &'a PreparedScene<'a>,
        camera: &Camera,
        config: RenderConfig,
        level: SimdLevel,
    ) -> Self {
        let grid = config.size * config.samples_per_edge;
        let projection = Projection::new(camera, grid);
        // Edge of a pixel at depth 1.
        let pixel = config.samples_per_edge as f32 / projection.focal;
        let bands = Bands::new(grid, BAND_HEIGHT * config.samples_per_edge);
        let lighting = Lighting::new(&config.light);
        Self { scene, config, level, lighting, projection, pixel_area: pixel * pixel, bands }
    }

    /// The camera ray through a point of the sample grid.
    #[inline(always)]
    pub(crate) fn ray(&self, x: f32, y: f32) -> Ray {
        Ray { eye: self.projection.eye, direction: self.projection.ray(x, y), pixel_area: self.pixel_area }
    }
}
