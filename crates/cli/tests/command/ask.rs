//! Questions about shapes: by a small PointLLM with random weights, and by a server on the loopback interface.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use lexiform_model::weights::{Precision, TensorList};
use serde_json::Value;

use crate::caption::{captions_of_set, texts};
use crate::support::Sandbox;

/// Edge of the weight that the fixture does not store.
const RULED_EDGE: u64 = 512;

/// A small PointLLM in `folder` of the sandbox. Its largest weight follows a rule, as `ruled` in `xtask/peers/pointllm.py`.
fn point_llm(sandbox: &Sandbox, folder: &str) {
    let into = sandbox.path(folder);
    fs_err::create_dir(&into).unwrap();
    for entry in fs_err::read_dir(lexiform_golden::fixture("pointllm_tiny")).unwrap() {
        let path = entry.unwrap().path();
        fs_err::copy(&path, into.join(path.file_name().unwrap())).unwrap();
    }
    let number = |i: u64| ((i * 2_654_435_761 + 12_345) >> 16) % 2048;
    let values = (0..RULED_EDGE * RULED_EDGE).map(|i| (number(i) as f32 - 1024.0) / 32_768.0).collect();
    let mut list = TensorList::default();
    let shape = vec![RULED_EDGE as usize, RULED_EDGE as usize, 1];
    list.push_values("model.point_backbone.encoder.second_conv.0.weight".to_owned(), shape, values);
    list.write(&into.join("model-00003-of-00003.safetensors"), Precision::Half, HashMap::new()).unwrap();
}

#[test]
fn a_point_llm_describes_and_answers() {
    let sandbox = Sandbox::new();
    point_llm(&sandbox, "llm");
    let ask = |file: &str, question: &str| {
        sandbox.run(&["ask", file, question, "--model", "llm", "--max-tokens", "12", "--json"])
    };
    let answer = ask("models/flat.obj", "Is it broken?").success().json().remove(0);
    assert_eq!((&answer["path"], &answer["question"]), (&"models/flat.obj".into(), &"Is it broken?".into()));
    // Random weights say nothing, but always the same, and something else to another question.
    assert_eq!(ask("models/flat.obj", "Is it broken?").success().json().remove(0), answer);
    assert_ne!(
        ask("models/flat.obj", "What is this for?").success().json().remove(0)["answer"],
        answer["answer"]
    );
    let caption = |args: &[&str]| {
        let start = ["caption", "models/flat.obj", "--model", "llm", "--json"];
        sandbox.run(&[&start[..], args].concat()).success().json().remove(0)["caption"].clone()
    };
    let described = caption(&["--prompt", "Is it broken?"]);
    assert!(
        described
            .as_str()
            .unwrap()
            .starts_with(answer["answer"].as_str().unwrap().trim_end_matches('\u{FFFD}'))
    );
    assert_eq!(caption(&[]), caption(&["--prompt", "Caption this 3D model in detail."]));
    assert_ne!(caption(&["--count", "2", "--seed", "1"]), caption(&["--count", "2", "--seed", "2"]));
    let info = sandbox.run(&["model", "info", "llm", "--json"]).success().json().remove(0);
    assert_eq!((&info["modality"], &info["contents"]["kind"]), (&"captioner".into(), &"PointLLM".into()));
    sandbox
        .run(&["search", "models", "a chair", "--model", "llm"])
        .failure(1, &["it is a PointLLM", "`lexiform caption` or `lexiform ask`"]);
    sandbox
        .run(&["caption", "models/flat.obj", "--model", "nano", "--prompt", "Why?"])
        .failure(2, &["takes no --prompt", "hint: give --model FOLDER"]);
}

#[test]
fn a_point_llm_describes_shapes_of_data_sets() {
    let sandbox = Sandbox::new();
    point_llm(&sandbox, "llm");
    let prepare =
        ["data", "prepare", "models", "--no-source-captions", "--views", "1", "--size", "32", "--out"];
    sandbox.run(&[&prepare[..], &["set", "--points", "500"]].concat()).success();
    let question = "Is it broken?";
    let update = ["--captioner", "llm", "--caption-prompt", question];
    sandbox.run(&[&["data", "caption", "set"], &update[..]].concat()).success();
    let described = ["caption", "set", "--model", "llm", "--prompt", question, "--json"];
    let expected = texts(&sandbox.run(&described).success().json());
    assert_eq!(captions_of_set(&sandbox, "set"), expected);
    sandbox.run(&[&prepare[..], &["views", "--points", "0"]].concat()).success();
    let run = sandbox.run(&[&["data", "caption", "views"], &update[..]].concat()).success();
    assert!(run.stderr.contains("no points to describe"), "{run:#?}");
}

#[test]
fn an_older_point_llm_is_refused() {
    let sandbox = Sandbox::new();
    point_llm(&sandbox, "llm");
    let config = sandbox.path("llm/config.json");
    let text = fs_err::read_to_string(&config).unwrap();
    let older = text.replace("PointTransformer_8192point_2layer", "PointTransformer_base_8192point");
    fs_err::write(&config, older).unwrap();
    for command in [
        &["ask", "models/flat.obj", "What?", "--model", "llm"][..],
        &["caption", "models/flat.obj", "--model", "llm"],
    ] {
        sandbox.run(command).failure(1, &["PointLLM v1.1", "expected v1.2"]);
    }
}

/// A server that answers with what it was asked, with this status; gives its address.
fn server(status: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let _ = serve(stream.unwrap(), status);
            });
        }
    });
    url
}

fn serve(mut stream: TcpStream, status: u16) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut line, mut length, mut key) = (String::new(), 0, String::new());
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        while !line.trim().is_empty() {
            line.clear();
            reader.read_line(&mut line)?;
            match line.to_lowercase().split_once(": ") {
                Some(("content-length", value)) => length = value.trim().parse().unwrap(),
                Some(("authorization", value)) => key = value.trim().to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let content = asked["messages"][0]["content"].as_array().unwrap().clone();
        let images = content.iter().filter(|part| part["type"] == "image_url").count();
        let (text, model) = (content[0]["text"].as_str().unwrap(), asked["model"].as_str().unwrap());
        let said = format!("{images} images to {model} [{key}]: {text}");
        let answer = serde_json::json!({ "choices": [{ "message": { "content": said } }] }).to_string();
        write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len())?;
    }
}

#[test]
fn a_server_gets_the_views_and_the_question() {
    let sandbox = Sandbox::new();
    let url = server(200);
    let ask = |file: &str, more: &[&str]| {
        let start = ["ask", file, "Is it broken?", "--caption-url", &url, "--caption-model", "eye"];
        sandbox.run(&[&start[..], more].concat()).success()
    };
    let answer =
        ask("models/flat.obj", &["--views", "3", "--size", "32", "--caption-api-key", "secret"]).stdout;
    assert!(answer.starts_with("3 images to eye [bearer secret]: "), "{answer}");
    assert!(answer.trim_end().ends_with("Is it broken?"), "{answer}");
    sandbox.run(&["render", "models/flat.obj", "-o", "one.png", "--size", "32"]).success();
    let line = ask("one.png", &["--json"]).json().remove(0);
    assert!(line["answer"].as_str().unwrap().starts_with("1 images to eye []: "), "{line}");
}

#[test]
fn what_cannot_answer_says_why() {
    let sandbox = Sandbox::new();
    let ask = |more: &[&str]| sandbox.run(&[&["ask", "models/flat.obj", "Is it broken?"], more].concat());
    ask(&[]).failure(2, &["no model to answer the question", "hint: give --model FOLDER", "--caption-url"]);
    ask(&["--caption-url", "http://localhost:1/v1"]).failure(2, &["--caption-model"]);
    ask(&["--model", "nano"]).failure(1, &["nano cannot answer questions", "hint:"]);
    ask(&["--model", "nowhere"]).failure(1, &["no model is called \"nowhere\""]);
    sandbox.run(&["ask", "models/flat.obj", " ", "--model", "nano"]).failure(2, &["expected a question"]);
    let args = ["--captioner", "nothing.safetensors"];
    ask(&args).failure(1, &["cannot open the captioner nothing.safetensors"]);
    let denied = server(401);
    ask(&["--caption-url", &denied, "--caption-model", "eye"])
        .failure(1, &["401", "hint: set the server's API key"]);
    let refused = server(400);
    ask(&["--caption-url", &refused, "--caption-model", "eye"]).failure(1, &["400", "hint:"]);
    point_llm(&sandbox, "llm");
    sandbox
        .run(&["ask", "missing.glb", "What?", "--model", "llm"])
        .failure(1, &["missing.glb", "no such file"]);
}

/// A captioner's recipe for questions about a few files.
const RECIPE: &str = r#"
task = "caption"
name = "asked"
seed = 1
encoder = "nano"

[network]
cue = "3d"
prompt = "describe"
language = { width = 32, layers = 1, heads = 2, context = 48 }
qformer = { queries = 4, width = 32, layers = 2, heads = 2, cross_frequency = 2 }

[data]
path = "models"
label_table = "asked.csv"
views = 1
elevation_low = 0
elevation_high = 30

[batch]
size = 8

[param_groups.all]
optimizer = { kind = "adamw", beta_1 = 0.9, beta_2 = 0.98, epsilon = 1e-8 }
learning_rate = 5e-3

[schedule]
kind = "constant"

[run]
steps = 150
evaluate_every = 150
checkpoint_every = 150
"#;

#[test]
fn a_captioner_trained_by_recipe_answers_what_it_learned() {
    let sandbox = Sandbox::new();
    let table = "file,caption,question,answer\n\
        flat.obj,a flat thing,Is it flat?,yes it is\nkinds/cube.obj,a cube,Is it flat?,no it has volume\n";
    fs_err::write(sandbox.path("asked.csv"), table).unwrap();
    fs_err::write(sandbox.path("asked.toml"), RECIPE).unwrap();
    let events = sandbox.run(&["train", "asked.toml", "-o", "run", "--json"]).success().json();
    assert!(events.iter().any(|event| event["event"] == "captioned"), "{events:?}");
    assert!(sandbox.path("run/curves.svg").is_file() && sandbox.path("run/log.jsonl").is_file());
    let captioner = ["--captioner", "run/model.safetensors"];
    let caption = |file: &str| {
        sandbox.run(&[&["caption", file, "--model", "nano"], &captioner[..]].concat()).success().stdout
    };
    assert_eq!(caption("models/flat.obj").trim(), "a flat thing");
    assert_eq!(caption("models/kinds/cube.obj").trim(), "a cube");
    let ask =
        |file: &str| sandbox.run(&[&["ask", file, "Is it flat?"], &captioner[..]].concat()).success().stdout;
    assert_eq!(ask("models/flat.obj").trim(), "yes it is");
    assert_eq!(ask("models/kinds/cube.obj").trim(), "no it has volume");
    // Cap3D's table names files by their ids, without headings.
    fs_err::write(sandbox.path("cap3d.csv"), "flat,a flat thing\ncube,\"a cube, gray\"\nother,no file\n")
        .unwrap();
    let by_id = ["--set", "data.label_table=cap3d.csv", "--set", "run.steps=2", "--json"];
    let events = sandbox.run(&[&["train", "asked.toml", "-o", "ids"], &by_id[..]].concat()).success().json();
    let prepared = events.iter().find(|event| event["event"] == "preparing").unwrap();
    assert_eq!(prepared["shapes"], 2, "{events:?}");
    // A recipe of a captioner has other keys.
    sandbox
        .run(&["train", "asked.toml", "-o", "x", "--set", "losses.a=1"])
        .failure(1, &["unknown field `losses`"]);
    sandbox
        .run(&["train", "asked.toml", "-o", "run"])
        .failure(1, &["already contains a run", "hint: add --resume"]);
}
