//! Retrieval: where among all gallery items the right ones stand.
//!
//! A query may have several right answers. *Recall at k* counts queries with at least one of them among the first k
//! (the hit rate; Text2Shape's RR@k); *coverage at k* is the mean share of a query's right answers that are among the
//! first k (what information retrieval calls recall). NDCG gives each right answer a gain of one.

use serde::Serialize;

use crate::error::{check_count, check_indices};
use crate::similarity::{map_similarities, rank_of, top_k};
use crate::{EvalError, Features};

/// Depths at which shares are told.
pub const DEPTHS: [usize; 4] = [1, 3, 5, 10];
/// Best items kept for each query.
const KEPT: usize = 10;

/// What a query brought.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Places of its right answers from 1, best first.
    pub ranks: Vec<usize>,
    /// The first gallery items, best first.
    pub best: Vec<usize>,
}

/// Looks for each query's right answers (indices into the gallery, any order, at least one) among all gallery items,
/// by cosine.
///
/// # Errors
/// If the sizes do not fit, or a query has no right answer.
pub fn retrieve(
    queries: &Features,
    gallery: &Features,
    right: &[Vec<usize>],
) -> Result<Vec<Found>, EvalError> {
    check_count("lists of right answers", queries.rows(), right.len())?;
    for (query, right) in right.iter().enumerate() {
        check_indices("right answer", right, gallery.rows())?;
        if right.is_empty() {
            return Err(EvalError::TooLittle(format!("query {query} has no right answer")));
        }
    }
    // A query's own length does not change the order of its answers.
    map_similarities(queries, 1, &gallery.normalized(), |query, scores| Found {
        ranks: ranks(scores, &right[query]),
        best: top_k(scores, KEPT),
    })
}

/// Places of some items among all, from 1, best first; of equal scores the lower index comes first.
fn ranks(scores: &[f32], items: &[usize]) -> Vec<usize> {
    /// So many are counted one by one, each in a pass that runs in vectors.
    const FEW: usize = 16;
    if items.len() <= FEW {
        let mut ranks: Vec<usize> = items.iter().map(|item| rank_of(scores, *item)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        return ranks;
    }
    // Zero is as much as minus zero.
    let before = |a: usize, b: usize| (scores[b] + 0.0).total_cmp(&(scores[a] + 0.0)).then(a.cmp(&b));
    let mut items = items.to_vec();
    items.sort_by(|a, b| before(*a, *b));
    items.dedup();
    // How many items stand between one right answer and the next.
    let mut between = vec![0; items.len() + 1];
    for other in 0..scores.len() {
        between[items.partition_point(|&item| before(item, other).is_lt())] += 1;
    }
    // An item stands in the gap before itself, so the sum up to its gap is its place.
    let places = between.iter().scan(0, |sum, n| {
        *sum += n;
        Some(*sum)
    });
    places.take(items.len()).collect()
}

/// The numbers of a retrieval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retrieval {
    /// Queries asked.
    pub queries: usize,
    /// Items to choose from.
    pub gallery: usize,
    /// Share of queries with a right answer among the first k, k as in [`DEPTHS`].
    pub recall: [f64; DEPTHS.len()],
    /// Mean share of a query's right answers among the first k.
    pub coverage: [f64; DEPTHS.len()],
    /// Mean over queries of the discounted gain among the first k over the best possible.
    pub ndcg: [f64; DEPTHS.len()],
    /// Mean place of the first right answer.
    pub mean_rank: f64,
    /// Median place of the first right answer; between two, their mean.
    pub median_rank: f64,
    /// Mean of one over the place of the first right answer.
    pub mean_reciprocal_rank: f64,
    /// Mean over queries of the average precision over the whole gallery (mAP).
    pub mean_average_precision: f64,
}

impl Retrieval {
    /// Counts what queries brought from a gallery of this size.
    ///
    /// # Errors
    /// If nothing was asked.
    pub fn of(found: &[Found], gallery: usize) -> Result<Self, EvalError> {
        if found.is_empty() {
            return Err(EvalError::TooLittle("nothing was asked".to_owned()));
        }
        let mean = |value: &dyn Fn(&Found) -> f64| found.iter().map(value).sum::<f64>() / found.len() as f64;
        Ok(Self {
            queries: found.len(),
            gallery,
            recall: DEPTHS.map(|k| mean(&|f| f64::from(u8::from(f.first() <= k)))),
            coverage: DEPTHS.map(|k| mean(&|f| f.within(k) as f64 / f.ranks.len() as f64)),
            ndcg: DEPTHS.map(|k| mean(&|f| f.ndcg(k))),
            mean_rank: mean(&|f| f.first() as f64),
            median_rank: median(found.iter().map(Found::first).collect()),
            mean_reciprocal_rank: mean(&|f| 1.0 / f.first() as f64),
            mean_average_precision: mean(&Found::average_precision),
        })
    }
}

impl Found {
    /// Place of the first right answer.
    pub fn first(&self) -> usize {
        self.ranks.first().copied().unwrap_or(usize::MAX)
    }

    /// Right answers among the first `k`.
    pub fn within(&self, k: usize) -> usize {
        self.ranks.partition_point(|rank| *rank <= k)
    }

    /// Mean over the right answers of the share of right ones up to each.
    pub fn average_precision(&self) -> f64 {
        let precisions = self.ranks.iter().enumerate().map(|(i, rank)| (i + 1) as f64 / *rank as f64);
        precisions.sum::<f64>() / self.ranks.len() as f64
    }

    /// Discounted gain among the first `k` over that of a perfect order.
    pub fn ndcg(&self, k: usize) -> f64 {
        let discounted = |rank: usize| 1.0 / ((rank + 1) as f64).log2();
        let gain: f64 = self.ranks.iter().take_while(|rank| **rank <= k).map(|rank| discounted(*rank)).sum();
        let perfect: f64 = (1..=self.ranks.len().min(k)).map(discounted).sum();
        gain / perfect
    }
}

fn median(mut ranks: Vec<usize>) -> f64 {
    ranks.sort_unstable();
    let middle = ranks.len() / 2;
    if ranks.len() % 2 == 1 { ranks[middle] as f64 } else { (ranks[middle - 1] + ranks[middle]) as f64 / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_right_answers() {
        let scores = [0.1, 0.9, 0.5, 0.5, 0.3];
        assert_eq!(ranks(&scores, &[1]), [1]);
        assert_eq!(ranks(&scores, &[4, 3, 2]), [2, 3, 4]);
        assert_eq!(ranks(&scores, &[3]), [3]);
        assert_eq!(ranks(&scores, &[0, 0]), [5]);
        // Many are found in one pass, few in a pass each.
        let many: Vec<f32> = (0..90).map(|i| [0.0, -0.0, 0.5, -0.5][i * 7 % 4]).collect();
        let items: Vec<usize> = (0..90).step_by(3).collect();
        let mut one_by_one: Vec<usize> = items.iter().flat_map(|item| ranks(&many, &[*item])).collect();
        one_by_one.sort_unstable();
        assert_eq!(ranks(&many, &items), one_by_one);
    }

    #[test]
    fn numbers_of_a_small_retrieval() {
        let gallery = Features::new(vec![1.0, 0.0, 0.8, 0.6, 0.0, 1.0], 2).unwrap();
        let queries = Features::new(vec![5.0, 0.0, 0.0, 0.1], 2).unwrap();
        let found = retrieve(&queries, &gallery, &[vec![1, 2], vec![2]]).unwrap();
        assert_eq!(found[0].ranks, [2, 3]);
        assert_eq!(found[1].best, [2, 1, 0]);
        let numbers = Retrieval::of(&found, 3).unwrap();
        assert_eq!(numbers.recall, [0.5, 1.0, 1.0, 1.0]);
        assert_eq!(numbers.coverage, [0.5, 1.0, 1.0, 1.0]);
        assert_eq!((numbers.mean_rank, numbers.median_rank), (1.5, 1.5));
        assert!((numbers.mean_average_precision - ((0.5 + 2.0 / 3.0) / 2.0 + 1.0) / 2.0).abs() < 1e-12);
        assert!(
            retrieve(&queries, &gallery, &[vec![0], vec![]]).unwrap_err().to_string().contains("query 1")
        );
        assert!(retrieve(&queries, &gallery, &[vec![0], vec![3]]).is_err());
    }
}
