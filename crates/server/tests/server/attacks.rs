//! What attackers send.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use lexiform_server::SearchRequest;
use serde_json::json;

use crate::support::{HTML_NAME, Models};

const TOKEN: &str = "correct-horse-battery";

#[test]
fn no_name_leads_out_of_the_library() {
    let models = Models::new();
    let server = models.serve(|_| {});
    for id in [
        "..",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "0000000000000000",
        "ffffffffffffffff",
        "red.ply",
        "%00",
        "1",
    ] {
        for rest in ["", "/file", "/mesh", "/thumbnail.png", "/similar"] {
            let reply = server.get(&format!("/v1/assets/{id}{rest}"));
            assert!(matches!(reply.status, 400 | 404), "{id}{rest}: {reply:?}");
        }
    }
    for path in
        ["/../../etc/passwd", "/static/../../../etc/passwd", "/v1/assets/../../etc/passwd", "//etc/passwd"]
    {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn large_and_broken_requests_are_refused() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let large = json!({ "text": "a".repeat(100_000) });
    server.post("/v1/search", &large).problem(413, "at most 65536 bytes");
    // Chunked: nothing states the length.
    let chunk = format!("{:x}\r\n{}\r\n", 70_000, " ".repeat(70_000));
    let head = format!(
        "POST /v1/search HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.address
    );
    server.raw(format!("{head}{chunk}0\r\n\r\n").as_bytes()).problem(413, "at most");
    let stated = format!(
        "POST /v1/uploads?name=a.glb HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n",
        server.address
    );
    server.raw(stated.as_bytes()).problem(413, "at most 67108864 bytes");
    let raw = |body: &[u8]| server.send("POST", "/v1/search", &[], body);
    raw(b"{").problem(400, "invalid JSON body");
    raw(b"{\"text\": 1}").problem(400, "invalid JSON body");
    raw(b"{\"color\": \"red\"}").problem(400, "unknown field");
    raw(&[&b"{\"text\":"[..], &vec![b'['; 60_000]].concat()).problem(400, "invalid JSON body");
    raw(b"{\"text\": \"a\", \"k\": 999999999}").problem(400, "k: expected 1 to 1000");
    raw(format!("{{\"where\": \"{}\"}}", "(".repeat(60_000)).as_bytes())
        .problem(400, "expected at most 64 levels");
    raw(b"{\"text\": \"red\", \"weights\": {\"text\": 1e39}}")
        .problem(400, "expected a finite weight, found inf");
    server
        .post("/v1/uploads?name=a.exe", &json!({}))
        .problem(400, "expected the name of a picture or 3D file");
    server.post("/v1/uploads", &json!({})).problem(400, "no name");
    let headers = format!("GET / HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n", server.address, "a".repeat(100_000));
    assert!(matches!(server.raw(headers.as_bytes()).status, 0 | 400 | 431));
    assert_eq!(server.get("/v1/health").status, 200);
}

#[test]
fn slow_clients_are_disconnected() {
    let models = Models::new();
    let server = models.serve(|options| options.receive_time = Duration::from_millis(300));
    let started = Instant::now();
    let slow_body = format!(
        "POST /v1/search HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 50\r\n\r\n{{",
        server.address
    );
    server.raw(slow_body.as_bytes()).problem(408, "did not arrive");
    let mut slow_headers = TcpStream::connect(server.address).unwrap();
    slow_headers.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    slow_headers.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
    let mut rest = Vec::new();
    // Closed, with or without an answer.
    let _ = slow_headers.read_to_end(&mut rest);
    assert!(started.elapsed() < Duration::from_secs(15));
    assert_eq!(server.get("/v1/health").status, 200);
}

#[test]
fn a_body_that_arrives_slowly_holds_nobody_up() {
    let models = Models::new();
    let server = models.serve(|options| options.receive_time = Duration::from_millis(500));
    let head = format!(
        "POST /v1/search HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
        server.address
    );
    let mut slow: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    slow.iter_mut().for_each(|stream| stream.write_all(head.as_bytes()).unwrap());
    let started = Instant::now();
    assert_eq!(server.get("/v1/search?text=red").status, 200);
    // A byte now and then does not make the time longer.
    while started.elapsed() < Duration::from_secs(2) {
        slow.iter_mut().for_each(|stream| drop(stream.write_all(b" ")));
        std::thread::sleep(Duration::from_millis(100));
    }
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        let text = String::from_utf8_lossy(&reply);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    }
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[test]
fn no_second_request_hides_in_a_first_one() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let hidden = "GET /v1/stats HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let responses = |headers: &str, body: &str| {
        let head = format!("POST /v1/search HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", server.address);
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(format!("{head}{body}{hidden}").as_bytes());
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        let text = String::from_utf8_lossy(&reply).into_owned();
        let statuses = text.split("HTTP/1.1 ").skip(1).map(|rest| rest[..3].to_owned());
        statuses.collect::<Vec<String>>()
    };
    assert_eq!(responses("Content-Length: 2\r\n", "{}"), ["200", "200"], "two honest requests");
    // One length for a proxy, another one for the server.
    let chunked = "2\r\n{}\r\n0\r\n\r\n";
    let length = format!("Content-Length: {}\r\n", chunked.len() + hidden.len());
    for headers in [
        format!("{length}Transfer-Encoding: chunked\r\n"),
        format!("Transfer-Encoding: chunked\r\n{length}"),
        format!("{length}Transfer-Encoding : chunked\r\n"),
        format!("{length}Transfer-Encoding: xchunked\r\n"),
        format!("{length}Transfer-Encoding: chunked, identity\r\n"),
        format!("{length}Transfer-Encoding:\r\n chunked\r\n"),
        "Content-Length: 2\r\nContent-Length: 3\r\n".to_owned(),
        "Content-Length: +2\r\n".to_owned(),
        "Content-Length: 2, 2\r\n".to_owned(),
    ] {
        let found = responses(&headers, chunked);
        let is_refused = found.is_empty() || found == ["400"] || found == ["408"];
        assert!(
            is_refused || (found == ["200"] && headers.contains("chunked\r\n")),
            "{headers:?}: {found:?}"
        );
    }
}

#[test]
fn a_request_has_one_host() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let own = server.address;
    let status = |request: String| server.raw(request.as_bytes()).status;
    let end = "Connection: close\r\n\r\n";
    assert_eq!(status(format!("GET /v1/search HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\n{end}")), 400);
    assert_eq!(status(format!("GET http://evil.example/v1/search HTTP/1.1\r\nHost: {own}\r\n{end}")), 400);
    assert_eq!(status(format!("GET http://{own}/v1/search HTTP/1.1\r\nHost: evil.example\r\n{end}")), 400);
    assert_eq!(status(format!("GET http://{own}/v1/search HTTP/1.1\r\nHost: {own}\r\n{end}")), 200);
    let other_names = "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n";
    assert_eq!(status(format!("GET /v1/search HTTP/1.1\r\nHost: {own}\r\n{other_names}{end}")), 200);
    assert_eq!(
        status(format!("GET /v1/search HTTP/1.1\r\nX-Forwarded-Host: {own}\r\n{end}")),
        403,
        "no host"
    );
}

#[test]
fn other_names_and_other_pages_are_refused() {
    let models = Models::new();
    let server = models.serve(|options| {
        options.hosts = vec!["models.example.org".to_owned()];
        options.token = Some(TOKEN.to_owned());
    });
    let token = format!("Bearer {TOKEN}");
    let with = |method: &str, headers: &[(&str, &str)]| {
        server.send(method, "/v1/search", &[&[("Authorization", &token[..])], headers].concat(), b"{}")
    };
    with("GET", &[("Host", "attacker.example.com")]).problem(403, "unknown host \"attacker.example.com\"");
    assert_eq!(with("GET", &[("Host", "models.example.org")]).status, 200);
    with("POST", &[("Origin", "http://attacker.example.com")]).problem(403, "another page");
    with("POST", &[("Origin", "null")]).problem(403, "another page");
    with("POST", &[("Sec-Fetch-Site", "cross-site")]).problem(403, "another page");
    with("GET", &[("Sec-Fetch-Site", "cross-site")]).problem(403, "another page");
    assert_eq!(with("GET", &[("Sec-Fetch-Site", "none")]).status, 200, "typed by the user");
    assert_eq!(with("POST", &[("Origin", "https://models.example.org")]).status, 200, "behind a proxy");
    let own = format!("http://{}", server.address);
    assert_eq!(with("POST", &[("Origin", &own)]).status, 200);
    let reply = with("GET", &[("Origin", "http://attacker.example.com")]);
    assert_eq!(reply.header("access-control-allow-origin"), None, "browsers do not show it to that page");
}

#[test]
fn nothing_about_the_library_is_told_without_the_token() {
    let models = Models::new();
    let server = models.serve(|options| options.token = Some(TOKEN.to_owned()));
    let get = |path: &str, headers: &[(&str, &str)]| server.send("GET", path, headers, &[]);
    let reply = get("/v1/search", &[]);
    reply.problem(401, "missing or wrong token");
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    get("/v1/search", &[("Authorization", "Bearer correct-horse-batterx")]).problem(401, "token");
    get("/metrics", &[]).problem(401, "token");
    get("/v1/assets/0000000000000000/file", &[]).problem(401, "token");
    server.post("/v1/uploads?name=a.png", &json!({})).problem(401, "token");
    assert_eq!(get("/v1/search", &[("Authorization", &format!("Bearer {TOKEN}"))]).status, 200);
    assert_eq!((get("/", &[]).status, get("/v1/health", &[]).status), (200, 200));
    server.post("/v1/session", &json!({ "token": "wrong" })).problem(401, "wrong token");
    let login = server.post("/v1/session", &json!({ "token": TOKEN }));
    let cookie = login.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!((login.status, get("/v1/search", &[("Cookie", cookie)]).status), (204, 200));
}

#[test]
fn every_response_tells_browsers_to_be_strict() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let html = server.id(HTML_NAME);
    for path in [
        "/",
        "/static/app.js",
        "/v1/search",
        "/v1/nothing",
        "/openapi.json",
        &format!("/v1/assets/{html}/file"),
    ] {
        let reply = server.get(path);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{path}");
    }
    // A name that is HTML stays text.
    let details = server.get(&format!("/v1/assets/{html}"));
    assert_eq!(
        (details.header("content-type"), details.ok()["path"].as_str()),
        (Some("application/json"), Some(HTML_NAME))
    );
    let file = server.get(&format!("/v1/assets/{html}/file"));
    assert_eq!(file.header("content-type"), Some("application/octet-stream"));
    let expected = "attachment; filename*=UTF-8''%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E.ply";
    assert_eq!(file.header("content-disposition"), Some(expected));
}

#[test]
#[cfg(unix)]
fn links_out_of_the_library_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.ply");
    fs_err::write(&secret, crate::support::tetrahedron([9, 9, 9])).unwrap();
    let models = Models::new();
    std::os::unix::fs::symlink(&secret, models.root().join("link.ply")).unwrap();
    let server = models.serve(|_| {});
    let link = server.id("link.ply");
    server.get(&format!("/v1/assets/{link}/file")).problem(404, "a link out of the library's folder");
    server.get(&format!("/v1/assets/{link}/mesh")).problem(404, "a link out of the library's folder");
}

#[test]
fn uploads_read_no_files_of_this_machine() {
    let models = Models::new();
    let secret = models.root().join("secret.mtl");
    fs_err::write(&secret, "newmtl m\nKd 1 0 0\n").unwrap();
    let server = models.serve(|_| {});
    let shape = |library: &str| format!("mtllib {library}\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl m\nf 1 2 3\n");
    let upload = |content: &str| server.send("POST", "/v1/uploads?name=a.obj", &[], content.as_bytes()).ok();
    let red = |content: &str| {
        let compared = json!({ "a": { "upload": upload(content)["id"] }, "b": { "text": "red" } });
        server.post("/v1/compare", &compared).ok()["score"].as_f64().unwrap()
    };
    let plain = red(&shape("none.mtl"));
    assert_eq!(red(&shape(secret.to_str().unwrap())), plain, "no color of the secret material");
    // Next to the folder of the upload, which is in one of its own, in the folder of temporary files.
    let root = models.root();
    let folder = root.file_name().unwrap().to_str().unwrap();
    assert_eq!(red(&shape(&format!("../../{folder}/secret.mtl"))), plain);
    assert_eq!(red(&shape("../../../../../../../../secret.mtl")), plain);
}

#[test]
fn uploads_that_arrive_are_bounded() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let head = format!(
        "POST /v1/uploads?name=a.png HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 50\r\n\r\n",
        server.address
    );
    let unfinished: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    let upload = || server.send("POST", "/v1/uploads?name=a.png", &[], b"no picture").status;
    let wait_for = |status: u16| {
        let started = Instant::now();
        while upload() != status {
            assert!(started.elapsed() < Duration::from_secs(20), "no status {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    // Five are in memory, once the server has read their heads.
    wait_for(503);
    drop(unfinished);
    wait_for(422);
}

#[test]
fn files_that_are_not_served_are_compared_with_nothing() {
    let models = Models::new();
    let all = models.service_of("format = ply");
    let some = models.service_of("path ~ 'kinds/*'");
    let like = |path: &str| {
        let listed = all.search(&SearchRequest::default()).unwrap();
        let id = listed.answers.iter().find(|answer| answer.path == path).unwrap().id;
        SearchRequest { like: vec![id.to_string()], ..SearchRequest::default() }
    };
    assert_eq!(some.search(&like("red.ply")).unwrap_err().status, 404);
    assert_eq!(some.search(&like("kinds/blue.ply")).unwrap().answers.len(), 2);
}

#[test]
fn a_panic_of_the_model_and_many_labels_are_errors() {
    let models = Models::new();
    let server = models.serve(|_| {});
    server.get("/v1/search?text=panic&rank_by=semantic").problem(500, "internal error of the model");
    assert_eq!(server.get("/v1/search?text=red&rank_by=semantic").status, 200, "texts are still embedded");
    let labels = json!({
        "item": { "text": "red" },
        "labels": vec!["red"; 1000],
        "templates": ["{}", "a {}", "the {}"],
    });
    server.post("/v1/classify", &labels).problem(400, "at most 2000");
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn malformed_files_are_errors_and_the_server_stays_healthy() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let mut sent = 0;
    for file in files_below(&lexiform_golden::shared("assets/malformed")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let content = fs_err::read(&file).unwrap();
        let escaped: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let reply = server.send("POST", &format!("/v1/uploads?name={escaped}"), &[], &content);
        assert!(
            matches!(reply.status, 201 | 400 | 413 | 422),
            "{}: {} {}",
            file.display(),
            reply.status,
            String::from_utf8_lossy(&reply.body)
        );
        sent += 1;
    }
    assert!(sent > 20, "{sent} files");
    assert_eq!(server.get("/v1/health").status, 200);
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => files.extend(files_below(&path)),
            path => files.push(path),
        }
    }
    files.sort();
    files
}
