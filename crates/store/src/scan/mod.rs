//! The exact scan: all vectors of a space in one block of memory, every allowed row scored.
//!
//! Rows may be kept in fewer bits than the truth. Each row then knows how far its score can be off, and every row
//! that could still be among the best is handed back for re-scoring: the answer is exact at any [`Precision`].

mod kernel;
mod quantize;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::OnceLock;

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use rayon::prelude::*;

use crate::RecordId;
pub(crate) use kernel::exact;
use quantize::{Query, distance, quantized, step};

/// How many bits the scan keeps of each number. Answers are the same; memory and speed differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 4 bytes: nothing to re-read for the final scores.
    #[default]
    F32,
    /// 2 bytes.
    F16,
    /// 1 byte, with one scale per row.
    Int8,
}

/// Proposes rows for a query. The exact scan is the one implementation so far.
///
/// An approximate index (an HNSW graph in a file beside the database, memory-mapped, stamped with the generation of
/// the vectors it was built from) fits here: it proposes some thousand rows, the store re-scores them from the
/// database's f32 vectors. It must step aside (let the scan answer) when `only` selects few rows, so that recall does
/// not fall in silence, and when its generation is not the database's.
pub(crate) trait CandidateIndex: Send + Sync {
    /// Rows among which are all of the best `k` that score `min_score` or more. `only`: ascending rows to consider.
    fn candidates(&self, query: &[f32], k: usize, min_score: f32, only: Option<&[u32]>) -> Vec<u32>;
}

/// The vectors of a space, row after row.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    dim: usize,
    ids: Vec<RecordId>,
    cells: Cells,
    rows: OnceLock<HashMap<RecordId, u32>>,
}

/// `slack[row]`: a bound on the length of what rounding took from the row.
#[derive(Clone, Debug)]
enum Cells {
    F32(Vec<f32>),
    F16 { cells: Vec<f16>, slack: Vec<f32> },
    Int8 { cells: Vec<i8>, scale: Vec<f32>, slack: Vec<f32> },
}

/// Rows scored by one task: some 100 kB, which a core has for itself in its cache.
const BLOCK: usize = 256;
/// Below so many multiplications, waking other threads costs more than they help.
const SEQUENTIAL: usize = 1 << 22;

impl Matrix {
    /// Empty, with room for `capacity` rows.
    pub(crate) fn new(dim: usize, precision: Precision, capacity: usize) -> Self {
        let numbers = capacity.saturating_mul(dim);
        let cells = match precision {
            Precision::F32 => Cells::F32(Vec::with_capacity(numbers)),
            Precision::F16 => {
                Cells::F16 { cells: Vec::with_capacity(numbers), slack: Vec::with_capacity(capacity) }
            }
            Precision::Int8 => Cells::Int8 {
                cells: Vec::with_capacity(numbers),
                scale: Vec::with_capacity(capacity),
                slack: Vec::with_capacity(capacity),
            },
        };
        Self { dim, ids: Vec::with_capacity(capacity), cells, rows: OnceLock::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, row: u32) -> RecordId {
        self.ids[row as usize]
    }

    /// The row of a record. The first call after rows came or went builds the table.
    pub(crate) fn row(&self, id: RecordId) -> Option<u32> {
        let rows = self.rows.get_or_init(|| {
            let numbered = (0_u32..).zip(&self.ids);
            numbered.map(|(row, id)| (*id, row)).collect()
        });
        rows.get(&id).copied()
    }

    /// The vector of a row as it was given, if the matrix still has it.
    pub(crate) fn exact_row(&self, row: u32) -> Option<&[f32]> {
        let start = row as usize * self.dim;
        match &self.cells {
            Cells::F32(cells) => cells.get(start..start + self.dim),
            Cells::F16 { .. } | Cells::Int8 { .. } => None,
        }
    }

    /// Adds a vector at the end. `id` must be new.
    pub(crate) fn push(&mut self, id: RecordId, vector: &[f32]) {
        debug_assert_eq!(vector.len(), self.dim);
        if let Some(rows) = self.rows.get_mut() {
            rows.insert(id, u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
        }
        self.ids.push(id);
        match &mut self.cells {
            Cells::F32(cells) => cells.extend_from_slice(vector),
            Cells::F16 { cells, slack } => {
                let start = cells.len();
                cells.resize(start + vector.len(), f16::ZERO);
                cells[start..].convert_from_f32_slice(vector);
                slack.push(distance(vector, &cells[start..], kernel::f32_from_f16));
            }
            Cells::Int8 { cells, scale, slack } => {
                let start = cells.len();
                let step = step(vector, 127.0);
                let inverse = 1.0 / step;
                cells.extend(vector.iter().map(|x| quantized(*x, inverse) as i8));
                slack.push(distance(vector, &cells[start..], |x| f32::from(x) * step));
                scale.push(step);
            }
        }
    }

    /// Gives a record another vector. Rows change places.
    pub(crate) fn replace(&mut self, row: u32, vector: &[f32]) {
        let id = self.ids[row as usize];
        self.swap_remove(row as usize);
        self.push(id, vector);
    }

    /// Removes every row whose record is not in `kept`. Rows change places.
    pub(crate) fn retain(&mut self, kept: &HashSet<RecordId>) {
        for row in (0..self.ids.len()).rev() {
            if !kept.contains(&self.ids[row]) {
                self.swap_remove(row);
            }
        }
    }

    /// Removes a row; the last row takes its place.
    fn swap_remove(&mut self, row: usize) {
        let dim = self.dim;
        let removed = self.ids.swap_remove(row);
        if let Some(rows) = self.rows.get_mut() {
            rows.remove(&removed);
            if let (Some(moved), Ok(row)) = (self.ids.get(row), u32::try_from(row)) {
                rows.insert(*moved, row);
            }
        }
        match &mut self.cells {
            Cells::F32(cells) => swap_remove_row(cells, row, dim),
            Cells::F16 { cells, slack } => {
                swap_remove_row(cells, row, dim);
                slack.swap_remove(row);
            }
            Cells::Int8 { cells, scale, slack } => {
                swap_remove_row(cells, row, dim);
                scale.swap_remove(row);
                slack.swap_remove(row);
            }
        }
    }

    /// Scores of all rows, or of those in `only`, in that order.
    fn scores(&self, query: &Query, only: Option<&[u32]>) -> Vec<f32> {
        let mut scores = vec![0.0; only.map_or(self.len(), <[u32]>::len)];
        let score_block = |(block, scores): (usize, &mut [f32])| match only {
            None => self.score(query, block * BLOCK, scores),
            Some(rows) => {
                for (score, row) in scores.iter_mut().zip(&rows[block * BLOCK..]) {
                    self.score(query, *row as usize, std::slice::from_mut(score));
                }
            }
        };
        if scores.len() * self.dim < SEQUENTIAL {
            scores.chunks_mut(BLOCK).enumerate().for_each(score_block);
        } else {
            scores.par_chunks_mut(BLOCK).enumerate().for_each(score_block);
        }
        scores
    }

    /// Scores of consecutive rows from `first` on.
    #[expect(clippy::cast_precision_loss, reason = "`Query::slack` allows for it")]
    fn score(&self, query: &Query, first: usize, scores: &mut [f32]) {
        let range = first * self.dim..(first + scores.len()) * self.dim;
        match &self.cells {
            Cells::F32(cells) => kernel::dots_f32(query.vector, &cells[range], scores),
            Cells::F16 { cells, .. } => kernel::dots_f16(query.vector, &cells[range], scores),
            Cells::Int8 { cells, scale, .. } => {
                let mut sums = [0; BLOCK];
                let sums = &mut sums[..scores.len()];
                kernel::dots_i8(&query.integers, &cells[range], sums);
                for ((score, sum), scale) in scores.iter_mut().zip(sums).zip(&scale[first..]) {
                    *score = *sum as f32 * (scale * query.step);
                }
            }
        }
    }

    /// How far a row's score can be from the exact one.
    fn slack(&self, query: &Query, row: usize) -> f32 {
        // The query's norm is 1 up to a thousandth.
        const QUERY_NORM: f32 = 1.01;
        match &self.cells {
            Cells::F32(_) => query.slack,
            Cells::F16 { slack, .. } | Cells::Int8 { slack, .. } => slack[row] * QUERY_NORM + query.slack,
        }
    }
}

impl CandidateIndex for Matrix {
    fn candidates(&self, query: &[f32], k: usize, min_score: f32, only: Option<&[u32]>) -> Vec<u32> {
        if k == 0 {
            return Vec::new();
        }
        let query = Query::new(query, matches!(self.cells, Cells::Int8 { .. }));
        let scores = self.scores(&query, only);
        let row = |place: usize| only.map_or(place, |rows| rows[place] as usize);
        let bar =
            kth_largest(k, scores.iter().enumerate().map(|(place, s)| s - self.slack(&query, row(place))));
        let bar = bar.unwrap_or(f32::NEG_INFINITY).max(min_score);
        let mut candidates = Vec::new();
        for (place, score) in scores.iter().enumerate() {
            if score + self.slack(&query, row(place)) >= bar {
                candidates.extend(u32::try_from(row(place)));
            }
        }
        candidates
    }
}

fn swap_remove_row<T: Copy>(cells: &mut Vec<T>, row: usize, dim: usize) {
    let last = cells.len() - dim;
    cells.copy_within(last.., row * dim);
    cells.truncate(last);
}

/// `None` if there are fewer than `k`. Values are not NaN.
fn kth_largest(k: usize, values: impl ExactSizeIterator<Item = f32>) -> Option<f32> {
    if values.len() < k {
        return None;
    }
    // Integers in the order of the floats (IEEE 754 totalOrder), which a heap can compare.
    let key = |value: f32| {
        let bits = value.to_bits().cast_signed();
        bits ^ (((bits >> 31).cast_unsigned() >> 1).cast_signed())
    };
    let value =
        |key: i32| f32::from_bits((key ^ (((key >> 31).cast_unsigned() >> 1).cast_signed())).cast_unsigned());
    let mut best: BinaryHeap<Reverse<i32>> = BinaryHeap::with_capacity(k);
    for found in values {
        let found = key(found);
        if best.len() < k {
            best.push(Reverse(found));
        } else if let Some(mut least) = best.peek_mut()
            && least.0 < found
        {
            *least = Reverse(found);
        }
    }
    best.peek().map(|least| value(least.0))
}

#[cfg(test)]
mod tests;
