//! Captions and features added to existing data sets through the binary: imported renders, BLIP and BLIP-2 with random weights.

use std::path::Path;

use serde_json::Value;

use crate::support::{Sandbox, tiny_model};

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name).display().to_string()
}

/// Zero123 renders of three shapes, imported as the data set `set`; with the keys of the shapes.
fn imported_renders(views: &str) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new();
    let prepare = ["data", "prepare", "models", "--out", "first", "--size", "32", "--points", "0"];
    let bare = ["--views", views, "--no-source-captions", "--transparent"];
    sandbox.run(&[&prepare[..], &bare].concat()).success();
    sandbox.run(&["data", "export", "zero123", "first", "--out", "renders"]).success();
    let import = ["data", "import", "zero123", "renders", "--out", "set", "--json"];
    let lines = sandbox.run(&import).success().json();
    let written = lines.iter().filter(|line| line["event"] == "written");
    let keys: Vec<String> = written.map(|line| line["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys.len(), 3, "{lines:#?}");
    (sandbox, keys)
}

/// Captions of these shapes of a data set.
fn captions(sandbox: &Sandbox, set: &str, keys: &[String]) -> Vec<Vec<Value>> {
    let of = |key: &String| {
        let mut shown = sandbox.run(&["data", "inspect", set, key, "--json"]).success().json();
        serde_json::from_value(shown.remove(0)["about"]["captions"].take()).unwrap()
    };
    keys.iter().map(of).collect()
}

fn views(captions: &[Value]) -> Vec<u64> {
    captions.iter().map(|caption| caption["view"].as_u64().unwrap()).collect()
}

#[test]
fn imported_renders_get_captions_and_features_in_place() {
    let (sandbox, keys) = imported_renders("3");
    let blip = fixture("blip_tiny/model.safetensors");
    let caption = |more: &[&str]| {
        sandbox.run(&[&["data", "caption", "set", "--caption-model", &blip, "--json"], more].concat())
    };
    let lines = caption(&[]).success().json();
    let captioned = lines.iter().find(|line| line["event"] == "captioned").unwrap();
    assert_eq!(captioned["counts"]["requests"], 9, "{lines:#?}");
    let merged = lines.iter().find(|line| line["event"] == "merged").unwrap();
    assert_eq!((&merged["dataset"], &merged["shapes"]), (&"set".into(), &3.into()));
    let first = captions(&sandbox, "set", &keys);
    for said in &first {
        assert_eq!(views(said), [0, 1, 2], "{said:#?}");
        assert!(said[0]["source"].as_str().unwrap().starts_with("blip:model@"), "{said:#?}");
    }
    sandbox.run(&["data", "inspect", "set", "--verify"]).success();
    assert!(!sandbox.path("set.update").exists());
    // Again: there is nothing to do.
    assert!(caption(&[]).success().stderr.contains("has these captions and features already"));
    let model = tiny_model().display().to_string();
    let features = |more: &[&str]| {
        sandbox.run(&[&["data", "features", "set", "--feature-model", &model], more].concat())
    };
    features(&[]).success();
    let unranked = captions(&sandbox, "set", &keys);
    assert_eq!(unranked, first);
    let shown = sandbox.run(&["data", "inspect", "set", "--json"]).success().json().remove(0);
    assert!(shown["settings"]["features"].as_str().unwrap().starts_with("tiny@"), "{shown:#}");
    assert_eq!(shown["settings"]["source"]["source"]["made_by"], "import zero123");
    // New captions need new features.
    caption(&["--caption-decoding", "greedy"])
        .failure(1, &["has features of its captions by tiny@", "--drop-features"]);
    caption(&["--caption-decoding", "greedy", "--drop-features", "--replace"]).success();
    let replaced = captions(&sandbox, "set", &keys);
    assert!(replaced.iter().all(|said| views(said) == [0, 1, 2]));
    let shown = sandbox.run(&["data", "inspect", "set", "--json"]).success().json().remove(0);
    assert_eq!(shown["settings"]["features"], Value::Null);
}

#[test]
fn blip_2_draws_ten_captions_and_the_best_are_kept() {
    let (sandbox, keys) = imported_renders("2");
    let (blip, model) = (fixture("blip2_tiny"), tiny_model().display().to_string());
    let caption = |out: &str, more: &[&str]| {
        let start = ["data", "caption", "set", "--out", out, "--caption-model", &blip];
        let ten = ["--caption-count", "10", "--feature-model", &model];
        sandbox.run(&[&start, &ten[..], more].concat()).success();
        captions(&sandbox, out, &keys)
    };
    let (all, best) = (caption("all", &[]), caption("best", &["--top-captions", "1", "--jobs", "1"]));
    for (all, best) in all.iter().zip(&best) {
        assert!((12..=20).contains(&all.len()), "{all:#?}");
        assert_eq!(views(best), [0, 1]);
        for (view, best) in best.iter().enumerate() {
            let of_view: Vec<&Value> =
                all.iter().filter(|caption| caption["view"].as_u64() == Some(view as u64)).collect();
            let score = |caption: &Value| caption["score"].as_f64().unwrap();
            assert!(of_view.windows(2).all(|pair| score(pair[0]) >= score(pair[1])), "{of_view:#?}");
            assert_eq!(of_view[0], best);
        }
    }
    assert_eq!(caption("again", &[]), all);
    assert_ne!(caption("other", &["--seed", "9"]), all);
    // The set itself is unchanged.
    assert!(captions(&sandbox, "set", &keys).iter().all(Vec::is_empty));
    let info = sandbox.run(&["model", "info", &blip]).success().stdout;
    assert!(info.contains("BLIP-2 captioner with OPT"), "{info}");
    let list = sandbox.run(&["model", "list"]).success().stdout;
    assert!(list.contains("Salesforce/blip2-opt-6.7b") && list.contains("research only"), "{list}");
}

#[test]
fn what_cannot_be_updated_says_why() {
    let (sandbox, _) = imported_renders("1");
    let blip = fixture("blip_tiny/model.safetensors");
    let run = |args: &[&str]| sandbox.run(&[&["data"], args].concat());
    run(&["caption", "set", "--caption-model", &blip, "--partition", "0/2"])
        .failure(2, &["--partition needs --out"]);
    run(&["caption", "s3://bucket/set", "--caption-model", &blip])
        .failure(1, &["a data set in an object store cannot be replaced", "--out"]);
    run(&["caption", "nowhere", "--caption-model", &blip]).failure(1, &["nowhere"]);
    run(&["caption", "set", "--top-captions", "1"]).failure(2, &["--feature-model"]);
    run(&["features", "set"]).failure(2, &["--feature-model"]);
    run(&["features", "set", "--feature-model", &blip]).failure(1, &["it is a captioner"]);
    // Points without views.
    let clouds = fixture("data/ulip");
    run(&["import", "ulip-objaverse", &clouds, "--out", "clouds"]).success();
    run(&["caption", "clouds", "--caption-model", &blip])
        .failure(1, &["captions describe views, and its shapes have none"]);
    let model = tiny_model().display().to_string();
    run(&["features", "clouds", "--feature-model", &model, "--out", "clouds2"]).success();
    // Another run with other settings while one is under way.
    let tree = sandbox.path("set.update");
    std::fs::create_dir_all(tree.join("parts")).unwrap();
    let state = r#"{"index": 0, "count": 1, "complete": false, "settings": {"made_by": "update"}}"#;
    std::fs::write(tree.join("parts/00000-of-00001.json"), state).unwrap();
    run(&["caption", "set", "--caption-model", &blip])
        .failure(1, &["was started with", "set.update to start over"]);
}
