//! Errors of training.

use std::path::{Path, PathBuf};

use lexiform_data::DataError;
use lexiform_metrics::MetricsError;
use lexiform_model::ModelError;

use crate::processes::TransportError;
use crate::recipe::RecipeError;

/// An error of a training run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The recipe is invalid.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A model cannot be built, read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The checkpoint cannot be read, written or resumed from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The processes of a run cannot exchange messages, or have different inputs or weights.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A file in the output folder cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The loss or a weight is not finite, or the loss is far above its minimum.
    #[error("step {step}: training diverged: {message}; {}", last_good_message(*last_good, path))]
    Diverged {
        /// The step.
        step: usize,
        /// What was found.
        message: String,
        /// Step of the last checkpoint from whose weights a finite loss was computed, if any.
        last_good: Option<usize>,
        /// Path of that checkpoint.
        path: PathBuf,
    },
    /// The output folder already contains a run, and `resume` is not set.
    #[error("{}: output folder already contains a run (step {step})", path.display())]
    Exists {
        /// Its checkpoint.
        path: PathBuf,
        /// Steps done.
        step: usize,
    },
    /// A device does not support the recipe's data type.
    #[error("run.mixed_precision = \"bf16\": device {device} does not support bfloat16")]
    UnsupportedDtype {
        /// Index into [`FitOptions::devices`](crate::FitOptions::devices).
        device: usize,
    },
    /// The folder of 3D files cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The data set cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The data set does not fit the recipe.
    #[error("{}: {message}", path.display())]
    Dataset {
        /// Folder of the data set.
        path: PathBuf,
        /// Expected and found.
        message: String,
    },
    /// `data.feature_file` contains features of another model or other shapes.
    #[error("{}: features do not match the recipe's teacher and shapes", path.display())]
    FeatureMismatch {
        /// The feature file.
        path: PathBuf,
    },
    /// A feature file is damaged.
    #[error("{}: {message}", path.display())]
    InvalidFeatures {
        /// The feature file.
        path: PathBuf,
        /// Expected and found.
        message: String,
    },
    /// The model cannot be evaluated on the validation shapes.
    #[error("validation: {0}")]
    Evaluation(#[from] MetricsError),
    /// Unknown camera rig.
    #[error("network.rig: {0}")]
    Rig(#[from] lexiform_geometry::UnknownRig),
}

impl FitError {
    /// What to do about the error, if known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Data(error) | Self::Folder(FolderError::Table(error)) => error.hint(),
            Self::Model(error) => error.hint(),
            Self::FeatureMismatch { .. } => Some(
                "set data.feature_file to another path, or delete the file to compute it again".to_owned(),
            ),
            Self::InvalidFeatures { .. } => Some("delete the file to compute it again".to_owned()),
            Self::UnsupportedDtype { .. } => Some("set run.mixed_precision to \"none\"".to_owned()),
            Self::Checkpoint(CheckpointError::FrozenWeights { .. }) => Some(
                "network.base (or the teacher, with prompts) must be the model with which the run was started"
                    .to_owned(),
            ),
            Self::Diverged { last_good: Some(_), .. } => Some(
                "lower param_groups.*.learning_rate or param_groups.*.grad_clip, then --resume".to_owned(),
            ),
            Self::Diverged { last_good: None, .. } => {
                Some("lower param_groups.*.learning_rate and start again in another folder".to_owned())
            }
            _ => None,
        }
    }
}

fn last_good_message(last_good: Option<usize>, path: &Path) -> String {
    match last_good {
        Some(step) => format!("last good checkpoint: step {step}, {}", path.display()),
        None => "no good checkpoint".to_owned(),
    }
}

/// A checkpoint that cannot be read, written or resumed from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Not a checkpoint, or damaged.
    #[error("{}: invalid checkpoint: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The network's frozen weights, which are not part of the checkpoint, are not those it was trained with.
    #[error("{}: the checkpoint belongs to other frozen weights (checksum {expected}, found {found})", path.display())]
    FrozenWeights {
        /// The file.
        path: PathBuf,
        /// Checksum of the recipe's frozen weights.
        found: String,
        /// Checksum in the checkpoint.
        expected: String,
    },
    /// The recipe or the data differ from those of the checkpoint.
    #[error("{}: checkpoint has another recipe: {key} was {found}, now {expected}", path.display())]
    RecipeMismatch {
        /// The file.
        path: PathBuf,
        /// First key that differs.
        key: String,
        /// Value in the checkpoint.
        found: String,
        /// Value in the recipe.
        expected: String,
    },
}

/// A folder of 3D files that cannot be trained on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The folder cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The table of labels cannot be read.
    #[error(transparent)]
    Table(#[from] DataError),
    /// Too few labeled files.
    #[error("{}: found {found} labeled 3D files, expected at least 2{}", path.display(), first_skipped(first.as_ref()))]
    TooFew {
        /// The folder.
        path: PathBuf,
        /// Number of usable labeled files.
        found: usize,
        /// First file that could not be read, and why.
        first: Option<(PathBuf, String)>,
    },
}

fn first_skipped(first: Option<&(PathBuf, String)>) -> String {
    first.map_or(String::new(), |(path, reason)| {
        format!(" (first skipped file: {}: {reason})", path.display())
    })
}
