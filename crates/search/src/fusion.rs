//! Reciprocal rank fusion of several rankings.

/// The constant k of reciprocal rank fusion, which limits the influence of the first ranks: the value of the paper
/// (Cormack, Clarke and Büttcher, [SIGIR 2009](https://doi.org/10.1145/1571941.1572114)).
const RRF_K: f32 = 60.0;
/// Candidates of each ranking per requested answer.
const CANDIDATES_PER_ANSWER: usize = 4;
/// Minimum number of candidates of each ranking.
const MIN_CANDIDATES: usize = 200;

/// What a ranking adds to the fused score of its answer at `rank`, the first of which is 1.
pub(crate) fn reciprocal_rank(weight: f32, rank: usize) -> f32 {
    weight / (RRF_K + rank as f32)
}

/// Candidates of each ranking for `k` answers: a record with a low rank in one ranking can have a high rank after fusion.
pub(crate) fn candidates(k: usize) -> usize {
    k.saturating_mul(CANDIDATES_PER_ANSWER).max(MIN_CANDIDATES)
}
