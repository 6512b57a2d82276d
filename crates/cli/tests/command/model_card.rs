//! What the card of the built-in model (`crates/model/NANO.md`) and the README say of it.

use serde_json::Value;

use crate::support::Sandbox;

fn percent(value: &Value) -> f64 {
    100.0 * value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn the_built_in_model_names_generated_shapes() {
    let sandbox = Sandbox::empty();
    let result = sandbox
        .run(&["eval", "zero-shot", "--per-class", "1", "--json", "--resamples", "10", "--model", "nano"])
        .success()
        .json()
        .remove(0);
    assert_eq!(result["shapes"], result["num_labels"]);
    assert!(percent(&result["top_1"]) > 85.8 && percent(&result["top_5"]) > 97.6, "{}", result["top_1"]);
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn the_built_in_model_finds_real_files() {
    let files = lexiform_golden::shared("assets/public").canonicalize().unwrap();
    let (assets, labels) = (files.display().to_string(), files.join("labels.csv").display().to_string());
    let sandbox = Sandbox::empty();
    let named = [
        "eval",
        "zero-shot",
        "--assets",
        &assets,
        "--labels",
        &labels,
        "--json",
        "--resamples",
        "10",
        "--model",
        "nano",
    ];
    let named = sandbox.run(&named).success().json().remove(0);
    assert!(named["shapes"].as_u64() >= Some(140) && named["num_labels"].as_u64() >= Some(120), "{named}");
    // A point below the card's, for what another processor rounds otherwise.
    assert!(percent(&named["top_1"]) > 68.0 && percent(&named["top_5"]) > 91.0, "{}", named["top_1"]);
    let found = [
        "eval",
        "retrieval",
        "--assets",
        &assets,
        "--captions",
        &labels,
        "--photos",
        &labels,
        "--json",
        "--model",
        "nano",
    ];
    let found = sandbox.run(&found).success().json();
    let within_five = |direction: &str| {
        let line = found.iter().find(|line| line["direction"] == direction);
        // Of 1, 3, 5 and 10 answers.
        percent(&line.unwrap_or_else(|| panic!("{found:?}"))["recall"][2])
    };
    assert!(within_five("text → shape") > 93.0 && within_five("photo → shape") > 38.0, "{found:?}");
}
