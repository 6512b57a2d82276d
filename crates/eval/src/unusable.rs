//! Files that an evaluation had to skip.

use std::path::Path;

use serde::{Serialize, Serializer};

use crate::error::EvalError;

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnusableFile {
    /// Path of the file as given.
    pub file: String,
    /// Why it is unusable.
    pub reason: String,
}

impl UnusableFile {
    /// From an error about this file.
    ///
    /// # Errors
    /// Any other error, which ends the evaluation.
    pub(crate) fn from_error(file: &Path, error: lexiform_search::Error) -> Result<Self, EvalError> {
        let reason = match error {
            lexiform_search::Error::NotFound { .. } => "no such file".to_owned(),
            lexiform_search::Error::Shape { reason, .. } | lexiform_search::Error::Image { reason, .. } => {
                reason
            }
            // A failing model is not the fault of one file.
            other => return Err(other.into()),
        };
        Ok(Self { file: file.display().to_string(), reason })
    }

    /// The unusable files of several runs, sorted, without duplicates.
    pub(crate) fn merged<'a>(runs: impl IntoIterator<Item = &'a Vec<Self>>) -> Vec<Self> {
        let mut all: Vec<Self> = runs.into_iter().flatten().cloned().collect();
        all.sort();
        all.dedup();
        all
    }
}

/// As the pair `[file, reason]`.
impl Serialize for UnusableFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.file, &self.reason).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_failed_twice_is_listed_once() {
        let [a, b] =
            ["a", "b"].map(|name| UnusableFile { file: name.to_owned(), reason: "no such file".to_owned() });
        assert_eq!(UnusableFile::merged([&vec![b.clone(), a.clone()], &vec![b.clone()]]), [a, b]);
    }
}
