//! Evaluating one split only.

use std::collections::BTreeSet;
use std::path::Path;

use crate::entry::Entry;
use crate::error::EvalError;

/// The items in a split, or all items if `split` is `None`; `entry` returns the shape of an item.
///
/// # Errors
/// If no item is in the split; the error lists the existing splits.
pub(crate) fn filter<T>(
    split: Option<&str>,
    all: Vec<T>,
    entry: impl Fn(&T) -> &Entry,
    place: &Path,
) -> Result<Vec<T>, EvalError> {
    let Some(split) = split else { return Ok(all) };
    let count = all.len();
    // Collected before filtering, for the error message.
    let known: BTreeSet<String> = all.iter().filter_map(|item| entry(item).split.clone()).collect();
    let left: Vec<T> = all.into_iter().filter(|t| entry(t).split.as_deref() == Some(split)).collect();
    if !left.is_empty() {
        return Ok(left);
    }
    let message = format!("{}: none of {count} shapes is in split {split:?}", place.display());
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Err(if known.is_empty() {
        EvalError::hinted(message, "no shape has a split; add a column `split` to the CSV file")
    } else {
        EvalError::hinted(message, format!("existing splits: {known}"))
    })
}
