//! How sure a number is: the percentile bootstrap (Efron and Tibshirani 1993, chapter 13).

use rayon::prelude::*;
use serde::Serialize;

use crate::{Classification, Prediction, SplitMix64};

/// Where 95 % of the resampled values lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

impl Interval {
    /// The same for the mean of shares of `items`. Where all are whole or none is anything, every draw is like the first and tells
    /// nothing: there it is the exact interval of how many are so (Clopper and Pearson 1934).
    pub(crate) fn of_share(self, share: f64, items: usize) -> Self {
        let farthest = ENDS[0].powf(1.0 / items.max(1) as f64);
        match share {
            1.0 => Self { low: farthest, high: 1.0 },
            0.0 => Self { low: 0.0, high: 1.0 - farthest },
            _ => self,
        }
    }
}

/// Shares of values below the two ends.
const ENDS: [f64; 2] = [0.025, 0.975];

/// How chance is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Resampling {
    /// Number of bootstrap samples.
    pub rounds: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { rounds: 1000, seed: 0 }
    }
}

/// Draws as many of `items` as there are, with replacement, in each round, and gives the interval of every statistic of
/// the draw (indices of items). Each round has draws of its own, so that the number of threads does not matter.
pub fn intervals<const N: usize>(
    items: usize,
    resampling: Resampling,
    statistics: impl Fn(&[usize]) -> [f64; N] + Sync,
) -> [Interval; N] {
    let rounds: Vec<[f64; N]> = (0..resampling.rounds as u64)
        .into_par_iter()
        .map_init(
            || vec![0; items],
            |draw, round| {
                let mut chance = SplitMix64::of_round(resampling.seed, round);
                draw.iter_mut().for_each(|slot| *slot = chance.below(items));
                statistics(draw)
            },
        )
        .collect();
    std::array::from_fn(|i| interval(rounds.iter().map(|values| values[i]).collect()))
}

/// The middle 95 % of some values.
pub fn interval(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    let [low, high] = ENDS.map(|share| percentile(&values, share));
    Interval { low, high }
}

/// Linear between neighbors, as NumPy's default; NaN without values.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// Intervals of a [`Classification`]'s numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassificationIntervals {
    /// Of overall accuracy.
    pub top_1: Interval,
    /// Of the share with the right answer among three.
    pub top_3: Interval,
    /// Of the share with the right answer among five.
    pub top_5: Interval,
    /// Of the class average: items are drawn, classes that no item was drawn of do not count.
    pub class_average: Interval,
}

impl ClassificationIntervals {
    /// From bootstrap samples of the predictions.
    pub fn of(predictions: &[Prediction], classification: &Classification, resampling: Resampling) -> Self {
        // Only classes that occur can be drawn: renumbering them keeps the counts short.
        let mut place = vec![usize::MAX; classification.labels];
        classification.classes.iter().enumerate().for_each(|(i, class)| place[class.class] = i);
        let of_class: Vec<(usize, usize)> = predictions.iter().map(|p| (place[p.truth], p.rank)).collect();
        let [top_1, top_3, top_5, class_average] = intervals(predictions.len(), resampling, |draw| {
            let mut counts = vec![[0_u32; 2]; classification.classes.len()];
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
        let Classification { top_1: one, top_3: three, top_5: five, class_average: average, .. } =
            classification;
        Self {
            top_1: top_1.of_share(*one, items),
            top_3: top_3.of_share(*three, items),
            top_5: top_5.of_share(*five, items),
            class_average: class_average.of_share(*average, items),
        }
    }
}

/// Mean over classes with items of the share that is right.
fn average(counts: &[[u32; 2]]) -> f64 {
    let drawn = counts.iter().filter(|[items, _]| *items > 0);
    let (sum, n) = drawn
        .fold((0.0, 0.0), |(sum, n), [items, right]| (sum + f64::from(*right) / f64::from(*items), n + 1.0));
    sum / n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confusion;

    #[test]
    fn percentiles_are_numpys() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let found = interval(values);
        assert!((found.low - 1.225).abs() < 1e-12 && (found.high - 9.775).abs() < 1e-12, "{found:?}");
        assert!(interval(vec![]).low.is_nan());
    }

    #[test]
    fn the_interval_of_a_share_is_about_two_standard_errors() {
        let right = |i: usize| f64::from(u8::from(i.is_multiple_of(4)));
        let resampling = Resampling { rounds: 2000, seed: 3 };
        let [found] = intervals(400, resampling, |draw| {
            [draw.iter().map(|i| right(*i)).sum::<f64>() / draw.len() as f64]
        });
        let error = (0.25_f64 * 0.75 / 400.0).sqrt();
        assert!((found.low - (0.25 - 1.96 * error)).abs() < 0.01, "{found:?}");
        assert!((found.high - (0.25 + 1.96 * error)).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn all_right_is_not_certain() {
        let right = Prediction { truth: 0, rank: 1, best: vec![0], score: 0.0, truth_score: 0.0 };
        let predictions = vec![right; 64];
        let classification = Classification::of(&predictions, 1).unwrap();
        let found = ClassificationIntervals::of(&predictions, &classification, Resampling::default());
        // 0.025 to the power of 1/64.
        assert!((found.top_1.low - 0.943_990_9).abs() < 1e-6 && found.top_1.high == 1.0, "{found:?}");
        let none = Interval { low: 0.0, high: 0.0 }.of_share(0.0, 1);
        assert!((none.high - 0.975).abs() < 1e-12, "{none:?}");
    }

    #[test]
    fn the_quick_class_average_of_a_draw_is_that_of_its_confusion() {
        let prediction = |truth: usize, answer: usize| Prediction {
            truth,
            rank: if truth == answer { 1 } else { 2 },
            best: vec![answer],
            score: 0.0,
            truth_score: 0.0,
        };
        let predictions: Vec<Prediction> = (0..30).map(|i| prediction(i % 4, (i * 7 % 5).min(3))).collect();
        let classification = Classification::of(&predictions, 9).unwrap();
        let resampling = Resampling { rounds: 50, seed: 1 };
        let quick = ClassificationIntervals::of(&predictions, &classification, resampling).class_average;
        let [slow] = intervals(30, resampling, |draw| {
            let drawn: Vec<Prediction> = draw.iter().map(|i| predictions[*i].clone()).collect();
            [Confusion::of(&drawn, 9).class_average()]
        });
        assert_eq!(quick, slow);
    }
}
