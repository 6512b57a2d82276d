//! Errors of a whole data set. A single shape that cannot be used is an event, not an error.

use lexiform_formats::FormatError;
use std::path::{Path, PathBuf};

/// An error of making, reading or checking a data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file cannot be opened, read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A file has invalid content.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, what was expected and found.
        message: String,
    },
    /// The data set was started with other settings.
    #[error("{}: was started with {setting} = {recorded}, this run has {requested}", path.display())]
    SettingsMismatch {
        /// The data set's folder.
        path: PathBuf,
        /// Name of the first setting that differs.
        setting: String,
        /// Its recorded value.
        recorded: String,
        /// Its value in this run.
        requested: String,
    },
    /// Another process is writing the same partition.
    #[error("{}: another run is writing this partition", path.display())]
    Locked {
        /// Its lock file.
        path: PathBuf,
    },
    /// Partitions of a data set are missing or not finished.
    #[error("{}: {message}", path.display())]
    Incomplete {
        /// The data set's folder.
        path: PathBuf,
        /// What is missing.
        message: String,
    },
    /// A file or folder cannot be used as requested.
    #[error("{}: {message}", path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// What was expected and found.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// No shape would succeed: a server is down, a model fails. Finished shapes are kept.
    #[error("{}: stopped at {shape}: {reason}", path.display())]
    Stopped {
        /// The data set's folder.
        path: PathBuf,
        /// The shape at which the run stopped.
        shape: String,
        /// What happened.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Index and manifest are not from the same merge, because a merge was interrupted.
    #[error("{}: {message}", path.display())]
    Inconsistent {
        /// The data set's folder.
        path: PathBuf,
        /// How they differ.
        message: String,
    },
    /// A source holds several data sets, of which only one can be imported at a time.
    #[error("{}: expected one {what}, found {}", path.display(), found.join(", "))]
    AmbiguousSource {
        /// The folder.
        path: PathBuf,
        /// What there is more than one of.
        what: &'static str,
        /// The name of each.
        found: Vec<String>,
    },
    /// This build cannot read object stores.
    #[error("{address}: this program was built without the feature `cloud`, which reads object stores")]
    CloudDisabled {
        /// The address.
        address: String,
    },
}

impl DataError {
    /// A file with invalid content.
    pub(crate) fn invalid(path: &Path, message: impl std::fmt::Display) -> Self {
        Self::Invalid { path: path.to_owned(), message: message.to_string() }
    }

    /// A file or folder that cannot be used as requested.
    pub(crate) fn unusable(
        path: &Path,
        message: impl std::fmt::Display,
        hint: impl std::fmt::Display,
    ) -> Self {
        Self::Unusable { path: path.to_owned(), message: message.to_string(), hint: hint.to_string() }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::SettingsMismatch { .. } => "use the same settings to resume, or another folder".to_owned(),
            Self::Locked { .. } => "wait for it to finish, or give each process its own --partition i/n".to_owned(),
            Self::Incomplete { path, .. } => {
                format!(
                    "finish the partitions with the same `lexiform data prepare`, then run `lexiform data merge {}`",
                    path.display()
                )
            }
            Self::Inconsistent { path, .. } => {
                format!("run `lexiform data merge {}` again, which rewrites both", path.display())
            }
            Self::AmbiguousSource { .. } => {
                "name one of its files or folders; `lexiform data merge NEW A B` joins separate imports"
                    .to_owned()
            }
            Self::CloudDisabled { .. } => {
                "build with `cargo build --release --features lexiform-cli/cloud`, or copy the files to this machine"
                    .to_owned()
            }
            Self::Unusable { hint, .. } => hint.clone(),
            Self::Stopped { hint, .. } => return hint.clone(),
            Self::Io(_) | Self::Invalid { .. } => return None,
        })
    }
}

impl From<FormatError> for DataError {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::Io(error) => Self::Io(error),
            FormatError::Invalid { path, message } => Self::Invalid { path, message },
        }
    }
}
