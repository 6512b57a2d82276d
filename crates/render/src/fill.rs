//! Rasterizes the bins of a band into its visibility buffer.

use lexiform_geometry::AlphaMode;

use crate::band::Band;
use crate::binned::BinnedScene;
use crate::blend::Layers;
use crate::frame::{BAND_HEIGHT, Frame};
use crate::hi_z::{HiZBuffer, UpdateHiZ};
use crate::raster::{DrawLarge, RasterTriangle};
use crate::samples::widen;
use crate::small_triangles::DrawSmall;

impl Frame<'_> {
    /// Rasterizes a band.
    pub(crate) fn band(&self, binned: &BinnedScene, index: usize) -> Band {
        let (grid, height) = (self.projection.grid, BAND_HEIGHT * self.config.samples_per_edge);
        let first = index as u32 * height;
        let mut band = Band::new(first as i32..(first + height).min(grid) as i32, grid);
        self.fill(&mut band, binned, index);
        band
    }

    /// Draws the bins of the band `index`: front faces first, because most back faces are then occluded, at little cost.
    fn fill(&self, band: &mut Band, binned: &BinnedScene, index: usize) {
        let bins = || binned.bins.iter().map(|bands| &bands[index]);
        bins().for_each(|bin| self.draw_small::<false>(band, binned, &bin.front, None));
        for bin in bins().filter(|bin| !bin.large.is_empty()) {
            self.level.run(DrawLarge { triangles: &bin.large, target: band.target() });
        }
        for disc in bins().flat_map(|bin| &bin.discs) {
            disc.scan(band.rows.clone(), band.grid as u32, |x, y, depth| {
                band.write_sample(x, y, depth, disc.id)
            });
        }
        if bins().any(|bin| !bin.back.is_empty()) {
            // Built once from the front faces; back faces that it lets through need no update.
            let mut hi_z = HiZBuffer::new(band);
            self.level.run(UpdateHiZ { hi_z: &mut hi_z, band });
            bins().for_each(|bin| self.draw_small::<true>(band, binned, &bin.back, Some(&hi_z)));
        }
        // Last, against the final opaque depth: alpha is then evaluated for visible samples only.
        for (triangle, part) in bins().flat_map(|bin| &bin.non_opaque) {
            self.draw_non_opaque(band, triangle, *part);
        }
    }

    fn draw_small<const BACK: bool>(
        &self,
        band: &mut Band,
        binned: &BinnedScene,
        ids: &[u32],
        hi_z: Option<&HiZBuffer>,
    ) {
        let target = band.target();
        let (faces, vertices) = (self.scene.surface.faces(), &binned.vertices[..]);
        self.level.run(DrawSmall::<BACK> { ids, faces, vertices, target, hi_z });
    }

    fn draw_non_opaque(&self, band: &mut Band, triangle: &RasterTriangle, part: usize) {
        let part = &self.scene.surface.parts()[part];
        triangle.scan(band.rows.clone(), band.grid as u32, |x, y, depth| {
            let index = band.index(x, y);
            if depth <= band.visibility[index].inverse_depth() {
                return;
            }
            let ray = self.ray(x as f32 + 0.5, y as f32 + 0.5);
            if !self.scene.is_solid(part, triangle.id, &ray) {
                return;
            }
            match part.alpha {
                AlphaMode::Blend => {
                    let count = band.visibility.len();
                    band.layers.get_or_insert_with(|| Layers::new(count)).put(index, depth, triangle.id);
                    widen(&mut band.dirty_columns, x, x);
                }
                _ => band.write_sample(x, y, depth, triangle.id),
            }
        });
    }
}
