//! Matrix multiplication A·Bᵀ with a fixed order of summation.
//!
//! Rows are packed into panels (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008,
//! <https://doi.org/10.1145/1356052.1356053>): a panel of the gallery stays in the L2 cache while the
//! panels of the queries stream past it, and the sums of a tile stay in registers over the whole `dim`. Every sum is
//! therefore in index order, independent of sizes, blocks and threads; see [`kernel`] for differences between CPUs.

mod kernel;

use lexiform_kernels::SimdLevel;

pub(crate) use self::kernel::Tiles;

/// Packed rows, `[panels, dim, width]`: within a panel, column by column. Missing rows of the last panel are zero.
pub(crate) struct Panels {
    values: Vec<f32>,
    rows: usize,
    dim: usize,
    width: usize,
}

/// Columns packed at a time: one cache line of each row.
const PACK_CHUNK: usize = 16;

impl Panels {
    /// Packs the left operand, `[rows, dim]`.
    pub(crate) fn of_queries(level: SimdLevel, rows: &[f32], dim: usize) -> Self {
        let mut panels = Self { values: Vec::new(), rows: 0, dim, width: level.rows() };
        panels.fill(rows);
        panels
    }

    /// Packs the right operand, `[rows, dim]`.
    pub(crate) fn of_gallery(level: SimdLevel, rows: &[f32], dim: usize) -> Self {
        let mut panels = Self { values: Vec::new(), rows: 0, dim, width: level.columns() };
        panels.fill(rows);
        panels
    }

    /// Repacks other rows of the same length, reusing the memory.
    pub(crate) fn fill(&mut self, rows: &[f32]) {
        let (dim, width) = (self.dim, self.width);
        self.rows = rows.len() / dim;
        self.values.resize(self.rows.div_ceil(width) * dim * width, 0.0);
        let panels = self.values.chunks_exact_mut(dim * width);
        for (panel, rows) in panels.zip(rows.chunks(dim * width)) {
            if rows.len() < panel.len() {
                panel.fill(0.0);
            }
            // One chunk of columns of all rows at a time: rows a power of two apart would evict each other from the cache.
            for (places, panel) in panel.chunks_mut(PACK_CHUNK * width).enumerate() {
                for (row, numbers) in rows.chunks_exact(dim).enumerate() {
                    let to = panel[row..].iter_mut().step_by(width);
                    to.zip(&numbers[places * PACK_CHUNK..]).for_each(|(to, x)| *to = *x);
                }
            }
        }
    }

    fn panels(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.dim * self.width)
    }
}

/// Dot products of all queries with all gallery rows, `[queries, gallery]`, on the current thread. Both must be packed
/// for `level`.
pub(crate) fn multiply(level: SimdLevel, queries: &Panels, gallery: &Panels, products: &mut [f32]) {
    assert_eq!((queries.width, gallery.width, queries.dim), (level.rows(), level.columns(), gallery.dim));
    assert_eq!(products.len(), queries.rows * gallery.rows);
    for (right, first) in gallery.panels().zip((0..).step_by(gallery.width)) {
        let columns = gallery.width.min(gallery.rows - first);
        let blocks = products.chunks_mut(queries.width * gallery.rows);
        for (left, products) in queries.panels().zip(blocks) {
            if columns == gallery.width && products.len() == queries.width * gallery.rows {
                level.tile(left, right, &mut products[first..], gallery.rows);
                continue;
            }
            // An incomplete panel: compute the padded tile aside and copy only the rows and columns that exist.
            let mut tile = [0.0; kernel::MAX_TILE];
            level.tile(left, right, &mut tile, gallery.width);
            for (to, from) in products.chunks_exact_mut(gallery.rows).zip(tile.chunks(gallery.width)) {
                to[first..first + columns].copy_from_slice(&from[..columns]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SplitMix64;

    fn random(count: usize, seed: u64) -> Vec<f32> {
        let mut rng = SplitMix64::new(seed);
        (0..count).map(|_| rng.next_f64() as f32 - 0.5).collect()
    }

    #[test]
    fn products_are_sums_in_order_for_all_sizes() {
        for (rows, columns, dim) in
            [(1, 1, 1), (14, 32, 7), (15, 33, 64), (29, 70, 19), (3, 1, 130), (0, 5, 4)]
        {
            let (a, b) = (random(rows * dim, 1), random(columns * dim, 2));
            for level in SimdLevel::available() {
                let queries = Panels::of_queries(level, &a, dim);
                let gallery = Panels::of_gallery(level, &b, dim);
                let mut products = vec![f32::NAN; rows * columns];
                multiply(level, &queries, &gallery, &mut products);
                for (i, product) in products.iter().enumerate() {
                    let pairs = a[i / columns * dim..].iter().zip(&b[i % columns * dim..]).take(dim);
                    let sum = pairs.fold(0.0_f32, |sum, (a, b)| level.fmadd(*a, *b, sum));
                    assert_eq!(product.to_bits(), sum.to_bits(), "{level:?} {rows} × {columns} × {dim}, {i}");
                }
            }
        }
    }

    #[test]
    fn levels_that_fuse_agree_to_the_bit() {
        let fusing: Vec<SimdLevel> =
            SimdLevel::available().into_iter().filter(|level| level.fuses()).collect();
        let (a, b) = (random(31 * 515, 3), random(77 * 515, 4));
        let products = fusing.iter().map(|&level| {
            let mut products = vec![0.0; 31 * 77];
            let (a, b) = (Panels::of_queries(level, &a, 515), Panels::of_gallery(level, &b, 515));
            multiply(level, &a, &b, &mut products);
            products
        });
        let products: Vec<Vec<f32>> = products.collect();
        assert!(products.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn refilled_panels_equal_new_ones() {
        let level = SimdLevel::detect();
        let mut panels = Panels::of_queries(level, &random(40 * 9, 5), 9);
        let few = random(3 * 9, 6);
        panels.fill(&few);
        assert_eq!(panels.values, Panels::of_queries(level, &few, 9).values);
    }
}
