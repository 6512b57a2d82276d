//! `lexiform eval caption` compared with pycocoevalcap (`xtask/peers/captions.py`), and its messages.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::Sandbox;

/// The order of 64-bit sums differs.
const TOLERANCE: f64 = 1e-9;

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/captions").join(name);
    path.display().to_string()
}

/// Captions and references of the golden values, as for COCO.
fn golden_files(sandbox: &Sandbox) -> Value {
    let golden: Value = serde_json::from_slice(&fs_err::read(fixture("scores.json")).unwrap()).unwrap();
    let (mut predictions, mut annotations) = (Vec::new(), Vec::new());
    for (id, item) in golden["items"].as_array().unwrap().iter().enumerate() {
        predictions.push(json!({"image_id": id, "caption": item["caption"]}));
        for caption in item["captions"].as_array().unwrap() {
            annotations.push(json!({"id": annotations.len(), "image_id": id, "caption": caption}));
        }
    }
    sandbox.write("predictions.json", serde_json::to_vec(&predictions).unwrap());
    sandbox.write("references.json", serde_json::to_vec(&json!({"annotations": annotations})).unwrap());
    golden["scores"].clone()
}

/// Options that no environment of the caller changes.
const PLAIN: [&str; 4] = ["eval", "caption", "predictions.json", "references.json"];

fn run(sandbox: &Sandbox, args: &[&str]) -> crate::support::Run {
    let mut command = sandbox.command(&[&PLAIN[..], args].concat());
    command.env_remove("LEXIFORM_MODEL").env_remove("LEXIFORM_METEOR");
    sandbox.finish(command.output().unwrap())
}

#[test]
fn scores_equal_pycocoevalcap() {
    let sandbox = Sandbox::empty();
    let expected = golden_files(&sandbox);
    let args = ["--meteor", &fixture("meteor"), "--per-item-csv", "items.csv", "--json"];
    let found = run(&sandbox, &args).success().json().remove(0);
    assert_eq!(found["predictions"], 18);
    let scores = found["scores"].as_object().unwrap();
    let names: Vec<&str> = scores.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    let table = fs_err::read_to_string(sandbox.path("items.csv")).unwrap();
    let mut lines = table.lines();
    let headings: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 18);
    for (name, expected) in expected.as_object().unwrap() {
        let near = |found: f64, expected: &Value| (found - expected.as_f64().unwrap()).abs() < TOLERANCE;
        assert!(near(scores[name].as_f64().unwrap(), &expected["corpus"]), "{name}: {found}");
        let column = headings.iter().position(|heading| heading == name).unwrap();
        for (row, expected) in rows.iter().zip(expected["items"].as_array().unwrap()) {
            assert!(near(row[column].parse().unwrap(), expected), "{name}: {row:?}");
        }
    }
    let text = run(&sandbox, &["--protocol", "cap3d"]).success();
    assert!(
        text.stdout.contains("BLEU-1") && text.stdout.contains("18 captions, 38 references"),
        "{text:#?}"
    );
    for part in ["for METEOR give its tables", "published: ULIP-2: CIDEr 160.5 (ULIP-2, table"] {
        assert!(text.stderr.contains(part), "{text:#?}");
    }
}

#[test]
fn cosines_come_from_a_model() {
    let sandbox = Sandbox::new();
    let result = |key: &str| json!({"object_id": key, "model_output": "a cube", "ground_truth": "a cube"});
    let results = json!({"results": [result("flat"), result("kinds/cube.obj")]});
    sandbox.write("results.json", serde_json::to_vec(&results).unwrap());
    let args = ["eval", "caption", "results.json", "--assets", "models", "--json"];
    let found = sandbox.run(&args).success().json().remove(0);
    let scores = &found["scores"];
    assert!((scores["cosine"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{found}");
    assert!(scores["shape_cosine"].as_f64().unwrap().abs() <= 1.0, "{found}");
    assert_eq!(scores["rouge_l"], 1.0);
    sandbox.write("results.json", json!({"results": [result("sofa")]}).to_string());
    sandbox.run(&args).failure(1, &["models: no shape of the name \"sofa\"", "hint: keys of the captions"]);
}

#[test]
fn what_cannot_be_evaluated_says_why() {
    let sandbox = Sandbox::empty();
    sandbox.write("predictions.json", r#"{"a": "a chair", "b": "a table"}"#);
    sandbox.write("references.json", r#"{"a": ["chair"], "c": ["sofa"]}"#);
    run(&sandbox, &[])
        .failure(1, &["references.json: expected a reference for \"b\", found none", "hint: ", "like \"a\""]);
    sandbox.write("predictions.json", r#"{"a": "a chair"}"#);
    let found = run(&sandbox, &[]).success();
    assert!(found.stderr.contains("1 of 2 items with references have no prediction"), "{found:#?}");
    run(&sandbox, &["--meteor", "."]).failure(1, &["no meteor-1.5.jar in this folder", "pycocoevalcap"]);
    sandbox.write("meteor-1.5.jar", "x");
    run(&sandbox, &["--meteor", "."]).failure(1, &["meteor-1.5.jar: ", "hint: expected the folder `meteor`"]);
    run(&sandbox, &["--protocol", "coco"]).failure(2, &["expected one of cap3d, pointllm"]);
    sandbox.write("predictions.json", r#"{"a": ["a chair", "chair"]}"#);
    run(&sandbox, &[]).failure(1, &["predictions.json: a: expected one caption, found 2", "hint: "]);
    sandbox.write("predictions.json", r#"[{"image_id": 1}]"#);
    run(&sandbox, &[]).failure(1, &["item 1: 1: expected a caption", "hint: expected JSON of COCO"]);
}
