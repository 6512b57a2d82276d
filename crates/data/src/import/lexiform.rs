//! Another Lexiform data set, to add labels and captions or to change the size of shards.

use std::path::Path;

use super::options::ImportOptions;
use super::source::ImportSource;
use crate::shape::METADATA;
use crate::{DataError, Dataset};

/// Imports every shape without changes.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<ImportSource, DataError> {
    let dataset = Dataset::open(from)?;
    let ids: Vec<String> = (0..dataset.len()).map(|shape| dataset.key(shape).to_owned()).collect();
    let read = move |i: usize| {
        let mut shape = dataset.shape(i).map_err(|error| error.to_string())?;
        shape.members.retain(|member| member.name != METADATA);
        Ok((shape.members, shape.metadata))
    };
    ImportSource::new("lexiform", from, &ids, options, read)
}
