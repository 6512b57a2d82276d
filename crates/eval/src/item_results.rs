//! Two runs on the same items, paired.

use std::collections::HashMap;

use lexiform_metrics::bootstrap::Resampling;
use lexiform_metrics::paired::{self, PairedComparison};

use crate::error::EvalError;

/// Whether one item is predicted correctly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemResult {
    /// Name of the file or query.
    pub item: String,
    /// Whether the first answer is right.
    pub is_correct: bool,
}

/// Compares a run with the first, on the items that both have; `None` where there are none.
pub(crate) fn compare(
    first: &[ItemResult],
    second: &[ItemResult],
    resampling: Resampling,
) -> Result<Option<PairedComparison>, EvalError> {
    let (first, second) = in_common(first, second);
    match first.is_empty() {
        true => Ok(None),
        false => Ok(Some(paired::compare(&first, &second, resampling)?)),
    }
}

/// Whether each run is right, for items that both have, in the order of the first.
fn in_common(first: &[ItemResult], second: &[ItemResult]) -> (Vec<bool>, Vec<bool>) {
    let second: HashMap<&str, bool> =
        second.iter().map(|case| (case.item.as_str(), case.is_correct)).collect();
    first.iter().filter_map(|case| Some((case.is_correct, *second.get(case.item.as_str())?))).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_items_of_both_runs_are_compared() {
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
