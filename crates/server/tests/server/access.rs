//! Tokens with scopes, the rate limit, and the audit log.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use lexiform_server::{NewToken, Scope, add_token, remove_token};
use serde_json::{Value, json};

use crate::support::{Models, Reply, Running};

/// A file of tokens in a folder of its own.
struct Tokens {
    folder: tempfile::TempDir,
}

impl Tokens {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tokens.json")
    }

    fn add(&self, name: &str, scope: Scope, expires: Option<SystemTime>) -> String {
        add_token(&self.path(), NewToken { name: name.to_owned(), scope, expires }, SystemTime::now())
            .unwrap()
    }
}

fn send(server: &Running, method: &str, path: &str, token: &str) -> Reply {
    server.send(method, path, &[("Authorization", &format!("Bearer {token}"))], b"{}")
}

/// A change, whether the server knows it or not.
fn change(server: &Running, token: &str) -> Reply {
    send(server, "PATCH", "/v1/assets/0000000000000000?x=1", token)
}

#[test]
fn a_token_permits_what_its_scope_says() {
    let tokens = Tokens::new();
    let (reader, writer) =
        (tokens.add("reader", Scope::Read, None), tokens.add("writer", Scope::Write, None));
    let models = Models::new();
    let server = models.serve(|options| options.tokens = Some(tokens.path()));
    server.get("/v1/search").problem(401, "missing or wrong token");
    for token in [&reader, &writer] {
        assert_eq!(send(&server, "GET", "/v1/search", token).status, 200);
        assert_eq!(send(&server, "POST", "/v1/search", token).status, 200, "a search changes nothing");
    }
    change(&server, &reader).problem(403, "the token \"reader\" permits no changes");
    assert_ne!(change(&server, &writer).status, 403);
    for (method, path) in [("DELETE", "/v1/search"), ("PUT", "/v1/stats"), ("POST", "/v1/assets")] {
        send(&server, method, path, &reader).problem(403, "permits no changes");
    }
}

#[test]
fn no_header_makes_a_reader_a_writer() {
    let tokens = Tokens::new();
    let reader = tokens.add("reader", Scope::Read, None);
    let models = Models::new();
    let server = models.serve(|options| options.tokens = Some(tokens.path()));
    let bearer = format!("Bearer {reader}");
    for header in ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"] {
        let headers = [("Authorization", &bearer[..]), (header, "GET")];
        server
            .send("DELETE", "/v1/assets/0000000000000000", &headers, &[])
            .problem(403, "permits no changes");
    }
    for cookie in ["lexiform_token=", "lexiform_token=writer", "scope=write"] {
        let headers = [("Authorization", &bearer[..]), ("Cookie", cookie)];
        server
            .send("DELETE", "/v1/assets/0000000000000000", &headers, &[])
            .problem(403, "permits no changes");
    }
    for path in ["/v1/assets/0000000000000000?method=GET", "/v1/assets/../search", "/v1/%73earch"] {
        send(&server, "DELETE", path, &reader).problem(403, "permits no changes");
    }
}

#[test]
fn expired_removed_and_foreign_tokens_are_refused() {
    let (tokens, others) = (Tokens::new(), Tokens::new());
    let expired = tokens.add("old", Scope::Write, Some(SystemTime::now() - Duration::from_secs(1)));
    let short = tokens.add("short", Scope::Read, Some(SystemTime::now() + Duration::from_secs(3)));
    let removed = tokens.add("gone", Scope::Read, None);
    let foreign = others.add("foreign", Scope::Write, None);
    let models = Models::new();
    let server = models.serve(|options| options.tokens = Some(tokens.path()));
    send(&server, "GET", "/v1/search", &expired).problem(401, "the token has expired");
    send(&server, "GET", "/v1/search", &foreign).problem(401, "wrong token");
    assert_eq!(send(&server, "GET", "/v1/search", &short).status, 200);
    assert_eq!(send(&server, "GET", "/v1/search", &removed).status, 200);
    remove_token(&tokens.path(), "gone").unwrap();
    send(&server, "GET", "/v1/search", &removed).problem(401, "wrong token");
    std::thread::sleep(Duration::from_secs(3));
    send(&server, "GET", "/v1/search", &short).problem(401, "the token has expired");
    // A secret with one other digit.
    let mut almost = tokens.add("new", Scope::Read, None);
    let last = if almost.ends_with('0') { '1' } else { '0' };
    almost.pop();
    almost.push(last);
    send(&server, "GET", "/v1/search", &almost).problem(401, "wrong token");
}

#[test]
fn the_page_logs_in_with_a_token_of_the_file() {
    let tokens = Tokens::new();
    let reader = tokens.add("reader", Scope::Read, None);
    let models = Models::new();
    let server = models.serve(|options| options.tokens = Some(tokens.path()));
    server.post("/v1/session", &json!({ "token": "lxf_0_0" })).problem(401, "wrong token");
    let login = server.post("/v1/session", &json!({ "token": reader }));
    assert_eq!(login.status, 204);
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(server.send("GET", "/v1/search", &[("Cookie", &cookie)], &[]).status, 200);
}

#[test]
fn each_token_has_its_own_rate() {
    let tokens = Tokens::new();
    let (anna, ben) = (tokens.add("anna", Scope::Read, None), tokens.add("ben", Scope::Read, None));
    let models = Models::new();
    let server = models.serve(|options| {
        options.tokens = Some(tokens.path());
        options.rate_limit = Some("3/h".parse().unwrap());
    });
    for _ in 0..3 {
        assert_eq!(send(&server, "GET", "/v1/search", &anna).status, 200);
    }
    let refused = send(&server, "GET", "/v1/search", &anna);
    refused.problem(429, "more requests than the rate limit allows");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1100..=1200).contains(&seconds), "{seconds}");
    assert_eq!(send(&server, "GET", "/v1/search", &ben).status, 200);
    // Guesses are counted by address.
    let statuses: Vec<u16> = (0..5).map(|_| send(&server, "GET", "/v1/search", "guess").status).collect();
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    server.post("/v1/session", &json!({ "token": "guess" })).problem(429, "rate limit");
    assert_eq!(send(&server, "GET", "/v1/search", &ben).status, 200);
    for path in ["/", "/v1/health", "/v1/ready"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}

#[test]
fn changes_are_recorded_and_readings_are_not() {
    let tokens = Tokens::new();
    let (reader, writer) =
        (tokens.add("reader", Scope::Read, None), tokens.add("writer", Scope::Write, None));
    let audit = tokens.folder.path().join("audit.jsonl");
    let models = Models::new();
    let server = models.serve(|options| {
        options.tokens = Some(tokens.path());
        options.audit = Some(audit.clone());
    });
    let lines = || -> Vec<Value> {
        let text = fs_err::read_to_string(&audit).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    send(&server, "GET", "/v1/search", &writer).ok();
    send(&server, "POST", "/v1/search", &writer).ok();
    change(&server, "guess").problem(401, "wrong token");
    assert!(lines().is_empty());
    let status = change(&server, &writer).status;
    change(&server, &reader);
    let found = lines();
    let expected = |token: &str, status: u16| {
        json!({
            "token": token, "address": "127.0.0.1", "method": "PATCH",
            "path": "/v1/assets/0000000000000000?x=1", "status": status,
        })
    };
    let mut without_times = found.clone();
    without_times.iter_mut().for_each(|line| drop(line.as_object_mut().unwrap().remove("time")));
    assert_eq!(without_times, [expected("writer", status), expected("reader", 403)]);
    let time = found[0]["time"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.starts_with("20"), "{time}");
    // Renamed, as logrotate does.
    fs_err::rename(&audit, tokens.folder.path().join("audit.1")).unwrap();
    change(&server, &writer);
    assert_eq!(lines().len(), 1);
    // No disk: the change is answered with an error.
    fs_err::remove_file(&audit).unwrap();
    fs_err::create_dir(&audit).unwrap();
    change(&server, &writer).problem(500, "the audit log cannot be written");
}
