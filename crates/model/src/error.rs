//! What can go wrong between the name of a model and an embedding.

use std::path::{Path, PathBuf};

use crate::weights::WeightsError;

/// Why a model gives no embedding.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The weights do not load.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// No model has this name and no file has this path.
    #[error("no model is called {name:?} and no file has that path (known models: {known})")]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// The names that exist.
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
    /// A named model whose weights lie where only people can fetch them.
    #[error("the weights of {name:?} are given out at a page for people: {address}")]
    ByHand {
        /// Name of the model.
        name: String,
        /// The page.
        address: String,
    },
    /// A shape without views.
    #[error("a shape needs at least one view")]
    NoViews,
    /// Clouds that no encoder can take.
    #[error(transparent)]
    Clouds(#[from] crate::point::CloudsError),
    /// A network that names classes and has no way into a joint space.
    #[error("{model} names classes and has no projection into a joint space")]
    NotJoint {
        /// Id of the model.
        model: String,
    },
    /// Classes asked of a network that has no head for them.
    #[error("{model} has no head that names classes")]
    NoClasses {
        /// Id of the model.
        model: String,
    },
    /// A cloud for a model that takes views only.
    #[error("{model} has no point tower")]
    NoPointTower {
        /// Id of the model.
        model: String,
    },
    /// A point tower beside towers that it was not trained towards.
    #[error("{points} was trained towards the features of {taught_by}, these are of {model}")]
    Apart {
        /// Id of the point model.
        points: String,
        /// Id of the model that it was trained towards.
        taught_by: String,
        /// Id of the towers.
        model: String,
    },
    /// A vector that has no direction.
    #[error("features of length {length} have no direction: norm {norm}")]
    NoDirection {
        /// Number of components.
        length: usize,
        /// Their norm: zero, infinite or NaN.
        norm: f32,
    },
    /// Images of a size that cannot be cut into patches, or beyond all reason.
    #[error("{model} cannot see images of {size} pixels: expected a multiple of {patch}, at most 2048")]
    ImageSize {
        /// Id of the model.
        model: String,
        /// What was asked for.
        size: usize,
        /// Edge of a patch in pixels.
        patch: usize,
    },
    /// A text tower that does not know all tokens of its tokenizer.
    #[error("{model} has {vocabulary} tokens, its tokenizer needs {needed}")]
    Vocabulary {
        /// Id of the model.
        model: String,
        /// Tokens the tower knows.
        vocabulary: usize,
        /// Tokens the tokenizer has.
        needed: usize,
    },
    /// A caption that begins with more than it may have.
    #[error("captions of {model} have at most {longest} tokens, the prompt has {given} with the start mark")]
    Prompt {
        /// Id of the model.
        model: String,
        /// Tokens that are given.
        given: usize,
        /// Tokens of a caption.
        longest: usize,
    },
    /// A download failed.
    #[error("cannot download {what}: {message}")]
    Download {
        /// File and repository.
        what: String,
        /// What the network said.
        message: String,
    },
}

impl ModelError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotDownloaded { name, .. } => Some(format!(
                "run `lexiform model pull {name}` on a machine with a network, or give the path of a local checkpoint"
            )),
            Self::ByHand { address, .. } => {
                Some(format!("fetch by hand: {address} in a browser, then pass the file's path with --model"))
            }
            Self::UnknownModel { .. } => Some("`lexiform model list` shows the models by name".to_owned()),
            Self::Download { .. } => {
                Some("fetch the file on another machine and pass its path with --model".to_owned())
            }
            Self::Weights(WeightsError::Unused { .. } | WeightsError::Missing { .. }) => {
                Some("`lexiform model info FILE` shows what the file holds".to_owned())
            }
            Self::Weights(WeightsError::Beside { path, file, .. }) => Some(format!(
                "copy {file} from where the weights come from into {}; `lexiform model pull` fetches such files too",
                folder_of(path)
            )),
            Self::Prompt { .. } => Some("give a shorter prompt".to_owned()),
            _ => None,
        }
    }
}

/// The folder a file is in, in words.
fn folder_of(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or_else(|| "the same folder".to_owned(), |folder| folder.display().to_string())
}
