//! Errors of an evaluation.

use lexiform_data::DataError;
use lexiform_metrics::MetricsError;
use lexiform_model::ModelError;
use lexiform_search::EncodeError;

/// Why an evaluation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A setting that the model does not support.
    #[error("{setting}: {reason}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// Why it is not supported.
        reason: String,
    },
    /// The protocol needs a label file from its data set.
    #[error("the protocol needs a list of labels: {file}")]
    NeedsLabels {
        /// Which file it is.
        file: &'static str,
    },
    /// A retrieval protocol was used for classification.
    #[error("the protocol has captions instead of labels")]
    NoClasses,
    /// Precomputed features were combined with several models.
    #[error("{file}: precomputed features are of one model, found {models} models")]
    SeveralModels {
        /// The file of features.
        file: String,
        /// Number of models to evaluate.
        models: usize,
    },
    /// The input cannot be evaluated.
    #[error("{message}")]
    Input {
        /// Where, expected, found.
        message: String,
        /// What to do about it, if known.
        hint: Option<String>,
    },
    /// Invalid features or labels.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A data set or a CSV file cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A model cannot be opened, or a file cannot be embedded.
    #[error(transparent)]
    Search(#[from] lexiform_search::Error),
    /// A model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An encoder failed.
    #[error(transparent)]
    Encode(EncodeError),
    /// A report cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A table cannot be read or written.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl EvalError {
    /// What the user can do about it, if known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Input { hint, .. } => hint.clone(),
            Self::Data(error) => error.hint(),
            Self::Search(error) => error.hint(),
            Self::Model(error) => error.hint(),
            _ => None,
        }
    }

    /// Invalid input.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::Input { message: message.into(), hint: None }
    }

    /// Invalid input, with a hint.
    pub(crate) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Input { message: message.into(), hint: Some(hint.into()) }
    }
}
