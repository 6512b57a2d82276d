//! Bands of rows are filled with what may be seen there.

use lexiform_geometry::AlphaMode;

use crate::band::Band;
use crate::blend::Layers;
use crate::depth_floor::{DepthFloor, Raise};
use crate::frame::{BAND, Frame};
use crate::layout::Layout;
use crate::raster::{DrawLarge, Record};
use crate::samples::widen;
use crate::small::DrawSmall;

impl Frame<'_> {
    /// The samples of a band.
    pub(crate) fn band(&self, layout: &Layout, index: usize) -> Band {
        let (grid, height) = (self.projection.grid, BAND * self.config.samples_per_edge);
        let first = index as u32 * height;
        let mut band = Band::new(first as i32..(first + height).min(grid) as i32, grid);
        self.fill(&mut band, layout, index);
        band
    }

    /// Draws what the bins of the band `index` hold: front faces first, because they hide most back faces at little cost.
    fn fill(&self, band: &mut Band, layout: &Layout, index: usize) {
        let bins = || layout.bins.iter().map(|bands| &bands[index]);
        bins().for_each(|bin| self.draw_small::<false>(band, layout, &bin.front, None));
        for bin in bins().filter(|bin| !bin.large.is_empty()) {
            self.level.run(DrawLarge { records: &bin.large, target: band.target() });
        }
        for disc in bins().flat_map(|bin| &bin.discs) {
            disc.scan(band.rows.clone(), band.grid as u32, |x, y, depth| band.see(x, y, depth, disc.id));
        }
        if bins().any(|bin| !bin.back.is_empty()) {
            let mut floor = DepthFloor::new(band);
            self.level.run(Raise { floor: &mut floor, band });
            bins().for_each(|bin| self.draw_small::<true>(band, layout, &bin.back, Some(&floor)));
        }
        for (record, part) in bins().flat_map(|bin| &bin.pierced) {
            self.draw_pierced(band, record, *part);
        }
    }

    fn draw_small<const BACK: bool>(
        &self,
        band: &mut Band,
        layout: &Layout,
        ids: &[u32],
        floor: Option<&DepthFloor>,
    ) {
        let target = band.target();
        let (faces, vertices) = (self.stage.surface.faces(), &layout.vertices[..]);
        self.level.run(DrawSmall::<BACK> { ids, faces, vertices, target, floor });
    }

    fn draw_pierced(&self, band: &mut Band, record: &Record, part: usize) {
        let part = &self.stage.surface.parts()[part];
        record.scan(band.rows.clone(), band.grid as u32, |x, y, depth| {
            let index = band.index(x, y);
            if depth <= band.seen[index].inverse_depth() {
                return;
            }
            let ray = self.ray(x as f32 + 0.5, y as f32 + 0.5);
            if !self.stage.is_solid(part, record.id, &ray) {
                return;
            }
            match part.alpha {
                AlphaMode::Blend => {
                    let count = band.seen.len();
                    band.layers.get_or_insert_with(|| Layers::new(count)).put(index, depth, record.id);
                    widen(&mut band.drawn, x, x);
                }
                _ => band.see(x, y, depth, record.id),
            }
        });
    }
}
