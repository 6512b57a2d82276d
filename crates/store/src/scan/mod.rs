//! Exact search by a linear scan: all vectors of a space are in one block of memory, and every selected row is scored.
//!
//! Rows may be quantized. Each row then has a bound on the error of its score, and every row that could be among the
//! best is returned for re-scoring: results are exact at any [`Precision`].

mod kernel;
mod quantize;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::OnceLock;

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use rayon::prelude::*;

use crate::RecordId;
pub(crate) use kernel::dot_f64;
use quantize::{QuantizedQuery, quantization_error, quantize};

/// Number format of vectors in memory. Search results are the same at any precision; memory and speed differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 4 bytes: final scores need no access to the database.
    #[default]
    F32,
    /// 2 bytes.
    F16,
    /// 1 byte, with one scale per row.
    Int8,
}

/// Proposes candidate rows for a query. The exact scan is the only implementation so far.
///
/// An approximate index (an HNSW graph in a memory-mapped file with the generation of its vectors) could implement it:
/// it would propose some thousand rows, which the store re-scores with the database's f32 vectors. It must fall back
/// to the scan when `only` selects few rows, where its recall would drop, and when its generation is not the
/// database's.
pub(crate) trait CandidateIndex: Send + Sync {
    /// Rows that include all of the best `k` with a score of at least `min_score`. `only`: ascending rows to consider.
    fn candidates(&self, query: &[f32], k: usize, min_score: f32, only: Option<&[u32]>) -> Vec<u32>;
}

/// The vectors of a space: a row-major matrix `[records, dim]`.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    dim: usize,
    ids: Vec<RecordId>,
    values: RowData,
    rows: OnceLock<HashMap<RecordId, u32>>,
}

/// `error_bound[row]`: a bound on the norm of the row's quantization error.
#[derive(Clone, Debug)]
enum RowData {
    F32(Vec<f32>),
    F16 { values: Vec<f16>, error_bound: Vec<f32> },
    Int8 { values: Vec<i8>, scale: Vec<f32>, error_bound: Vec<f32> },
}

/// Rows scored by one task: some 100 kB, which fit into the L2 cache of a core.
const ROWS_PER_BLOCK: usize = 256;
/// Below this number of multiplications, waking other threads costs more time than they save.
const PARALLEL_THRESHOLD: usize = 1 << 22;

impl Matrix {
    /// An empty matrix with capacity for `capacity` rows.
    pub(crate) fn new(dim: usize, precision: Precision, capacity: usize) -> Self {
        let numbers = capacity.saturating_mul(dim);
        let values = match precision {
            Precision::F32 => RowData::F32(Vec::with_capacity(numbers)),
            Precision::F16 => RowData::F16 {
                values: Vec::with_capacity(numbers),
                error_bound: Vec::with_capacity(capacity),
            },
            Precision::Int8 => RowData::Int8 {
                values: Vec::with_capacity(numbers),
                scale: Vec::with_capacity(capacity),
                error_bound: Vec::with_capacity(capacity),
            },
        };
        Self { dim, ids: Vec::with_capacity(capacity), values, rows: OnceLock::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, row: u32) -> RecordId {
        self.ids[row as usize]
    }

    /// The row of a record. The first call builds the table of rows.
    pub(crate) fn row(&self, id: RecordId) -> Option<u32> {
        let rows = self.rows.get_or_init(|| {
            let numbered = (0_u32..).zip(&self.ids);
            numbered.map(|(row, id)| (*id, row)).collect()
        });
        rows.get(&id).copied()
    }

    /// The unquantized vector of a row, if the matrix has it.
    pub(crate) fn full_precision_row(&self, row: u32) -> Option<&[f32]> {
        let start = row as usize * self.dim;
        match &self.values {
            RowData::F32(values) => values.get(start..start + self.dim),
            RowData::F16 { .. } | RowData::Int8 { .. } => None,
        }
    }

    /// Appends a vector. `id` must be new.
    pub(crate) fn push(&mut self, id: RecordId, vector: &[f32]) {
        debug_assert_eq!(vector.len(), self.dim);
        // Updated only if it exists: loading a library without filters never builds the table.
        if let Some(rows) = self.rows.get_mut() {
            rows.insert(id, u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
        }
        self.ids.push(id);
        match &mut self.values {
            RowData::F32(values) => values.extend_from_slice(vector),
            RowData::F16 { values, error_bound } => {
                let start = values.len();
                values.resize(start + vector.len(), f16::ZERO);
                values[start..].convert_from_f32_slice(vector);
                error_bound.push(quantization_error(vector, &values[start..], kernel::f32_from_f16));
            }
            RowData::Int8 { values, scale, error_bound } => {
                let start = values.len();
                let row_scale = quantize::scale(vector, 127.0);
                // One division per row instead of one per number.
                let inverse = 1.0 / row_scale;
                values.extend(vector.iter().map(|x| quantize(*x, inverse) as i8));
                error_bound.push(quantization_error(vector, &values[start..], |x| f32::from(x) * row_scale));
                scale.push(row_scale);
            }
        }
    }

    /// Replaces the vector of a record. Changes the order of rows.
    pub(crate) fn replace(&mut self, row: u32, vector: &[f32]) {
        let id = self.ids[row as usize];
        self.swap_remove(row as usize);
        self.push(id, vector);
    }

    /// Removes every row whose record is not in `kept`. Changes the order of rows.
    pub(crate) fn retain(&mut self, kept: &HashSet<RecordId>) {
        // Backwards: `swap_remove` fills the gap with a row that has been checked.
        for row in (0..self.ids.len()).rev() {
            if !kept.contains(&self.ids[row]) {
                self.swap_remove(row);
            }
        }
    }

    /// Removes a row and moves the last row into its place.
    fn swap_remove(&mut self, row: usize) {
        let dim = self.dim;
        let removed = self.ids.swap_remove(row);
        if let Some(rows) = self.rows.get_mut() {
            rows.remove(&removed);
            if let (Some(moved), Ok(row)) = (self.ids.get(row), u32::try_from(row)) {
                rows.insert(*moved, row);
            }
        }
        match &mut self.values {
            RowData::F32(values) => swap_remove_row(values, row, dim),
            RowData::F16 { values, error_bound } => {
                swap_remove_row(values, row, dim);
                error_bound.swap_remove(row);
            }
            RowData::Int8 { values, scale, error_bound } => {
                swap_remove_row(values, row, dim);
                scale.swap_remove(row);
                error_bound.swap_remove(row);
            }
        }
    }

    /// Scores of all rows, or of the rows in `only`, in that order.
    fn scores(&self, query: &QuantizedQuery, only: Option<&[u32]>) -> Vec<f32> {
        let mut scores = vec![0.0; only.map_or(self.len(), <[u32]>::len)];
        let score_block = |(block, scores): (usize, &mut [f32])| match only {
            None => self.score(query, block * ROWS_PER_BLOCK, scores),
            // Selected rows are scattered: each is scored by itself.
            Some(rows) => {
                for (score, row) in scores.iter_mut().zip(&rows[block * ROWS_PER_BLOCK..]) {
                    self.score(query, *row as usize, std::slice::from_mut(score));
                }
            }
        };
        if scores.len() * self.dim < PARALLEL_THRESHOLD {
            scores.chunks_mut(ROWS_PER_BLOCK).enumerate().for_each(score_block);
        } else {
            scores.par_chunks_mut(ROWS_PER_BLOCK).enumerate().for_each(score_block);
        }
        scores
    }

    /// Scores of consecutive rows, starting at `first`.
    #[expect(clippy::cast_precision_loss, reason = "`QuantizedQuery::error_bound` allows for it")]
    fn score(&self, query: &QuantizedQuery, first: usize, scores: &mut [f32]) {
        let range = first * self.dim..(first + scores.len()) * self.dim;
        match &self.values {
            RowData::F32(values) => kernel::dots_f32(query.vector, &values[range], scores),
            RowData::F16 { values, .. } => kernel::dots_f16(query.vector, &values[range], scores),
            RowData::Int8 { values, scale, .. } => {
                let mut sums = [0; ROWS_PER_BLOCK];
                let sums = &mut sums[..scores.len()];
                kernel::dots_i8(&query.quantized_vector, &values[range], sums);
                for ((score, sum), scale) in scores.iter_mut().zip(sums).zip(&scale[first..]) {
                    *score = *sum as f32 * (scale * query.scale);
                }
            }
        }
    }

    /// A bound on the error of a row's score.
    fn error_bound(&self, query: &QuantizedQuery, row: usize) -> f32 {
        // Cauchy-Schwarz: an error of the row changes the score by at most its norm times the query's, which is 1 up to
        // a thousandth.
        const QUERY_NORM: f32 = 1.01;
        match &self.values {
            RowData::F32(_) => query.error_bound,
            RowData::F16 { error_bound, .. } | RowData::Int8 { error_bound, .. } => {
                error_bound[row] * QUERY_NORM + query.error_bound
            }
        }
    }
}

impl CandidateIndex for Matrix {
    fn candidates(&self, query: &[f32], k: usize, min_score: f32, only: Option<&[u32]>) -> Vec<u32> {
        if k == 0 {
            return Vec::new();
        }
        let query = QuantizedQuery::new(query, matches!(self.values, RowData::Int8 { .. }));
        let scores = self.scores(&query, only);
        let row = |position: usize| only.map_or(position, |rows| rows[position] as usize);
        // The k-th best of the lower bounds: k rows reach it for certain, so a row whose upper bound is below it is not
        // among the best k.
        let threshold = kth_largest(
            k,
            scores.iter().enumerate().map(|(position, s)| s - self.error_bound(&query, row(position))),
        );
        let threshold = threshold.unwrap_or(f32::NEG_INFINITY).max(min_score);
        let mut candidates = Vec::new();
        // Not sorted: the caller re-scores and sorts.
        for (position, score) in scores.iter().enumerate() {
            if score + self.error_bound(&query, row(position)) >= threshold {
                candidates.extend(u32::try_from(row(position)));
            }
        }
        candidates
    }
}

/// Moves the last row into the place of a removed one.
fn swap_remove_row<T: Copy>(values: &mut Vec<T>, row: usize, dim: usize) {
    let last = values.len() - dim;
    values.copy_within(last.., row * dim);
    values.truncate(last);
}

/// The `k`-th largest value; `None` if there are fewer. Values are not NaN.
fn kth_largest(k: usize, values: impl ExactSizeIterator<Item = f32>) -> Option<f32> {
    if values.len() < k {
        return None;
    }
    // Integers with the order of the floats (IEEE 754 totalOrder): floats do not implement `Ord`, which the heap needs.
    // For negative floats, all bits but the sign are flipped, as in `f32::total_cmp`.
    let key = |value: f32| {
        let bits = value.to_bits().cast_signed();
        bits ^ (((bits >> 31).cast_unsigned() >> 1).cast_signed())
    };
    let value =
        |key: i32| f32::from_bits((key ^ (((key >> 31).cast_unsigned() >> 1).cast_signed())).cast_unsigned());
    // A heap of the best k, least first: linear in the number of values, because few of them enter it.
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
