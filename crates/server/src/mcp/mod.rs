//! Tools for language models: the [Model Context Protocol](https://modelcontextprotocol.io/specification/2026-07-28), as JSON-RPC
//! messages: one a line, or one a request of HTTP.

mod protocol;
mod reach;
mod tools;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use protocol::McpHeaders;
use protocol::{Code, RpcError, Version};
use reach::Reach;

use crate::{Problem, Service};

/// Longest message in bytes.
pub(crate) const MAX_MESSAGE: usize = 1 << 20;
const INSTRUCTIONS: &str = "Finds 3D files of a library by text, by other files, or both; names and compares them. Search first: \
    its ids are the input of the other tools. Describe what an object is (\"a chair with armrests\"); `where` filters by facts \
    (\"format = glb and triangles < 10k\"). Scores are cosine similarities. If `low_confidence` is true, nothing matches well.";

/// The conversation with one client. Messages may come in any order; `initialize` is answered whenever it comes, and clients of
/// 2026-07-28 do without.
pub struct McpSession {
    service: Arc<Service>,
    reach: Reach,
}

#[derive(Deserialize)]
struct Message {
    jsonrpc: Option<String>,
    id: Option<Value>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
}

/// The answer to a request.
struct Answer {
    id: Value,
    result: Result<Value, RpcError>,
}

impl Answer {
    fn failed(id: Value, code: Code, message: impl Into<String>) -> Self {
        Self { id, result: Err(RpcError::new(code, message)) }
    }

    /// One line, without its end.
    fn text(&self) -> String {
        let Self { id, result } = self;
        match result {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
        }
        .to_string()
    }
}

impl McpSession {
    /// A conversation about a library with a client on this machine, which may search by files of this machine.
    pub fn new(service: Arc<Service>) -> Self {
        Self { service, reach: Reach::Machine }
    }

    /// A conversation with a client anywhere, which learns nothing about other files of this machine.
    pub fn remote(service: Arc<Service>) -> Self {
        Self { service, reach: Reach::Library }
    }

    /// The answer to a message, one line without its end; `None` for messages that get none.
    pub fn answer(&self, message: &str) -> Option<String> {
        if message.trim().is_empty() {
            return None;
        }
        match parsed(message) {
            Ok(message) => self.reply(message, None).map(|answer| answer.text()),
            Err(failed) => Some(failed.text()),
        }
    }

    /// Status and body of the response to a message that came over HTTP; `None` for messages that get no answer.
    pub(crate) fn answer_http(&self, message: &str, headers: &McpHeaders) -> Option<(u16, String)> {
        let message = match parsed(message) {
            Ok(message) => message,
            Err(failed) => return Some((400, failed.text())),
        };
        // A response must say that it is an error where a proxy looks, but not to clients that expect 200.
        let is_modern = headers.version.as_deref().is_some_and(|version| version >= protocol::STATELESS);
        let answer = self.reply(message, Some(headers))?;
        let status = answer.result.as_ref().err().map_or(200, |error| error.http_status(is_modern));
        Some((status, answer.text()))
    }

    fn reply(&self, message: Message, headers: Option<&McpHeaders>) -> Option<Answer> {
        // Notifications, and answers to requests that were never made, have no id or no method.
        let (id, method) = (message.id?, message.method);
        let method = match (message.jsonrpc.as_deref(), method) {
            (Some("2.0"), Some(method)) => method,
            (Some("2.0"), None) => return None,
            _ => return Some(Answer::failed(id, Code::InvalidRequest, "expected \"jsonrpc\": \"2.0\"")),
        };
        let version = protocol::version_of(&method, &message.params, headers);
        let result = version.and_then(|version| {
            let result = self.call(&method, message.params, version)?;
            Ok(version.complete(&method, result))
        });
        Some(Answer { id, result })
    }

    fn call(&self, method: &str, params: Value, version: Version) -> Result<Value, RpcError> {
        match (method, version) {
            ("initialize", _) => Ok(initialize(&params)),
            ("server/discover", _) => Ok(discover()),
            ("ping", Version::Handshake) => Ok(json!({})),
            ("tools/list", _) => {
                tools::list(self.reach).map_err(|error| RpcError::new(Code::InternalError, error.to_string()))
            }
            ("tools/call", _) => self.call_tool(params),
            _ => Err(RpcError::new(Code::MethodNotFound, format!("no such method: {method:?}"))),
        }
    }

    fn call_tool(&self, params: Value) -> Result<Value, RpcError> {
        let invalid = |message: String| RpcError::new(Code::InvalidParams, message);
        let name = params["name"].as_str().ok_or_else(|| invalid("no name of a tool".to_owned()))?.to_owned();
        let arguments = match params.get("arguments") {
            None | Some(Value::Null) => json!({}),
            Some(arguments) => arguments.clone(),
        };
        match tools::call(&self.service, self.reach, &name, arguments) {
            Some(Ok(result)) => Ok(result),
            // Not an error of the protocol: the model reads it, and tries again.
            Some(Err(problem)) => Ok(tool_failure(&problem)),
            None => Err(invalid(format!("no such tool: {name:?}"))),
        }
    }
}

fn parsed(message: &str) -> Result<Message, Answer> {
    if message.len() > MAX_MESSAGE {
        let problem = format!("expected a message of at most {MAX_MESSAGE} bytes");
        return Err(Answer::failed(Value::Null, Code::InvalidRequest, problem));
    }
    serde_json::from_str::<Message>(message).map_err(|error| {
        // Invalid JSON, or valid JSON that is no message.
        let code = match serde_json::from_str::<Value>(message) {
            Ok(_) => Code::InvalidRequest,
            Err(_) => Code::ParseError,
        };
        Answer::failed(Value::Null, code, error.to_string())
    })
}

fn initialize(params: &Value) -> Value {
    let wanted = params["protocolVersion"].as_str().unwrap_or_default();
    let known = protocol::HANDSHAKE_VERSIONS;
    let version = known.into_iter().find(|known| *known == wanted).unwrap_or(known[0]);
    json!({
        "protocolVersion": version,
        "capabilities": capabilities(),
        "serverInfo": protocol::server_info(),
        "instructions": INSTRUCTIONS,
    })
}

fn discover() -> Value {
    json!({
        "supportedVersions": protocol::VERSIONS,
        "capabilities": capabilities(),
        "instructions": INSTRUCTIONS,
    })
}

fn capabilities() -> Value {
    json!({ "tools": {} })
}

fn tool_failure(Problem { detail, hint, .. }: &Problem) -> Value {
    let hint = hint.as_ref().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
    json!({ "content": [{ "type": "text", "text": format!("error: {detail}{hint}") }], "isError": true })
}
