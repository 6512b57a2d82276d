//! `lexiform serve` and `lexiform mcp`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::Sandbox;

/// A server that is stopped at the end of the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the server, and waits until it listens; returns its address.
fn serve(sandbox: &Sandbox, args: &[&str]) -> (Server, String) {
    let mut command = sandbox.command(&[&["serve", "--listen", "127.0.0.1:0"], args].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = url.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
    (Server(child), address.unwrap_or_else(|| panic!("no address: {url:?}")).to_owned())
}

/// Status line and body of a response.
fn get(address: &str, path: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn a_folder_is_indexed_and_served() {
    let sandbox = Sandbox::new();
    let (_server, address) = serve(&sandbox, &["models"]);
    let (status, body) = get(&address, "/v1/search?text=cube&rank_by=name", "");
    assert_eq!(status, "HTTP/1.1 200 OK");
    let found: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&found["answers"][0]["path"], &found["searched"]), (&"kinds/cube.obj".into(), &3.into()));
    assert!(get(&address, "/", "").1.starts_with("<!doctype html>"));
    // The library can be updated meanwhile.
    sandbox.write_box("models/new.obj", [1.0, 2.0, 1.0]);
    sandbox.run(&["index", "models"]).success();
    let body = get(&address, "/v1/stats", "").1;
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["records"], 4);
}

#[test]
fn a_folder_within_a_library_is_served_alone() {
    let sandbox = Sandbox::new();
    sandbox.run(&["index", "models"]).success();
    let (_server, address) = serve(&sandbox, &["models/kinds", "--token", "0123456789abcdef"]);
    assert_eq!(get(&address, "/v1/search", "").0, "HTTP/1.1 401 Unauthorized");
    let (_, body) = get(&address, "/v1/search", "Authorization: Bearer 0123456789abcdef\r\n");
    let found: Value = serde_json::from_str(&body).unwrap();
    let paths: Vec<&Value> =
        found["answers"].as_array().unwrap().iter().map(|answer| &answer["path"]).collect();
    assert_eq!(paths, ["kinds/cube.obj", "kinds/tall.obj"]);
}

#[test]
fn beyond_this_machine_a_token_is_needed() {
    let sandbox = Sandbox::new();
    let expected =
        ["0.0.0.0:0 can be reached from other machines: expected a token", "hint: listen on 127.0.0.1"];
    sandbox.run(&["serve", "models", "--listen", "0.0.0.0:0"]).failure(2, &expected);
    let short = ["expected a token of at least 16 characters, found 5"];
    sandbox.run(&["serve", "models", "--token", "short"]).failure(2, &short);
    let proxy = ["models.example.org may be reached through a proxy: expected a token"];
    sandbox.run(&["serve", "models", "--allow-host", "models.example.org"]).failure(2, &proxy);
    assert!(!sandbox.path("models/.lexiform").exists(), "checked before the folder is indexed");
}

#[test]
fn a_token_is_shown_once_and_serves_what_it_permits() {
    let sandbox = Sandbox::new();
    let added = sandbox.run(&["token", "add", "anna", "--file", "tokens.json"]).success();
    assert!(added.stderr.contains("shown once"), "{added:?}");
    let anna = added.stdout.trim().to_owned();
    let expires = ["token", "add", "robot", "--scope", "write", "--expires", "30d", "--file", "tokens.json"];
    let robot = sandbox.run(&expires).success().stdout.trim().to_owned();
    assert!(!fs_err::read_to_string(sandbox.path("tokens.json")).unwrap().contains(&anna));
    let listed = sandbox.run(&["token", "list", "--file", "tokens.json", "--json"]).success().json();
    let rows: Vec<[&Value; 3]> =
        listed.iter().map(|row| [&row["name"], &row["scope"], &row["expired"]]).collect();
    assert_eq!(
        rows,
        [[&json!("anna"), &json!("read"), &json!(false)], [&json!("robot"), &json!("write"), &json!(false)]]
    );
    assert!(listed[0]["expires"].is_null() && listed[1]["expires"].is_string());
    let (_server, address) = serve(
        &sandbox,
        &["models", "--tokens", "tokens.json", "--audit", "audit.jsonl", "--rate-limit", "100/s"],
    );
    let status = |token: &str| get(&address, "/v1/stats", &format!("Authorization: Bearer {token}\r\n")).0;
    assert_eq!(get(&address, "/v1/stats", "").0, "HTTP/1.1 401 Unauthorized");
    assert_eq!((status(&anna), status(&robot)), ("HTTP/1.1 200 OK".to_owned(), "HTTP/1.1 200 OK".to_owned()));
    sandbox.run(&["token", "remove", "anna", "--file", "tokens.json"]).success();
    assert_eq!(status(&anna), "HTTP/1.1 401 Unauthorized", "at once");
    assert!(sandbox.path("audit.jsonl").is_file());
}

#[test]
fn mistakes_with_tokens_are_explained() {
    let sandbox = Sandbox::new();
    let hint = ["no such file", "hint: make a token with `lexiform token add NAME`"];
    sandbox.run(&["token", "list", "--file", "none.json"]).failure(1, &hint[1..]);
    sandbox.run(&["serve", "models", "--tokens", "none.json"]).failure(2, &hint[1..]);
    sandbox
        .run(&["token", "add", "a b", "--file", "t.json"])
        .failure(1, &["name of a token: expected 1 to 64"]);
    sandbox
        .run(&["token", "add", "a", "--expires", "never", "--file", "t.json"])
        .failure(2, &["12h, 30d or 1y"]);
    sandbox.run(&["token", "add", "a", "--file", "t.json"]).success();
    sandbox
        .run(&["token", "add", "a", "--file", "t.json"])
        .failure(1, &["already", "hint: choose another name"]);
    sandbox
        .run(&["token", "remove", "b", "--file", "t.json"])
        .failure(1, &["no token named \"b\"", "token list"]);
    sandbox.run(&["serve", "models", "--rate-limit", "fast"]).failure(2, &["expected a rate such as 50/s"]);
    sandbox.run(&["serve", "models", "--tls-cert", "c.pem"]).failure(2, &["--tls-key"]);
    let missing = ["serve", "models", "--tls-cert", "c.pem", "--tls-key", "k.pem"];
    sandbox.run(&missing).failure(2, &["cannot read the certificate c.pem"]);
    sandbox
        .run(&["mcp", "models", "--audit", "a.jsonl"])
        .failure(2, &["nothing listens", "hint: add `--listen"]);
    assert!(!sandbox.path("models/.lexiform").exists(), "checked before the folder is indexed");
}

#[test]
fn tools_for_language_models_are_served_alone() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["mcp", "models", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let _server = Server(child);
    let address = url.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/mcp")).unwrap();
    assert_eq!(get(address, "/v1/search", "").0, "HTTP/1.1 404 Not Found");
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} }).to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let answer: Value = serde_json::from_str(reply.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(answer["result"]["tools"][0]["name"], "search");
}

#[test]
fn a_port_in_use_is_an_error() {
    let sandbox = Sandbox::new();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let expected = [&format!("cannot listen on {address}")[..], "hint: choose another port"];
    sandbox.run(&["serve", "models", "--listen", &address]).failure(1, &expected);
}

#[test]
fn mcp_answers_on_standard_output_alone() {
    let sandbox = Sandbox::new();
    let message = |id: u64, method: &str, params: Value| {
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string() + "\n"
    };
    let input = [
        message(1, "initialize", json!({ "protocolVersion": "2025-06-18", "capabilities": {} })),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string() + "\n",
        // Refused as one message, whose end is no other one.
        format!("{}{}", "x".repeat(2 << 20), "{}\n"),
        message(2, "tools/list", json!({})),
        message(3, "tools/call", json!({ "name": "search", "arguments": { "where": "name = 'cube.obj'" } })),
    ];
    let answers = sandbox.run_with_input(&["mcp", "models"], &input.concat()).success().json();
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [&json!(1), &Value::Null, &json!(2), &json!(3)]);
    assert_eq!(answers[0]["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(answers[1]["error"]["code"], -32600);
    assert_eq!(answers[2]["result"]["tools"][0]["name"], "search");
    assert_eq!(answers[3]["result"]["structuredContent"]["answers"][0]["path"], "kinds/cube.obj");
}
