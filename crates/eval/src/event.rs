//! Progress of a measurement, for whoever shows it: this crate prints nothing.

use std::path::PathBuf;

use crate::unusable::UnusableFile;

/// What happens while a model is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvalEvent<'a> {
    /// A stage with this many steps begins.
    Started {
        /// Number of steps.
        steps: usize,
    },
    /// One step is done.
    Step {
        /// What it was about: a label, a file.
        item: &'a str,
    },
    /// The stage is over.
    Finished,
    /// The files that a model, or one of several, could not use.
    Unusable {
        /// Each once; may be empty.
        files: &'a [UnusableFile],
    },
    /// Lines of a CSV file are left out, as they name no 3D files.
    RowsSkipped {
        /// The CSV file.
        listing: PathBuf,
        /// How many.
        rows: usize,
        /// What one of them names.
        example: String,
    },
    /// Shapes of a data set are left out, as they have no label.
    ShapesWithoutLabel {
        /// Shapes with a label.
        labeled: usize,
        /// All shapes.
        shapes: usize,
    },
    /// There are more or fewer labels than the protocol has.
    LabelCount {
        /// Labels of the protocol.
        expected: usize,
        /// Labels given.
        found: usize,
    },
    /// Runs are compared on the files that both have, which are not all.
    FilesInCommon {
        /// The first run.
        first: PathBuf,
        /// The run compared with it.
        run: PathBuf,
        /// Files that both have.
        files: usize,
    },
}

/// Receives the events of a measurement.
pub type OnEvent<'a> = dyn FnMut(EvalEvent<'_>) + 'a;
