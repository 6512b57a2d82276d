//! Hierarchical Z ([Greene et al. 1993]): the farthest depth in each block of samples, to skip occluded triangles.
//!
//! [Greene et al. 1993]: https://doi.org/10.1145/166117.166147

use crate::band::Band;
use crate::samples::VisibilitySample;
use lexiform_kernels::Kernel;

/// Samples along the edge of a block, as a power of two.
const BLOCK_BITS: i32 = 3;
const BLOCK: usize = 1 << BLOCK_BITS;

/// The farthest inverse depth in each block of samples. A triangle that is behind it in all its blocks is not drawn.
pub(crate) struct HiZBuffer {
    blocks: Vec<f32>,
    blocks_per_row: usize,
    first_row: i32,
}

/// Updates the buffer from the samples of a band.
pub(crate) struct UpdateHiZ<'a> {
    pub(crate) hi_z: &'a mut HiZBuffer,
    pub(crate) band: &'a Band,
}

/// The samples a triangle may cover, and its nearest corner.
pub(crate) struct ScreenBounds {
    pub(crate) columns: [i32; 2],
    pub(crate) rows: [i32; 2],
    pub(crate) nearest: f32,
}

impl Kernel for UpdateHiZ<'_> {
    #[inline(always)]
    fn run(self) {
        let (hi_z, band) = (self.hi_z, self.band);
        // Blocks outside the dirty columns stay at infinite depth.
        let first = band.dirty_columns.start as usize / BLOCK;
        let columns = first * BLOCK..(band.dirty_columns.end as usize).next_multiple_of(BLOCK).min(band.grid);
        if columns.is_empty() {
            return;
        }
        let mut lowest = vec![VisibilitySample::default(); columns.len()];
        for (i, hi_z_row) in hi_z.blocks.chunks_mut(hi_z.blocks_per_row).enumerate() {
            let rows = i * BLOCK..((i + 1) * BLOCK).min(band.rows.len());
            // Minimum over rows first: whole rows are one vector loop.
            lowest.copy_from_slice(&band.row(rows.start)[columns.clone()]);
            for row in rows.skip(1) {
                for (lowest, visibility) in lowest.iter_mut().zip(&band.row(row)[columns.clone()]) {
                    *lowest = lowest.farther(*visibility);
                }
            }
            for (hi_z, samples) in hi_z_row[first..].iter_mut().zip(lowest.chunks(BLOCK)) {
                *hi_z = samples
                    .iter()
                    .fold(VisibilitySample::NEAREST, |low, visibility| low.farther(*visibility))
                    .inverse_depth();
            }
        }
    }
}

impl HiZBuffer {
    /// A buffer that occludes nothing yet.
    pub(crate) fn new(band: &Band) -> Self {
        let blocks_per_row = band.grid.div_ceil(BLOCK);
        let blocks = vec![0.0; blocks_per_row * band.rows.len().div_ceil(BLOCK)];
        Self { blocks, blocks_per_row, first_row: band.rows.start }
    }

    /// Whether a triangle is behind everything that is visible in its bounds.
    #[inline(always)]
    pub(crate) fn occludes(&self, extent: &ScreenBounds) -> bool {
        let ([x0, x1], [y0, y1]) = (extent.columns, extent.rows);
        let (y0, y1) = ((y0 - self.first_row) >> BLOCK_BITS, (y1 - self.first_row) >> BLOCK_BITS);
        let (x0, x1) = (x0 >> BLOCK_BITS, x1 >> BLOCK_BITS);
        let mut y = y0;
        while y <= y1 {
            let mut x = x0;
            while x <= x1 {
                if self.blocks[y as usize * self.blocks_per_row + x as usize] < extent.nearest {
                    return false;
                }
                x += 1;
            }
            y += 1;
        }
        true
    }
}
