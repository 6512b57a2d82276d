//! What all exporters share: the job, its result and the ids of shapes.

use std::path::Path;

use crate::{DataError, Dataset};

/// The shapes to write, and where.
pub(super) struct ExportJob<'a> {
    pub dataset: &'a Dataset,
    pub shapes: &'a [usize],
    /// An empty folder.
    pub out_dir: &'a Path,
    pub progress: &'a mut dyn FnMut(),
}

impl ExportJob<'_> {
    /// Calls `write` with every shape. A reason that it returns says why the shape was skipped.
    pub fn each(
        self,
        mut write: impl FnMut(usize) -> Result<Option<&'static str>, DataError>,
    ) -> Result<ExportSummary, DataError> {
        let mut exported = ExportSummary::default();
        for &shape in self.shapes {
            match write(shape)? {
                None => exported.shapes += 1,
                Some(reason) => exported.skip_shape(self.dataset.key(shape), reason),
            }
            (self.progress)();
        }
        Ok(exported)
    }
}

/// Counts of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportSummary {
    /// Number of shapes that were written.
    pub shapes: usize,
    /// Shapes that could not be written in this format, with the reason.
    pub skipped: Vec<(String, String)>,
}

impl ExportSummary {
    pub(super) fn skip_shape(&mut self, key: &str, reason: impl Into<String>) {
        self.skipped.push((key.to_owned(), reason.into()));
    }
}

/// The id of a shape in an export: its own id if that is a plain file name, otherwise its key.
pub(super) fn export_id(key: &str, id: &str) -> String {
    let plain = !id.is_empty()
        // File systems limit names to 255 bytes; exporters append extensions.
        && id.len() <= 200
        // Excludes `.` and `..`, which would write outside of the folder.
        && !id.starts_with('.')
        && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain { id.to_owned() } else { key.to_owned() }
}
