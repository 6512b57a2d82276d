//! The rows that may be among the best `k`, while a scan goes over them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Rows kept before the first check for outdated ones.
const FIRST_PRUNING: usize = 1024;

/// Candidates for the best `k` rows, from bounds on their scores.
///
/// `k` rows reach the k-th best lower bound for certain, so a row whose upper bound is below it is not among the best.
#[derive(Debug)]
pub(super) struct Best {
    k: usize,
    /// The best `k` lower bounds, least first. As integers with the same order: floats do not implement `Ord`.
    lower_bounds: BinaryHeap<Reverse<i32>>,
    /// Row and upper bound.
    rows: Vec<(u32, f32)>,
    min_score: f32,
    threshold: f32,
    prune_at: usize,
}

impl Best {
    /// No rows yet. Rows below `min_score` are never candidates.
    pub(super) fn new(k: usize, min_score: f32) -> Self {
        let (lower_bounds, rows) = (BinaryHeap::new(), Vec::new());
        Self { k, lower_bounds, rows, min_score, threshold: min_score, prune_at: FIRST_PRUNING }
    }

    /// Adds a row with a score between `lower` and `upper`, neither of them NaN.
    #[inline]
    pub(super) fn offer(&mut self, row: u32, lower: f32, upper: f32) {
        // Most rows end here.
        if upper < self.threshold {
            return;
        }
        self.rows.push((row, upper));
        self.raise(to_key(lower));
        if self.rows.len() >= self.prune_at {
            self.prune();
        }
    }

    /// Adds the rows of another part of the scan.
    pub(super) fn merge(mut self, other: Self) -> Self {
        other.lower_bounds.into_iter().for_each(|Reverse(key)| self.raise(key));
        self.rows.extend(other.rows);
        self.prune();
        self
    }

    /// The rows that may be among the best, in ascending order.
    pub(super) fn into_rows(mut self) -> Vec<u32> {
        self.prune();
        let mut rows: Vec<u32> = self.rows.into_iter().map(|(row, _)| row).collect();
        rows.sort_unstable();
        rows
    }

    fn raise(&mut self, lower: i32) {
        if self.lower_bounds.len() < self.k {
            self.lower_bounds.push(Reverse(lower));
        } else if let Some(mut least) = self.lower_bounds.peek_mut()
            && least.0 < lower
        {
            *least = Reverse(lower);
        }
        if self.lower_bounds.len() == self.k
            && let Some(least) = self.lower_bounds.peek()
        {
            self.threshold = self.min_score.max(from_key(least.0));
        }
    }

    fn prune(&mut self) {
        let threshold = self.threshold;
        self.rows.retain(|(_, upper)| *upper >= threshold);
        self.prune_at = FIRST_PRUNING.max(2 * self.rows.len());
    }
}

/// An integer with the order of the floats (IEEE 754 totalOrder): for negative floats, all bits but the sign are
/// flipped, as in `f32::total_cmp`.
fn to_key(value: f32) -> i32 {
    let bits = value.to_bits().cast_signed();
    bits ^ (((bits >> 31).cast_unsigned() >> 1).cast_signed())
}

fn from_key(key: i32) -> f32 {
    f32::from_bits((key ^ (((key >> 31).cast_unsigned() >> 1).cast_signed())).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(k: usize, min_score: f32, scores: &[f32]) -> Vec<u32> {
        let mut best = Best::new(k, min_score);
        (0..).zip(scores).for_each(|(row, score)| best.offer(row, score - 0.01, score + 0.01));
        best.into_rows()
    }

    #[test]
    fn rows_within_the_error_of_the_kth_are_kept() {
        let scores = [-0.5, 0.25, -1.0, 0.26, 0.0, 0.24];
        assert_eq!(found(1, -2.0, &scores), [1, 3, 5]);
        assert_eq!(found(4, -2.0, &scores), [1, 3, 4, 5]);
        assert_eq!(found(9, -2.0, &scores), [0, 1, 2, 3, 4, 5]);
        assert_eq!(found(9, 0.005, &scores), [1, 3, 4, 5]);
        assert_eq!(found(5, -2.0, &scores), [0, 1, 3, 4, 5]);
    }

    #[test]
    fn parts_give_the_same_rows_as_one_scan() {
        let scores: Vec<f32> = (0..5_000_i32).map(|i| ((i * 7919) % 5003) as f32 / 5003.0).collect();
        let mut parts = (Best::new(7, 0.0), Best::new(7, 0.0));
        for (row, score) in (0..).zip(&scores) {
            let part = if row % 3 == 0 { &mut parts.0 } else { &mut parts.1 };
            part.offer(row, score - 0.01, score + 0.01);
        }
        let merged = parts.0.merge(parts.1).into_rows();
        assert_eq!(merged, found(7, 0.0, &scores));
        assert!(merged.len() < 200);
    }
}
