//! What each sample of some rows sees.

use std::ops::Range;

use lexiform_kernels::Kernel;

use super::blend::Layers;
use super::frame::{Frame, Layout};
use super::raster::{DrawLarge, Record};
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
    /// Columns where anything may have been drawn.
    pub(super) drawn: Range<i32>,
    pub(super) layers: Option<Layers>,
}

/// The farthest inverse depth in each block of samples: what lies wholly behind is not drawn.
pub(super) struct DepthFloor {
    blocks: Vec<f32>,
    blocks_a_row: usize,
    first_row: i32,
}

/// Raises the floor to what is seen.
struct Raise<'a> {
    floor: &'a mut DepthFloor,
    band: &'a Band,
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

    /// All there is of it; 0 is nothing.
    #[inline(always)]
    pub(super) fn bits(self) -> i64 {
        self.0
    }

    #[inline]
    pub(super) fn id(self) -> u32 {
        !(self.0 as u32)
    }

    #[inline(always)]
    pub(super) fn inverse_depth(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }
}

impl Band {
    pub(super) fn new(rows: Range<i32>, grid: u32) -> Self {
        let grid = grid as usize;
        // Steps of small triangles may run over the end of a row.
        let stride = grid.next_multiple_of(STEP) + STEP;
        let seen = vec![Seen::default(); rows.len() * stride];
        Self { rows, grid, stride, seen, drawn: nothing(grid as i32), layers: None }
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
        for bin in bins().filter(|bin| !bin.large.is_empty()) {
            frame.level.run(DrawLarge { records: &bin.large, target: self.target() });
        }
        for disc in bins().flat_map(|bin| &bin.discs) {
            disc.scan(self.rows.clone(), self.grid as u32, |x, y, depth| self.see(x, y, depth, disc.id));
        }
        if bins().any(|bin| !bin.back.is_empty()) {
            let mut floor = DepthFloor::new(self);
            frame.level.run(Raise { floor: &mut floor, band: self });
            bins().for_each(|bin| self.draw_small::<true>(frame, layout, &bin.back, Some(&floor)));
        }
        for (record, part) in bins().flat_map(|bin| &bin.pierced) {
            self.draw_pierced(frame, record, *part);
        }
    }

    fn target(&mut self) -> Target<'_> {
        let rows = [self.rows.start, self.rows.end];
        let (grid, stride) = (self.grid as i32, self.stride);
        Target { rows, grid, stride, seen: &mut self.seen, drawn: &mut self.drawn }
    }

    fn draw_small<const BACK: bool>(
        &mut self,
        frame: &Frame<'_>,
        layout: &Layout,
        ids: &[u32],
        floor: Option<&DepthFloor>,
    ) {
        let target = self.target();
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
                    widen(&mut self.drawn, x, x);
                }
                _ => self.see(x, y, depth, record.id),
            }
        });
    }

    #[inline]
    fn see(&mut self, x: i32, y: i32, inverse_depth: f32, id: u32) {
        let index = self.index(x, y);
        self.seen[index].put(Seen::new(inverse_depth, id));
        widen(&mut self.drawn, x, x);
    }
}

/// Columns of a grid in which nothing is drawn yet: the first is past the last, so that any column widens it to itself.
pub(super) fn nothing(grid: i32) -> Range<i32> {
    Range { start: grid, end: 0 }
}

/// Takes columns `first..=last` to those that were drawn.
#[inline(always)]
pub(super) fn widen(drawn: &mut Range<i32>, first: i32, last: i32) {
    *drawn = drawn.start.min(first)..drawn.end.max(last + 1);
}

impl Kernel for Raise<'_> {
    #[inline(always)]
    fn run(self) {
        let (floor, band) = (self.floor, self.band);
        // Where nothing was drawn the floor stays at the bottom.
        let first = band.drawn.start as usize / BLOCK;
        let columns = first * BLOCK..(band.drawn.end as usize).next_multiple_of(BLOCK).min(band.grid);
        if columns.is_empty() {
            return;
        }
        let mut lowest = vec![Seen::default(); columns.len()];
        for (i, floors) in floor.blocks.chunks_mut(floor.blocks_a_row).enumerate() {
            let rows = i * BLOCK..((i + 1) * BLOCK).min(band.rows.len());
            // Row by row first: neighbors in a row do not meet.
            lowest.copy_from_slice(&band.row(rows.start)[columns.clone()]);
            for row in rows.skip(1) {
                for (lowest, seen) in lowest.iter_mut().zip(&band.row(row)[columns.clone()]) {
                    *lowest = Seen(lowest.0.min(seen.0));
                }
            }
            for (floor, samples) in floors[first..].iter_mut().zip(lowest.chunks(BLOCK)) {
                *floor = Seen(samples.iter().fold(i64::MAX, |low, seen| low.min(seen.0))).inverse_depth();
            }
        }
    }
}

impl DepthFloor {
    /// One that hides nothing yet.
    fn new(band: &Band) -> Self {
        let blocks_a_row = band.grid.div_ceil(BLOCK);
        let blocks = vec![0.0; blocks_a_row * band.rows.len().div_ceil(BLOCK)];
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
