//! Why a recipe is not valid.

use std::path::PathBuf;

/// Why a recipe is not valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Not TOML, or not a recipe's.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where, expected, found.
        message: String,
    },
    /// A `--set` that names nothing.
    #[error("--set {setting}: {message}")]
    Override {
        /// As it was given.
        setting: String,
        /// What is wrong with it.
        message: String,
    },
    /// Values that do not fit together.
    #[error("{field} = {found}: {rule}")]
    Value {
        /// Which field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What must hold.
        rule: &'static str,
    },
    /// A part that does not fit the rest: a group or a loss the network, a size another.
    #[error("{section}.{name}: {message}")]
    Section {
        /// What it is a part of: `groups`, `losses`, `batch`, `network` or `network.tower`.
        section: &'static str,
        /// Its name.
        name: String,
        /// What is wrong with it.
        message: String,
    },
}

impl RecipeError {
    pub(crate) fn group(name: &str, message: String) -> Self {
        Self::Section { section: "param_groups", name: name.to_owned(), message }
    }

    pub(crate) fn batch_size(message: String) -> Self {
        Self::Section { section: "batch", name: "size".to_owned(), message }
    }

    pub(crate) fn network(message: String) -> Self {
        Self::Section { section: "network", name: "kind".to_owned(), message }
    }

    pub(crate) fn loss(name: &str, message: String) -> Self {
        Self::Section { section: "losses", name: name.to_owned(), message }
    }
}
