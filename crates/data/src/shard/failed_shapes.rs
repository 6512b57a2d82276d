//! `parts/I-of-N.failed.jsonl`: shapes that could not be used.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::json::{read_lines, write_lines};
use crate::DataError;

/// A shape that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedShape {
    /// Its key in the data set.
    pub key: String,
    /// Where it comes from.
    pub source: String,
    /// Why it could not be used.
    pub reason: String,
}

/// Replaces a list of failed shapes.
pub(crate) fn write_failed(path: &Path, failed: &[FailedShape]) -> Result<(), DataError> {
    write_lines(path, failed)
}

/// Shapes that failed in earlier runs, by key.
pub(crate) fn read_failed(path: &Path) -> Result<BTreeMap<String, FailedShape>, DataError> {
    Ok(read_lines(path)?.into_iter().map(|one: FailedShape| (one.key.clone(), one)).collect())
}
