//! What can go wrong between the name of a model and an embedding.

use std::path::{Path, PathBuf};

use crate::precision::ComputePrecision;
use crate::weights::WeightsError;

/// Why a model cannot be opened or cannot compute an embedding.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The weights of a model were rounded when it was opened.
    #[error("{model} was opened in {precision}, and would be saved with rounded weights: open it in f32")]
    Rounded {
        /// The model.
        model: String,
        /// Its precision.
        precision: ComputePrecision,
    },
    /// The weights do not load.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// No model has this name and no file has this path.
    #[error("no model is called {name:?} and no file has that path (known models: {known})")]
    UnknownModel {
        /// The requested name.
        name: String,
        /// Names of all models.
        known: String,
    },
    /// A named model whose weights are not on this machine.
    #[error("the weights of {name:?} are not on this machine: {} is absent", path.display())]
    NotDownloaded {
        /// Name of the model.
        name: String,
        /// Where the file would be.
        path: PathBuf,
    },
    /// A named model whose weights must be downloaded manually, in a browser.
    #[error("the weights of {name:?} must be downloaded manually: {address}")]
    ManualDownload {
        /// Name of the model.
        name: String,
        /// The page.
        address: String,
    },
    /// Language without concepts, or with factors that are not finite.
    #[error("{0}")]
    InvalidLanguage(String),
    /// An embedding that a captioner was not trained for.
    #[error("{captioner} describes embeddings of {expected} numbers, found {found}")]
    Dimension {
        /// Id of the captioner.
        captioner: String,
        /// Numbers that it expects.
        expected: usize,
        /// Numbers that the embedding has.
        found: usize,
    },
    /// A shape without views.
    #[error("a shape needs at least one view")]
    NoViews,
    /// Point clouds that no encoder accepts.
    #[error(transparent)]
    CloudBatch(#[from] crate::point::CloudBatchError),
    /// A classifier without a projection into a joint space.
    #[error("{model} is a classifier without a projection into a joint space")]
    NoProjection {
        /// Id of the model.
        model: String,
    },
    /// Class scores requested from a network without a classification head.
    #[error("{model} has no classification head")]
    NoClassifier {
        /// Id of the model.
        model: String,
    },
    /// Names for the classes of a head that do not fit it.
    #[error("{model} has {classes} classes, found {names} names")]
    ClassNames {
        /// Id of the model.
        model: String,
        /// Classes of its head.
        classes: usize,
        /// The given names.
        names: usize,
    },
    /// Visual prompts that were trained in another model.
    #[error("{}: expected visual prompts of {model}, found {found}", path.display())]
    PromptsMismatch {
        /// The file with prompts.
        path: PathBuf,
        /// `those of` the id of the model that they were trained in, or `no prompts`.
        found: String,
        /// Id of the model that they were meant for.
        model: String,
    },
    /// A point cloud for a model that takes only views.
    #[error("{model} has no point tower")]
    NoPointTower {
        /// Id of the model.
        model: String,
    },
    /// A point tower combined with a model that it was not trained for.
    #[error("{points} was trained on the features of {taught_by}, not of {model}")]
    TeacherMismatch {
        /// Id of the point model.
        points: String,
        /// Id of the model whose features it was trained on.
        taught_by: String,
        /// Id of the towers.
        model: String,
    },
    /// Features that cannot be normalized.
    #[error("cannot normalize features of length {length}: norm {norm}")]
    InvalidNorm {
        /// Number of components.
        length: usize,
        /// Their norm: zero, infinite or NaN.
        norm: f32,
    },
    /// An image size that patches do not divide, or that is too large.
    #[error("unsupported image size {size} for {model}: expected a multiple of {patch}, at most 2048")]
    ImageSize {
        /// Id of the model.
        model: String,
        /// The requested size.
        size: usize,
        /// Edge of a patch in pixels.
        patch: usize,
    },
    /// A text tower with fewer tokens than its tokenizer.
    #[error("{model} has {vocabulary} tokens, its tokenizer needs {needed}")]
    Vocabulary {
        /// Id of the model.
        model: String,
        /// Tokens of the tower.
        vocabulary: usize,
        /// Tokens of the tokenizer.
        needed: usize,
    },
    /// A prompt as long as a caption may be.
    #[error(
        "captions of {model} have at most {max_tokens} tokens, the prompt has {prompt_tokens} with the start token"
    )]
    PromptTooLong {
        /// Id of the model.
        model: String,
        /// Tokens of the prompt, with the start token.
        prompt_tokens: usize,
        /// Most tokens of a caption.
        max_tokens: usize,
    },
    /// A download failed.
    #[error("cannot download {resource}: {message}")]
    Download {
        /// File and repository.
        resource: String,
        /// The error of the connection or the server's answer.
        message: String,
    },
}

impl ModelError {
    /// What the user can do about it, if anything.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotDownloaded { name, .. } => Some(format!(
                "run `lexiform model pull {name}` on a machine with a network, or give the path of a local checkpoint"
            )),
            Self::ManualDownload { address, .. } => {
                Some(format!("download {address} in a browser, then pass the file's path with --model"))
            }
            Self::UnknownModel { .. } => Some("`lexiform model list` shows the models by name".to_owned()),
            Self::Download { .. } => {
                Some("fetch the file on another machine and pass its path with --model".to_owned())
            }
            Self::Weights(WeightsError::Unused { .. } | WeightsError::Missing { .. }) => {
                Some("`lexiform model info FILE` shows what the file holds".to_owned())
            }
            Self::Weights(WeightsError::CompanionFile { path, file, .. }) => Some(format!(
                "copy {file} from where the weights come from into {}; `lexiform model pull` fetches such files too",
                folder_of(path)
            )),
            Self::PromptTooLong { .. } => Some("give a shorter prompt".to_owned()),
            _ => None,
        }
    }
}

/// The folder of a file, for a message.
fn folder_of(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or_else(|| "the same folder".to_owned(), |folder| folder.display().to_string())
}
