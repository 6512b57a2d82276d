//! Progress events of an evaluation. This crate prints nothing itself.

use std::path::PathBuf;

use crate::unusable::UnusableFile;

/// What happens during an evaluation.
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
        /// The item: a label or a file.
        item: &'a str,
    },
    /// The stage is over.
    Finished,
    /// Files that a model could not use.
    Unusable {
        /// Unique; may be empty.
        files: &'a [UnusableFile],
    },
    /// Lines of a CSV file were skipped because they name no 3D file.
    RowsSkipped {
        /// The CSV file.
        listing: PathBuf,
        /// How many.
        rows: usize,
        /// One of them.
        example: String,
    },
    /// Shapes of a data set were skipped because they have no label.
    ShapesWithoutLabel {
        /// Shapes with a label.
        labeled: usize,
        /// All shapes.
        shapes: usize,
    },
    /// The number of labels differs from the protocol's.
    LabelCount {
        /// Labels of the protocol.
        expected: usize,
        /// Labels given.
        found: usize,
    },
    /// Views and crop windows were sampled for shapes in the order of a data set, not in that of a list.
    SampledInStoredOrder,
    /// Items with references have no prediction, and are not evaluated.
    ReferencesWithoutPrediction {
        /// Items with references.
        references: usize,
        /// Those without a prediction.
        without: usize,
    },
    /// Only some files are common to the compared runs.
    FilesInCommon {
        /// The first run.
        first: PathBuf,
        /// The run compared with it.
        run: PathBuf,
        /// Number of common files.
        files: usize,
    },
}

/// Receives the events of an evaluation.
pub type OnEvent<'a> = dyn FnMut(EvalEvent<'_>) + 'a;
