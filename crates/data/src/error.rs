//! What can go wrong with a data set as a whole. One shape that cannot be used is an event, not an error.

use std::path::{Path, PathBuf};

use lexiform_formats::FormatError;

/// Why a data set cannot be made, read or checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file cannot be opened, read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A file does not hold what it should.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// The file or folder.
        path: PathBuf,
        /// Where, expected, found.
        message: String,
    },
    /// The data set was begun with other settings.
    #[error("{}: was begun with {setting} = {recorded}, asked for is {asked}", path.display())]
    Settings {
        /// The data set's folder.
        path: PathBuf,
        /// Name of the first setting that differs.
        setting: String,
        /// Its recorded value.
        recorded: String,
        /// Its value in this run.
        asked: String,
    },
    /// Another process writes the same part.
    #[error("{}: another run writes this part now", path.display())]
    Busy {
        /// Its lock.
        path: PathBuf,
    },
    /// Parts of a data set are missing or not finished.
    #[error("{}: {message}", path.display())]
    Incomplete {
        /// The data set's folder.
        path: PathBuf,
        /// What is missing.
        message: String,
    },
    /// What is there cannot be used as it was asked for.
    #[error("{}: {message}", path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// Expected, found.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// Nothing would succeed now: a server is gone, a model fails. What was made stays.
    #[error("{}: stopped at {shape}: {reason}", path.display())]
    Stopped {
        /// The data set's folder.
        path: PathBuf,
        /// The shape it stopped at.
        shape: String,
        /// What happened.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Table and manifest are not of the same merge: one was cut off between the two.
    #[error("{}: {message}", path.display())]
    Torn {
        /// The data set's folder.
        path: PathBuf,
        /// How they differ.
        message: String,
    },
    /// A source holds several data sets, of which one at a time can be read.
    #[error("{}: expected one {what}, found {}", path.display(), found.join(", "))]
    Several {
        /// The folder.
        path: PathBuf,
        /// What there are several of.
        what: &'static str,
        /// What each is called.
        found: Vec<String>,
    },
    /// The address is an object store's, which this build does not read.
    #[error("{address}: this program was built without `cloud`, which reads object stores")]
    NoCloud {
        /// What was asked for.
        address: String,
    },
}

impl DataError {
    /// A file that does not hold what it should.
    pub(crate) fn invalid(path: &Path, message: impl std::fmt::Display) -> Self {
        Self::Invalid { path: path.to_owned(), message: message.to_string() }
    }

    /// What is there cannot be used as it was asked for.
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
            Self::Settings { .. } => "use the same settings to go on, or another folder".to_owned(),
            Self::Busy { .. } => "wait for it, or give each process its own --shard i/n".to_owned(),
            Self::Incomplete { path, .. } => {
                format!(
                    "finish the parts with the same `data prepare`, then run `lexiform data merge {}`",
                    path.display()
                )
            }
            Self::Torn { path, .. } => {
                format!("run `lexiform data merge {}` again: it writes both anew", path.display())
            }
            Self::Several { .. } => {
                "name one of its files or folders; `lexiform data merge NEW A B` brings what was \
                imported one by one together"
                    .to_owned()
            }
            Self::NoCloud { .. } => {
                "build it with `cargo build --release --features lexiform-cli/cloud`, or copy the files here"
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
