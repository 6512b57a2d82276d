//! The file of tokens: JSON, replaced as a whole, readable only by its owner.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Scope, secret};

/// Longest name of a token, in characters.
const MAX_NAME: usize = 64;
/// Largest file: some thousand tokens.
const MAX_FILE: u64 = 1 << 20;

/// A token as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredToken {
    /// Who has it; unique.
    pub name: String,
    /// What it permits.
    pub scope: Scope,
    /// When it was made.
    #[serde(with = "rfc3339")]
    pub created: SystemTime,
    /// When it ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339_option")]
    pub expires: Option<SystemTime>,
    /// The part of the token by which it is found.
    id: String,
    /// Argon2id of the whole token.
    hash: String,
}

impl StoredToken {
    /// Whether it no longer permits anything.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn hash(&self) -> &str {
        &self.hash
    }
}

/// A token to add.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Who gets it.
    pub name: String,
    /// What it permits.
    pub scope: Scope,
    /// When it ends, if it does.
    pub expires: Option<SystemTime>,
}

/// Why a file of tokens cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The file is not one of tokens.
    #[error("{}: not a file of tokens: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        reason: String,
    },
    /// A name that logs and lists cannot show.
    #[error("name of a token: expected 1 to {MAX_NAME} letters, digits, `.`, `-`, `_` and `@`, found {0:?}")]
    Name(String),
    /// The name is taken.
    #[error("there is a token named {0:?} already")]
    Exists(String),
    /// No token has the name.
    #[error("{}: no token named {name:?}", path.display())]
    Unknown {
        /// The name.
        name: String,
        /// The file.
        path: PathBuf,
    },
}

impl TokenError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("make a token with `lexiform token add NAME`".to_owned())
            }
            Self::Exists(name) => {
                Some(format!("choose another name, or remove it first: `lexiform token remove {name}`"))
            }
            Self::Unknown { .. } => Some("`lexiform token list` shows the names".to_owned()),
            Self::Io { .. } | Self::Invalid { .. } | Self::Name(_) => None,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    tokens: Vec<StoredToken>,
}

/// The tokens of a file, in order of names.
///
/// # Errors
/// If the file does not exist or is not one of tokens.
pub fn read_tokens(path: &Path) -> Result<Vec<StoredToken>, TokenError> {
    let invalid = |reason: String| TokenError::Invalid { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(io_error(path))?.len();
    if size > MAX_FILE {
        return Err(invalid(format!("expected at most {MAX_FILE} bytes, found {size}")));
    }
    let bytes = std::fs::read(path).map_err(io_error(path))?;
    let Content { mut tokens } =
        serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    if let Some(token) = tokens.iter().find(|token| !secret::is_hash(&token.hash)) {
        return Err(invalid(format!("the hash of {:?} is not of the form $argon2id$…", token.name)));
    }
    tokens.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tokens)
}

/// Adds a token, and makes the file if it does not exist. Returns the text of the token, which cannot be found out later.
///
/// # Errors
/// If the name is invalid or taken, or the file cannot be read or written.
pub fn add_token(path: &Path, new: NewToken, now: SystemTime) -> Result<String, TokenError> {
    let NewToken { name, scope, expires } = new;
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || ".-_@".contains(char);
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(is_allowed) {
        return Err(TokenError::Name(name));
    }
    let made = secret::generate().map_err(io_error(path))?;
    change(path, |tokens| {
        if tokens.iter().any(|token| token.name == name) {
            return Err(TokenError::Exists(name));
        }
        tokens.push(StoredToken { name, scope, created: now, expires, id: made.id, hash: made.hash });
        Ok(())
    })?;
    Ok(made.text)
}

/// Removes the token with a name; running servers refuse it from the next request on.
///
/// # Errors
/// If no token has it, or the file cannot be read or written.
pub fn remove_token(path: &Path, name: &str) -> Result<(), TokenError> {
    // Not for want of a file: removing makes none.
    read_tokens(path)?;
    change(path, |tokens| {
        let before = tokens.len();
        tokens.retain(|token| token.name != name);
        let unknown = || TokenError::Unknown { name: name.to_owned(), path: path.to_owned() };
        (tokens.len() < before).then_some(()).ok_or_else(unknown)
    })
}

/// Changes the file, one process after the other.
fn change(
    path: &Path,
    change: impl FnOnce(&mut Vec<StoredToken>) -> Result<(), TokenError>,
) -> Result<(), TokenError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(io_error(folder))?;
    // The file itself is replaced, so another one is locked; until it is closed.
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let lock = std::fs::File::create(&lock_path).map_err(io_error(&lock_path))?;
    lock.lock().map_err(io_error(&lock_path))?;
    let mut tokens = match read_tokens(path) {
        Err(TokenError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    change(&mut tokens)?;
    tokens.sort_by(|a, b| a.name.cmp(&b.name));
    write(path, folder, &Content { tokens }).map_err(io_error(path))
}

fn write(path: &Path, folder: &Path, content: &Content) -> io::Result<()> {
    use std::io::Write as _;
    // Made for its owner alone (0600), which the file keeps when it gets its name.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    let mut text = serde_json::to_vec_pretty(content)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> TokenError {
    move |source| TokenError::Io { path: path.to_owned(), source }
}

/// Times as people read them.
mod rfc3339 {
    use std::time::SystemTime;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_rfc3339_seconds(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(from)?;
        humantime::parse_rfc3339(&text).map_err(serde::de::Error::custom)
    }
}

/// As [`rfc3339`], for times that may be absent.
mod rfc3339_option {
    use std::time::SystemTime;

    use serde::{Deserializer, Serializer};

    use super::rfc3339;

    pub(super) fn serialize<S: Serializer>(time: &Option<SystemTime>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => rfc3339::serialize(time, to),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SystemTime>, D::Error> {
        rfc3339::deserialize(from).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn new(name: &str, scope: Scope) -> NewToken {
        NewToken { name: name.to_owned(), scope, expires: None }
    }

    #[test]
    fn tokens_are_added_listed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config/tokens.json");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let expires = Some(now + Duration::from_secs(60));
        let text = add_token(&path, NewToken { expires, ..new("robot", Scope::Write) }, now).unwrap();
        add_token(&path, new("anna@example.org", Scope::Read), now).unwrap();
        let tokens = read_tokens(&path).unwrap();
        let names: Vec<(&str, Scope)> = tokens.iter().map(|token| (&token.name[..], token.scope)).collect();
        assert_eq!(names, [("anna@example.org", Scope::Read), ("robot", Scope::Write)]);
        let robot = &tokens[1];
        assert_eq!((robot.created, robot.expires), (now, expires));
        assert!(!robot.is_expired(now) && robot.is_expired(now + Duration::from_secs(60)));
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(!written.contains(&text) && !written.contains(text.rsplit('_').next().unwrap()), "{written}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        remove_token(&path, "robot").unwrap();
        assert_eq!(read_tokens(&path).unwrap().len(), 1);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let add = |name: &str| add_token(&path, new(name, Scope::Read), SystemTime::UNIX_EPOCH);
        assert!(remove_token(&path, "robot").unwrap_err().hint().unwrap().contains("token add"));
        assert!(!path.exists());
        for name in ["", "a b", "a\nb", &"a".repeat(65)] {
            assert!(matches!(add(name), Err(TokenError::Name(_))), "{name:?}");
        }
        add("robot").unwrap();
        assert!(add("robot").unwrap_err().to_string().contains("a token named \"robot\" already"));
        assert!(remove_token(&path, "r2").unwrap_err().to_string().contains("no token named \"r2\""));
        for content in ["", "{}", "[]", "{\"tokens\": [{\"name\": \"a\"}]}"] {
            std::fs::write(&path, content).unwrap();
            assert!(
                read_tokens(&path).unwrap_err().to_string().contains("not a file of tokens"),
                "{content}"
            );
            assert!(add("other").is_err(), "a broken file is not overwritten");
        }
    }
}
