//! What is allowed: who may ask (token), what (scope), how often (rate limit), under which name (Host), and from which page
//! (Origin). Also the audit log, and the headers that tell browsers to be strict.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::audit::{AuditLog, Entry};
use super::options::ServerOptions;
use super::rate_limit::{Client, Limiter};
use crate::Problem;
use crate::tokens::{Caller, Scope, Verifier};

/// Name of the cookie with the token, set by `POST /v1/session`.
pub(super) const COOKIE: &str = "lexiform_token";
/// Only what this server sends runs in the page, and nobody frames it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Routes that take a body and yet change nothing of the library.
const READING_POSTS: [&str; 7] = [
    "/v1/session",
    "/v1/search",
    "/v1/uploads",
    "/v1/classify",
    "/v1/caption",
    "/v1/compare",
    "/v1/embeddings",
];
/// Most tokens of a request that are checked: one of the header, and one cookie per path.
const MAX_TOKENS: usize = 3;

/// The address that a connection comes from, as an extension of its requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub IpAddr);

/// The checks of each request.
pub(super) struct Guard {
    verifier: Verifier,
    limiter: Option<Limiter>,
    audit: Option<AuditLog>,
    hosts: Vec<String>,
    is_loopback: bool,
    /// Whether cookies are sent over TLS only.
    pub is_encrypted: bool,
    pub receive_time: Duration,
}

impl Guard {
    /// # Errors
    /// If the audit log cannot be written.
    pub(super) fn new(options: &ServerOptions) -> std::io::Result<Self> {
        let names = options.hosts.iter().map(|host| host_name(host).to_ascii_lowercase());
        Ok(Self {
            verifier: Verifier::new(options.token.as_deref(), options.tokens.as_deref()),
            limiter: options.rate_limit.map(Limiter::new),
            audit: options.audit.as_deref().map(AuditLog::open).transpose()?,
            // An empty name would be that of requests without a host.
            hosts: names.filter(|name| !name.is_empty()).collect(),
            is_loopback: options.listen.ip().is_loopback(),
            is_encrypted: options.tls.is_some(),
            receive_time: options.receive_time,
        })
    }

    /// Who has a token.
    ///
    /// # Errors
    /// As of [`Verifier::verify`].
    pub(super) async fn verify(&self, token: &str) -> Result<Caller, Problem> {
        self.verifier.verify(token, SystemTime::now()).await
    }

    /// Passes a request on, if everything about it is allowed.
    ///
    /// # Errors
    /// 403 for another host or page or a token without the scope, 401 without a token, 429 for too many requests.
    async fn admit(&self, request: Request, next: Next) -> Result<Response, Problem> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        check_form(&request)?;
        self.check_browser(&method, &path, request.headers())?;
        let address = request.extensions().get::<Peer>().map(|peer| peer.0);
        let caller = self.caller(&path, address, request.headers()).await?;
        if !is_change(&method, &path) {
            return Ok(next.run(request).await);
        }
        let mut entry = Entry {
            token: caller.as_ref().map(|caller| caller.name.to_string()),
            address,
            method: method.to_string(),
            path: request.uri().path_and_query().map_or(path, ToString::to_string),
            status: 0,
        };
        let response = match caller {
            Some(Caller { scope: Scope::Read, name }) => no_scope(&name).into_response(),
            Some(Caller { scope: Scope::Write, .. }) | None => next.run(request).await,
        };
        entry.status = response.status().as_u16();
        self.record(entry).await?;
        Ok(response)
    }

    /// # Errors
    /// 403 for another host or page.
    fn check_browser(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Problem> {
        let host = self.check_host(headers)?;
        let may_write = !is_safe(method);
        if may_write {
            self.check_origin(headers, host)?;
        }
        // Also without an origin, as of an image: other pages must not make this machine compute.
        if may_write || is_private(path) {
            check_site(headers)?;
        }
        Ok(())
    }

    /// Who makes a request; `None` where nobody needs a token.
    ///
    /// # Errors
    /// 401 without a token that is needed, 429 for too many requests.
    async fn caller(
        &self,
        path: &str,
        address: Option<IpAddr>,
        headers: &HeaderMap,
    ) -> Result<Option<Caller>, Problem> {
        let needs_token = self.verifier.is_required() && is_private(path);
        let caller = match needs_token {
            true => self.first_valid(headers).await.map(Some),
            false => Ok(None),
        };
        let is_counted = is_private(path) || path == "/v1/session";
        if let Some(limiter) = self.limiter.as_ref().filter(|_| is_counted) {
            let client = match (&caller, address) {
                (Ok(Some(caller)), _) => Some(Client::Token(caller.name.clone())),
                (_, address) => address.map(Client::at),
            };
            let taken = client.map_or(Ok(()), |client| limiter.take(client, Instant::now()));
            taken.map_err(Problem::too_many_requests)?;
        }
        caller
    }

    /// The caller of the first token that is valid.
    async fn first_valid(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let mut problem = Problem::new(401, "missing or wrong token")
            .with_hint("send the header `Authorization: Bearer TOKEN`");
        for token in tokens(headers).take(MAX_TOKENS) {
            match self.verify(token).await {
                Ok(caller) => return Ok(caller),
                Err(found) => problem = found,
            }
        }
        Err(problem)
    }

    /// Writes to the audit log, if there is one.
    ///
    /// # Errors
    /// 500 if it cannot be written: nobody must believe that a change was recorded.
    async fn record(&self, entry: Entry) -> Result<(), Problem> {
        let Some(audit) = self.audit.clone() else { return Ok(()) };
        let status = entry.status;
        let written = tokio::task::spawn_blocking(move || audit.write(&entry, SystemTime::now())).await;
        match written {
            Ok(Ok(())) => Ok(()),
            _ => Err(Problem::internal(format!(
                "the request was answered with {status}, but the audit log cannot be written"
            ))
            .with_hint("check the disk of the server and the file of --audit")),
        }
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

/// Refuses requests that a proxy and this server may understand in two ways.
fn check_form(request: &Request) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, other) = (hosts.next(), hosts.next());
    let in_target = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let is_same = in_target.is_none_or(|target| host.is_some_and(|host| host.as_bytes() == target));
    match other.is_none() && is_same {
        true => Ok(()),
        false => Err(Problem::bad_request("expected one host, found several")),
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

fn no_scope(name: &str) -> Problem {
    Problem::new(403, format!("the token {name:?} permits no changes"))
        .with_hint("use a token that was made with `lexiform token add NAME --scope write`")
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a request may change the library, and needs the scope for it. A route that nobody thought of is one that does.
fn is_change(method: &Method, path: &str) -> bool {
    !is_safe(method)
        && path.starts_with("/v1/")
        && !(*method == Method::POST && READING_POSTS.contains(&path))
}

/// Paths that show something of the library. The page itself, and the way to log in, do not.
fn is_private(path: &str) -> bool {
    let is_api = path.starts_with("/v1/") && !matches!(path, "/v1/session" | "/v1/health" | "/v1/ready");
    is_api || matches!(path, "/metrics" | "/mcp")
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
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = guard.admit(request, next).await.unwrap_or_else(|problem| problem.into_response());
    let headers = response.headers_mut();
    if is_chunked {
        // Where a proxy sees the end of such a body elsewhere, what follows would be a request of somebody else (RFC 9112,
        // section 6.1).
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
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
        Guard::new(&ServerOptions { token, hosts, ..ServerOptions::new(listen.parse().unwrap()) }).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn status(guard: &Guard, method: Method, path: &str, pairs: &[(&'static str, &str)]) -> u16 {
        let headers = headers(pairs);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let checked = guard
            .check_browser(&method, path, &headers)
            .and_then(|()| runtime.block_on(guard.caller(path, None, &headers)));
        checked.map_or_else(|problem| problem.status, |_| 200)
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
        let options = ServerOptions { hosts, ..ServerOptions::new("127.0.0.1:7070".parse().unwrap()) };
        let guard = Guard::new(&options).unwrap();
        assert_eq!(status(&guard, Method::GET, "/v1/search", &[("host", "models.example.org")]), 200);
    }

    #[test]
    fn a_token_is_needed_for_everything_about_the_library() {
        let guard = guard("0.0.0.0:7070", Some(TOKEN));
        let check = |path: &str, pairs: &[(&'static str, &str)]| {
            status(&guard, Method::GET, path, &[&[("host", "192.168.1.4:7070")], pairs].concat())
        };
        for path in ["/v1/search", "/v1/assets/47fa10d69366f9a9/file", "/metrics", "/v1/stats", "/mcp"] {
            assert_eq!(check(path, &[]), 401, "{path}");
            assert_eq!(check(path, &[("authorization", "Bearer 0123456789abcdeX")]), 401, "{path}");
            assert_eq!(check(path, &[("authorization", "Bearer ")]), 401, "{path}");
            assert_eq!(check(path, &[("authorization", "Bearer 0123456789abcdef")]), 200, "{path}");
            assert_eq!(check(path, &[("cookie", "a=b; lexiform_token=0123456789abcdef")]), 200, "{path}");
        }
        for path in ["/", "/static/app.js", "/v1/session", "/v1/health", "/v1/ready", "/openapi.json"] {
            assert_eq!(check(path, &[]), 200, "{path}");
        }
    }

    #[test]
    fn what_is_not_known_to_read_needs_the_scope_to_write() {
        for (method, path, expected) in [
            (Method::GET, "/v1/search", false),
            (Method::HEAD, "/v1/assets/1", false),
            (Method::POST, "/v1/search", false),
            (Method::POST, "/v1/session", false),
            (Method::POST, "/mcp", false),
            (Method::PUT, "/v1/search", true),
            (Method::POST, "/v1/assets", true),
            (Method::PATCH, "/v1/assets/1", true),
            (Method::DELETE, "/v1/jobs/1", true),
            (Method::POST, "/v1/something-new", true),
        ] {
            assert_eq!(is_change(&method, path), expected, "{method} {path}");
        }
    }
}
