//! Another data set of this kind: to bring it together anew, with more labels and captions, or in shards of another size.

use std::path::Path;

use super::{ImportOptions, Opened};
use crate::shape::ABOUT;
use crate::{DataError, Dataset};

/// Every shape as it is.
pub(super) fn open(from: &Path, options: &ImportOptions) -> Result<Opened, DataError> {
    let dataset = Dataset::open(from)?;
    let ids: Vec<String> = (0..dataset.len()).map(|shape| dataset.key(shape).to_owned()).collect();
    let read = move |i: usize| {
        let mut shape = dataset.shape(i).map_err(|error| error.to_string())?;
        shape.members.retain(|member| member.name != ABOUT);
        Ok((shape.members, shape.about))
    };
    Opened::new("lexiform", from, &ids, options, read)
}
