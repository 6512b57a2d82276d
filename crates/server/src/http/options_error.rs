//! Why a server does not start.

/// Options with which a server does not start.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct OptionsError {
    reason: String,
    hint: Option<String>,
}

impl OptionsError {
    pub(super) fn new(reason: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Self { reason: reason.into(), hint: hint.into() }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
