//! What can go wrong between a folder and its answers, each with what to do about it.

use std::path::PathBuf;

use lexiform_store::StoreError;

use crate::EncodeError;

/// Why a library or a query refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The model refused or failed.
    #[error("{}", of_model(model, source))]
    Encode {
        /// Which model.
        model: String,
        /// What it says.
        source: EncodeError,
    },
    /// A model cannot be opened.
    #[error(transparent)]
    Model(#[from] lexiform_model::ModelError),
    /// A model and the words it should be compared with do not belong together.
    #[error("{model}: {reason}")]
    Pairing {
        /// The model that takes shapes.
        model: String,
        /// What does not fit.
        reason: String,
    },
    /// A 3D file cannot be seen.
    #[error("{}: {reason}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A picture cannot be read.
    #[error("{}: {reason}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A given path leads nowhere.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// A query says nothing, or its parts cancel out.
    #[error("the query has no direction: {reason}")]
    Query {
        /// Why.
        reason: String,
    },
    /// Labels or templates that cannot be used.
    #[error("{reason}")]
    Labels {
        /// What is wrong with them.
        reason: String,
    },
    /// The system refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Error {
    /// What the user can do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Store(error) => return error.hint().map(str::to_owned),
            Self::Model(error) => return error.hint(),
            Self::Pairing { .. } => "`lexiform model info FILE` says what a model pairs with".to_owned(),
            Self::Shape { .. } => "`lexiform info FILE` says what the file holds".to_owned(),
            Self::Image { .. } => "PNG, JPEG, WebP, BMP, TGA and GIF pictures are read".to_owned(),
            Self::Query { .. } => "say what to look for in words, or give a picture or a shape".to_owned(),
            _ => return None,
        })
    }
}

/// Names the model unless its own message does.
fn of_model(model: &str, source: &EncodeError) -> String {
    let message = source.to_string();
    if message.contains(model) { message } else { format!("model {model}: {message}") }
}
