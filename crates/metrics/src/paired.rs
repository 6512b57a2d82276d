//! Two models on the same items: McNemar's exact test, and the bootstrap interval of the difference.

use serde::Serialize;

use crate::MetricsError;
use crate::bootstrap::{Interval, Resampling, intervals};
use crate::error::check_count;

/// The second model's first answers compared with the first's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// Items both were asked.
    pub items: usize,
    /// Accuracy of the second less that of the first.
    pub difference: f64,
    /// Its interval, the same items drawn for both.
    pub interval: Interval,
    /// Items that only the first names right.
    pub only_first: usize,
    /// Items that only the second names right.
    pub only_second: usize,
    /// How often chance alone would give so unequal counts or more unequal ones (McNemar's exact test, two-sided).
    pub p_value: f64,
}

/// Compares whether items are named right by two models.
///
/// # Errors
/// If the lists differ in length, or are empty.
pub fn compare(first: &[bool], second: &[bool], resampling: Resampling) -> Result<Paired, MetricsError> {
    check_count("answers of the second model", first.len(), second.len())?;
    if first.is_empty() {
        return Err(MetricsError::TooLittle("no item was named by both models".to_owned()));
    }
    let gains: Vec<i32> = first.iter().zip(second).map(|(a, b)| i32::from(*b) - i32::from(*a)).collect();
    let mean = |sum: i64| sum as f64 / gains.len() as f64;
    let [interval] = intervals(gains.len(), resampling, |draw| {
        [mean(draw.iter().map(|item| i64::from(gains[*item])).sum())]
    });
    let only_first = gains.iter().filter(|g| **g < 0).count();
    let only_second = gains.iter().filter(|g| **g > 0).count();
    Ok(Paired {
        items: gains.len(),
        difference: mean(gains.iter().map(|g| i64::from(*g)).sum()),
        interval,
        only_first,
        only_second,
        p_value: mcnemar(only_first, only_second),
    })
}

/// Two-sided probability of a fair coin's falling so unevenly.
fn mcnemar(a: usize, b: usize) -> f64 {
    let (n, fewer) = (a + b, a.min(b));
    // Logarithm of the probability of k heads, from that of k − 1.
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
