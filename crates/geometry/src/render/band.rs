//! What each sample of some rows sees.

use std::ops::Range;

use super::blend::Layers;
use super::frame::{Frame, Layout};
use super::raster::Record;
use super::small::{DrawSmall, Extent, STEP, Target};
use crate::AlphaMode;

/// No triangle and no point.
pub(super) const NOTHING: u32 = u32::MAX;

/// Samples along the edge of a block of the depth floor, as a power of two.
const BLOCK_BITS: i32 = 3;
const BLOCK: usize = 1 << BLOCK_BITS;

/// The nearest thing at a sample: inverse depth above, the id's complement below, so that the larger number is the
/// nearer one and, at equal depth, the one of lower id. 0 is nothing. Signed, because processors compare that sooner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Seen(i64);

/// The samples of some rows.
pub(super) struct Band {
    pub(super) rows: Range<i32>,
    /// Samples of a row, and from row to row.
    grid: usize,
    stride: usize,
    seen: Vec<Seen>,
    pub(super) layers: Option<Layers>,
}

/// The farthest inverse depth in each block of samples: what lies wholly behind is not drawn.
pub(super) struct DepthFloor {
    blocks: Vec<f32>,
    blocks_a_row: usize,
    first_row: i32,
}

impl Seen {
    #[inline(always)]
    pub(super) fn new(inverse_depth: f32, id: u32) -> Self {
        // The bits of positive floats are ordered as the floats are.
        Self(i64::from(inverse_depth.to_bits().cast_signed()) << 32 | i64::from(!id))
    }

    /// Itself where `is_there`, else nothing; without a branch.
    #[inline(always)]
    pub(super) fn masked(self, is_there: bool) -> Self {
        Self(if is_there { self.0 } else { 0 })
    }

    /// Sees `other` if it is nearer.
    #[inline(always)]
    pub(super) fn put(&mut self, other: Self) {
        self.0 = self.0.max(other.0);
    }

    #[inline]
    pub(super) fn id(self) -> u32 {
        !(self.0 as u32)
    }

    #[inline]
    pub(super) fn inverse_depth(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }
}

impl Band {
    pub(super) fn new(rows: Range<i32>, grid: u32) -> Self {
        let grid = grid as usize;
        // Steps of small triangles may run over the end of a row.
        let stride = grid.next_multiple_of(STEP) + STEP;
        Self { seen: vec![Seen::default(); rows.len() * stride], rows, grid, stride, layers: None }
    }

    /// A row of samples, counted from the band's first.
    pub(super) fn row(&self, row: usize) -> &[Seen] {
        &self.seen[row * self.stride..][..self.grid]
    }

    /// Position of a sample in the lists.
    #[inline]
    pub(super) fn index(&self, x: i32, y: i32) -> usize {
        (y - self.rows.start) as usize * self.stride + x as usize
    }

    /// Draws what the bins of the band `index` hold: front faces first, because they hide most back faces at little cost.
    pub(super) fn fill(&mut self, frame: &Frame<'_>, layout: &Layout, index: usize) {
        let bins = || layout.bins.iter().map(|bands| &bands[index]);
        bins().for_each(|bin| self.draw_small::<false>(frame, layout, &bin.front, None));
        for record in bins().flat_map(|bin| &bin.large) {
            record.scan(self.rows.clone(), self.grid as u32, |x, y, depth| self.see(x, y, depth, record.id));
        }
        for disc in bins().flat_map(|bin| &bin.discs) {
            disc.scan(self.rows.clone(), self.grid as u32, |x, y, depth| self.see(x, y, depth, disc.id));
        }
        if bins().any(|bin| !bin.back.is_empty()) {
            let floor = DepthFloor::new(self);
            bins().for_each(|bin| self.draw_small::<true>(frame, layout, &bin.back, Some(&floor)));
        }
        for (record, part) in bins().flat_map(|bin| &bin.pierced) {
            self.draw_pierced(frame, record, *part);
        }
    }

    fn draw_small<const BACK: bool>(
        &mut self,
        frame: &Frame<'_>,
        layout: &Layout,
        ids: &[u32],
        floor: Option<&DepthFloor>,
    ) {
        let rows = [self.rows.start, self.rows.end];
        let target = Target { rows, grid: self.grid as i32, stride: self.stride, seen: &mut self.seen };
        let (faces, vertices) = (&frame.stage.faces[..], &layout.vertices[..]);
        frame.level.run(DrawSmall::<BACK> { ids, faces, vertices, target, floor });
    }

    fn draw_pierced(&mut self, frame: &Frame<'_>, record: &Record, part: usize) {
        let part = &frame.stage.parts[part];
        record.scan(self.rows.clone(), self.grid as u32, |x, y, depth| {
            let index = self.index(x, y);
            if depth <= self.seen[index].inverse_depth() {
                return;
            }
            let sight = frame.sight(x as f32 + 0.5, y as f32 + 0.5);
            if !frame.stage.is_there(part, record.id, &sight) {
                return;
            }
            match part.alpha {
                AlphaMode::Blend => {
                    let count = self.seen.len();
                    self.layers.get_or_insert_with(|| Layers::new(count)).put(index, depth, record.id);
                }
                _ => self.see(x, y, depth, record.id),
            }
        });
    }

    #[inline]
    fn see(&mut self, x: i32, y: i32, inverse_depth: f32, id: u32) {
        let index = self.index(x, y);
        self.seen[index].put(Seen::new(inverse_depth, id));
    }
}

impl DepthFloor {
    fn new(band: &Band) -> Self {
        let blocks_a_row = band.grid.div_ceil(BLOCK);
        let mut blocks = vec![f32::INFINITY; blocks_a_row * band.rows.len().div_ceil(BLOCK)];
        for row in 0..band.rows.len() {
            let floors = &mut blocks[row / BLOCK * blocks_a_row..];
            for (floor, samples) in floors.iter_mut().zip(band.row(row).chunks(BLOCK)) {
                *floor = samples.iter().fold(*floor, |floor, seen| floor.min(seen.inverse_depth()));
            }
        }
        Self { blocks, blocks_a_row, first_row: band.rows.start }
    }

    /// Whether a triangle lies behind everything where it could be seen.
    #[inline(always)]
    pub(super) fn hides(&self, extent: &Extent) -> bool {
        let ([x0, x1], [y0, y1]) = (extent.columns, extent.rows);
        let (y0, y1) = ((y0 - self.first_row) >> BLOCK_BITS, (y1 - self.first_row) >> BLOCK_BITS);
        let (x0, x1) = (x0 >> BLOCK_BITS, x1 >> BLOCK_BITS);
        let mut y = y0;
        while y <= y1 {
            let mut x = x0;
            while x <= x1 {
                if self.blocks[y as usize * self.blocks_a_row + x as usize] < extent.nearest {
                    return false;
                }
                x += 1;
            }
            y += 1;
        }
        true
    }
}
