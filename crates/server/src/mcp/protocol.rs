//! The two generations of the protocol: with a handshake (`initialize`), and, from 2026-07-28 on, with its version and the client's
//! capabilities in every request.

use serde::Serialize;
use serde_json::{Value, json};

/// The first version without a handshake. Versions are dates, so they compare as text.
pub(super) const STATELESS: &str = "2026-07-28";
/// Versions of the protocol, the latest first. 2025-03-26 is not among them: it requires batches of messages.
pub(super) const VERSIONS: [&str; 4] = [STATELESS, "2025-11-25", "2025-06-18", "2024-11-05"];
/// Those with a handshake.
pub(super) const HANDSHAKE_VERSIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2024-11-05"];
/// How long a client may keep the list of tools, in milliseconds. It changes with the server only.
const TOOLS_FRESH_MS: u64 = 3_600_000;

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
const SERVER_KEY: &str = "io.modelcontextprotocol/serverInfo";

/// The generation of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Up to 2025-11-25.
    Handshake,
    /// From 2026-07-28 on.
    Stateless,
}

/// What the headers of a request over HTTP say about the message.
#[derive(Clone, Debug, Default)]
pub(crate) struct McpHeaders {
    /// `MCP-Protocol-Version`.
    pub version: Option<String>,
    /// `Mcp-Method`.
    pub method: Option<String>,
    /// `Mcp-Name`.
    pub name: Option<String>,
}

/// Codes of [JSON-RPC 2.0](https://www.jsonrpc.org/specification#error_object) and of MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    ParseError = -32700,
    InvalidRequest = -32600,
    MethodNotFound = -32601,
    InvalidParams = -32602,
    InternalError = -32603,
    HeaderMismatch = -32020,
    UnsupportedVersion = -32022,
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i32(*self as i32)
    }
}

/// The error of a request.
#[derive(Debug, Serialize)]
pub(super) struct RpcError {
    code: Code,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    /// Whether the request itself is malformed, rather than what it asks for.
    #[serde(skip)]
    is_malformed: bool,
}

impl RpcError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None, is_malformed: false }
    }

    fn malformed(code: Code, message: impl Into<String>) -> Self {
        Self { is_malformed: true, ..Self::new(code, message) }
    }

    /// The status of a response with this error. Clients of earlier versions expect 200.
    pub(super) fn http_status(&self, is_stateless: bool) -> u16 {
        match self.code {
            _ if self.is_malformed => 400,
            Code::MethodNotFound if is_stateless => 404,
            _ => 200,
        }
    }
}

/// The generation of a request, whose headers and metadata agree with it.
///
/// # Errors
/// If they do not, if the version is unknown, or if required metadata is missing.
pub(super) fn version_of(
    method: &str,
    params: &Value,
    headers: Option<&McpHeaders>,
) -> Result<Version, RpcError> {
    let meta = &params["_meta"];
    let in_meta = meta[VERSION_KEY].as_str();
    let stated = headers.and_then(|headers| headers.version.as_deref());
    if let Some(headers) = headers {
        check_headers(method, params, headers)?;
    }
    // A handshake is about the version that the client wants, and has no other.
    if method == "initialize" {
        return Ok(Version::Handshake);
    }
    if let (Some(header), Some(body)) = (stated, in_meta)
        && header != body
    {
        return Err(mismatch("MCP-Protocol-Version", header, body));
    }
    let version = in_meta.or(stated);
    if let Some(unknown) = version.filter(|version| !VERSIONS.contains(version)) {
        let data = Some(json!({ "requested": unknown, "supported": VERSIONS }));
        let error = RpcError::malformed(Code::UnsupportedVersion, format!("unsupported version {unknown:?}"));
        return Err(RpcError { data, ..error });
    }
    let is_stateless = method == "server/discover" || version.is_some_and(|version| version >= STATELESS);
    if !is_stateless {
        return Ok(Version::Handshake);
    }
    let missing = [(VERSION_KEY, in_meta.is_some()), (CAPABILITIES_KEY, meta[CAPABILITIES_KEY].is_object())];
    match missing.iter().find(|(_, is_there)| !is_there) {
        Some((key, _)) => Err(RpcError::malformed(Code::InvalidParams, format!("no {key:?} in `_meta`"))),
        None => Ok(Version::Stateless),
    }
}

/// Proxies route and log by headers: they must not differ from the message.
fn check_headers(method: &str, params: &Value, headers: &McpHeaders) -> Result<(), RpcError> {
    if let Some(header) = headers.method.as_deref().filter(|header| *header != method) {
        return Err(mismatch("Mcp-Method", header, method));
    }
    let name = params["name"].as_str().unwrap_or_default();
    match headers.name.as_deref() {
        Some(header) if method == "tools/call" && header != name => Err(mismatch("Mcp-Name", header, name)),
        _ => Ok(()),
    }
}

fn mismatch(header: &str, found: &str, expected: &str) -> RpcError {
    let message = format!("header {header} is {found:?}, but the message has {expected:?}");
    RpcError::malformed(Code::HeaderMismatch, message)
}

impl Version {
    /// A result with what this generation requires.
    pub(super) fn complete(self, method: &str, mut result: Value) -> Value {
        let Some(object) = result.as_object_mut().filter(|_| self == Self::Stateless) else { return result };
        object.insert("resultType".to_owned(), "complete".into());
        object.insert("_meta".to_owned(), json!({ SERVER_KEY: server_info() }));
        if matches!(method, "tools/list" | "server/discover") {
            object.insert("ttlMs".to_owned(), TOOLS_FRESH_MS.into());
            object.insert("cacheScope".to_owned(), "private".into());
        }
        result
    }
}

/// Who answers.
pub(super) fn server_info() -> Value {
    json!({ "name": "lexiform", "title": "Lexiform", "version": env!("CARGO_PKG_VERSION") })
}
