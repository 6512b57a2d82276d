//! Errors of libraries and queries, with hints.

use std::path::{Path, PathBuf};

use lexiform_store::StoreError;

use crate::EncodeError;

/// Error of a library or query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Error of the model.
    #[error("{}", with_model_name(model, source))]
    Encode {
        /// Id of the model.
        model: String,
        /// The model's error.
        source: EncodeError,
    },
    /// The model cannot be opened.
    #[error(transparent)]
    Model(#[from] lexiform_model::ModelError),
    /// The text model is not the one that the point model was trained with.
    #[error("{model}: {reason}")]
    TextModelMismatch {
        /// Id of the point model.
        model: String,
        /// What does not match.
        reason: String,
    },
    /// A 3D file cannot be read or rendered.
    #[error("{}: {reason}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is wrong with the file.
        reason: String,
    },
    /// An image cannot be read.
    #[error("{}: {reason}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with the file.
        reason: String,
    },
    /// An image cannot be split into views.
    #[error("{}: {reason}", path.display())]
    Split {
        /// The file.
        path: PathBuf,
        /// Its size, and what it should be split into.
        reason: String,
    },
    /// A given path does not exist.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// The query is empty, or its terms cancel out.
    #[error("invalid query: {reason}")]
    Query {
        /// What is wrong with it.
        reason: String,
    },
    /// Invalid labels or templates.
    #[error("{reason}")]
    Labels {
        /// What is wrong with them.
        reason: String,
    },
    /// The library was made by a later version, which finds the up axis of its files in a way unknown here.
    #[error("{}: {source}", library.display())]
    UpRule {
        /// Folder of the library.
        library: PathBuf,
        /// The name it records.
        source: lexiform_mesh_io::UnknownUpRule,
    },
    /// Error of the operating system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Error {
    /// How the user can fix it, if there is a way.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Store(error) => return error.hint().map(str::to_owned),
            Self::Model(error) => return error.hint(),
            Self::TextModelMismatch { .. } => {
                "`lexiform model info FILE` shows the text model that a point model needs".to_owned()
            }
            Self::Shape { .. } => "`lexiform info FILE` shows the contents of the file".to_owned(),
            Self::Split { .. } => "give the grid as --split COLUMNSxROWS, such as 4x3".to_owned(),
            Self::Image { .. } => "supported image formats are PNG, JPEG, WebP, BMP, TGA and GIF".to_owned(),
            Self::Query { .. } => "give a text, an image or a shape to search for".to_owned(),
            Self::UpRule { .. } => {
                "update lexiform, or make another library with `lexiform index`".to_owned()
            }
            _ => return None,
        })
    }
}

/// Adds the model's id unless the message contains it.
fn with_model_name(model: &str, source: &EncodeError) -> String {
    let message = source.to_string();
    if message.contains(model) { message } else { format!("model {model}: {message}") }
}

/// Removes the file's path from the start of a message: callers report the path with the message.
pub(crate) fn strip_path_prefix(message: &str, path: &Path) -> String {
    message.strip_prefix(&format!("{}: ", path.display())).unwrap_or(message).to_owned()
}
