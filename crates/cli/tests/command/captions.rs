//! Captions through the binary: by BLIP with random weights, and by a server of this process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::support::Sandbox;

fn tiny_blip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/blip_tiny/model.safetensors")
}

/// Captions of a shape of a data set.
fn captions(sandbox: &Sandbox, set: &str, source: &str, lines: &[Value]) -> Vec<Value> {
    let written = lines.iter().find(|line| line["event"] == "written" && line["source"] == source);
    let key = written.unwrap()["key"].as_str().unwrap();
    let mut shown = sandbox.run(&["data", "inspect", set, key, "--json"]).success().json();
    serde_json::from_value(shown.remove(0)["about"]["captions"].take()).unwrap()
}

#[test]
fn the_built_in_captioner_describes_shapes_of_data_sets() {
    let sandbox = Sandbox::empty();
    sandbox.write_box("models/flat.obj", [4.0, 0.2, 4.0]);
    sandbox.write_box("models/tall.obj", [0.5, 6.0, 0.5]);
    let prepare = ["data", "prepare", "models", "--json", "--out", "set", "--views", "3", "--size", "64"];
    let written = sandbox.run(&prepare).success().json();
    let run = |more: &[&str]| {
        let start = ["data", "caption", "set", "--captioner", "nano", "--json"];
        sandbox.run(&[&start[..], more].concat())
    };
    let lines = run(&[]).success().json();
    let captioned = lines.iter().find(|line| line["event"] == "captioned").unwrap();
    assert_eq!(captioned["counts"], serde_json::json!({ "captions": 2, "requests": 2 }));
    let by_model = |set: &str| {
        let all = captions(&sandbox, set, "tall.obj", &written);
        let of_model = |caption: &Value| {
            let source = caption["source"].as_str().unwrap();
            source.starts_with("embedding:").then(|| caption["text"].as_str().unwrap().to_owned())
        };
        all.iter().filter_map(of_model).collect::<Vec<_>>()
    };
    let [text] = &by_model("set")[..] else {
        panic!("one caption of the whole shape: {:?}", by_model("set"))
    };
    assert!(text.split_whitespace().count() >= 2, "{text}");
    run(&["--replace", "--caption-count", "4"]).success();
    // Sentences that are sampled twice are kept once.
    assert!((2..=4).contains(&by_model("set").len()), "{:?}", by_model("set"));
    run(&["--caption-model", "blip"]).failure(2, &["nano takes no --caption-model"]);
}

#[test]
fn blip_captions_every_view() {
    let sandbox = Sandbox::empty();
    sandbox.write_box("models/flat.obj", [4.0, 0.2, 4.0]);
    sandbox.write_box("models/tall.obj", [0.5, 6.0, 0.5]);
    let model = tiny_blip().display().to_string();
    let prepare = |set: &str, more: &[&str]| {
        let start = ["data", "prepare", "models", "--json", "--out", set];
        let small =
            ["--views", "3", "--size", "48", "--points", "0", "--no-source-captions", "--captioner", "blip"];
        sandbox.run(&[&start, &small[..], &["--caption-model", &model], more].concat())
    };
    let lines = prepare("set", &[]).success().json();
    let captioned = lines.iter().find(|line| line["event"] == "captioned").unwrap();
    assert_eq!(captioned["counts"]["requests"], 6, "{lines:#?}");
    for source in ["flat.obj", "tall.obj"] {
        let said = captions(&sandbox, "set", source, &lines);
        assert!(!said.is_empty());
        for (i, caption) in said.iter().enumerate() {
            assert_eq!(caption["view"], i, "one sentence about each view: {said:#?}");
            assert!(caption["source"].as_str().unwrap().starts_with("blip:model@"), "{said:#?}");
            assert!(!caption["text"].as_str().unwrap().starts_with("a picture of"), "{said:#?}");
        }
    }
    let again = prepare("again", &["--jobs", "1"]).success().json();
    assert_eq!(
        captions(&sandbox, "set", "flat.obj", &lines),
        captions(&sandbox, "again", "flat.obj", &again)
    );
    let many = prepare("many", &["--caption-count", "3"]).success().json();
    let said = captions(&sandbox, "many", "tall.obj", &many);
    assert!((3..=9).contains(&said.len()), "{said:#?}");
    // The captioner's settings are the data set's.
    prepare("set", &["--caption-decoding", "greedy"])
        .failure(1, &["was started with", "hint: use the same settings"]);
}

#[test]
fn what_cannot_caption_says_why() {
    let sandbox = Sandbox::new();
    let prepare =
        |more: &[&str]| sandbox.run(&[&["data", "prepare", "models", "--out", "set"], more].concat());
    prepare(&["--captioner", "blip", "--caption-count", "2", "--caption-decoding", "beam"])
        .failure(2, &["needs --caption-decoding nucleus"]);
    prepare(&["--caption-model", "x"]).failure(2, &["--caption-model needs --captioner or --caption-url"]);
    prepare(&["--captioner", "api"]).failure(2, &["needs --caption-url and --caption-model"]);
    prepare(&["--captioner", "blip", "--caption-model", "nano"])
        .failure(1, &["no image tower and text decoder"]);
    sandbox.write("alone/model.safetensors", std::fs::read(tiny_blip()).unwrap());
    prepare(&["--captioner", "blip", "--caption-model", "alone/model.safetensors"])
        .failure(1, &["config.json must be in the same folder", "hint: copy config.json"]);
    sandbox
        .run(&["compare", "a", "b", "--model", tiny_blip().to_str().unwrap()])
        .failure(1, &["it is a captioner", "data prepare --captioner blip"]);
    let info =
        sandbox.run(&["model", "info", tiny_blip().to_str().unwrap(), "--json"]).success().json().remove(0);
    assert_eq!((&info["modality"], &info["view_size"]), (&"captioner".into(), &24.into()));
    assert_eq!(info["contents"]["kind"], "BLIP captioner in transformers' layout");
    assert_eq!(info["contents"]["missing"], serde_json::json!([]));
    let alone = sandbox.run(&["model", "info", "alone/model.safetensors"]).success().stdout;
    assert!(alone.contains("vocab.txt in the same folder"), "{alone}");
    let list = sandbox.run(&["model", "list"]).success().stdout;
    assert!(list.contains("BSD-3-Clause") && list.contains("Salesforce/blip-image-captioning-large"));
}

/// A server that says the same about every picture while it is willing, and takes one picture a request. Gives its address.
fn server(willing: &Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let willing = Arc::clone(willing);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let willing = Arc::clone(&willing);
            std::thread::spawn(move || {
                let _ = serve(stream.unwrap(), &willing);
            });
        }
    });
    url
}

fn serve(mut stream: TcpStream, willing: &AtomicBool) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        while !line.trim().is_empty() {
            line.clear();
            reader.read_line(&mut line)?;
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let one = String::from_utf8_lossy(&body).matches("data:image/jpeg").count() == 1;
        let message = serde_json::json!({ "message": { "content": "a gray thing" } });
        let usage = serde_json::json!({ "prompt_tokens": 1000, "completion_tokens": 10 });
        let said = serde_json::json!({ "choices": [message], "usage": usage }).to_string();
        let (status, text) = match one && willing.load(Ordering::Relaxed) {
            true => (200, said.as_str()),
            false => (400, "at most 1 image"),
        };
        write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{text}", text.len())?;
    }
}

#[test]
fn a_server_captions_every_view_and_what_it_refuses_is_told_and_asked_for_again() {
    let sandbox = Sandbox::new();
    let willing = Arc::new(AtomicBool::new(true));
    let url = server(&willing);
    let prepare = |set: &str, views: &str, more: &[&str]| {
        let start = ["data", "prepare", "models", "--out", set, "--views", views, "--size", "32"];
        let served =
            ["--points", "0", "--no-source-captions", "--caption-url", &url, "--caption-model", "eye"];
        sandbox.run(&[&start[..], &served, more].concat())
    };
    let lines = prepare("set", "2", &["--json", "--strict", "--caption-price", "0.5,10"]).success().json();
    let captioned = lines.iter().find(|line| line["event"] == "captioned").unwrap();
    // Three shapes, two views: 6000 tokens of questions, 60 of answers.
    assert_eq!(captioned["counts"]["requests"], 6, "{captioned}");
    assert!((captioned["counts"]["cost"].as_f64().unwrap() - 0.0036).abs() < 1e-9, "{captioned}");
    assert_eq!(captions(&sandbox, "set", "flat.obj", &lines).len(), 2);
    // All views in one request, of a server that takes one.
    let refused = prepare("together", "2", &["--caption-per-shape"]).success();
    assert!(refused.stderr.contains("missing captions: 3 shapes without any"), "{refused:#?}");
    assert!(refused.stderr.contains("at most 1 image") && refused.stderr.contains("--retry-failed"));
    let lines = prepare("together", "2", &["--caption-per-shape", "--json"]).success().json();
    let finished = lines.iter().find(|line| line["event"] == "finished").unwrap();
    assert_eq!((&finished["existing"], &finished["uncaptioned"]), (&3.into(), &3.into()));
    prepare("together", "2", &["--caption-per-shape", "--strict"]).failure(1, &["3 shapes without any"]);
    // A server that refuses for a while.
    willing.store(false, Ordering::Relaxed);
    let lines = prepare("later", "1", &["--json"]);
    let written = lines.success().json().into_iter().filter(|line| line["event"] == "written");
    assert!(written.clone().all(|line| line["missing_captions"]["requested"] == 1) && written.count() == 3);
    prepare("never", "6", &[]).failure(1, &["none of the first", "hint: check the server's message"]);
    willing.store(true, Ordering::Relaxed);
    let lines = prepare("later", "1", &["--json", "--retry-failed", "--strict"]).success().json();
    let finished = lines.iter().find(|line| line["event"] == "finished").unwrap();
    assert_eq!((&finished["written"], &finished["uncaptioned"]), (&3.into(), &0.into()));
    assert_eq!(captions(&sandbox, "later", "flat.obj", &lines).len(), 1);
    prepare("set", "2", &["--caption-price", "cheap"]).failure(2, &["expected two prices such as 0.15,0.6"]);
    sandbox
        .run(&["data", "prepare", "models", "--out", "x", "--caption-retries", "1"])
        .failure(2, &["--caption-url <URL>"]);
}
