//! Searching by names: of files, folders, objects and materials.

use crate::support::Sandbox;
use serde_json::{Value, json};

/// Boxes whose names say what they are, in the file's path or inside the file.
fn named_models() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write_box("models/furniture/Chair_01.obj", [1.0, 2.0, 1.0]);
    sandbox.write_box("models/StreetLamp.obj", [0.2, 4.0, 0.2]);
    sandbox.write_box("models/0003.obj", [2.0, 1.0, 0.3]);
    let shape = fs_err::read_to_string(sandbox.path("models/0003.obj")).unwrap();
    sandbox.write("models/0003.obj", format!("o BicycleFrame.001\n{shape}"));
    for number in 4..9 {
        sandbox.write_box(&format!("models/000{number}.obj"), [1.0, 1.0, number as f32]);
    }
    sandbox
}

fn search(sandbox: &Sandbox, text: &str, more: &[&str]) -> Vec<Value> {
    sandbox.run(&[&["search", "models", text, "--json"], more].concat()).success().json()
}

#[test]
fn names_and_meaning_are_searched_together() {
    let sandbox = named_models();
    for (text, file) in [
        ("a chair", "models/furniture/Chair_01.obj"),
        ("furniture", "models/furniture/Chair_01.obj"),
        ("street lamps", "models/StreetLamp.obj"),
        ("streetlamp", "models/StreetLamp.obj"),
        ("bicycle", "models/0003.obj"),
    ] {
        let answers = search(&sandbox, text, &[]);
        assert_eq!(answers.len(), 8);
        assert_eq!((&answers[0]["path"], &answers[0]["name_rank"]), (&json!(file), &json!(1)), "{text}");
        assert!(answers[1..].iter().all(|answer| answer["name_rank"].is_null()));
        assert!(answers.iter().all(|answer| answer.get("corrections").is_none()));
        let by_name = search(&sandbox, text, &["--rank-by", "name"]);
        assert_eq!(by_name, answers[..1], "{text}");

        // The scores and ranks by meaning do not depend on names.
        let semantic = search(&sandbox, text, &["--rank-by", "semantic"]);
        for (i, answer) in semantic.iter().enumerate() {
            assert_eq!((&answer["semantic_rank"], &answer["name_rank"]), (&json!(i + 1), &Value::Null));
            let same = answers.iter().find(|other| other["id"] == answer["id"]).unwrap();
            assert_eq!(
                (&same["score"], &same["semantic_rank"]),
                (&answer["score"], &answer["semantic_rank"])
            );
        }
    }
}

#[test]
fn queries_without_a_matching_name_are_ranked_by_meaning_alone() {
    let sandbox = named_models();
    let semantic = search(&sandbox, "a zebra", &["--rank-by", "semantic"]);
    assert_eq!(search(&sandbox, "a zebra", &[]), semantic);
    let shape = ["search", "models", "--shape", "models/StreetLamp.obj", "--json"];
    let hybrid = sandbox.run(&shape).success();
    assert_eq!(
        hybrid.stdout,
        sandbox.run(&[&shape[..], &["--rank-by", "semantic"]].concat()).success().stdout
    );
    let none = sandbox.run(&["search", "models", "a zebra", "--rank-by", "name"]).success();
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains("no name matches"), "{none:#?}");
    let no_text = [&shape[..], &["--rank-by", "name"]].concat();
    sandbox.run(&no_text).failure(1, &["no text to compare with names"]);
    let unknown = ["search", "models", "a chair", "--rank-by", "size"];
    sandbox.run(&unknown).failure(2, &["expected semantic, name or hybrid"]);
}

#[test]
fn misspelled_words_are_repaired_for_names() {
    let sandbox = named_models();
    for (typed, corrected, file) in
        [("chiar", "chair", "models/furniture/Chair_01.obj"), ("bycicle", "bicycle", "models/0003.obj")]
    {
        let run = sandbox.run(&["search", "models", typed, "--json"]).success();
        assert!(run.stderr.contains(&format!("searched names for {corrected} (typed: {typed})")), "{run:#?}");
        let answers = run.json();
        assert_eq!(answers[0]["path"], file);
        assert_eq!(answers[0]["corrections"], json!([{"typed": typed, "corrected": corrected}]));
        // The model does not know the misspelled word, so its text is corrected too.
        let right = search(&sandbox, corrected, &[]);
        assert_eq!(right[0]["score"], answers[0]["score"]);
    }
    let meaning = sandbox.run(&["search", "models", "chiar", "--rank-by", "semantic"]).success();
    assert!(!meaning.stderr.contains("typed"), "{meaning:#?}");
}

#[test]
fn unwanted_texts_and_filters_apply_to_names() {
    let sandbox = named_models();
    let not = search(&sandbox, "bicycle", &["--not", "chair"]);
    let ranked: Vec<&Value> = not.iter().filter(|answer| !answer["name_rank"].is_null()).collect();
    assert_eq!((ranked.len(), &ranked[0]["path"]), (1, &json!("models/0003.obj")));
    let elsewhere = search(&sandbox, "bicycle", &["--where", "path ~ 'furniture/*'"]);
    assert_eq!((elsewhere.len(), &elsewhere[0]["name_rank"]), (1, &Value::Null));
}
