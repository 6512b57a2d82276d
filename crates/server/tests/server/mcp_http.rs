//! Tools for language models over HTTP, for clients of both generations.

use lexiform_server::Surface;
use serde_json::{Value, json};

use crate::support::{Models, Reply, Running};

const NEW: &str = "2026-07-28";

fn post(server: &Running, headers: &[(&str, &str)], message: &Value) -> Reply {
    let all =
        [&[("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")], headers];
    server.send("POST", "/mcp", &all.concat(), message.to_string().as_bytes())
}

fn message(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// A message of a client without a handshake.
fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NEW,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
    });
    message(method, params)
}

#[test]
fn clients_with_a_handshake_are_answered() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let start = message("initialize", json!({ "protocolVersion": "2025-11-25", "capabilities": {} }));
    let reply = post(&server, &[], &start);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.ok()["result"]["protocolVersion"], "2025-11-25");
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let version = [("MCP-Protocol-Version", "2025-11-25")];
    let reply = post(&server, &version, &initialized);
    assert_eq!((reply.status, reply.body.len()), (202, 0));
    let tools = post(&server, &version, &message("tools/list", json!({}))).ok();
    assert!(tools["result"]["tools"].as_array().unwrap().len() >= 7);
    assert!(tools["result"].get("resultType").is_none(), "unknown to this generation");
    let search = message("tools/call", json!({ "name": "search", "arguments": { "text": "red", "k": 1 } }));
    let found = post(&server, &version, &search).ok();
    assert_eq!(found["result"]["structuredContent"]["answers"][0]["path"], "red.ply");
    // An error in the message: this generation expects 200.
    assert_eq!(post(&server, &version, &message("no/method", json!({}))).ok()["error"]["code"], -32601);
    assert_eq!(post(&server, &version, &message("ping", json!({}))).ok()["result"], json!({}));
}

#[test]
fn clients_without_a_handshake_are_answered() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let version = [("MCP-Protocol-Version", NEW), ("Mcp-Method", "server/discover")];
    let found = post(&server, &version, &modern("server/discover", json!({}))).ok();
    let result = &found["result"];
    assert_eq!((&result["resultType"], &result["supportedVersions"][0]), (&"complete".into(), &NEW.into()));
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "lexiform");
    let listed = post(&server, &[("MCP-Protocol-Version", NEW)], &modern("tools/list", json!({}))).ok();
    assert!(listed["result"]["ttlMs"].is_u64() && listed["result"]["cacheScope"] == "private", "{listed}");
    let headers = [("MCP-Protocol-Version", NEW), ("Mcp-Method", "tools/call"), ("Mcp-Name", "statistics")];
    let statistics = modern("tools/call", json!({ "name": "statistics" }));
    let found = post(&server, &headers, &statistics).ok();
    assert_eq!(
        (&found["result"]["structuredContent"]["records"], &found["result"]["resultType"]),
        (&4.into(), &"complete".into())
    );
}

#[test]
fn headers_and_messages_must_agree() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let check = |headers: &[(&str, &str)], message: &Value, status: u16, code: i32| {
        let reply = post(&server, headers, message);
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (status, &code.into()), "{reply:?}");
    };
    let list = modern("tools/list", json!({}));
    let call = modern("tools/call", json!({ "name": "search" }));
    check(&[("MCP-Protocol-Version", "2025-11-25")], &list, 400, -32020);
    check(&[("MCP-Protocol-Version", NEW), ("Mcp-Method", "tools/call")], &list, 400, -32020);
    check(&[("MCP-Protocol-Version", NEW), ("Mcp-Name", "statistics")], &call, 400, -32020);
    check(&[("MCP-Protocol-Version", "2099-01-01")], &message("tools/list", json!({})), 400, -32022);
    check(&[("MCP-Protocol-Version", NEW)], &message("tools/list", json!({})), 400, -32602);
    check(&[("MCP-Protocol-Version", NEW)], &modern("no/method", json!({})), 404, -32601);
    check(&[("MCP-Protocol-Version", NEW)], &modern("ping", json!({})), 404, -32601);
    check(&[], &json!([]), 400, -32600);
    let large = message("ping", json!({ "x": "x".repeat(2 << 20) }));
    post(&server, &[], &large).problem(413, "at most 1048576 bytes");
    server.send("POST", "/mcp", &[("Content-Type", "text/plain")], b"{}").problem(415, "application/json");
    assert_eq!((server.get("/mcp").status, server.send("DELETE", "/mcp", &[], &[]).status), (405, 405));
}

#[test]
fn tools_are_guarded_and_read_no_files_of_the_machine() {
    let models = Models::new();
    let server = models.serve(|options| options.token = Some("correct-horse-battery".to_owned()));
    let bearer = ("Authorization", "Bearer correct-horse-battery");
    let list = message("tools/list", json!({}));
    post(&server, &[], &list).problem(401, "token");
    post(&server, &[bearer, ("Origin", "http://attacker.example.com")], &list).problem(403, "another page");
    post(&server, &[bearer, ("Host", "attacker.example.com")], &list).problem(403, "unknown host");
    let tools = post(&server, &[bearer], &list).ok();
    assert!(tools["result"]["tools"][0]["inputSchema"]["properties"].get("files").is_none());
    let file = models.root().join("red.ply");
    let search = message("tools/call", json!({ "name": "search", "arguments": { "files": [file] } }));
    let refused = post(&server, &[bearer], &search).ok();
    assert_eq!(refused["result"]["isError"], true);
    let text = refused["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("files of the server's machine cannot be searched by"), "{text}");
}

#[test]
fn a_server_of_tools_alone_has_no_other_routes() {
    let models = Models::new();
    let server = models.serve(|options| options.surface = Surface::Mcp);
    assert!(post(&server, &[], &message("tools/list", json!({}))).ok()["result"]["tools"].is_array());
    for path in ["/", "/v1/search", "/static/app.js", "/openapi.json"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    for path in ["/v1/health", "/v1/ready", "/metrics"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}
