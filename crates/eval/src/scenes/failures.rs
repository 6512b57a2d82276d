//! Errors of readers of labeled scenes.

use std::path::Path;

use crate::EvalError;

/// A file or folder that cannot be read; the error names it.
pub(super) fn unreadable(error: &std::io::Error) -> EvalError {
    EvalError::Input { message: error.to_string(), hint: None }
}

/// A file that does not have the layout.
pub(super) fn invalid(path: &Path, reason: &str) -> EvalError {
    EvalError::Input { message: format!("{}: {reason}", path.display()), hint: None }
}
