//! Sentences about shapes, and captioners of other models.

use std::path::Path;

use serde_json::Value;

use crate::support::{Sandbox, tiny_model};

#[test]
fn files_and_folders_are_described() {
    let sandbox = Sandbox::new();
    let caption = |args: &[&str]| sandbox.run(&[&["caption", "--model", "nano"], args].concat()).success();
    let sentence = caption(&["models/kinds/cube.obj"]).stdout;
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    assert!(sentence.split_whitespace().count() >= 2, "{sentence}");
    let lines = caption(&["models", "missing.glb", "--json"]);
    assert!(lines.stderr.contains("missing.glb: no such file"), "{lines:#?}");
    let lines = lines.json();
    assert_eq!(lines.len(), 3);
    let cube = lines.iter().find(|line| line["path"].as_str().unwrap().ends_with("cube.obj")).unwrap();
    assert_eq!(cube["caption"].as_str().unwrap(), sentence.trim());
    let table = caption(&["models"]).stdout;
    assert!(table.contains("caption") && table.contains(sentence.trim()), "{table}");
}

#[test]
fn sampled_captions_follow_the_seed() {
    let sandbox = Sandbox::new();
    let sample = |seed: &str| {
        let args =
            ["caption", "models/flat.obj", "--model", "nano", "--count", "8", "--json", "--seed", seed];
        sandbox.run(&args).success().json().remove(0)["captions"].clone()
    };
    assert_eq!(sample("1").as_array().unwrap().len(), 8);
    assert_eq!(sample("1"), sample("1"));
    assert_ne!(sample("1"), sample("2"));
}

#[test]
fn blip_describes_views() {
    let sandbox = Sandbox::new();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/blip_tiny/model.safetensors");
    let model = model.to_str().unwrap();
    let caption = |args: &[&str]| sandbox.run(&[&["caption", "--model", model], args].concat());
    let folder = caption(&["models", "--json"]).success().json();
    assert_eq!(folder.len(), 3, "{folder:#?}");
    for line in &folder {
        assert!(!line["caption"].as_str().unwrap().is_empty(), "{line}");
    }
    // Kept in the folder's library, which the built-in model indexes.
    assert!(sandbox.path("models/.lexiform").exists());
    let again = caption(&["models", "--json"]).success();
    assert!(again.stderr.contains("3 had captions"), "{again:#?}");
    assert_eq!(again.json(), folder);
    let found = sandbox
        .run(&["search", "models", "--model", "nano", "--where", "has caption", "--json"])
        .success()
        .json();
    assert_eq!(found.len(), 3, "{found:#?}");
    // More than the four views, so that some have two.
    let sampled = |seed: &str| {
        let args = ["models/kinds/cube.obj", "--count", "6", "--seed", seed, "--json"];
        caption(&args).success().json().remove(0)["captions"].clone()
    };
    assert_eq!(sampled("1").as_array().unwrap().len(), 6);
    assert_eq!(sampled("1"), sampled("1"));
    assert_ne!(sampled("1"), sampled("2"));
    let view = sandbox.path("view.png");
    image::RgbaImage::from_pixel(32, 32, image::Rgba([200, 30, 30, 255])).save(&view).unwrap();
    assert_eq!(caption(&["view.png"]).success().stdout.lines().count(), 1);
    caption(&["models/flat.obj", "--captioner", "c.safetensors"]).failure(2, &["expected no --captioner"]);
    caption(&["missing.glb"]).failure(1, &["missing.glb: no such file"]);
}

#[test]
fn another_model_needs_a_captioner_of_its_own() {
    let sandbox = Sandbox::new();
    let model = tiny_model().to_str().unwrap();
    let caption = ["caption", "models/flat.obj", "--model", model];
    sandbox.run(&caption).failure(2, &["describes embeddings of nano", "train-captioner"]);
    let train = |out: &str| {
        let sizes = ["--steps", "50", "--batch", "8", "--per-category", "1", "--memory-per-category", "1"];
        let run = sandbox.run(&[&["model", "train-captioner", model, out], &sizes[..]].concat()).success();
        run.json().remove(0)
    };
    let losses = [train("a.safetensors"), train("b.safetensors")];
    assert_eq!(losses[0], losses[1], "the seed is the same");
    // About a thousand words: ln 1000 = 6.9 nats for a guess.
    assert!(losses[0]["loss"].as_f64().unwrap() < 5.0, "{losses:?}");
    let bytes = ["a.safetensors", "b.safetensors"].map(|name| std::fs::read(sandbox.path(name)).unwrap());
    assert_eq!(bytes[0], bytes[1]);
    let with = [&caption[..], &["--captioner", "a.safetensors"]].concat();
    assert!(!sandbox.run(&with).success().stdout.trim().is_empty());

    // Shapes of a data set get the same captions.
    sandbox
        .run(&["data", "prepare", "models", "--out", "set", "--no-source-captions", "--views", "2"])
        .success();
    let captioner = ["--captioner", "a.safetensors"];
    let update = ["data", "caption", "set", "--caption-model", model];
    sandbox.run(&[&update[..], &captioner[..]].concat()).success();
    let described = sandbox.run(&[&["caption", "set", "--model", model, "--json"], &captioner[..]].concat());
    assert_eq!(captions_of_set(&sandbox, "set"), texts(&described.success().json()));
    sandbox.run(&["data", "caption", "set", captioner[0], captioner[1]]).failure(2, &["not of nano"]);
    let question = ["--caption-prompt", "Is it flat?", "--replace"];
    let asked = [&update[..], &captioner[..], &question[..]].concat();
    sandbox.run(&asked).failure(2, &["takes no --caption-prompt"]);
}

/// The captions of lines of JSON, sorted.
pub(crate) fn texts(lines: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> =
        lines.iter().map(|line| line["caption"].as_str().unwrap().to_owned()).collect();
    texts.sort_unstable();
    texts
}

/// The captions of all shapes of a data set, sorted.
pub(crate) fn captions_of_set(sandbox: &Sandbox, set: &str) -> Vec<String> {
    let dataset = lexiform_data::Dataset::open(&sandbox.path(set)).unwrap();
    let mut texts: Vec<String> = (0..dataset.len())
        .flat_map(|shape| dataset.metadata(shape).unwrap().captions)
        .map(|caption| caption.text)
        .collect();
    texts.sort_unstable();
    texts
}

/// The paths of the answers to a search in names.
fn found_by_name(sandbox: &Sandbox, text: &str) -> Vec<String> {
    let search = ["search", "models", text, "--rank-by", "name", "--json", "--model", "nano"];
    let lines = sandbox.run(&search).success().json();
    lines.iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn captions_of_a_folder_are_kept_and_searched() {
    let sandbox = Sandbox::new();
    let caption = |args: &[&str]| {
        let run =
            sandbox.run(&[&["caption", "models", "--model", "nano", "--json"], args].concat()).success();
        let captions = run.json();
        let texts: Vec<String> =
            captions.iter().map(|line| line["caption"].as_str().unwrap().to_owned()).collect();
        (texts, run.stderr)
    };
    let (first, _) = caption(&[]);
    assert_eq!(first.len(), 3);
    let word = first[0].split_whitespace().last().unwrap();
    assert!(!found_by_name(&sandbox, word).is_empty(), "{first:?}");
    let list = ["search", "models", "--where", "has caption", "--json", "--model", "nano"];
    let listed = sandbox.run(&list).success().json();
    let mut texts: Vec<&str> = listed.iter().map(|line| line["caption"].as_str().unwrap()).collect();
    texts.sort_unstable();
    let mut expected: Vec<&str> = first.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(texts, expected);
    let info = sandbox.run(&["info", "models/kinds/cube.obj", "--json"]).success().json().remove(0);
    assert!(first.contains(&info["captions"]["texts"][0].as_str().unwrap().to_owned()), "{info:#}");

    // Again: nothing to do. Sampled captions replace others on request only.
    let (again, notes) = caption(&[]);
    assert!(again == first && notes.contains("0 shapes captioned, 3 had captions"), "{notes}");
    let (kept, notes) = caption(&["--count", "3", "--seed", "5"]);
    assert!(kept == first && notes.contains("--replace"), "{notes}");
    let sampled = ["caption", "models", "--model", "nano", "--json", "--replace", "--count", "3"];
    let lines = sandbox.run(&sampled).success().json();
    assert!(lines.iter().all(|line| line["captions"].as_array().unwrap().len() == 3), "{lines:#?}");
    // A changed file has no caption, and gets one.
    sandbox.write_box("models/kinds/cube.obj", [9.0, 1.0, 1.0]);
    let (_, notes) = caption(&[]);
    assert!(notes.contains("1 shape captioned, 2 had captions"), "{notes}");
}

#[test]
fn captions_need_not_be_kept() {
    let sandbox = Sandbox::new();
    let lines = sandbox.run(&["caption", "models", "--model", "nano", "--no-library", "--json"]).success();
    assert_eq!(lines.json().len(), 3);
    assert!(!sandbox.path("models/.lexiform").exists());
}

#[test]
fn color_words_are_those_of_the_surface() {
    let sandbox = Sandbox::empty();
    let mtl = "newmtl paint\nKd 0.02 0.05 0.8\n";
    sandbox.write("colored/box.mtl", mtl);
    sandbox.write_box("plain/box.obj", [4.0, 0.2, 4.0]);
    let shape = fs_err::read_to_string(sandbox.path("plain/box.obj")).unwrap();
    sandbox.write("colored/box.obj", format!("mtllib box.mtl\nusemtl paint\n{shape}"));
    let colors = [
        "red", "orange", "yellow", "green", "purple", "pink", "brown", "beige", "white", "gray", "black",
        "gold",
    ];
    let caption =
        |file: &str| sandbox.run(&["caption", file, "--model", "nano"]).success().stdout.trim().to_owned();
    // What it calls the shape is not tested, but a blue thing is not called red, and one without colors has none.
    let words = |text: &str| {
        let noun = text.split(" with ").next().unwrap().to_owned();
        noun.split(' ').filter(|word| colors.contains(word)).count()
    };
    assert_eq!(words(&caption("colored/box.obj")), 0, "{}", caption("colored/box.obj"));
    let plain = caption("plain/box.obj");
    assert!(words(&plain) == 0 && !plain.contains("blue"), "{plain}");
}
