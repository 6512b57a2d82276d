//! What each sample of some rows sees.

use std::ops::Range;

use super::blend::Layers;
use super::frame::Frame;
use super::raster::Record;
use super::splat::Disc;
use crate::AlphaMode;

/// No triangle and no point.
pub(super) const NOTHING: u32 = u32::MAX;

/// Samples along the edge of a block of the depth floor, as a power of two.
const BLOCK_BITS: i32 = 3;
const BLOCK: usize = 1 << BLOCK_BITS;

/// What may cover samples of one band, in the order of ids.
#[derive(Default)]
pub(super) struct Bin {
    pub(super) front: Vec<Record>,
    pub(super) back: Vec<Record>,
    /// Triangles whose alpha decides, with the index of their part.
    pub(super) pierced: Vec<(Record, usize)>,
    pub(super) discs: Vec<Disc>,
}

/// The nearest thing at a sample: inverse depth above, the id's complement below, so that the larger number is the
/// nearer one and, at equal depth, the one of lower id. 0 is nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Seen(u64);

/// The samples of some rows.
pub(super) struct Band {
    pub(super) rows: Range<i32>,
    grid: usize,
    seen: Vec<Seen>,
    pub(super) layers: Option<Layers>,
}

/// The farthest inverse depth in each block of samples: what lies wholly behind is not drawn.
struct DepthFloor {
    blocks: Vec<f32>,
    blocks_a_row: usize,
    first_row: i32,
}

impl Bin {
    pub(super) fn with_room(n_records: usize) -> Self {
        let (front, back) = (Vec::with_capacity(n_records), Vec::with_capacity(n_records));
        Self { front, back, ..Self::default() }
    }
}

impl Seen {
    #[inline]
    pub(super) fn new(inverse_depth: f32, id: u32) -> Self {
        // The bits of positive floats are ordered as the floats are.
        Self(u64::from(inverse_depth.to_bits()) << 32 | u64::from(!id))
    }

    /// Itself where `is_there`, else nothing; without a branch.
    #[inline]
    pub(super) fn masked(self, is_there: bool) -> Self {
        Self(self.0 & 0_u64.wrapping_sub(u64::from(is_there)))
    }

    /// Sees `other` if it is nearer.
    #[inline]
    pub(super) fn put(&mut self, other: Self) {
        *self = (*self).max(other);
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
        Self { seen: vec![Seen::default(); rows.len() * grid], rows, grid, layers: None }
    }

    /// A row of samples, counted from the band's first.
    pub(super) fn row(&self, row: usize) -> &[Seen] {
        &self.seen[row * self.grid..(row + 1) * self.grid]
    }

    /// Position of a sample in the lists.
    #[inline]
    pub(super) fn index(&self, x: i32, y: i32) -> usize {
        (y - self.rows.start) as usize * self.grid + x as usize
    }

    /// Draws the records of the band `index`: front faces first, because they hide most back faces at little cost.
    pub(super) fn fill(&mut self, frame: &Frame<'_>, bins: &[Vec<Bin>], index: usize) {
        let bins = || bins.iter().map(|bands| &bands[index]);
        bins().flat_map(|bin| &bin.front).for_each(|record| self.draw(record));
        for disc in bins().flat_map(|bin| &bin.discs) {
            disc.scan(self.rows.clone(), self.grid as u32, |x, y, depth| self.see(x, y, depth, disc.id));
        }
        if bins().any(|bin| !bin.back.is_empty()) {
            let floor = DepthFloor::new(self);
            let in_sight = bins().flat_map(|bin| &bin.back).filter(|record| !floor.hides(record));
            in_sight.for_each(|record| self.draw(record));
        }
        for (record, part) in bins().flat_map(|bin| &bin.pierced) {
            self.draw_pierced(frame, record, *part);
        }
    }

    #[inline]
    fn draw(&mut self, record: &Record) {
        record.draw(self.rows.clone(), self.grid as u32, &mut self.seen);
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

    /// Whether a small triangle lies behind everything where it could be seen.
    #[inline]
    fn hides(&self, record: &Record) -> bool {
        let ((x0, x1), (y0, y1)) = (record.columns(), record.rows());
        let most = (self.blocks_a_row as i32 - 1, (self.blocks.len() / self.blocks_a_row) as i32 - 1);
        let (x0, x1) = ((x0 >> BLOCK_BITS).max(0), (x1 >> BLOCK_BITS).min(most.0));
        let (y0, y1) =
            (((y0 - self.first_row) >> BLOCK_BITS).max(0), ((y1 - self.first_row) >> BLOCK_BITS).min(most.1));
        if x1 - x0 > 1 || y1 - y0 > 1 {
            return false;
        }
        let nearest = record.nearest();
        (y0..=y1)
            .all(|y| (x0..=x1).all(|x| self.blocks[y as usize * self.blocks_a_row + x as usize] >= nearest))
    }
}
