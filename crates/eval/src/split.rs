//! Measuring on one split only.

use std::collections::BTreeSet;
use std::path::Path;

use crate::entry::Entry;
use crate::error::EvalError;

/// The items that belong to a split, all where none is asked for; `entry` is the shape of each.
///
/// # Errors
/// If none is left, with the splits there are.
pub(crate) fn filter<T>(
    split: Option<&str>,
    all: Vec<T>,
    entry: impl Fn(&T) -> &Entry,
    place: &Path,
) -> Result<Vec<T>, EvalError> {
    let Some(split) = split else { return Ok(all) };
    let count = all.len();
    let known: BTreeSet<String> = all.iter().filter_map(|item| entry(item).split.clone()).collect();
    let left: Vec<T> = all.into_iter().filter(|t| entry(t).split.as_deref() == Some(split)).collect();
    if !left.is_empty() {
        return Ok(left);
    }
    let message = format!("{}: none of {count} belongs to split {split:?}", place.display());
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Err(match known.is_empty() {
        true => {
            EvalError::hinted(message, "nothing there says a split; a CSV file says it in a column split")
        }
        false => EvalError::hinted(message, format!("the splits there are: {known}")),
    })
}
