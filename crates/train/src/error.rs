//! Why training fails.

use std::path::{Path, PathBuf};

use lexiform_data::DataError;
use lexiform_metrics::MetricsError;
use lexiform_model::ModelError;

use crate::recipe::RecipeError;

/// Why training stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The recipe is not valid.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The model cannot be built, written or read back.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The output folder cannot be written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A loss that is no number or far above its lowest, or a weight that is no number.
    #[error("step {step}: {message}; {}", last_good_message(*last_good, path))]
    Diverged {
        /// At which step.
        step: usize,
        /// What is wrong.
        message: String,
        /// Step of the last checkpoint whose weights gave a good loss; none where there is no such.
        last_good: Option<usize>,
        /// Where it is.
        path: PathBuf,
    },
    /// The output folder has a run in it already.
    #[error("{}: holds a run already (step {step}); go on with it or name another folder", path.display())]
    Exists {
        /// Its checkpoint.
        path: PathBuf,
        /// How far it is.
        step: usize,
    },
    /// A device that cannot compute as the recipe asks.
    #[error("run.mixed_precision = \"bf16\": device {device} has no bfloat16; leave it at \"none\" there")]
    UnsupportedDtype {
        /// Its place among the run's devices, from 0.
        device: usize,
    },
    /// The folder of files is nothing to learn from.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The data set cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The data set does not suit the recipe.
    #[error("{}: {message}", path.display())]
    Dataset {
        /// Its folder.
        path: PathBuf,
        /// Expected, found.
        message: String,
    },
    /// A file that the recipe names for features holds others.
    #[error("{}: holds other features than those of the recipe's teacher and shapes", path.display())]
    FeatureMismatch {
        /// The file.
        path: PathBuf,
    },
    /// A file of features is not what it says it is.
    #[error("{}: {message}", path.display())]
    InvalidFeatures {
        /// The file.
        path: PathBuf,
        /// Expected, found.
        message: String,
    },
    /// Held-out shapes cannot be measured.
    #[error("held-out shapes: {0}")]
    Evaluation(#[from] MetricsError),
    /// A rig that does not exist.
    #[error("network.rig: {0}")]
    Rig(#[from] lexiform_geometry::UnknownRig),
}

impl FitError {
    /// What to do about it, where the part that failed knows.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Data(error) | Self::Folder(FolderError::Table(error)) => error.hint(),
            Self::Model(error) => error.hint(),
            Self::FeatureMismatch { .. } => Some(
                "name another file in data.feature_file, or remove this one: it is computed anew".to_owned(),
            ),
            Self::InvalidFeatures { .. } => Some("remove the file: it is computed anew".to_owned()),
            Self::Diverged { last_good: Some(_), .. } => Some(
                "lower param_groups.*.learning_rate or param_groups.*.grad_clip, then --resume".to_owned(),
            ),
            Self::Diverged { last_good: None, .. } => {
                Some("lower param_groups.*.learning_rate and begin anew in another folder".to_owned())
            }
            _ => None,
        }
    }
}

fn last_good_message(good: Option<usize>, path: &Path) -> String {
    match good {
        Some(good) => format!("the last good checkpoint is of step {good}: {}", path.display()),
        None => "no checkpoint was good".to_owned(),
    }
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Not a checkpoint, or damaged.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// It belongs to another recipe or to other data.
    #[error("{}: was made with another recipe: {key} was {found}, now {expected}", path.display())]
    RecipeMismatch {
        /// The file.
        path: PathBuf,
        /// First key that differs.
        key: String,
        /// Its value then.
        found: String,
        /// Its value now.
        expected: String,
    },
}

/// Why a folder is nothing to learn from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The table of labels cannot be used.
    #[error(transparent)]
    Table(#[from] DataError),
    /// Too few files with a label.
    #[error("{}: {found} labelled 3D files, expected at least 2{}", path.display(), first.as_ref().map_or(String::new(), |(path, reason)| format!(" (the first that was left out: {}: {reason})", path.display())))]
    TooFew {
        /// The folder.
        path: PathBuf,
        /// How many there are.
        found: usize,
        /// One that could not be used.
        first: Option<(PathBuf, String)>,
    },
}
