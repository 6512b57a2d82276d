//! Exact search by a linear scan over vectors of one byte per number.
//!
//! Each row has a bound on the error of its score, and every row that could be among the best is returned for
//! re-scoring with the full vectors: results are exact.

mod best;
mod kernel;
mod quantize;

use lexiform_kernels::SimdLevel;
use rayon::prelude::*;

use best::Best;
use kernel::RowScore;
pub use kernel::dot_f64;
use quantize::QuantizedQuery;
pub(crate) use quantize::{code_bytes, encode};

/// Rows whose products are computed together: some 30 kB, which fit into the L1 cache of a core.
const ROWS_PER_BLOCK: usize = 64;
/// Blocks scored by one task.
const BLOCKS_PER_TASK: usize = 32;
/// Below this number of multiplications, waking other threads costs more time than they save.
const PARALLEL_THRESHOLD: usize = 1 << 22;

/// The rows to scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    /// Numbers in a vector.
    pub(crate) dim: usize,
    /// Coded rows one after another, see [`encode`].
    pub(crate) coded: &'a [u8],
    /// Rows to skip, ascending.
    pub(crate) dead: &'a [u32],
}

/// What to find.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Unit vector.
    pub(crate) query: &'a [f32],
    /// Number of rows.
    pub(crate) k: usize,
    /// Least score.
    pub(crate) min_score: f32,
    /// Rows to consider, ascending; all that are not dead if `None`.
    pub(crate) only: Option<&'a [u32]>,
}

/// Rows that include all of the best `k` with a score of at least `min_score`, ascending.
///
/// An approximate index (an HNSW graph in a file next to the vectors) could replace it: it would propose some thousand
/// rows for re-scoring. It must fall back to the scan when `only` selects few rows, where its recall would drop.
pub(crate) fn candidates(rows: Rows<'_>, wanted: Wanted<'_>) -> Vec<u32> {
    if wanted.k == 0 {
        return Vec::new();
    }
    let scan = Scan { rows, query: QuantizedQuery::new(wanted.query), level: SimdLevel::detect() };
    let empty = || Best::new(wanted.k, wanted.min_score);
    let count = wanted.only.map_or(rows.coded.len() / code_bytes(rows.dim), <[u32]>::len);
    let per_task = ROWS_PER_BLOCK * BLOCKS_PER_TASK;
    let task = |best: Best, task: usize| {
        let range = task * per_task..count.min((task + 1) * per_task);
        match wanted.only {
            None => scan.consecutive(range, best),
            Some(only) => scan.selected(&only[range], best),
        }
    };
    let tasks = count.div_ceil(per_task);
    if count * rows.dim < PARALLEL_THRESHOLD {
        return (0..tasks).fold(empty(), task).into_rows();
    }
    (0..tasks).into_par_iter().fold(empty, task).reduce(empty, Best::merge).into_rows()
}

/// A scan for one query.
struct Scan<'a> {
    rows: Rows<'a>,
    query: QuantizedQuery,
    level: SimdLevel,
}

impl Scan<'_> {
    fn consecutive(&self, range: std::ops::Range<usize>, mut best: Best) -> Best {
        let row_bytes = code_bytes(self.rows.dim);
        let mut scores = [RowScore::default(); ROWS_PER_BLOCK];
        let dead = self.rows.dead;
        let mut next_dead = dead.partition_point(|row| (*row as usize) < range.start);
        for first in range.clone().step_by(ROWS_PER_BLOCK) {
            let count = ROWS_PER_BLOCK.min(range.end - first);
            let coded = &self.rows.coded[first * row_bytes..(first + count) * row_bytes];
            kernel::dots(self.level, &self.query.vector, coded, &mut scores[..count]);
            for (offset, score) in scores[..count].iter().enumerate() {
                let row = as_row(first + offset);
                if dead.get(next_dead) == Some(&row) {
                    next_dead += 1;
                } else {
                    self.offer(row, *score, &mut best);
                }
            }
        }
        best
    }

    /// Selected rows are scattered: each is scored by itself.
    fn selected(&self, only: &[u32], mut best: Best) -> Best {
        let row_bytes = code_bytes(self.rows.dim);
        let mut score = [RowScore::default()];
        for row in only {
            let coded = &self.rows.coded[*row as usize * row_bytes..][..row_bytes];
            kernel::dots(self.level, &self.query.vector, coded, &mut score);
            self.offer(*row, score[0], &mut best);
        }
        best
    }

    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "`rounding_error_bound` allows for it")]
    fn offer(&self, row: u32, RowScore { sum, scale, error }: RowScore, best: &mut Best) {
        // Cauchy-Schwarz: an error of the row changes the score by at most its norm times the query's, which is 1 up to
        // a thousandth.
        const QUERY_NORM: f32 = 1.01;
        let score = sum as f32 * (scale * self.query.scale);
        let error = error * QUERY_NORM + self.query.error_bound;
        best.offer(row, score - error, score + error);
    }
}

/// The row number of a position in a file: files of vectors have fewer than 2³² rows.
fn as_row(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
