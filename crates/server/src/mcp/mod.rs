//! Tools for language models: the [Model Context Protocol](https://modelcontextprotocol.io/specification/2025-11-25), as JSON-RPC
//! messages, one a line.

mod tools;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Problem, Service};

/// Versions of the protocol, the latest first. 2025-03-26 is not among them: it requires batches of messages.
const VERSIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2024-11-05"];
/// Longest message in bytes.
const MAX_MESSAGE: usize = 1 << 20;
const INSTRUCTIONS: &str = "Finds 3D files of a library by text, by other files, or both; names and compares them. Search first: \
    its ids are the input of the other tools. Describe what an object is (\"a chair with armrests\"); `where` filters by facts \
    (\"format = glb and triangles < 10k\"). Scores are cosine similarities. If `low_confidence` is true, nothing matches well.";

/// Codes of [JSON-RPC 2.0](https://www.jsonrpc.org/specification#error_object).
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;
const INTERNAL_ERROR: i32 = -32603;

/// The conversation with one client. Messages may come in any order; `initialize` is answered whenever it comes.
pub struct McpSession {
    service: Arc<Service>,
}

#[derive(Deserialize)]
struct Message {
    jsonrpc: Option<String>,
    id: Option<Value>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
}

/// The error of a request.
#[derive(Debug)]
struct RpcError {
    code: i32,
    message: String,
}

impl McpSession {
    /// A conversation about a library.
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }

    /// The answer to a message, one line without its end; `None` for messages that get none.
    pub fn answer(&self, message: &str) -> Option<String> {
        if message.trim().is_empty() {
            return None;
        }
        let parsed = match message.len() <= MAX_MESSAGE {
            true => serde_json::from_str::<Message>(message)
                .map_err(|error| (parse_code(message), error.to_string())),
            false => Err((INVALID_REQUEST, format!("expected a message of at most {MAX_MESSAGE} bytes"))),
        };
        let message = match parsed {
            Ok(message) => message,
            Err((code, message)) => return Some(failure(&Value::Null, &RpcError { code, message })),
        };
        // Notifications, and answers to requests that were never made, have no id or no method.
        let (id, method) = (message.id?, message.method);
        let answer = match (message.jsonrpc.as_deref(), method) {
            (Some("2.0"), Some(method)) => self.call(&method, message.params),
            (Some("2.0"), None) => return None,
            _ => Err(RpcError { code: INVALID_REQUEST, message: "expected \"jsonrpc\": \"2.0\"".to_owned() }),
        };
        Some(match answer {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string(),
            Err(error) => failure(&id, &error),
        })
    }

    fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        match method {
            "initialize" => Ok(initialize(&params)),
            "ping" => Ok(json!({})),
            "tools/list" => {
                tools::list().map_err(|error| RpcError { code: INTERNAL_ERROR, message: error.to_string() })
            }
            "tools/call" => self.call_tool(params),
            _ => Err(RpcError { code: METHOD_NOT_FOUND, message: format!("no such method: {method:?}") }),
        }
    }

    fn call_tool(&self, params: Value) -> Result<Value, RpcError> {
        let invalid = |message: String| RpcError { code: INVALID_PARAMS, message };
        let name = params["name"].as_str().ok_or_else(|| invalid("no name of a tool".to_owned()))?.to_owned();
        let arguments = match params.get("arguments") {
            None | Some(Value::Null) => json!({}),
            Some(arguments) => arguments.clone(),
        };
        match tools::call(&self.service, &name, arguments) {
            Some(Ok(result)) => Ok(result),
            // Not an error of the protocol: the model reads it, and tries again.
            Some(Err(problem)) => Ok(tool_failure(&problem)),
            None => Err(invalid(format!("no such tool: {name:?}"))),
        }
    }
}

/// Invalid JSON, or valid JSON that is no message.
fn parse_code(message: &str) -> i32 {
    match serde_json::from_str::<Value>(message) {
        Ok(_) => INVALID_REQUEST,
        Err(_) => PARSE_ERROR,
    }
}

fn initialize(params: &Value) -> Value {
    let wanted = params["protocolVersion"].as_str().unwrap_or_default();
    let version = VERSIONS.into_iter().find(|known| *known == wanted).unwrap_or(VERSIONS[0]);
    json!({
        "protocolVersion": version,
        "capabilities": { "tools": {} },
        "serverInfo": { "name": "lexiform", "title": "Lexiform", "version": env!("CARGO_PKG_VERSION") },
        "instructions": INSTRUCTIONS,
    })
}

fn failure(id: &Value, RpcError { code, message }: &RpcError) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }).to_string()
}

fn tool_failure(Problem { detail, hint, .. }: &Problem) -> Value {
    let hint = hint.as_ref().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
    json!({ "content": [{ "type": "text", "text": format!("error: {detail}{hint}") }], "isError": true })
}
