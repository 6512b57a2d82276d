//! The prediction for one item: its top classes, and the rank of the true one.

use serde::Serialize;

use crate::similarity::{rank_of, top_k};

/// Classes stored per prediction.
const STORED_TOP_K: usize = 5;

/// The prediction for one item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Index of the true class.
    pub truth: usize,
    /// Rank of the true class, from 1.
    pub rank: usize,
    /// The five best classes, best first.
    pub top_k: Vec<usize>,
    /// Score of the best class: a cosine if class features are normalized.
    pub score: f64,
    /// Score of the true class.
    pub truth_score: f64,
}

impl Prediction {
    /// From an item's scores of all classes, `[classes]`; stored scores are multiplied by `scale`.
    pub fn from_scores(scores: &[f32], truth: usize, scale: f64) -> Self {
        let top_k = top_k(scores, STORED_TOP_K);
        let score = |class: usize| f64::from(scores[class]) * scale;
        Self {
            truth,
            rank: rank_of(scores, truth),
            score: top_k.first().map_or(0.0, |&class| score(class)),
            truth_score: score(truth),
            top_k,
        }
    }

    /// Whether the top-1 prediction is correct.
    pub fn is_correct(&self) -> bool {
        self.rank == 1
    }
}
