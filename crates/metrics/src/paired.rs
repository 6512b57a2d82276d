//! Paired comparison of two models on the same items: McNemar's exact test, and a bootstrap interval of the difference.
//!
//! ```
//! use lexiform_metrics::{bootstrap::Resampling, paired};
//!
//! let (first, second) = ([true, false, false, true], [true, true, true, true]);
//! let comparison = paired::compare(&first, &second, Resampling::default())?;
//! assert_eq!((comparison.difference, comparison.only_second), (0.5, 2));
//! assert!((comparison.p_value - 0.5).abs() < 1e-12);
//! # Ok::<(), lexiform_metrics::MetricsError>(())
//! ```

use serde::Serialize;

use crate::MetricsError;
use crate::bootstrap::{Interval, Resampling, intervals};
use crate::error::check_len;

/// Top-1 accuracy of a second model compared with the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PairedComparison {
    /// Items that both models predicted.
    pub items: usize,
    /// Accuracy of the second model minus accuracy of the first.
    pub difference: f64,
    /// Its 95 % confidence interval; each bootstrap sample has the same items for both models.
    pub interval: Interval,
    /// Items that only the first model predicts correctly.
    pub only_first: usize,
    /// Items that only the second model predicts correctly.
    pub only_second: usize,
    /// Two-sided p-value of McNemar's exact test (<https://doi.org/10.1007/BF02295996>).
    pub p_value: f64,
}

/// Compares the correctness of two models, item by item.
///
/// # Errors
/// If the lengths differ, or the lists are empty.
pub fn compare(
    first: &[bool],
    second: &[bool],
    resampling: Resampling,
) -> Result<PairedComparison, MetricsError> {
    check_len("predictions of the second model", first.len(), second.len())?;
    if first.is_empty() {
        return Err(MetricsError::NotEnoughData(
            "expected items that both models predicted, found none".to_owned(),
        ));
    }
    let gains: Vec<i32> = first.iter().zip(second).map(|(a, b)| i32::from(*b) - i32::from(*a)).collect();
    let mean = |sum: i64| sum as f64 / gains.len() as f64;
    let [interval] = intervals(gains.len(), resampling, |draw| {
        [mean(draw.iter().map(|item| i64::from(gains[*item])).sum())]
    });
    let only_first = gains.iter().filter(|g| **g < 0).count();
    let only_second = gains.iter().filter(|g| **g > 0).count();
    Ok(PairedComparison {
        items: gains.len(),
        difference: mean(gains.iter().map(|g| i64::from(*g)).sum()),
        interval,
        only_first,
        only_second,
        p_value: mcnemar(only_first, only_second),
    })
}

/// Two-sided binomial test of `a` against `b` with probability ½.
fn mcnemar(a: usize, b: usize) -> f64 {
    let (n, fewer) = (a + b, a.min(b));
    // Log of the binomial probability of k, from that of k − 1: the probabilities themselves underflow for large n.
    let mut log = n as f64 * 0.5_f64.ln();
    let mut tail = log.exp();
    for k in 1..=fewer {
        log += ((n - k + 1) as f64 / k as f64).ln();
        tail += log.exp();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_probabilities() {
        let check = |a, b, expected: f64| {
            assert!((mcnemar(a, b) - expected).abs() < 1e-12, "{a} {b}: {}", mcnemar(a, b));
        };
        check(0, 0, 1.0);
        check(0, 5, 0.0625);
        check(3, 3, 1.0);
        check(2, 8, 0.109_375);
        assert!(mcnemar(0, 5000) >= 0.0);
    }

    #[test]
    fn a_model_is_no_better_than_itself() {
        let right = [true, false, true, true];
        let same = compare(&right, &right, Resampling::default()).unwrap();
        assert_eq!((same.difference, same.p_value, same.interval.low), (0.0, 1.0, 0.0));
        let better = compare(&right, &[true; 4], Resampling::default()).unwrap();
        assert_eq!((better.difference, better.only_second, better.only_first), (0.25, 1, 0));
        assert!(compare(&right, &[true], Resampling::default()).is_err());
        assert!(compare(&[], &[], Resampling::default()).is_err());
    }
}
