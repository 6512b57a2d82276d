//! The conversation with a language model's client.

use std::sync::Arc;

use lexiform_server::McpSession;
use serde_json::{Value, json};

use crate::support::Models;

struct Client(McpSession);

impl Client {
    fn new(models: &Models) -> Self {
        Self(McpSession::new(Arc::new(models.service())))
    }

    fn ask(&self, method: &str, params: Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let answer = self.0.answer(&message.to_string()).unwrap();
        assert!(!answer.contains('\n'), "one line: {answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&"2.0".into(), &7.into()));
        answer
    }

    fn call(&self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))["result"].clone()
    }

    /// The data of a tool that succeeds.
    fn data(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert!(result.get("isError").is_none(), "{result}");
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), result["structuredContent"]);
        result["structuredContent"].clone()
    }
}

#[test]
fn a_session_starts_with_a_version_that_both_know() {
    let models = Models::new();
    let client = Client::new(&models);
    for (asked, answered) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2026-07-28", "2025-11-25"),
        ("2025-03-26", "2025-11-25"),
    ] {
        let result = &client.ask("initialize", json!({ "protocolVersion": asked }))["result"];
        assert_eq!(result["protocolVersion"], answered);
        assert_eq!(
            (&result["serverInfo"]["name"], &result["capabilities"]),
            (&"lexiform".into(), &json!({ "tools": {} }))
        );
    }
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(client.0.answer(&notification.to_string()), None);
    assert_eq!(client.ask("ping", json!({}))["result"], json!({}));
}

#[test]
fn every_tool_answers() {
    let models = Models::new();
    let client = Client::new(&models);
    let found = client.data("search", json!({ "text": "red", "k": 2 }));
    assert_eq!(
        (&found["answers"][0]["path"], found["answers"].as_array().unwrap().len()),
        (&"red.ply".into(), 2)
    );
    let id = &found["answers"][0]["id"];
    assert_eq!(client.data("similar", json!({ "id": id }))["answers"].as_array().unwrap().len(), 3);
    let described = client.data("describe", json!({ "id": id, "labels": ["green", "red"] }));
    assert_eq!(
        (&described["asset"]["triangles"], &described["labels"][0]["label"]),
        (&4.into(), &"red".into())
    );
    assert!(client.data("describe", json!({ "id": id }))["labels"].as_array().unwrap().len() == 5);
    let labels = json!({ "item": { "text": "blue" }, "labels": ["red", "blue"] });
    assert_eq!(client.data("classify", labels)["labels"][0]["label"], "blue");
    let compared = client.data("compare", json!({ "a": { "asset": id }, "b": { "text": "red" } }));
    assert!(compared["score"].as_f64().unwrap() > 0.99, "{compared}");
    assert_eq!(client.data("statistics", json!({}))["records"], 4);
    let file = models.root().join("kinds/blue.ply");
    let by_file = client.data("search", json!({ "files": [file], "k": 1 }));
    assert_eq!(by_file["answers"][0]["path"], "kinds/blue.ply");
    // With the material library next to it.
    models.write("new/a.mtl", "newmtl m\nKd 0 1 0\n");
    models.write("new/a.obj", "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 1\nusemtl m\nf 1 2 3\n");
    let by_file = client.data("search", json!({ "files": [models.root().join("new/a.obj")], "k": 1 }));
    assert_eq!(by_file["answers"][0]["path"], "kinds/green.ply");
    let similar = |k: u64| client.data("similar", json!({ "id": id, "k": k }))["more"].clone();
    assert_eq!((similar(2), similar(3)), (true.into(), false.into()));
    let image = &client.call("thumbnail", json!({ "id": id, "size": 64 }))["content"][0];
    assert_eq!((&image["type"], &image["mimeType"]), (&"image".into(), &"image/png".into()));
    // A PNG's first bytes, in base64.
    assert!(image["data"].as_str().unwrap().starts_with("iVBORw0KGgo"), "{image}");
    let shown = client.call("search", json!({ "text": "red", "k": 2, "thumbnails": true }));
    let kinds: Vec<&str> =
        shown["content"].as_array().unwrap().iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "text", "image", "text", "image"]);
}

#[test]
fn mistakes_are_explained() {
    let models = Models::new();
    let client = Client::new(&models);
    let check = |tool: &str, arguments: Value, part: &str| {
        let result = client.call(tool, arguments);
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(result["isError"] == true && text.contains(part), "no {part:?} in {result}");
    };
    check("similar", json!({}), "missing field `id`");
    check("similar", json!({ "id": "red.ply" }), "invalid record id");
    check("thumbnail", json!({ "id": "0000000000000000" }), "no such file in the library");
    check("search", json!({ "text": "a", "where": "triangles <" }), "error: ");
    check("search", json!({ "colour": "red" }), "unknown field `colour`");
    check("search", json!({ "files": ["/dev/zero.png"] }), "/dev/zero.png");
    let code = |answer: &Value| answer["error"]["code"].as_i64().unwrap();
    assert_eq!(code(&client.ask("tools/call", json!({ "name": "delete" }))), -32602);
    assert_eq!(code(&client.ask("resources/list", json!({}))), -32601);
    let raw = |text: &str| serde_json::from_str::<Value>(&client.0.answer(text).unwrap()).unwrap();
    assert_eq!((code(&raw("{")), &raw("{")["id"]), (-32700, &Value::Null));
    assert_eq!(code(&raw("[1, 2]")), -32600);
    assert_eq!(code(&raw("{\"id\": 1, \"method\": \"ping\"}")), -32600);
    assert_eq!(client.0.answer("  "), None);
}
