//! The exact scan: all vectors of a space in one block of memory, every allowed row scored.
//!
//! Rows may be kept in fewer bits than the truth. Each row then knows how far its score can be off, and every row
//! that could still be among the best is handed back for re-scoring: the answer is exact at any [`Precision`].

mod kernel;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::OnceLock;

use half::f16;
use rayon::prelude::*;

use crate::RecordId;
pub(crate) use kernel::exact;

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
const SEQUENTIAL: usize = 1 << 21;

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
                cells.extend(vector.iter().map(|x| f16::from_f32(*x)));
                slack.push(distance(vector, cells[start..].iter().map(|x| x.to_f32())));
            }
            Cells::Int8 { cells, scale, slack } => {
                let start = cells.len();
                let step = step(vector, 127.0);
                cells.extend(vector.iter().map(|x| quantized(*x, step) as i8));
                slack.push(distance(vector, cells[start..].iter().map(|x| f32::from(*x) * step)));
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
        let query = Query::new(query, &self.cells);
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

/// A query as the cells need it.
struct Query<'a> {
    vector: &'a [f32],
    /// The vector in steps of `step`; empty unless cells are integers.
    integers: Vec<i16>,
    step: f32,
    /// The part of a score's error that is the same for every row.
    slack: f32,
}

impl<'a> Query<'a> {
    fn new(vector: &'a [f32], cells: &Cells) -> Self {
        // Vectors are unit up to a thousandth, rows rounded to integers a little more.
        const ROW_NORM: f32 = 1.1;
        let slack = kernel::rounding(vector.len());
        if !matches!(cells, Cells::Int8 { .. }) {
            return Self { vector, integers: Vec::new(), step: 0.0, slack };
        }
        // As fine as fits: the sum of dim products with 127 must stay below 2³¹.
        #[expect(clippy::cast_precision_loss, reason = "a limit, rounded down")]
        let levels = ((i32::MAX / 128) as f32 / vector.len().max(1) as f32).min(4095.0).floor();
        let step = step(vector, levels);
        let integers: Vec<i16> = vector.iter().map(|x| quantized(*x, step)).collect();
        let lost = distance(vector, integers.iter().map(|x| f32::from(*x) * step));
        Self { vector, integers, step, slack: slack + lost * ROW_NORM }
    }
}

/// The size of a step if the largest number is `levels` steps; never 0.
fn step(vector: &[f32], levels: f32) -> f32 {
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    (largest / levels).max(f32::MIN_POSITIVE)
}

/// In whole steps. Callers choose steps that fit their integer.
#[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate")]
fn quantized(number: f32, step: f32) -> i16 {
    (number / step).round() as i16
}

/// Length of the difference, rounded up a little to stay a bound.
#[expect(clippy::cast_possible_truncation, reason = "the margin is wider than the rounding")]
fn distance(vector: &[f32], rounded: impl Iterator<Item = f32>) -> f32 {
    let square: f64 = vector.iter().zip(rounded).map(|(a, b)| (f64::from(*a) - f64::from(b)).powi(2)).sum();
    (square.sqrt() * 1.000_1) as f32 + f32::EPSILON
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
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn unit(rng: &mut SmallRng, dim: usize) -> Vec<f32> {
        let raw: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
        let norm = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
        raw.iter().map(|x| x / norm).collect()
    }

    fn id(number: usize) -> RecordId {
        RecordId::new(number as u64).unwrap()
    }

    /// The best `k` rows by exact score, ties by row.
    fn naive(vectors: &[Vec<f32>], query: &[f32], k: usize, only: Option<&[u32]>) -> Vec<u32> {
        let all: Vec<u32> = (0..vectors.len() as u32).collect();
        let mut rows = only.unwrap_or(&all).to_vec();
        rows.sort_by(|a, b| {
            let score = |row: u32| exact(query, &vectors[row as usize]) as f32;
            score(*b).total_cmp(&score(*a)).then(a.cmp(b))
        });
        rows.truncate(k);
        rows
    }

    #[test]
    fn no_precision_loses_one_of_the_best() {
        let mut rng = SmallRng::seed_from_u64(3);
        for round in 0..60 {
            let dim = rng.random_range(1..80);
            let count = rng.random_range(0..700);
            let mut vectors: Vec<Vec<f32>> = (0..count).map(|_| unit(&mut rng, dim)).collect();
            // Neighbors that differ by less than any precision can tell, and exact ties.
            for row in 1..count {
                if rng.random_bool(0.3) {
                    vectors[row] = vectors[row - 1].clone();
                    vectors[row][0] += rng.random_range(-1e-6..1e-6) * f32::from(rng.random_bool(0.5));
                }
            }
            let only: Option<Vec<u32>> =
                rng.random_bool(0.5).then(|| (0..count as u32).filter(|_| rng.random_bool(0.2)).collect());
            let (query, k) = (unit(&mut rng, dim), rng.random_range(0..20));
            let expected = naive(&vectors, &query, k, only.as_deref());
            for precision in [Precision::F32, Precision::F16, Precision::Int8] {
                let mut matrix = Matrix::new(dim, precision, count);
                vectors.iter().enumerate().for_each(|(row, vector)| matrix.push(id(row), vector));
                let found = matrix.candidates(&query, k, -2.0, only.as_deref());
                assert!(expected.iter().all(|row| found.contains(row)), "round {round}, {precision:?}");
                assert!(
                    found.is_sorted()
                        && only.as_ref().is_none_or(|only| found.iter().all(|r| only.contains(r)))
                );
            }
        }
    }

    #[test]
    fn few_candidates_are_proposed() {
        let mut rng = SmallRng::seed_from_u64(4);
        let vectors: Vec<Vec<f32>> = (0..2_000).map(|_| unit(&mut rng, 64)).collect();
        for (precision, limit) in [(Precision::F32, 12), (Precision::F16, 20), (Precision::Int8, 60)] {
            let mut matrix = Matrix::new(64, precision, 0);
            vectors.iter().enumerate().for_each(|(row, vector)| matrix.push(id(row), vector));
            let found = matrix.candidates(&vectors[7], 10, -2.0, None);
            assert!((10..limit).contains(&found.len()), "{precision:?}: {}", found.len());
        }
    }

    #[test]
    fn removed_rows_are_gone() {
        for precision in [Precision::F32, Precision::F16, Precision::Int8] {
            let mut matrix = Matrix::new(2, precision, 0);
            for (row, vector) in [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]].iter().enumerate() {
                matrix.push(id(row), vector);
            }
            assert_eq!(matrix.row(id(2)), Some(2));
            matrix.swap_remove(0);
            assert_eq!((matrix.len(), matrix.row(id(0)), matrix.row(id(2))), (2, None, Some(0)));
            assert_eq!(matrix.candidates(&[-1.0, 0.0], 1, -2.0, None), [0]);
            matrix.push(id(9), &[1.0, 0.0]);
            assert_eq!(matrix.candidates(&[1.0, 0.0], 1, -2.0, None), [2]);
            assert_eq!(matrix.row(id(9)), Some(2));
        }
    }

    #[test]
    fn the_kth_largest_is_found_among_negatives_too() {
        let values = [-0.5, 0.25, -1.0, 0.25, 0.0];
        let kth = |k: usize| kth_largest(k, values.iter().copied());
        assert_eq!(
            [kth(1), kth(2), kth(3), kth(5), kth(6)],
            [Some(0.25), Some(0.25), Some(0.0), Some(-1.0), None]
        );
    }
}
