//! Two runs on the same items, paired.

use std::collections::HashMap;

use lexiform_metrics::bootstrap::Resampling;
use lexiform_metrics::paired::{self, Paired};

use crate::error::EvalError;

/// Whether one item is predicted correctly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Name of the file or query.
    pub item: String,
    /// Whether the first answer is right.
    pub is_right: bool,
}

/// Compares a run with the first, on the items that both have; `None` where there are none.
pub(crate) fn compare(
    first: &[Case],
    second: &[Case],
    resampling: Resampling,
) -> Result<Option<Paired>, EvalError> {
    let (first, second) = in_common(first, second);
    match first.is_empty() {
        true => Ok(None),
        false => Ok(Some(paired::compare(&first, &second, resampling)?)),
    }
}

/// Whether each run is right, for items that both have, in the order of the first.
fn in_common(first: &[Case], second: &[Case]) -> (Vec<bool>, Vec<bool>) {
    let second: HashMap<&str, bool> = second.iter().map(|case| (case.item.as_str(), case.is_right)).collect();
    first.iter().filter_map(|case| Some((case.is_right, *second.get(case.item.as_str())?))).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_items_of_both_runs_are_compared() {
        let run = |cases: &[(&str, bool)]| -> Vec<Case> {
            cases.iter().map(|&(item, is_right)| Case { item: item.to_owned(), is_right }).collect()
        };
        let (first, second) = (run(&[("a", true), ("b", false)]), run(&[("c", true), ("b", true)]));
        assert_eq!(in_common(&first, &second), (vec![false], vec![true]));
        let paired = compare(&first, &second, Resampling::default()).unwrap().unwrap();
        assert_eq!((paired.items, paired.difference), (1, 1.0));
        assert!(compare(&first, &run(&[("d", true)]), Resampling::default()).unwrap().is_none());
    }
}
