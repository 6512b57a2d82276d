//! What is allowed: who may ask (token), under which name (Host), and from which page (Origin). Also the headers that tell
//! browsers to be strict.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use crate::Problem;

/// Name of the cookie with the token, set by `POST /v1/session`.
pub(super) const COOKIE: &str = "lexiform_token";
/// Shortest token.
const MIN_TOKEN: usize = 16;
/// See [`ServerOptions::receive_time`].
const RECEIVE_TIME: Duration = Duration::from_secs(15);
/// Only what this server sends runs in the page, and nobody frames it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
    /// Secret that requests must have; required beyond this machine.
    pub token: Option<String>,
    /// Further names under which the server may be reached, such as that of a reverse proxy; they require a token.
    pub hosts: Vec<String>,
    /// Longest time for the headers, and then for a JSON body, to arrive; uploads have ten times as long.
    pub receive_time: Duration,
}

impl ServerOptions {
    /// Without a token.
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, token: None, hosts: Vec::new(), receive_time: RECEIVE_TIME }
    }

    /// Checks that whoever can reach the server needs a token, unless only this machine can. A further name is that of a proxy, which
    /// others can reach.
    ///
    /// # Errors
    /// What is missing, or wrong with the token.
    pub fn check(&self) -> Result<(), String> {
        match &self.token {
            None if !self.listen.ip().is_loopback() => {
                Err(format!("{} can be reached from other machines: expected a token", self.listen))
            }
            None if !self.hosts.is_empty() => {
                Err(format!("{} may be reached through a proxy: expected a token", self.hosts.join(", ")))
            }
            Some(token) if token.len() < MIN_TOKEN => {
                Err(format!("expected a token of at least {MIN_TOKEN} characters, found {}", token.len()))
            }
            // What a cookie may contain (RFC 6265, section 4.1.1).
            Some(token) if !token.bytes().all(|b| b.is_ascii_graphic() && !b"\",;\\".contains(&b)) => {
                Err("expected a token of visible ASCII characters without quotes, commas, semicolons and backslashes"
                    .to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The checks of each request.
pub(super) struct Guard {
    token: Option<String>,
    hosts: Vec<String>,
    is_loopback: bool,
    pub receive_time: Duration,
}

impl Guard {
    pub(super) fn new(options: &ServerOptions) -> Self {
        let names = options.hosts.iter().map(|host| host_name(host).to_ascii_lowercase());
        // An empty name would be that of requests without a host.
        let hosts = names.filter(|name| !name.is_empty()).collect();
        let is_loopback = options.listen.ip().is_loopback();
        Self { token: options.token.clone(), hosts, is_loopback, receive_time: options.receive_time }
    }

    /// Whether a text is the token.
    pub(super) fn is_token(&self, given: &str) -> bool {
        let token = self.token.as_deref().unwrap_or_default();
        // In constant time: how long the comparison takes says nothing about the token.
        !token.is_empty() && bool::from(token.as_bytes().ct_eq(given.as_bytes()))
    }

    /// # Errors
    /// 403 for another host or page, 401 without the token.
    fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Problem> {
        let host = self.check_host(headers)?;
        let may_write = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if may_write {
            self.check_origin(headers, host)?;
        }
        // Also without an origin, as of an image: other pages must not make this machine compute.
        if may_write || is_private(path) {
            check_site(headers)?;
        }
        let needs_token = self.token.is_some() && is_private(path);
        if needs_token && !tokens(headers).any(|given| self.is_token(given)) {
            let hint = "send the header `Authorization: Bearer TOKEN`";
            return Err(Problem::new(401, "missing or wrong token").with_hint(hint));
        }
        Ok(())
    }

    /// The host of the request. A page of another site can make its name point to this machine and then read the answers
    /// (DNS rebinding), but the browser still sends that name.
    fn check_host<'a>(&self, headers: &'a HeaderMap) -> Result<&'a str, Problem> {
        let given = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = host_name(given).to_ascii_lowercase();
        let is_allowed = self.hosts.contains(&name)
            || match name.parse::<IpAddr>() {
                // An address is no name that somebody else controls.
                Ok(address) => address.is_loopback() || !self.is_loopback,
                Err(_) => name == "localhost",
            };
        match is_allowed {
            true => Ok(given),
            false => Err(Problem::new(403, format!("unknown host {given:?}"))
                .with_hint("start the server with `--allow-host NAME` for names of a reverse proxy")),
        }
    }

    /// Only pages of this server may write. Programs that are no browsers send no origin. A reverse proxy may send another host
    /// than the one that the browser knows, which is then among the allowed ones.
    fn check_origin(&self, headers: &HeaderMap, host: &str) -> Result<(), Problem> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        let is_own = |authority: &str| {
            authority.eq_ignore_ascii_case(host)
                || self.hosts.contains(&host_name(authority).to_ascii_lowercase())
        };
        if authority.is_some_and(is_own) { Ok(()) } else { Err(other_page(origin)) }
    }
}

/// The host of `HOST`, `HOST:PORT` or `[HOST]:PORT`.
fn host_name(host: &str) -> &str {
    if host.parse::<Ipv6Addr>().is_ok() {
        return host;
    }
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(host),
    }
}

/// Refuses what the browser says is from a page of another site, or of another server of this one.
fn check_site(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site").and_then(|site| site.to_str().ok()) {
        Some(site @ ("cross-site" | "same-site")) => Err(other_page(site)),
        _ => Ok(()),
    }
}

fn other_page(found: &str) -> Problem {
    Problem::new(403, format!("request from another page: {found}"))
}

/// Paths that show something of the library. The page itself, and the way to log in, do not.
fn is_private(path: &str) -> bool {
    let is_api = path.starts_with("/v1/") && !matches!(path, "/v1/session" | "/v1/health");
    is_api || path == "/metrics"
}

/// Tokens of a request: of the header, and of cookies.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bearer =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    bearer.into_iter().chain(pairs.filter(|(name, _)| *name == COOKIE).map(|(_, token)| token))
}

/// Refuses what is not allowed, and adds headers to every response.
pub(super) async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let checked = guard.check(request.method(), request.uri().path(), request.headers());
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    let strict = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in strict {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn guard(listen: &str, token: Option<&str>) -> Guard {
        let token = token.map(str::to_owned);
        let hosts = vec!["models.example.org".to_owned()];
        Guard::new(&ServerOptions { token, hosts, ..ServerOptions::new(listen.parse().unwrap()) })
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn status(guard: &Guard, method: Method, path: &str, pairs: &[(&'static str, &str)]) -> u16 {
        guard.check(&method, path, &headers(pairs)).map_or_else(|problem| problem.status, |()| 200)
    }

    #[test]
    fn a_loopback_server_answers_to_its_own_names_only() {
        let guard = guard("127.0.0.1:7070", None);
        let check = |host: &str| status(&guard, Method::GET, "/v1/search", &[("host", host)]);
        for host in ["127.0.0.1:7070", "localhost:7070", "LOCALHOST", "[::1]:7070", "models.example.org"] {
            assert_eq!(check(host), 200, "{host}");
        }
        for host in
            ["evil.example.com:7070", "192.168.1.4:7070", "localhost.evil.com", "127.0.0.1.nip.io", ""]
        {
            assert_eq!(check(host), 403, "{host}");
        }
        assert_eq!(status(&guard, Method::GET, "/", &[]), 403, "no host");
    }

    #[test]
    fn only_pages_of_this_server_may_write() {
        let guard = guard("127.0.0.1:7070", None);
        let check = |pairs: &[(&'static str, &str)]| {
            let host = ("host", "127.0.0.1:7070");
            status(&guard, Method::POST, "/v1/search", &[&[host], pairs].concat())
        };
        assert_eq!(check(&[]), 200, "no browser");
        assert_eq!(check(&[("origin", "http://127.0.0.1:7070"), ("sec-fetch-site", "same-origin")]), 200);
        for origin in ["http://evil.example.com", "null", "http://127.0.0.1:8080", "file://127.0.0.1:7070"] {
            assert_eq!(check(&[("origin", origin)]), 403, "{origin}");
        }
        assert_eq!(check(&[("sec-fetch-site", "cross-site")]), 403);
        // A proxy that sends its own host.
        assert_eq!(check(&[("origin", "https://models.example.org")]), 200);
        assert_eq!(check(&[("origin", "https://models.example.org.evil.example.com")]), 403);
    }

    #[test]
    fn other_pages_make_nothing_compute() {
        let guard = guard("127.0.0.1:7070", None);
        let check = |path: &str, site: &str| {
            status(&guard, Method::GET, path, &[("host", "127.0.0.1:7070"), ("sec-fetch-site", site)])
        };
        for path in ["/v1/search", "/v1/assets/47fa10d69366f9a9/view.png", "/metrics"] {
            assert_eq!((check(path, "cross-site"), check(path, "same-site")), (403, 403), "{path}");
            assert_eq!((check(path, "same-origin"), check(path, "none")), (200, 200), "{path}");
        }
        assert_eq!(check("/", "cross-site"), 200, "a link to the page");
    }

    #[test]
    fn names_of_proxies_are_known_without_their_ports() {
        let hosts = vec!["Models.example.org:8443".to_owned()];
        let guard =
            Guard::new(&ServerOptions { hosts, ..ServerOptions::new("127.0.0.1:7070".parse().unwrap()) });
        assert_eq!(status(&guard, Method::GET, "/v1/search", &[("host", "models.example.org")]), 200);
    }

    #[test]
    fn a_token_is_needed_for_everything_about_the_library() {
        let guard = guard("0.0.0.0:7070", Some(TOKEN));
        let check = |path: &str, pairs: &[(&'static str, &str)]| {
            status(&guard, Method::GET, path, &[&[("host", "192.168.1.4:7070")], pairs].concat())
        };
        for path in ["/v1/search", "/v1/assets/47fa10d69366f9a9/file", "/metrics", "/v1/stats"] {
            assert_eq!(check(path, &[]), 401, "{path}");
            assert_eq!(check(path, &[("authorization", "Bearer 0123456789abcdeX")]), 401, "{path}");
            assert_eq!(check(path, &[("authorization", "Bearer ")]), 401, "{path}");
            assert_eq!(check(path, &[("authorization", "Bearer 0123456789abcdef")]), 200, "{path}");
            assert_eq!(check(path, &[("cookie", "a=b; lexiform_token=0123456789abcdef")]), 200, "{path}");
        }
        for path in ["/", "/static/app.js", "/v1/session", "/v1/health", "/openapi.json"] {
            assert_eq!(check(path, &[]), 200, "{path}");
        }
    }

    #[test]
    fn a_server_for_other_machines_needs_a_good_token() {
        let check = |listen: &str, token: Option<&str>| {
            ServerOptions { token: token.map(str::to_owned), ..ServerOptions::new(listen.parse().unwrap()) }
                .check()
        };
        assert!(check("[::1]:7070", None).is_ok());
        assert!(check("0.0.0.0:7070", Some(TOKEN)).is_ok());
        assert!(check("192.168.1.4:7070", None).unwrap_err().contains("expected a token"));
        assert!(
            check("0.0.0.0:7070", Some("short")).unwrap_err().contains("at least 16 characters, found 5")
        );
        assert!(check("0.0.0.0:7070", Some("0123456789abcde;")).is_err());
        let hosts = vec!["models.example.org".to_owned()];
        let behind_proxy = ServerOptions { hosts, ..ServerOptions::new("127.0.0.1:7070".parse().unwrap()) };
        assert!(behind_proxy.check().unwrap_err().contains("through a proxy: expected a token"));
        assert!(ServerOptions { token: Some(TOKEN.to_owned()), ..behind_proxy }.check().is_ok());
    }
}
