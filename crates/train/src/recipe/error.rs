//! Errors in recipes.

use std::path::PathBuf;

/// An invalid recipe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Invalid TOML, an unknown key, or a value of the wrong type.
    #[error("{}: invalid recipe: {message}", path.display())]
    Invalid {
        /// The recipe file.
        path: PathBuf,
        /// Location, expected and found.
        message: String,
        /// What to use instead of an unknown key, if it is one of a paper's code.
        hint: Option<String>,
    },
    /// An invalid `--set KEY=VALUE`.
    #[error("--set {setting}: {message}")]
    Override {
        /// The argument.
        setting: String,
        /// What is wrong with it.
        message: String,
    },
    /// A value out of range, or in conflict with another one.
    #[error("{field} = {found}: {rule}")]
    Value {
        /// The key.
        field: &'static str,
        /// Its value.
        found: String,
        /// The condition it violates.
        rule: &'static str,
    },
    /// A section that does not fit the network or the data.
    #[error("{section}.{name}: {message}")]
    Section {
        /// `param_groups`, `losses`, `batch`, `network` or `network.tower`.
        section: &'static str,
        /// The entry in the section.
        name: String,
        /// What is wrong with it.
        message: String,
    },
}

impl RecipeError {
    /// How the user can fix it, if there is a way.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { hint, .. } => hint.clone(),
            _ => None,
        }
    }

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
