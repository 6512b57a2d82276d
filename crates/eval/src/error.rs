//! Why a measurement is refused or fails.

use lexiform_data::DataError;
use lexiform_metrics::MetricsError;
use lexiform_model::ModelError;
use lexiform_search::EncodeError;

/// Why a model cannot be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A setting that does not fit the model.
    #[error("{setting}: {reason}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// Expected, found.
        reason: String,
    },
    /// The protocol's class names are not in this crate.
    #[error("this protocol needs labels: {file}")]
    NeedsLabels {
        /// Which file lists them.
        file: &'static str,
    },
    /// The protocol is one of retrieval.
    #[error("this protocol has captions, no labels")]
    NoClasses,
    /// Precomputed features belong to one model.
    #[error("{file}: features are of one model, found {models} models")]
    SeveralModels {
        /// The file of features.
        file: String,
        /// Models that were to be measured.
        models: usize,
    },
    /// What was given cannot be measured.
    #[error("{message}")]
    Input {
        /// Where, expected, found.
        message: String,
        /// What to do about it, where there is something to say.
        hint: Option<String>,
    },
    /// Features or labels that metrics refuse.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A data set or a CSV file cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A model cannot be opened, or a file cannot be embedded.
    #[error(transparent)]
    Search(#[from] lexiform_search::Error),
    /// A model refused or failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An encoder refused or failed.
    #[error(transparent)]
    Encode(EncodeError),
    /// A report cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A table cannot be read or written.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// The system refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl EvalError {
    /// What the user can do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Input { hint, .. } => hint.clone(),
            Self::Data(error) => error.hint(),
            Self::Search(error) => error.hint(),
            Self::Model(error) => error.hint(),
            _ => None,
        }
    }

    /// Input that cannot be measured.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::Input { message: message.into(), hint: None }
    }

    /// Input that cannot be measured, with what to do about it.
    pub(crate) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Input { message: message.into(), hint: Some(hint.into()) }
    }
}
