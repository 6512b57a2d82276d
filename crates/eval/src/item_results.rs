//! Per-item results of a run, and their comparison with those of another run.

use std::collections::HashMap;

use lexiform_metrics::bootstrap::Resampling;
use lexiform_metrics::paired::{self, PairedComparison};

use crate::error::EvalError;

/// Whether one item is predicted correctly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemResult {
    /// Name of the file or query.
    pub item: String,
    /// Whether the top-1 result is correct.
    pub is_correct: bool,
}

/// Compares a run with the first on their common items; `None` if there are none.
pub(crate) fn compare(
    first: &[ItemResult],
    second: &[ItemResult],
    resampling: Resampling,
) -> Result<Option<PairedComparison>, EvalError> {
    let (first, second) = in_common(first, second);
    if first.is_empty() { Ok(None) } else { Ok(Some(paired::compare(&first, &second, resampling)?)) }
}

/// Correctness in both runs of their common items, in the order of the first.
fn in_common(first: &[ItemResult], second: &[ItemResult]) -> (Vec<bool>, Vec<bool>) {
    let second: HashMap<&str, bool> =
        second.iter().map(|case| (case.item.as_str(), case.is_correct)).collect();
    first.iter().filter_map(|case| Some((case.is_correct, *second.get(case.item.as_str())?))).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_common_items_are_compared() {
        let run = |cases: &[(&str, bool)]| -> Vec<ItemResult> {
            cases.iter().map(|&(item, is_correct)| ItemResult { item: item.to_owned(), is_correct }).collect()
        };
        let (first, second) = (run(&[("a", true), ("b", false)]), run(&[("c", true), ("b", true)]));
        assert_eq!(in_common(&first, &second), (vec![false], vec![true]));
        let paired = compare(&first, &second, Resampling::default()).unwrap().unwrap();
        assert_eq!((paired.items, paired.difference), (1, 1.0));
        assert!(compare(&first, &run(&[("d", true)]), Resampling::default()).unwrap().is_none());
    }
}
