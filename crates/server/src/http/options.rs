//! Options of a server: where it listens, and who may ask.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::audit::AuditLog;
use super::options_error::OptionsError;
use super::rate_limit::RateLimit;
use super::tls::TlsFiles;
use crate::tokens::read_tokens;

/// Shortest token.
const MIN_TOKEN: usize = 16;
/// See [`ServerOptions::receive_time`].
const RECEIVE_TIME: Duration = Duration::from_secs(15);

/// Where a server listens, and who may ask.
///
/// ```
/// use lexiform_server::ServerOptions;
///
/// let loopback = ServerOptions::new("127.0.0.1:7070".parse()?);
/// assert!(loopback.check().is_ok());
/// let open = ServerOptions::new("0.0.0.0:7070".parse()?);
/// assert!(open.check().is_err(), "needs a token");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Address and port; port 0 for any.
    pub listen: SocketAddr,
    /// What is served.
    pub surface: Surface,
    /// Secret that requests must have, unless they have a token of the file; one of both is required beyond this machine.
    pub token: Option<String>,
    /// File of tokens with scopes, read again when it changes.
    pub tokens: Option<PathBuf>,
    /// Further names under which the server may be reached, such as that of a reverse proxy; they require a token.
    pub hosts: Vec<String>,
    /// Most requests of each token, and of each address without one.
    pub rate_limit: Option<RateLimit>,
    /// File that gets a line for each change.
    pub audit: Option<PathBuf>,
    /// Certificate and key, for HTTPS.
    pub tls: Option<TlsFiles>,
    /// Longest time for a TLS handshake, for the headers, and then for a JSON body; uploads have ten times as long.
    pub receive_time: Duration,
    /// How long requests are still answered after the server was asked to stop, while `/v1/ready` says that it is not ready.
    pub drain_time: Duration,
}

/// What a server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// The page, the API, and tools for language models.
    All,
    /// Tools for language models, at `/mcp`.
    Mcp,
}

/// How to do without a token, or get one.
const TOKEN_HINT: &str = "listen on 127.0.0.1 without --allow-host, or set a secret: \
    `LEXIFORM_TOKEN=$(openssl rand -hex 16) lexiform serve …`, or make tokens: `lexiform token add NAME`";

impl ServerOptions {
    /// Everything on this address, without a token.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            surface: Surface::All,
            token: None,
            tokens: None,
            hosts: Vec::new(),
            rate_limit: None,
            audit: None,
            tls: None,
            receive_time: RECEIVE_TIME,
            drain_time: Duration::ZERO,
        }
    }

    /// Checks that whoever can reach the server needs a token, unless only this machine can (a further name is that of a proxy, which
    /// others can reach), and that the files can be used.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn check(&self) -> Result<(), OptionsError> {
        let insecure = |reason: String| Err(OptionsError::new(reason, TOKEN_HINT.to_owned()));
        let has_token = self.token.is_some() || self.tokens.is_some();
        if !has_token && !self.listen.ip().is_loopback() {
            return insecure(format!("{} can be reached from other machines: expected a token", self.listen));
        }
        if !has_token && !self.hosts.is_empty() {
            let hosts = self.hosts.join(", ");
            return insecure(format!("{hosts} may be reached through a proxy: expected a token"));
        }
        self.check_token()?;
        self.check_files()
    }

    fn check_token(&self) -> Result<(), OptionsError> {
        let Some(token) = &self.token else { return Ok(()) };
        let hint = TOKEN_HINT.to_owned();
        if token.len() < MIN_TOKEN {
            let reason =
                format!("expected a token of at least {MIN_TOKEN} characters, found {}", token.len());
            return Err(OptionsError::new(reason, hint));
        }
        // What a cookie may contain (RFC 6265, section 4.1.1).
        if !token.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)) {
            let reason = "expected a token of visible ASCII characters without quotes, commas, semicolons and backslashes";
            return Err(OptionsError::new(reason, hint));
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), OptionsError> {
        if let Some(path) = &self.tokens {
            let tokens = read_tokens(path).map_err(|error| {
                let hint = error.hint();
                OptionsError::new(error.to_string(), hint)
            })?;
            if tokens.is_empty() && self.token.is_none() {
                let hint = "make one with `lexiform token add NAME`".to_owned();
                return Err(OptionsError::new(format!("{}: no token", path.display()), hint));
            }
        }
        if let Some(path) = &self.audit {
            let failed = |error| OptionsError::new(format!("cannot write the audit log: {error}"), None);
            AuditLog::open(path).map_err(failed)?;
        }
        self.tls.as_ref().map_or(Ok(()), |files| files.load().map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn check(listen: &str, change: impl FnOnce(&mut ServerOptions)) -> Result<(), String> {
        let mut options = ServerOptions::new(listen.parse().unwrap());
        change(&mut options);
        options.check().map_err(|error| format!("{error} ({})", error.hint().unwrap_or_default()))
    }

    #[test]
    fn a_server_for_other_machines_needs_a_good_token() {
        let with =
            |listen: &str, token: &str| check(listen, |options| options.token = Some(token.to_owned()));
        assert_eq!(check("[::1]:7070", |_| {}), Ok(()));
        assert_eq!(with("0.0.0.0:7070", TOKEN), Ok(()));
        assert!(check("192.168.1.4:7070", |_| {}).unwrap_err().contains("expected a token"));
        assert!(with("0.0.0.0:7070", "short").unwrap_err().contains("at least 16 characters, found 5"));
        assert!(with("0.0.0.0:7070", "0123456789abcde;").is_err());
        let proxied = |token: Option<&str>| {
            check("127.0.0.1:7070", |options| {
                options.hosts = vec!["models.example.org".to_owned()];
                options.token = token.map(str::to_owned);
            })
        };
        assert!(proxied(None).unwrap_err().contains("through a proxy: expected a token"));
        assert_eq!(proxied(Some(TOKEN)), Ok(()));
    }

    #[test]
    fn files_are_checked_before_the_server_starts() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = folder.path().join("tokens.json");
        let with = |listen: &str| check(listen, |options| options.tokens = Some(tokens.clone()));
        assert!(with("127.0.0.1:0").unwrap_err().contains("lexiform token add"));
        std::fs::write(&tokens, "{\"tokens\": []}").unwrap();
        assert!(with("0.0.0.0:0").unwrap_err().contains("no token"));
        let audit = folder.path().join("missing/audit.jsonl");
        let failed = check("127.0.0.1:0", |options| options.audit = Some(audit));
        assert!(failed.unwrap_err().contains("cannot write the audit log"));
    }
}
