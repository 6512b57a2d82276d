//! `lexiform data` through the binary: made, killed, divided, damaged, exported.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::support::Sandbox;

const SMALL: &str = "--views 3 --size 48 --points 64";

fn args(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn prepare<'a>(out: &'a str, more: &'a str) -> Vec<&'a str> {
    [args("data prepare models --json --out"), vec![out], args(SMALL), args(more)].concat()
}

fn shards(sandbox: &Sandbox, set: &str) -> Vec<(String, Vec<u8>)> {
    let folder = sandbox.path(set).join("shards");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|path| path.extension().is_some_and(|e| e == "tar"));
    files
        .iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn a_folder_becomes_a_data_set_with_features() {
    let sandbox = Sandbox::new();
    sandbox.write("models/broken.stl", "solid nothing");
    sandbox.write("annotations.csv", "file,label,caption,split\nkinds/tall.obj,tower,a tall tower,test\n");
    let model = crate::support::tiny_model().display().to_string();
    let more =
        format!("--folder-labels --annotations annotations.csv --feature-model {model} --top-captions 2");
    let lines = sandbox.run(&prepare("set", &more)).success().json();
    let event = |name: &str| lines.iter().filter(|line| line["event"] == name).collect::<Vec<_>>();
    assert_eq!(
        (event("written").len(), event("failed").len(), event("shard").len()),
        (3, 1, 1),
        "{lines:#?}"
    );
    assert_eq!(event("merged")[0]["views"], 9);
    let finished = event("finished")[0];
    assert_eq!((&finished["annotations"], &finished["annotations_matched"]), (&1.into(), &1.into()));
    assert!(event("written")[2]["shapes_per_minute"].as_f64().unwrap() > 0.0);
    let whole = sandbox.run(&["data", "inspect", "set", "--json"]).success().json().remove(0);
    assert_eq!(
        (&whole["splits"]["test"], &whole["labels"]["tower"], &whole["failed"]),
        (&1.into(), &1.into(), &1.into())
    );
    let key = event("written").iter().find(|line| line["source"] == "kinds/tall.obj").unwrap()["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let shape = sandbox.run(&["data", "inspect", "set", &key, "--json"]).success().json().remove(0);
    assert_eq!(shape["about"]["captions"].as_array().unwrap().len(), 2);
    assert!(shape["about"]["captions"][0]["score"].is_f64(), "{shape:#?}");
    assert!(shape["members"].as_array().unwrap().iter().any(|name| name == "views.npy"));
    let others = args("data prepare models --json --out set --views 4 --size 48 --points 64");
    sandbox.run(&others).failure(1, &["was started with", "hint: use the same settings"]);
    sandbox.run(&prepare("strict", "--strict")).json();
    assert_eq!(sandbox.run(&prepare("strict", "--strict")).code, 1);
}

#[test]
fn the_gallery_has_depth_and_normals_beside_its_views() {
    const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples");
    let sandbox = Sandbox::empty();
    // A textured mesh, a cloud of points, a bare mesh.
    let files = ["armchair.glb", "airplane_02.pcd", "axe.stl"].map(|name| format!("{SAMPLES}/{name}"));
    let from: Vec<&str> = files.iter().map(String::as_str).collect();
    let prepare = [args("data prepare --depth --normals --json --out set"), args(SMALL), from].concat();
    let lines = sandbox.run(&prepare).success().json();
    assert_eq!(lines.iter().filter(|line| line["event"] == "written").count(), 3, "{lines:#?}");
    sandbox.run(&["data", "inspect", "set", "--verify"]).success();
    sandbox.run(&["data", "export", "files", "set", "--out", "files"]).success();
    for shape in std::fs::read_dir(sandbox.path("files")).unwrap().map(|entry| entry.unwrap().path()) {
        for view in 0..3 {
            let open = |kind: char| image::open(shape.join(format!("{kind}{view:02}.png"))).unwrap();
            let (depth, normals) = (open('d'), open('n'));
            let pixels = depth.as_luma16().unwrap().pixels().zip(normals.as_rgb8().unwrap().pixels());
            let seen = pixels.clone().filter(|(depth, _)| depth.0 != [0]).count();
            assert!(seen > 48 && pixels.clone().all(|(d, n)| (d.0 == [0]) == (n.0 == [0; 3])), "{shape:?}");
            assert!(open('v').to_rgba8().dimensions() == (48, 48));
        }
    }
    // Colors alone are asked for by those who import views.
    sandbox.run(&["data", "export", "zero123", "set", "--out", "views"]).success();
    sandbox.run(&["data", "import", "zero123", "views", "--out", "again"]).success();
    assert_eq!(sandbox.run(&["data", "inspect", "again", "--json"]).success().json()[0]["views"], 9);
}

#[test]
fn a_killed_run_goes_on_as_if_nothing_had_been() {
    let sandbox = Sandbox::empty();
    for i in 0..60 {
        sandbox.write_box(&format!("models/box{i}.obj"), [1.0, 1.0 + i as f32, 2.0]);
    }
    sandbox.run(&prepare("whole", "")).success();
    let number = |line: &Value, name: &str| line[name].as_u64().unwrap();
    // Shapes of which a run said that they are written.
    let mut told = 0;
    for lines in [1, 12, 30] {
        let mut child = sandbox.command(&prepare("cut", "")).stdout(Stdio::piped()).spawn().unwrap();
        let seen = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).take(lines);
        let seen: Vec<Value> = seen.map(|line| serde_json::from_str(&line).unwrap()).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(number(&seen[0], "written") >= told, "{told} were told of before {seen:#?}");
        told = number(&seen[0], "written");
        told += seen.iter().filter(|line| line["event"] == "written").count() as u64;
    }
    let last = sandbox.run(&prepare("cut", "")).success().json();
    assert!(told > 11 && number(&last[0], "written") >= told, "{told} were told of before {last:#?}");
    assert!(shards(&sandbox, "whole") == shards(&sandbox, "cut"));
    sandbox.run(&["data", "inspect", "cut", "--verify"]).success();
    assert_eq!(sandbox.run(&["data", "inspect", "cut", "--json"]).success().json()[0]["shapes"], 60);
}

#[test]
fn parts_are_merged_and_damage_is_named() {
    let sandbox = Sandbox::new();
    sandbox.run(&prepare("set", "--partition 0/2")).success();
    sandbox
        .run(&["data", "merge", "set"])
        .failure(1, &["1 of 2 partitions are not complete: 1/2", "hint: finish the partitions"]);
    sandbox.run(&["data", "inspect", "set"]).failure(1, &["not finished or not merged"]);
    sandbox.run(&prepare("set", "--partition 1/2")).success();
    sandbox.run(&["data", "merge", "set"]).success();
    assert_eq!(
        sandbox.run(&["data", "inspect", "set", "--verify", "--json"]).success().json()[0]["errors"],
        serde_json::json!([])
    );
    let (name, mut bytes) = shards(&sandbox, "set").remove(0);
    let at = bytes.len() / 3;
    bytes[at] ^= 4;
    std::fs::write(sandbox.path("set/shards").join(&name), bytes).unwrap();
    let run = sandbox.run(&["data", "inspect", "set", "--verify"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains(&name) && run.stdout.contains("damaged"), "{run:#?}");
    sandbox.run(&prepare("x", "--partition 2/2")).failure(2, &["expected i/n"]);
}

#[test]
fn exports_are_imported_and_formats_are_listed() {
    let sandbox = Sandbox::new();
    sandbox.run(&prepare("set", "")).success();
    for format in ["duoduo", "zero123", "openshape", "captions", "files"] {
        sandbox.run(&["data", "export", format, "set", "--out", format]).success();
    }
    sandbox.run(&["data", "import", "duoduo", "duoduo", "--out", "again", "--json"]).success();
    assert_eq!(sandbox.run(&["data", "inspect", "again", "--json"]).success().json()[0]["views"], 9);
    sandbox.run(&["data", "import", "openshape", "openshape/split.json", "--out", "points"]).success();
    sandbox.run(&["data", "merge", "both", "again", "points"]).success();
    let formats = sandbox.run(&["data", "formats", "--json"]).success().json();
    assert_eq!(formats.len(), 18);
    sandbox
        .run(&["data", "import", "nothing", ".", "--out", "o"])
        .failure(2, &["unknown format \"nothing\": expected one of"]);
    sandbox
        .run(&["data", "import", "duoduo", "duoduo", "--out", "o", "--val-fraction", "7"])
        .failure(2, &["expected a fraction from 0 to 1, found \"7\""]);
    let ids = sandbox.path("duoduo/model_to_idx.json");
    let ids: std::collections::BTreeMap<String, u64> =
        serde_json::from_slice(&std::fs::read(ids).unwrap()).unwrap();
    sandbox.write("ids.txt", ids.keys().next().unwrap());
    sandbox.run(&["data", "import", "duoduo", "duoduo", "--out", "one", "--ids", "ids.txt"]).success();
    assert_eq!(sandbox.run(&["data", "inspect", "one", "--json"]).success().json()[0]["shapes"], 1);
}

/// With `cloud`, the library's tests speak to a store.
#[test]
fn stores_are_an_addition_of_the_build() {
    let sandbox = Sandbox::new();
    sandbox.run(&prepare("set", "")).success();
    let no_folders = ["expected a folder on one side and the address of an object store on the other"];
    sandbox.run(&["data", "copy", "set", "other"]).failure(1, &no_folders);
    if cfg!(feature = "cloud") {
        return;
    }
    let told = ["built without the feature `cloud`", "hint: "];
    sandbox.run(&["data", "prepare", "s3://bucket/models", "--out", "o"]).failure(1, &told);
    sandbox.run(&["data", "copy", "set", "s3://bucket/set"]).failure(1, &told);
    sandbox.run(&["data", "copy", "gs://bucket/set", "there"]).failure(1, &told);
    sandbox.run(&["data", "inspect", "az://container/set"]).failure(1, &told);
    assert!(!sandbox.path("there").exists());
}
