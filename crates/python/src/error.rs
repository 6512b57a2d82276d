//! Rust errors as exceptions of `lexiform.errors`.

use lexiform_cli::{error_hint, error_message};
use lexiform_data::DataError;
use lexiform_eval::EvalError;
use lexiform_mesh_io::ReadError;
use lexiform_metrics::MetricsError;
use lexiform_model::ModelError;
use lexiform_search::{Error as SearchError, StoreError};
use lexiform_train::{CheckpointError, FitError, RecipeError};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// The result of a function that Python calls.
pub type Result<T> = std::result::Result<T, PyError>;

/// An error that becomes an exception.
#[derive(Debug)]
pub enum PyError {
    /// An exception already, such as `KeyboardInterrupt`.
    Raised(PyErr),
    /// An error of a crate.
    Rust(anyhow::Error),
}

impl From<PyErr> for PyError {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl From<PyError> for PyErr {
    fn from(error: PyError) -> Self {
        match error {
            PyError::Raised(error) => error,
            PyError::Rust(error) => Python::attach(|py| exception(py, &error)),
        }
    }
}

macro_rules! from_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for PyError {
            fn from(error: $error) -> Self {
                Self::Rust(anyhow::Error::new(error))
            }
        })*
    };
}

from_errors!(
    CheckpointError,
    DataError,
    EvalError,
    FitError,
    MetricsError,
    ModelError,
    ReadError,
    RecipeError,
    SearchError,
    StoreError,
    serde_json::Error,
    std::io::Error,
    image::ImageError
);

impl From<anyhow::Error> for PyError {
    fn from(error: anyhow::Error) -> Self {
        Self::Rust(error)
    }
}

/// A wrong argument: `lexiform.InvalidArgument`, which is a `ValueError`.
pub fn invalid(message: impl Into<String>) -> PyError {
    PyError::Rust(anyhow::Error::new(InvalidArgument(message.into())))
}

/// A wrong argument.
#[derive(Debug)]
struct InvalidArgument(String);

impl std::fmt::Display for InvalidArgument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidArgument {}

/// The exception for an error, with its hint.
fn exception(py: Python<'_>, error: &anyhow::Error) -> PyErr {
    let (name, message) = (class_name(error), error_message(error));
    let arguments = (message.clone(), error_hint(error));
    let class = py.import("lexiform.errors").and_then(|errors| errors.getattr(name));
    match class.and_then(|class| Ok(class.cast_into::<PyType>()?)) {
        Ok(class) => PyErr::from_type(class, arguments),
        // The native module alone, without the package around it.
        Err(_) => PyRuntimeError::new_err(message),
    }
}

/// The class in `lexiform.errors`.
fn class_name(error: &anyhow::Error) -> &'static str {
    let of = |cause: &(dyn std::error::Error + 'static)| -> Option<&'static str> {
        if let Some(error) = cause.downcast_ref::<SearchError>() {
            return Some(match error {
                SearchError::NotFound { .. } => "NotFound",
                SearchError::Model(_)
                | SearchError::TextModelMismatch { .. }
                | SearchError::Encode { .. } => "ModelError",
                SearchError::Query { .. } | SearchError::Labels { .. } => "InvalidArgument",
                SearchError::Store(_) => "LibraryError",
                _ => "ShapeError",
            });
        }
        if let Some(ReadError::Io(error)) = cause.downcast_ref::<ReadError>() {
            return Some(if error.kind() == std::io::ErrorKind::NotFound {
                "NotFound"
            } else {
                "ShapeError"
            });
        }
        let is_missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
        if cause.downcast_ref::<std::io::Error>().is_some_and(is_missing) {
            return Some("NotFound");
        }
        let families: [(bool, &'static str); 7] = [
            (cause.is::<InvalidArgument>() || cause.is::<MetricsError>(), "InvalidArgument"),
            (cause.is::<ReadError>() || cause.is::<image::ImageError>(), "ShapeError"),
            (cause.is::<ModelError>(), "ModelError"),
            (cause.is::<StoreError>(), "LibraryError"),
            (cause.is::<DataError>(), "DataError"),
            (cause.is::<EvalError>(), "EvalError"),
            (
                cause.is::<FitError>() || cause.is::<RecipeError>() || cause.is::<CheckpointError>(),
                "TrainingError",
            ),
        ];
        families.into_iter().find_map(|(is, name)| is.then_some(name))
    };
    error.chain().find_map(of).unwrap_or("LexiformError")
}
