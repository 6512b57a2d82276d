//! The captioner with a vision-language model, against a fake server with failures.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use image::RgbaImage;
use lexiform_data::Member;
use lexiform_data::caption::{
    CaptionError, CaptionInput, CaptionOutput, Captioner as _, VlmCaptioner, VlmConfig,
};
use lexiform_formats::view_format::ViewFormat;

/// The reply of the fake server to one request.
#[derive(Clone)]
enum Reply {
    Say(&'static str),
    Status(u16, &'static str),
    Text(&'static str),
    Drop,
    Sleep,
}

struct Server {
    url: String,
    bodies: Arc<Mutex<Vec<serde_json::Value>>>,
}

/// A server that sends the replies in order and then repeats the last one. `/models` succeeds if `well`.
fn server(replies: &[Reply], well: bool) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let replies = Arc::new(Mutex::new(replies.iter().cloned().collect::<VecDeque<_>>()));
    let seen = Arc::clone(&bodies);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (replies, seen) = (Arc::clone(&replies), Arc::clone(&seen));
            std::thread::spawn(move || {
                let _ = serve(stream.unwrap(), &replies, &seen, well);
            });
        }
    });
    Server { url, bodies }
}

fn serve(
    stream: TcpStream,
    replies: &Mutex<VecDeque<Reply>>,
    seen: &Mutex<Vec<serde_json::Value>>,
    well: bool,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut answer = |status: u16, more: &str, text: &str| {
            write!(stream, "HTTP/1.1 {status} X\r\n{more}Content-Length: {}\r\n\r\n{text}", text.len())
        };
        if first.starts_with("GET") {
            answer(if well { 200 } else { 503 }, "", "{}")?;
            continue;
        }
        seen.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        let reply = {
            let mut replies = replies.lock().unwrap();
            if replies.len() > 1 { replies.pop_front().unwrap() } else { replies[0].clone() }
        };
        match reply {
            Reply::Say(text) => {
                let message = serde_json::json!({ "message": { "content": text } });
                let usage = serde_json::json!({ "prompt_tokens": 7, "completion_tokens": 3 });
                answer(200, "", &serde_json::json!({ "choices": [message], "usage": usage }).to_string())?;
            }
            Reply::Status(status, more) => answer(status, more, "busy")?,
            Reply::Text(text) => answer(200, "", text)?,
            Reply::Drop => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choi")?;
                return stream.shutdown(std::net::Shutdown::Both);
            }
            Reply::Sleep => std::thread::sleep(Duration::from_secs(3)),
        }
    }
}

fn config(server: &Server) -> VlmConfig {
    VlmConfig { initial_backoff_ms: 1, max_retries: 3, timeout_s: 1, ..VlmConfig::new(&server.url, "eye") }
}

fn views(count: usize) -> Vec<Member> {
    let image = RgbaImage::from_pixel(8, 8, image::Rgba([200, 30, 30, 255]));
    (0..count).map(|i| Member::view(i, "webp", ViewFormat::Webp.encode(&image).unwrap())).collect()
}

fn said(served: &VlmCaptioner, count: usize) -> Result<CaptionOutput, CaptionError> {
    served.caption(&CaptionInput { name: "a", bytes: b"", views: &views(count) })
}

fn ask(served: &VlmCaptioner, count: usize) -> Result<Vec<String>, CaptionError> {
    Ok(said(served, count)?.captions.into_iter().map(|caption| caption.text).collect())
}

/// Whether an error is a server error whose hint contains a text.
fn is_server_error(error: &CaptionError, says: &str) -> bool {
    matches!(error, CaptionError::Server { hint: Some(hint), .. } if hint.contains(says))
}

#[test]
fn transient_failures_are_retried() {
    let server = server(
        &[
            Reply::Status(429, "Retry-After: 0\r\n"),
            Reply::Text("<html>"),
            Reply::Drop,
            Reply::Say("\"A red\n cup.\""),
        ],
        true,
    );
    let served = VlmCaptioner::new(VlmConfig { per_view: false, ..config(&server) });
    assert_eq!(ask(&served, 2).unwrap(), ["A red cup."]);
    let counts = served.counts();
    assert_eq!(
        (counts.requests, counts.failed_requests, counts.prompt_tokens, counts.completion_tokens),
        (1, 3, 7, 3)
    );
    let bodies = server.bodies.lock().unwrap();
    let content = bodies[0]["messages"][0]["content"].as_array().unwrap();
    assert_eq!((content.len(), bodies[0]["model"].as_str()), (3, Some("eye")));
    assert!(content[1]["image_url"]["url"].as_str().unwrap().starts_with("data:image/jpeg;base64,/9j/"));
}

#[test]
fn timeouts_are_retried() {
    let server = server(&[Reply::Sleep, Reply::Say("a cup")], true);
    let served = VlmCaptioner::new(config(&server));
    assert_eq!(ask(&served, 1).unwrap(), ["a cup"]);
    assert_eq!(served.counts().failed_requests, 1);
}

#[test]
fn retry_after_in_seconds_is_respected() {
    let server = server(&[Reply::Status(503, "Retry-After: 1\r\n"), Reply::Say("a cup")], true);
    let started = std::time::Instant::now();
    assert_eq!(ask(&VlmCaptioner::new(config(&server)), 1).unwrap(), ["a cup"]);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[test]
fn retry_after_as_a_date_is_respected() {
    let dates = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n";
    let server = server(&[Reply::Status(429, dates), Reply::Say("a cup")], true);
    let started = std::time::Instant::now();
    assert_eq!(ask(&VlmCaptioner::new(config(&server)), 1).unwrap(), ["a cup"]);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[test]
fn every_view_gets_its_own_caption() {
    let server = server(&[Reply::Say("one"), Reply::Say("two"), Reply::Say("three")], true);
    let said = said(&VlmCaptioner::new(config(&server)), 3).unwrap();
    let captions: Vec<_> =
        said.captions.iter().map(|c| (c.view, c.text.as_str(), c.source.as_str())).collect();
    assert_eq!(
        captions,
        [(Some(0), "one", "vlm:eye"), (Some(1), "two", "vlm:eye"), (Some(2), "three", "vlm:eye")]
    );
    assert_eq!((said.requested, said.missing()), (3, None));
    let content = server.bodies.lock().unwrap()[0]["messages"][0]["content"].as_array().unwrap().len();
    assert_eq!(content, 2, "the prompt and one image");
}

#[test]
fn a_rejected_view_does_not_affect_the_others() {
    let server = server(&[Reply::Say("one"), Reply::Status(400, ""), Reply::Say("three")], true);
    let served = VlmCaptioner::new(config(&server));
    let said = said(&served, 3).unwrap();
    let captions: Vec<_> = said.captions.iter().map(|c| (c.view, c.text.as_str())).collect();
    assert_eq!(captions, [(Some(0), "one"), (Some(2), "three")]);
    let refused = said.missing().unwrap();
    assert_eq!((refused.missing, refused.requested, refused.is_all()), (1, 3, false));
    assert!(refused.reason.starts_with("view 1: ") && refused.reason.contains(": 400 "), "{refused:?}");
    assert_eq!((served.counts().missing, served.counts().requests), (1, 2));
}

#[test]
fn a_server_that_rejects_every_request_ends_the_run() {
    let refuses = server(&[Reply::Status(400, "")], true);
    let served = VlmCaptioner::new(config(&refuses));
    assert!(said(&served, 12).unwrap().missing().unwrap().is_all(), "one shape is not enough evidence");
    let error = said(&served, 1).unwrap_err();
    assert!(
        error.to_string().contains("none of the first 13 requests returned a caption, the last: view 0: ")
    );
    assert!(is_server_error(&error, "--caption-model"), "{error:?}");
    let together = VlmCaptioner::new(VlmConfig { per_view: false, ..config(&refuses) });
    assert!((0..7).all(|_| said(&together, 3).is_ok()));
    assert!(is_server_error(&said(&together, 3).unwrap_err(), "omit --views-together"));
    // After one success, any number of rejected requests is accepted.
    let picky = server(&[Reply::Say("a cup"), Reply::Status(400, "")], true);
    let served = VlmCaptioner::new(config(&picky));
    assert!((0..20).all(|_| said(&served, 1).is_ok()));
}

#[test]
fn failures_are_of_the_view_if_the_server_is_healthy() {
    let nonsense = [Reply::Text("{\"choices\": [{\"message\": {\"content\": \" \"}}]}")];
    let refused = said(&VlmCaptioner::new(config(&server(&nonsense, true))), 1).unwrap().missing().unwrap();
    assert!(refused.reason.contains("4 tries"), "{refused:?}");
    for (status, well, hint) in [
        (502, false, "start the server"),
        (401, true, "--caption-api-key"),
        (402, true, "payment"),
        (403, true, "--caption-api-key"),
        (404, true, "--caption-url"),
    ] {
        let error =
            ask(&VlmCaptioner::new(config(&server(&[Reply::Status(status, "")], well))), 1).unwrap_err();
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert!(is_server_error(&error, hint), "{error:?}");
    }
    let nobody =
        VlmConfig { initial_backoff_ms: 1, max_retries: 1, ..VlmConfig::new("http://127.0.0.1:9/v1", "eye") };
    assert!(is_server_error(&ask(&VlmCaptioner::new(nobody), 1).unwrap_err(), "start the server"));
}
