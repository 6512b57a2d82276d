//! Tokens of people and programs: what each may do, until when. They are in a file that has only their hashes.

mod file;
mod secret;
mod verifier;

pub use file::{NewToken, StoredToken, TokenError, add_token, read_tokens, remove_token};
use serde::{Deserialize, Serialize};
pub(crate) use verifier::{Caller, Verifier};

/// What a token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Search, look at files and download them.
    Read,
    /// As read, and change the library.
    Write,
}

impl Scope {
    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Read, Self::Write].into_iter().find(|scope| scope.name() == text);
        found.ok_or_else(|| format!("expected read or write, found {text:?}"))
    }
}
