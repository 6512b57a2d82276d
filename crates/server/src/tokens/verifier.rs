//! Checks the tokens of requests: quickly for those that were checked before, and with bounded work for all others.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use super::file::{StoredToken, read_tokens};
use super::{Scope, secret};
use crate::Problem;
use crate::lru::lock;

/// Longest wait until a hash can be computed: one is at a time.
const HASH_WAIT: Duration = Duration::from_secs(5);
/// How long the next hash waits after a wrong secret: whoever knows the id of a token cannot keep a processor busy.
const WRONG_PAUSE: Duration = Duration::from_millis(200);

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Name of the token.
    pub name: Arc<str>,
    pub scope: Scope,
}

/// The tokens of a server: one that it was started with, and those of a file.
pub(crate) struct Verifier {
    /// Digest of the token that the server was started with; it permits everything.
    fixed: Option<[u8; 32]>,
    file: Option<WatchedFile>,
    /// Held while a hash is computed.
    hashing: Arc<Semaphore>,
}

impl Verifier {
    /// Tokens that are checked from now on; the file is read when the first one is.
    pub(crate) fn new(fixed: Option<&str>, file: Option<&Path>) -> Self {
        let file = file.map(|path| WatchedFile { path: path.to_owned(), state: Mutex::default() });
        Self { fixed: fixed.map(secret::digest), file, hashing: Arc::new(Semaphore::new(1)) }
    }

    /// Whether requests need a token.
    pub(crate) fn is_required(&self) -> bool {
        self.fixed.is_some() || self.file.is_some()
    }

    /// Who has a token.
    ///
    /// # Errors
    /// 401 if it is wrong or has expired, 503 if it cannot be checked now.
    pub(crate) async fn verify(&self, token: &str, now: SystemTime) -> Result<Caller, Problem> {
        let digest = secret::digest(token);
        // In constant time: how long the comparison takes says nothing about the token.
        if self.fixed.is_some_and(|fixed| bool::from(fixed.ct_eq(&digest))) {
            return Ok(Caller { name: "LEXIFORM_TOKEN".into(), scope: Scope::Write });
        }
        let (Some(file), Some(id)) = (&self.file, secret::id_of(token)) else { return Err(wrong()) };
        let lookup = || file.find(id, &digest, now);
        if let Found::Verified(caller) = lookup()? {
            return Ok(caller);
        }
        let waited = tokio::time::timeout(HASH_WAIT, self.hashing.clone().acquire_owned()).await;
        let permit = waited.ok().and_then(Result::ok).ok_or_else(Problem::overloaded)?;
        let stored = match lookup()? {
            // Another request with the same token was first.
            Found::Verified(caller) => return Ok(caller),
            Found::Unverified(stored) => stored,
        };
        let (hash, text) = (stored.hash().to_owned(), token.to_owned());
        let hashed = tokio::task::spawn_blocking(move || secret::is_hash_of(&hash, &text)).await;
        if !hashed.map_err(|error| Problem::internal(error.to_string()))? {
            tokio::spawn(async move {
                tokio::time::sleep(WRONG_PAUSE).await;
                drop(permit);
            });
            return Err(wrong());
        }
        file.remember(&stored, digest);
        Ok(caller_of(&stored))
    }
}

fn caller_of(token: &StoredToken) -> Caller {
    Caller { name: token.name.as_str().into(), scope: token.scope }
}

fn wrong() -> Problem {
    Problem::new(401, "missing or wrong token").with_hint("send the header `Authorization: Bearer TOKEN`")
}

/// A file of tokens that is read again when it changes.
struct WatchedFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Of the file that `tokens` were read from.
    version: Option<Version>,
    tokens: Vec<Known>,
}

/// A token, and the digest of its text once that was checked.
struct Known {
    token: StoredToken,
    verified: Option<[u8; 32]>,
}

enum Found {
    Verified(Caller),
    Unverified(StoredToken),
}

/// What changes when a file is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl Version {
    fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self { modified: metadata.modified().ok(), bytes: metadata.len(), inode })
    }
}

impl WatchedFile {
    /// The token with an id.
    ///
    /// # Errors
    /// 401 if no token has it or it has expired, 503 if the file cannot be read.
    fn find(&self, id: &str, digest: &[u8; 32], now: SystemTime) -> Result<Found, Problem> {
        let mut state = lock(&self.state);
        self.update(&mut state)?;
        let known = state.tokens.iter().find(|known| known.token.id() == id).ok_or_else(wrong)?;
        if known.token.is_expired(now) {
            let hint = "ask for a new one: `lexiform token add NAME`";
            return Err(Problem::new(401, "the token has expired").with_hint(hint));
        }
        let is_verified = known.verified.is_some_and(|verified| bool::from(verified.ct_eq(digest)));
        Ok(match is_verified {
            true => Found::Verified(caller_of(&known.token)),
            false => Found::Unverified(known.token.clone()),
        })
    }

    /// Remembers that a text with this digest is a token, unless the token was replaced meanwhile.
    fn remember(&self, token: &StoredToken, digest: [u8; 32]) {
        let mut state = lock(&self.state);
        if let Some(known) = state.tokens.iter_mut().find(|known| known.token == *token) {
            known.verified = Some(digest);
        }
    }

    /// Reads the file if it has changed. One that cannot be read permits nothing.
    fn update(&self, state: &mut State) -> Result<(), Problem> {
        let version = Version::of(&self.path);
        if version.is_some() && version == state.version {
            return Ok(());
        }
        *state = State::default();
        // The path, and what is wrong in the file, are not for strangers.
        let unreadable = |_| {
            Problem::new(503, "tokens cannot be checked: the file of tokens cannot be read")
                .with_hint("`lexiform token list` on the server says why")
        };
        let tokens = read_tokens(&self.path).map_err(unreadable)?;
        state.tokens = tokens.into_iter().map(|token| Known { token, verified: None }).collect();
        state.version = version;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::tokens::{NewToken, add_token, remove_token};

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn verify(verifier: &Verifier, token: &str, now: SystemTime) -> Result<Caller, Problem> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(verifier.verify(token, now))
    }

    #[test]
    fn tokens_of_the_file_are_known_until_they_expire_or_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let add = |name: &str, scope: Scope, expires: Option<SystemTime>| {
            add_token(&path, NewToken { name: name.to_owned(), scope, expires }, NOW).unwrap()
        };
        let reader = add("reader", Scope::Read, None);
        let verifier = Verifier::new(Some("0123456789abcdef"), Some(&path));
        let status = |token: &str, now| verify(&verifier, token, now).map_err(|problem| problem.status);
        let caller = |name: &str, scope| Ok(Caller { name: name.into(), scope });
        assert_eq!(status("0123456789abcdef", NOW), caller("LEXIFORM_TOKEN", Scope::Write));
        assert_eq!(status(&reader, NOW), caller("reader", Scope::Read));
        // Added while it is used.
        let later = NOW + Duration::from_secs(60);
        let writer = add("writer", Scope::Write, Some(later));
        assert_eq!(status(&writer, NOW), caller("writer", Scope::Write));
        assert_eq!(verify(&verifier, &writer, later).unwrap_err().detail, "the token has expired");
        remove_token(&path, "reader").unwrap();
        assert_eq!(status(&reader, NOW), Err(401));
        // The id of one and the secret of another.
        let mixed = format!("{}{}", &writer[..21], &reader[21..]);
        assert_eq!(status(&mixed, NOW), Err(401));
        std::fs::write(&path, "{").unwrap();
        assert_eq!(status(&writer, NOW), Err(503), "a broken file permits nothing");
        assert_eq!(status("0123456789abcdef", NOW), caller("LEXIFORM_TOKEN", Scope::Write));
    }

    #[test]
    fn garbage_and_known_tokens_cost_no_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let new = NewToken { name: "reader".to_owned(), scope: Scope::Read, expires: None };
        let token = add_token(&path, new, NOW).unwrap();
        let verifier = Verifier::new(None, Some(&path));
        let started = Instant::now();
        verify(&verifier, &token, NOW).unwrap();
        let hash_time = started.elapsed();
        let started = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            for i in 0..500 {
                assert!(verifier.verify(&format!("lxf_{i:016x}_{i:064x}"), NOW).await.is_err());
                assert!(verifier.verify(&token, NOW).await.is_ok());
            }
        });
        // A thousand hashes would take a thousand times as long as one.
        assert!(started.elapsed() < 100 * hash_time, "{:?} {hash_time:?}", started.elapsed());
    }
}
