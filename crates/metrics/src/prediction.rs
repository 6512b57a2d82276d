//! One classified item: the best classes, and the rank of the right one.

use serde::Serialize;

use crate::similarity::{rank_of, top_k};

/// Predictions kept for each item.
const KEPT: usize = 5;

/// What was said of one item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Index of its class.
    pub truth: usize,
    /// Place of its class among all, from 1.
    pub rank: usize,
    /// The best classes, best first.
    pub best: Vec<usize>,
    /// Score of the best class: its cosine, where classes are compared by direction.
    pub score: f64,
    /// Score of the right class.
    pub truth_score: f64,
}

impl Prediction {
    /// From an item's scores of all classes.
    pub fn of(scores: &[f32], truth: usize, scale: f64) -> Self {
        let best = top_k(scores, KEPT);
        let score = |class: usize| f64::from(scores[class]) * scale;
        Self {
            truth,
            rank: rank_of(scores, truth),
            score: best.first().map_or(0.0, |&class| score(class)),
            truth_score: score(truth),
            best,
        }
    }

    /// Whether the first answer is right.
    pub fn is_right(&self) -> bool {
        self.rank == 1
    }
}
