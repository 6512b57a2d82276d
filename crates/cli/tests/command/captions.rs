//! Captions by BLIP through the binary, with a small network of random weights.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::Bench;

fn tiny_blip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/blip_tiny/model.safetensors")
}

/// Captions of a shape of a data set.
fn captions(bench: &Bench, set: &str, source: &str, lines: &[Value]) -> Vec<Value> {
    let written = lines.iter().find(|line| line["event"] == "written" && line["source"] == source);
    let key = written.unwrap()["key"].as_str().unwrap();
    let mut shown = bench.run(&["data", "inspect", set, key, "--json"]).good().json();
    serde_json::from_value(shown.remove(0)["about"]["captions"].take()).unwrap()
}

#[test]
fn blip_captions_every_view() {
    let bench = Bench::empty();
    bench.write_box("models/flat.obj", [4.0, 0.2, 4.0]);
    bench.write_box("models/tall.obj", [0.5, 6.0, 0.5]);
    let model = tiny_blip().display().to_string();
    let prepare = |set: &str, more: &[&str]| {
        let start = ["data", "prepare", "models", "--json", "--out", set];
        let small = ["--views", "3", "--size", "48", "--points", "0", "--no-carried", "--captions", "blip"];
        bench.run(&[&start, &small[..], &["--caption-model", &model], more].concat())
    };
    let lines = prepare("set", &[]).good().json();
    let captioned = lines.iter().find(|line| line["event"] == "captioned").unwrap();
    assert_eq!(captioned["counts"]["answered"], 6, "{lines:#?}");
    for source in ["flat.obj", "tall.obj"] {
        let said = captions(&bench, "set", source, &lines);
        assert!(!said.is_empty());
        for (i, caption) in said.iter().enumerate() {
            assert_eq!(caption["view"], i, "one sentence about each view: {said:#?}");
            assert!(caption["from"].as_str().unwrap().starts_with("blip:model@"), "{said:#?}");
            assert!(!caption["text"].as_str().unwrap().starts_with("a picture of"), "{said:#?}");
        }
    }
    let again = prepare("again", &["--jobs", "1"]).good().json();
    assert_eq!(captions(&bench, "set", "flat.obj", &lines), captions(&bench, "again", "flat.obj", &again));
    let many = prepare("many", &["--sentences", "3"]).good().json();
    let said = captions(&bench, "many", "tall.obj", &many);
    assert!((3..=9).contains(&said.len()), "{said:#?}");
    // The captioner's settings are the data set's.
    prepare("set", &["--decoding", "greedy"]).bad(1, &["was begun with", "hint: use the same settings"]);
}

#[test]
fn what_cannot_caption_says_why() {
    let bench = Bench::new();
    let prepare = |more: &[&str]| bench.run(&[&["data", "prepare", "models", "--out", "set"], more].concat());
    prepare(&["--captions", "blip", "--sentences", "2", "--decoding", "beams"])
        .bad(2, &["needs --decoding nucleus"]);
    prepare(&["--caption-model", "x"]).bad(2, &["--caption-model needs --captions blip or --caption-url"]);
    prepare(&["--captions", "served"]).bad(2, &["need --caption-url and --caption-model"]);
    prepare(&["--captions", "blip", "--caption-model", "nano"]).bad(1, &["no image tower and text decoder"]);
    bench.write("alone/model.safetensors", std::fs::read(tiny_blip()).unwrap());
    prepare(&["--captions", "blip", "--caption-model", "alone/model.safetensors"])
        .bad(1, &["config.json must be beside it", "hint: copy config.json"]);
    bench
        .run(&["compare", "a", "b", "--model", tiny_blip().to_str().unwrap()])
        .bad(1, &["it writes captions", "data prepare --captions blip"]);
    let info = bench.run(&["model", "info", tiny_blip().to_str().unwrap(), "--json"]).good().json().remove(0);
    assert_eq!((&info["modality"], &info["view_size"]), (&"captioner".into(), &24.into()));
    assert_eq!(info["contents"]["kind"], "BLIP captioner in transformers' layout");
    assert_eq!(info["contents"]["missing"], serde_json::json!([]));
    let alone = bench.run(&["model", "info", "alone/model.safetensors"]).good().stdout;
    assert!(alone.contains("vocab.txt beside it"), "{alone}");
    let list = bench.run(&["model", "list"]).good().stdout;
    assert!(list.contains("BSD-3-Clause") && list.contains("Salesforce/blip-image-captioning-large"));
}
