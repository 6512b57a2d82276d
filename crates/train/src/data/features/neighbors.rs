//! Nearest neighbors of shapes by image feature, found when a batch needs them: finding those of all shapes beforehand takes
//! time that grows with the square of their number.

use std::sync::OnceLock;

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use rayon::prelude::*;

use super::vectors::dot;

/// Shapes whose features are converted to `f32` at once, by each thread.
const BLOCK: usize = 1024;

/// Unit image features of all shapes, and the neighbors found so far; no features if all are known.
pub(crate) struct Neighbors {
    dim: usize,
    count: usize,
    /// `[shapes, dim]` in half precision, so that 800,000 shapes with 1,280 values each take 2 GB.
    rows: Vec<f16>,
    found: Vec<OnceLock<Box<[u32]>>>,
}

impl Neighbors {
    /// At most `count` neighbors of each of `shapes` shapes; `unit_row` gives the feature of a shape, `[dim]`.
    ///
    /// # Errors
    /// The first error of `unit_row`.
    pub fn new<E: Send>(
        shapes: usize,
        dim: usize,
        count: usize,
        unit_row: impl Fn(usize) -> Result<Vec<f32>, E> + Sync,
    ) -> Result<Self, E> {
        let mut rows = vec![f16::ZERO; shapes * dim];
        rows.par_chunks_mut(dim.max(1)).enumerate().try_for_each(|(shape, row)| {
            row.convert_from_f32_slice(&unit_row(shape)?);
            Ok(())
        })?;
        Ok(Self { dim, count, rows, found: (0..shapes).map(|_| OnceLock::new()).collect() })
    }

    /// Known neighbors of each shape, the nearest first.
    pub fn known(of_shapes: Vec<Box<[u32]>>) -> Self {
        Self {
            dim: 0,
            count: 0,
            rows: Vec::new(),
            found: of_shapes.into_iter().map(OnceLock::from).collect(),
        }
    }

    /// The neighbors of some shapes, by descending similarity; ties by index.
    pub fn of(&self, anchors: &[usize]) -> Vec<&[u32]> {
        let mut unknown: Vec<usize> =
            anchors.iter().copied().filter(|anchor| self.found[*anchor].get().is_none()).collect();
        unknown.sort_unstable();
        unknown.dedup();
        for (anchor, near) in unknown.iter().zip(self.search(&unknown)) {
            // Another thread may have found the same ones.
            let _ = self.found[*anchor].set(near.into_iter().map(|(_, shape)| shape).collect());
        }
        anchors.iter().map(|anchor| self.found[*anchor].get().map_or(&[][..], |near| near)).collect()
    }

    /// The nearest shapes to each anchor: one pass over all features, block by block.
    fn search(&self, anchors: &[usize]) -> Vec<Vec<(f32, u32)>> {
        if anchors.is_empty() {
            return Vec::new();
        }
        let queries: Vec<Vec<f32>> = anchors.iter().map(|anchor| self.block(*anchor, 1)).collect();
        let nothing = || vec![Vec::new(); anchors.len()];
        let of_block = |first: usize| {
            let rows = self.block(first, BLOCK);
            let nearest = |(query, anchor): (&Vec<f32>, &usize)| {
                let scored = rows.chunks(self.dim).enumerate().map(|(i, row)| (dot(query, row), first + i));
                let others = scored.filter(|(_, shape)| shape != anchor);
                self.best(others.map(|(score, shape)| (score, shape as u32)).collect())
            };
            queries.iter().zip(anchors).map(nearest).collect()
        };
        let merged = |a: Vec<Vec<_>>, b: Vec<Vec<_>>| {
            a.into_iter().zip(b).map(|(a, b)| self.best([a, b].concat())).collect()
        };
        let starts = (0..self.found.len()).into_par_iter().step_by(BLOCK);
        starts.map(of_block).reduce(nothing, merged)
    }

    /// Features of up to `count` shapes.
    fn block(&self, first: usize, count: usize) -> Vec<f32> {
        let last = (first + count).min(self.found.len());
        self.rows[first * self.dim..last * self.dim].to_f32_vec()
    }

    /// The best `count`, in a total order: the result must not depend on how blocks are divided among threads.
    fn best(&self, mut scored: Vec<(f32, u32)>) -> Vec<(f32, u32)> {
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if scored.len() > self.count && self.count > 0 {
            scored.select_nth_unstable_by(self.count - 1, order);
        }
        scored.truncate(self.count);
        scored.sort_unstable_by(order);
        scored
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const DIM: usize = 16;

    /// Features on a half-integer grid, exact in half precision, with many ties.
    fn row(shape: usize) -> Vec<f32> {
        (0..DIM).map(|i| ((shape * 7919 + i * 104_729) % 17) as f32 * 0.5 - 4.0).collect()
    }

    fn neighbors(shapes: usize, count: usize) -> Neighbors {
        Neighbors::new(shapes, DIM, count, |shape| Ok::<_, Infallible>(row(shape))).unwrap()
    }

    /// Every other shape, sorted by similarity and index.
    fn by_sorting(shapes: usize, count: usize, anchor: usize) -> Vec<u32> {
        let score = |shape: usize| row(anchor).iter().zip(row(shape)).map(|(a, b)| a * b).sum::<f32>();
        let mut others: Vec<(f32, usize)> =
            (0..shapes).filter(|shape| *shape != anchor).map(|shape| (score(shape), shape)).collect();
        others.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        others.into_iter().take(count).map(|(_, shape)| shape as u32).collect()
    }

    #[track_caller]
    fn check(shapes: usize, count: usize, anchors: &[usize]) {
        let neighbors = neighbors(shapes, count);
        // The second time they are known.
        for _ in 0..2 {
            for (near, anchor) in neighbors.of(anchors).into_iter().zip(anchors) {
                assert_eq!(near, by_sorting(shapes, count, *anchor), "anchor {anchor} of {shapes}");
            }
        }
    }

    #[test]
    fn the_nearest_are_those_of_sorting_all() {
        check(3000, 31, &[0, 5, 2999, 1024, 5]);
        check(4, 31, &[3, 1]);
        check(1, 31, &[0]);
        check(100, 0, &[7]);
    }

    /// More shapes than a table of all pairs would allow.
    #[test]
    fn large_sets_are_searched() {
        check(120_000, 31, &[0, 77_777, 119_999]);
    }
}
