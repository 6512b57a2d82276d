//! Bootstrap confidence intervals: the percentile method (Efron and Tibshirani, *An Introduction to the Bootstrap*,
//! 1993, chapter 13, <https://doi.org/10.1201/9780429246593>).
//!
//! ```
//! use lexiform_metrics::bootstrap::{Resampling, intervals};
//!
//! let correct = [true, true, false, true, true, false, true, true];
//! let [accuracy] = intervals(correct.len(), Resampling::default(), |sample| {
//!     [sample.iter().filter(|i| correct[**i]).count() as f64 / sample.len() as f64]
//! });
//! assert!(accuracy.low < 0.75 && 0.75 < accuracy.high);
//! ```

use rayon::prelude::*;
use serde::Serialize;

use crate::{ClassificationMetrics, Prediction, SplitMix64};

/// A 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

impl Interval {
    /// The exact interval (Clopper and Pearson 1934, <https://doi.org/10.1093/biomet/26.4.404>) where a fraction of
    /// `items` is 0 or 1: there every resample is the same, and the bootstrap interval would have no width.
    pub(crate) fn or_exact(self, fraction: f64, items: usize) -> Self {
        // Clopper-Pearson has this closed form if no item, or every item, succeeds.
        let farthest = QUANTILES[0].powf(1.0 / items.max(1) as f64);
        match fraction {
            1.0 => Self { low: farthest, high: 1.0 },
            0.0 => Self { low: 0.0, high: 1.0 - farthest },
            _ => self,
        }
    }
}

/// Quantiles of the two ends.
const QUANTILES: [f64; 2] = [0.025, 0.975];

/// How many bootstrap samples are drawn, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Resampling {
    /// Number of bootstrap samples.
    pub resamples: usize,
    /// Random seed.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { resamples: 1000, seed: 0 }
    }
}

/// Intervals of `N` statistics: each bootstrap sample has `items` indices, drawn with replacement, from which
/// `statistics` computes its values.
pub fn intervals<const N: usize>(
    items: usize,
    resampling: Resampling,
    statistics: impl Fn(&[usize]) -> [f64; N] + Sync,
) -> [Interval; N] {
    // Each sample has a random stream of its own, so that results do not depend on the number of threads.
    let samples: Vec<[f64; N]> = (0..resampling.resamples as u64)
        .into_par_iter()
        .map_init(
            || vec![0; items],
            |sample, stream| {
                let mut rng = SplitMix64::for_stream(resampling.seed, stream);
                sample.iter_mut().for_each(|slot| *slot = rng.next_below(items));
                statistics(sample)
            },
        )
        .collect();
    std::array::from_fn(|i| interval(samples.iter().map(|values| values[i]).collect()))
}

/// The 2.5th and 97.5th percentile of `values`.
pub fn interval(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    let [low, high] = QUANTILES.map(|share| percentile(&values, share));
    Interval { low, high }
}

/// Linear interpolation between neighbors, NumPy's default; NaN without values.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = share * last as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    below + (above - below) * position.fract()
}

/// Confidence intervals of [`ClassificationMetrics`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassificationIntervals {
    /// Of top-1 accuracy.
    pub top_1: Interval,
    /// Of top-3 accuracy.
    pub top_3: Interval,
    /// Of top-5 accuracy.
    pub top_5: Interval,
    /// Of mean class accuracy. Items are resampled; classes missing from a sample are ignored in it.
    pub mean_class_accuracy: Interval,
}

impl ClassificationIntervals {
    /// Resamples the predictions that `classification` was computed from.
    pub fn from_predictions(
        predictions: &[Prediction],
        classification: &ClassificationMetrics,
        resampling: Resampling,
    ) -> Self {
        // Only classes that occur can be sampled: renumbering them keeps the counts short.
        let mut place = vec![usize::MAX; classification.num_classes];
        classification.per_class.iter().enumerate().for_each(|(i, class)| place[class.class] = i);
        let of_class: Vec<(usize, usize)> = predictions.iter().map(|p| (place[p.truth], p.rank)).collect();
        let [top_1, top_3, top_5, mean_class_accuracy] = intervals(predictions.len(), resampling, |draw| {
            let mut counts = vec![[0_u32; 2]; classification.per_class.len()];
            let mut within = [0_u32; 3];
            for &item in draw {
                let (class, rank) = of_class[item];
                for (sum, k) in within.iter_mut().zip([1, 3, 5]) {
                    *sum += u32::from(rank <= k);
                }
                counts[class][0] += 1;
                counts[class][1] += u32::from(rank == 1);
            }
            let [one, three, five] = within.map(|n| f64::from(n) / draw.len() as f64);
            [one, three, five, average(&counts)]
        });
        let items = predictions.len();
        let ClassificationMetrics {
            top_1: one, top_3: three, top_5: five, mean_class_accuracy: average, ..
        } = classification;
        Self {
            top_1: top_1.or_exact(*one, items),
            top_3: top_3.or_exact(*three, items),
            top_5: top_5.or_exact(*five, items),
            mean_class_accuracy: mean_class_accuracy.or_exact(*average, items),
        }
    }
}

/// Mean accuracy of the classes with items; `counts` are (items, correct).
fn average(counts: &[[u32; 2]]) -> f64 {
    let drawn = counts.iter().filter(|[items, _]| *items > 0);
    let (sum, n) = drawn
        .fold((0.0, 0.0), |(sum, n), [items, right]| (sum + f64::from(*right) / f64::from(*items), n + 1.0));
    sum / n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConfusionMatrix;

    #[test]
    fn percentiles_are_numpys() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let found = interval(values);
        assert!((found.low - 1.225).abs() < 1e-12 && (found.high - 9.775).abs() < 1e-12, "{found:?}");
        assert!(interval(vec![]).low.is_nan());
    }

    #[test]
    fn the_interval_of_a_fraction_is_about_two_standard_errors() {
        let right = |i: usize| f64::from(u8::from(i.is_multiple_of(4)));
        let resampling = Resampling { resamples: 2000, seed: 3 };
        let [found] = intervals(400, resampling, |draw| {
            [draw.iter().map(|i| right(*i)).sum::<f64>() / draw.len() as f64]
        });
        let error = (0.25_f64 * 0.75 / 400.0).sqrt();
        assert!((found.low - (0.25 - 1.96 * error)).abs() < 0.01, "{found:?}");
        assert!((found.high - (0.25 + 1.96 * error)).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn perfect_accuracy_has_an_exact_interval() {
        let right = Prediction { truth: 0, rank: 1, top_k: vec![0], score: 0.0, truth_score: 0.0 };
        let predictions = vec![right; 64];
        let classification = ClassificationMetrics::from_predictions(&predictions, 1).unwrap();
        let found =
            ClassificationIntervals::from_predictions(&predictions, &classification, Resampling::default());
        // 0.025 to the power of 1/64.
        assert!((found.top_1.low - 0.943_990_9).abs() < 1e-6 && found.top_1.high == 1.0, "{found:?}");
        let none = Interval { low: 0.0, high: 0.0 }.or_exact(0.0, 1);
        assert!((none.high - 0.975).abs() < 1e-12, "{none:?}");
    }

    #[test]
    fn resampled_mean_class_accuracy_equals_that_of_the_confusion_matrix() {
        let prediction = |truth: usize, answer: usize| Prediction {
            truth,
            rank: if truth == answer { 1 } else { 2 },
            top_k: vec![answer],
            score: 0.0,
            truth_score: 0.0,
        };
        let predictions: Vec<Prediction> = (0..30).map(|i| prediction(i % 4, (i * 7 % 5).min(3))).collect();
        let classification = ClassificationMetrics::from_predictions(&predictions, 9).unwrap();
        let resampling = Resampling { resamples: 50, seed: 1 };
        let quick = ClassificationIntervals::from_predictions(&predictions, &classification, resampling)
            .mean_class_accuracy;
        let [slow] = intervals(30, resampling, |draw| {
            let drawn: Vec<Prediction> = draw.iter().map(|i| predictions[*i].clone()).collect();
            [ConfusionMatrix::from_predictions(&drawn, 9).mean_class_accuracy()]
        });
        assert_eq!(quick, slow);
    }
}
