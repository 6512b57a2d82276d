//! Retrieval metrics: recall@k, NDCG@k, mAP, mean reciprocal rank, mean and median rank.
//!
//! A query may have several relevant items. *Recall at k* is the fraction of queries with at least one of them among the
//! first k, as in the CLIP literature (torchmetrics' `RetrievalHitRate`, Text2Shape's RR@k). *Recall of all relevant items
//! at k* is the mean fraction of a query's relevant items among the first k (torchmetrics' `RetrievalRecall`). NDCG uses
//! binary relevance.
//!
//! ```
//! use lexiform_metrics::{Features, retrieval::{RetrievalMetrics, retrieve}};
//!
//! let gallery = Features::new(vec![1.0, 0.0, 0.8, 0.6, 0.0, 1.0], 2)?;
//! let queries = Features::new(vec![1.0, 0.1, 0.0, 1.0], 2)?;
//! // Item 1 is relevant to the first query, item 2 to the second.
//! let results = retrieve(&queries, &gallery, &[vec![1], vec![2]])?;
//! let metrics = RetrievalMetrics::from_results(&results, gallery.rows())?;
//! assert_eq!(metrics.scores.recall, [0.5, 1.0, 1.0, 1.0]);
//! assert_eq!(metrics.scores.mean_reciprocal_rank, 0.75);
//! # Ok::<(), lexiform_metrics::MetricsError>(())
//! ```

use serde::Serialize;

use crate::bootstrap::{self, Interval, Resampling};
use crate::error::{check_indices, check_len};
use crate::similarity::{map_similarities, rank_of, top_k};
use crate::{Features, MetricsError};

/// The k of recall@k, recall of all right answers at k and NDCG@k.
pub const CUTOFFS: [usize; 4] = [1, 3, 5, 10];
/// Gallery items stored per query.
const STORED_TOP_K: usize = 10;

/// The result of one query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryResult {
    /// Ranks of its relevant items, from 1, ascending.
    pub ranks: Vec<usize>,
    /// The ten best gallery items, best first.
    pub top_k: Vec<usize>,
}

/// Ranks the gallery, `[items, dim]`, for each of the queries, `[queries, dim]`, by cosine similarity. `relevant` lists the
/// relevant gallery items of each query, at least one, in any order.
///
/// # Errors
/// If lengths differ, an index is out of range, or a query has no relevant item.
pub fn retrieve(
    queries: &Features,
    gallery: &Features,
    relevant: &[Vec<usize>],
) -> Result<Vec<QueryResult>, MetricsError> {
    check_len("lists of relevant items", queries.rows(), relevant.len())?;
    for (query, relevant) in relevant.iter().enumerate() {
        check_indices("relevant item", relevant, gallery.rows())?;
        if relevant.is_empty() {
            return Err(MetricsError::NotEnoughData(format!("query {query} has no relevant item")));
        }
    }
    // Queries need no normalization: a query's norm scales all its scores alike.
    map_similarities(queries, 1, &gallery.normalized(), |query, scores| QueryResult {
        ranks: ranks(scores, &relevant[query]),
        top_k: top_k(scores, STORED_TOP_K),
    })
}

/// Ranks of `items`, from 1, ascending; of equal scores the lower index ranks first.
fn ranks(scores: &[f32], items: &[usize]) -> Vec<usize> {
    /// Up to this many items, one vectorized pass per item is faster than sorting.
    const FEW: usize = 16;
    if items.len() <= FEW {
        let mut ranks: Vec<usize> = items.iter().map(|item| rank_of(scores, *item)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        return ranks;
    }
    // Adding 0.0 turns -0.0 into 0.0, which `total_cmp` would order before it.
    let before = |a: usize, b: usize| (scores[b] + 0.0).total_cmp(&(scores[a] + 0.0)).then(a.cmp(&b));
    let mut items = items.to_vec();
    items.sort_by(|a, b| before(*a, *b));
    items.dedup();
    // Histogram of gallery items between consecutive relevant items.
    let mut between = vec![0; items.len() + 1];
    for other in 0..scores.len() {
        between[items.partition_point(|&item| before(item, other).is_lt())] += 1;
    }
    // Each relevant item is counted in the gap before itself, so the prefix sum of gaps is its rank.
    let places = between.iter().scan(0, |sum, n| {
        *sum += n;
        Some(*sum)
    });
    places.take(items.len()).collect()
}

/// Metrics over all queries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetrievalMetrics {
    /// Number of queries.
    pub queries: usize,
    /// Number of gallery items.
    pub gallery: usize,
    /// The metrics.
    #[serde(flatten)]
    pub scores: RetrievalScores,
}

/// Retrieval metrics, or with `T = Interval` their confidence intervals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RetrievalScores<T = f64> {
    /// Fraction of queries with a relevant item among the first k, for each k of [`CUTOFFS`].
    pub recall: [T; CUTOFFS.len()],
    /// Recall of all relevant items: mean fraction of a query's relevant items among the first k.
    pub recall_all: [T; CUTOFFS.len()],
    /// NDCG@k with binary relevance.
    pub ndcg: [T; CUTOFFS.len()],
    /// Mean rank of the first relevant item.
    pub mean_rank: T,
    /// Median rank of the first relevant item; the mean of the middle two for an even number of queries.
    pub median_rank: T,
    /// Mean reciprocal rank of the first relevant item (MRR).
    pub mean_reciprocal_rank: T,
    /// Mean average precision over the whole gallery (mAP).
    pub mean_average_precision: T,
}

impl RetrievalMetrics {
    /// Averages the results of all queries on a gallery of this size.
    ///
    /// # Errors
    /// If there are no queries.
    pub fn from_results(found: &[QueryResult], gallery: usize) -> Result<Self, MetricsError> {
        if found.is_empty() {
            return Err(MetricsError::NotEnoughData("expected at least one query, found none".to_owned()));
        }
        let queries: Vec<[f64; METRIC_COUNT]> = found.iter().map(QueryResult::as_array).collect();
        let scores = RetrievalScores::from_array(average(queries.iter()));
        Ok(Self { queries: found.len(), gallery, scores })
    }

    /// Bootstrap confidence intervals over queries, exact ones for fractions of 0 or 1. `found` are the results that these
    /// metrics were computed from.
    pub fn intervals(&self, found: &[QueryResult], resampling: Resampling) -> RetrievalScores<Interval> {
        let queries: Vec<[f64; METRIC_COUNT]> = found.iter().map(QueryResult::as_array).collect();
        let mut drawn = bootstrap::intervals(queries.len(), resampling, |draw| {
            average(draw.iter().map(|query| &queries[*query]))
        });
        let counted = average(queries.iter());
        for (interval, share) in drawn[..FRACTION_COUNT].iter_mut().zip(counted) {
            *interval = interval.or_exact(share, queries.len());
        }
        RetrievalScores::from_array(drawn)
    }
}

/// Metrics of [`RetrievalScores`] between 0 and 1.
const FRACTION_COUNT: usize = 3 * CUTOFFS.len() + 2;
/// All metrics of [`RetrievalScores`]: the fractions, mean and median rank.
const METRIC_COUNT: usize = FRACTION_COUNT + 2;

impl<T: Copy> RetrievalScores<T> {
    /// In the order of [`QueryResult::as_array`].
    fn from_array(numbers: [T; METRIC_COUNT]) -> Self {
        let of_depths =
            |measure: usize| std::array::from_fn(|depth| numbers[measure * CUTOFFS.len() + depth]);
        let [.., mean_reciprocal_rank, mean_average_precision, mean_rank, median_rank] = numbers;
        Self {
            recall: of_depths(0),
            recall_all: of_depths(1),
            ndcg: of_depths(2),
            mean_rank,
            median_rank,
            mean_reciprocal_rank,
            mean_average_precision,
        }
    }
}

/// Averages the metrics of at least one query; the last, the rank, becomes the median.
fn average<'a>(queries: impl ExactSizeIterator<Item = &'a [f64; METRIC_COUNT]>) -> [f64; METRIC_COUNT] {
    let count = queries.len() as f64;
    let (mut sums, mut ranks) = ([0.0; METRIC_COUNT], Vec::with_capacity(queries.len()));
    for query in queries {
        sums.iter_mut().zip(query).for_each(|(sum, number)| *sum += number);
        ranks.push(query[METRIC_COUNT - 1]);
    }
    let mut numbers = sums.map(|sum| sum / count);
    numbers[METRIC_COUNT - 1] = median(ranks);
    numbers
}

impl QueryResult {
    /// Rank of the first relevant item.
    pub fn first_rank(&self) -> usize {
        self.ranks.first().copied().unwrap_or(usize::MAX)
    }

    /// The metrics of this query alone, in the order of [`RetrievalScores::from_array`].
    fn as_array(&self) -> [f64; METRIC_COUNT] {
        let first = self.first_rank() as f64;
        let mut numbers = [first; METRIC_COUNT];
        let [recall, recall_all, ndcg] = [0, 1, 2].map(|measure| measure * CUTOFFS.len());
        for (depth, k) in CUTOFFS.into_iter().enumerate() {
            numbers[recall + depth] = f64::from(u8::from(self.first_rank() <= k));
            numbers[recall_all + depth] = self.hits_at(k) as f64 / self.ranks.len() as f64;
            numbers[ndcg + depth] = self.ndcg(k);
        }
        numbers[FRACTION_COUNT - 2] = 1.0 / first;
        numbers[FRACTION_COUNT - 1] = self.average_precision();
        numbers
    }

    /// Number of relevant items among the first `k`.
    pub fn hits_at(&self, k: usize) -> usize {
        self.ranks.partition_point(|rank| *rank <= k)
    }

    /// Average precision: mean over relevant items of the precision at their rank.
    pub fn average_precision(&self) -> f64 {
        let precisions = self.ranks.iter().enumerate().map(|(i, rank)| (i + 1) as f64 / *rank as f64);
        precisions.sum::<f64>() / self.ranks.len() as f64
    }

    /// NDCG@k with binary relevance (<https://doi.org/10.1145/582415.582418>).
    pub fn ndcg(&self, k: usize) -> f64 {
        let discounted = |rank: usize| 1.0 / ((rank + 1) as f64).log2();
        let gain: f64 = self.ranks.iter().take_while(|rank| **rank <= k).map(|rank| discounted(*rank)).sum();
        let perfect: f64 = (1..=self.ranks.len().min(k)).map(discounted).sum();
        gain / perfect
    }
}

/// The median of at least one value; the mean of the middle two for an even number.
fn median(mut numbers: Vec<f64>) -> f64 {
    let half = numbers.len() / 2;
    let (below, middle, _) = numbers.select_nth_unstable_by(half, f64::total_cmp);
    let middle = *middle;
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(before) if numbers.len().is_multiple_of(2) => (before + middle) / 2.0,
        _ => middle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_relevant_items() {
        let scores = [0.1, 0.9, 0.5, 0.5, 0.3];
        assert_eq!(ranks(&scores, &[1]), [1]);
        assert_eq!(ranks(&scores, &[4, 3, 2]), [2, 3, 4]);
        assert_eq!(ranks(&scores, &[3]), [3]);
        assert_eq!(ranks(&scores, &[0, 0]), [5]);
        // Many items take the sorted path, few one pass each.
        let many: Vec<f32> = (0..90).map(|i| [0.0, -0.0, 0.5, -0.5][i * 7 % 4]).collect();
        let items: Vec<usize> = (0..90).step_by(3).collect();
        let mut one_by_one: Vec<usize> = items.iter().flat_map(|item| ranks(&many, &[*item])).collect();
        one_by_one.sort_unstable();
        assert_eq!(ranks(&many, &items), one_by_one);
    }

    #[test]
    fn metrics_of_a_small_gallery() {
        let gallery = Features::new(vec![1.0, 0.0, 0.8, 0.6, 0.0, 1.0], 2).unwrap();
        let queries = Features::new(vec![5.0, 0.0, 0.0, 0.1], 2).unwrap();
        let found = retrieve(&queries, &gallery, &[vec![1, 2], vec![2]]).unwrap();
        assert_eq!(found[0].ranks, [2, 3]);
        assert_eq!(found[1].top_k, [2, 1, 0]);
        let numbers = RetrievalMetrics::from_results(&found, 3).unwrap().scores;
        assert_eq!(numbers.recall, [0.5, 1.0, 1.0, 1.0]);
        assert_eq!(numbers.recall_all, [0.5, 1.0, 1.0, 1.0]);
        assert_eq!((numbers.mean_rank, numbers.median_rank), (1.5, 1.5));
        assert!((numbers.mean_average_precision - ((0.5 + 2.0 / 3.0) / 2.0 + 1.0) / 2.0).abs() < 1e-12);
        assert!(
            retrieve(&queries, &gallery, &[vec![0], vec![]]).unwrap_err().to_string().contains("query 1")
        );
        assert!(retrieve(&queries, &gallery, &[vec![0], vec![3]]).is_err());
    }

    #[test]
    fn intervals_contain_the_metrics_and_resample_queries() {
        let found = |rank: usize| QueryResult { ranks: vec![rank, rank + 2], top_k: Vec::new() };
        let all: Vec<QueryResult> = (0..300).map(|i| found(1 + i % 7)).collect();
        let counted = RetrievalMetrics::from_results(&all, 20).unwrap();
        let resampling = Resampling { resamples: 400, seed: 5 };
        let intervals = counted.intervals(&all, resampling);
        let check = |number: f64, interval: Interval| {
            assert!(interval.low < number && number < interval.high, "{number} {interval:?}");
        };
        check(counted.scores.recall[0], intervals.recall[0]);
        check(counted.scores.recall_all[2], intervals.recall_all[2]);
        check(counted.scores.ndcg[3], intervals.ndcg[3]);
        check(counted.scores.mean_rank, intervals.mean_rank);
        check(counted.scores.mean_average_precision, intervals.mean_average_precision);
        // The same resamples through the public API.
        let [medians] = bootstrap::intervals(all.len(), resampling, |draw| {
            let drawn: Vec<QueryResult> = draw.iter().map(|query| all[*query].clone()).collect();
            [RetrievalMetrics::from_results(&drawn, 20).unwrap().scores.median_rank]
        });
        assert_eq!(intervals.median_rank, medians);
        // Recall is 1: the exact lower end is 0.025^(1/300).
        let (low, high) = (intervals.recall[3].low, intervals.recall[3].high);
        assert!((low - 0.025_f64.powf(1.0 / 300.0)).abs() < 1e-12 && high == 1.0, "{low}");
    }
}
