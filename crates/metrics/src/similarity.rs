//! Similarities between two feature matrices, block by block, without storing the whole product.

use lexiform_kernels::SimdLevel;
use rayon::prelude::*;

use crate::matmul::{Panels, Tiles as _, multiply};
use crate::{Features, MetricsError};

/// Bytes of query rows per task: enough to amortize streaming the gallery, few enough for the L2 cache.
const BLOCK_BYTES: usize = 1 << 20;
/// Maximum query rows per block, so that blocks spread over all cores.
const MAX_BLOCK_ROWS: usize = 504;

/// Calls `reduce` with the index and the dot products, `[group, gallery]`, of every group of `group` consecutive query
/// rows, in parallel, and returns its results in order.
///
/// ```
/// use lexiform_metrics::{Features, map_similarities, top_k};
///
/// let queries = Features::new(vec![1.0, 0.0, 0.0, 1.0], 2)?;
/// let gallery = Features::new(vec![0.0, 2.0, 3.0, 0.0], 2)?;
/// let nearest = map_similarities(&queries, 1, &gallery, |_, scores| top_k(scores, 1)[0])?;
/// assert_eq!(nearest, [1, 0]);
/// # Ok::<(), lexiform_metrics::MetricsError>(())
/// ```
///
/// # Errors
/// If row lengths differ, or `group` does not divide the number of queries.
pub fn map_similarities<T: Send>(
    queries: &Features,
    group: usize,
    gallery: &Features,
    reduce: impl Fn(usize, &[f32]) -> T + Sync,
) -> Result<Vec<T>, MetricsError> {
    queries.check_dim("queries", gallery)?;
    if group == 0 || !queries.rows().is_multiple_of(group) {
        return Err(MetricsError::LengthMismatch {
            what: "rows in groups",
            expected: group,
            found: queries.rows(),
        });
    }
    let (dim, width, level) = (queries.dim(), gallery.rows(), SimdLevel::detect());
    if width == 0 {
        return Ok((0..queries.rows() / group).map(|group| reduce(group, &[])).collect());
    }
    let gallery = Panels::of_gallery(level, gallery.as_slice(), dim);
    let rows = (BLOCK_BYTES / (4 * dim)).min(MAX_BLOCK_ROWS) / level.rows() * level.rows();
    // Whole panels, and whole groups.
    let rows = rows.max(level.rows()).next_multiple_of(group);
    let blocks = queries.as_slice().par_chunks(rows * dim).enumerate();
    let new = || (Panels::of_queries(level, &[], dim), Vec::new());
    let results: Vec<Vec<T>> = blocks
        .map_init(new, |(panels, products), (block, queries)| {
            panels.fill(queries);
            products.resize(queries.len() / dim * width, 0.0);
            multiply(level, panels, &gallery, products);
            let first = block * rows / group;
            let groups = products.chunks(group * width);
            groups.enumerate().map(|(i, products)| reduce(first + i, products)).collect()
        })
        .collect();
    Ok(results.into_iter().flatten().collect())
}

/// Indices of the `k` largest scores, descending; of equal ones the lower index first.
pub fn top_k(scores: &[f32], k: usize) -> Vec<usize> {
    /// Scores that are skipped together if none reaches the bound.
    const LANES: usize = 16;
    let least = top_k_lower_bound(scores, k);
    let mut best: Vec<(f32, usize)> = Vec::with_capacity(k + 1);
    for (chunk, first) in scores.chunks(LANES).zip((0..).step_by(LANES)) {
        // A fold without early exit vectorizes, `any` does not.
        if !chunk.iter().fold(false, |any, s| any | (*s >= least)) {
            continue;
        }
        for (&score, index) in chunk.iter().zip(first..) {
            if score < least || (best.len() == k && best.last().is_none_or(|(last, _)| score <= *last)) {
                continue;
            }
            let place = best.partition_point(|(s, _)| *s >= score);
            best.insert(place, (score, index));
            best.truncate(k);
        }
    }
    best.into_iter().map(|(_, index)| index).collect()
}

/// A lower bound of the `k`-th largest score: the `k`-th largest of the maxima of interleaved groups. At least `k` scores
/// reach it, and most others do not.
fn top_k_lower_bound(scores: &[f32], k: usize) -> f32 {
    /// Interleaved groups: score `i` belongs to group `i % GROUPS`.
    const GROUPS: usize = 64;
    if !(1..=GROUPS).contains(&k) {
        return f32::NEG_INFINITY;
    }
    let mut largest = [f32::NEG_INFINITY; GROUPS];
    for scores in scores.chunks(GROUPS) {
        for (largest, score) in largest.iter_mut().zip(scores) {
            *largest = if *score > *largest { *score } else { *largest };
        }
    }
    *largest.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1
}

/// Rank of one item, from 1; of equal scores the lower index ranks first.
pub fn rank_of(scores: &[f32], index: usize) -> usize {
    let score = scores[index];
    let (before, after) = scores.split_at(index);
    count_where(before, |s| s >= score) + count_where(after, |s| s > score) + 1
}

/// Number of scores that match. Counts are u32, as wide as the scores, so that the loop vectorizes.
fn count_where(scores: &[f32], is_match: impl Fn(f32) -> bool) -> usize {
    let chunks = scores.chunks(1 << 20);
    chunks.map(|chunk| chunk.iter().map(|s| u32::from(is_match(*s))).sum::<u32>() as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SplitMix64;

    fn random(rows: usize, dim: usize, seed: u64) -> Features {
        let mut rng = SplitMix64::new(seed);
        Features::new((0..rows * dim).map(|_| rng.next_f64() as f32 - 0.5).collect(), dim).unwrap()
    }

    #[test]
    fn products_equal_f64_sums_in_every_block() {
        let (queries, gallery) = (random(2500, 19, 1), random(37, 19, 2));
        let products = map_similarities(&queries, 1, &gallery, |_, s| s.to_vec()).unwrap();
        assert_eq!(products.len(), 2500);
        for (i, row) in products.iter().enumerate() {
            for (j, product) in row.iter().enumerate() {
                let plain: f64 = queries
                    .row(i)
                    .iter()
                    .zip(gallery.row(j))
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum();
                assert!((f64::from(*product) - plain).abs() < 1e-5, "{i} {j}");
            }
        }
    }

    #[test]
    fn groups_keep_their_rows_together() {
        let (queries, gallery) = (random(6, 4, 3), random(5, 4, 4));
        let sizes = map_similarities(&queries, 3, &gallery, |i, s| (i, s.len())).unwrap();
        assert_eq!(sizes, [(0, 15), (1, 15)]);
        assert!(map_similarities(&queries, 4, &gallery, |_, _| ()).is_err());
        assert!(map_similarities(&queries, 1, &random(5, 3, 0), |_, _| ()).is_err());
        assert_eq!(
            map_similarities(&queries, 2, &random(0, 4, 0), |i, s| (i, s.len())).unwrap(),
            [(0, 0), (1, 0), (2, 0)]
        );
    }

    #[test]
    fn top_k_is_sorted_with_ties_by_index() {
        let scores = [0.5, 0.9, 0.5, 0.9, 0.1];
        assert_eq!(top_k(&scores, 3), [1, 3, 0]);
        assert_eq!(top_k(&scores, 9), [1, 3, 0, 2, 4]);
        assert_eq!(top_k(&scores, 0), [0; 0]);
        assert_eq!((0..5).map(|i| rank_of(&scores, i)).collect::<Vec<_>>(), [3, 1, 4, 2, 5]);
        let mut rng = SplitMix64::new(7);
        let long: Vec<f32> = (0..999).map(|_| (rng.next_below(50) as f32) / 50.0).collect();
        let mut sorted: Vec<usize> = (0..999).collect();
        sorted.sort_by(|a, b| long[*b].total_cmp(&long[*a]));
        for k in [1, 20, 63, 64, 65, 999] {
            assert_eq!(top_k(&long, k), sorted[..k]);
            assert_eq!(top_k(&long[..30], k).len(), k.min(30));
        }
        assert!(sorted.iter().enumerate().all(|(place, i)| rank_of(&long, *i) == place + 1));
    }
}
