//! Searching embeddings that were computed elsewhere: files by other libraries, data sets, prompts.

use std::path::Path;

use serde_json::Value;

use crate::support::{Run, Sandbox, other_model};

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/embeddings").join(name).display().to_string()
}

/// Names and scores of results, as the reference's search lists them.
fn ranking(lines: &[Value]) -> Vec<(String, f64)> {
    lines.iter().map(|l| (l["path"].as_str().unwrap().to_owned(), l["score"].as_f64().unwrap())).collect()
}

fn expected() -> Vec<Vec<(String, f64)>> {
    let text = fs_err::read_to_string(fixture("expected.json")).unwrap();
    let queries: Vec<Vec<Value>> = serde_json::from_str(&text).unwrap();
    let hit = |hit: &Value| (hit["name"].as_str().unwrap().to_owned(), hit["score"].as_f64().unwrap());
    queries.iter().map(|hits| hits.iter().map(hit).collect()).collect()
}

fn assert_matches(found: &[(String, f64)], expected: &[(String, f64)], what: &str) {
    let names = |ranking: &[(String, f64)]| ranking.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    assert!(found.iter().zip(expected).all(|((_, a), (_, b))| (a - b).abs() < 2e-6), "{what}: {found:?}");
}

#[test]
fn published_embeddings_are_searched_as_faiss_does() {
    let sandbox = Sandbox::empty();
    for name in
        ["shape_emb.h5", "chunked.h5", "compressed.npz", "plain.npy", "table.parquet", "tensors.safetensors"]
    {
        let library = format!("library of {name}");
        let run = sandbox.run(&["index", &fixture(name), "--library", &library]).success();
        assert!(run.stderr.contains("48 indexed") && run.stdout.contains("48 shapes"), "{run:#?}");
        let search = ["search", &library, "--embedding", &fixture("queries.npy"), "-k", "5", "--json"];
        let lines = sandbox.run(&search).success().json();
        assert_eq!(lines.len(), 20);
        for (lines, expected) in lines.chunks(5).zip(expected()) {
            assert_matches(&ranking(lines), &expected, name);
            let name = lines[0]["path"].as_str().unwrap();
            assert_eq!(lines[0]["link"], format!("https://sketchfab.com/3d-models/{name}"));
        }
    }
    // The same file again: nothing changes. Another file with the same names: rows are compared.
    let again =
        sandbox.run(&["index", &fixture("chunked.h5"), "--library", "library of shape_emb.h5"]).success();
    assert!(again.stderr.contains("0 indexed, 48 unchanged"), "{again:#?}");
}

#[test]
fn a_prompt_answers_every_line_until_exit() {
    let sandbox = Sandbox::empty();
    sandbox.run(&["index", &fixture("shape_emb.h5"), "--library", "l"]).success();
    let asked = sandbox.run_with_input(&["search", "l", "--json"], "a chair\n\n a red car \nEXIT\nunread\n");
    let lines = asked.success().json();
    assert_eq!(lines.len(), 10, "five for each of two queries");
    let alone = sandbox.run(&["search", "l", "a chair", "-k", "5", "--json"]).success().json();
    assert_eq!(lines[..5], alone);
    let table = sandbox.run_with_input(&["search", "l", "-k", "1"], "a chair").success();
    assert!(
        table.stdout.starts_with("rank  score  id ") && table.stdout.contains("sketchfab.com"),
        "{table:#?}"
    );
    sandbox.run_with_input(&["search", "l"], "").failure(2, &["nothing to search for"]);
}

#[test]
fn records_are_pruned_with_their_source_and_files_are_kept() {
    let sandbox = Sandbox::new();
    let write = |names: &[&str]| {
        let index: Vec<String> = names.iter().enumerate().map(|(i, name)| format!("{name:?}: {i}")).collect();
        sandbox.write("a_model_to_idx.json", format!("{{{}}}", index.join(", ")));
    };
    fs_err::copy(fixture("shape_emb.h5"), sandbox.path("a.h5")).unwrap();
    write(&["one", "two", "three"]);
    sandbox.run(&["index", "models", "a.h5", "--library", "l"]).success();
    write(&["one", "three"]);
    let kept = sandbox.run(&["index", "a.h5", "--library", "l"]).success();
    assert!(
        kept.stderr.contains("1 indexed, 1 unchanged, 1 removed"),
        "three has another row now: {kept:#?}"
    );
    let count = |run: Run| run.success().stdout.trim().rsplit(": ").next().map(str::to_owned).unwrap();
    assert_eq!(count(sandbox.run(&["index", "models", "--library", "l", "--prune"])), "6 shapes");
    let pruned = sandbox.run(&["index", "a.h5", "--library", "l", "--prune"]);
    assert_eq!(count(pruned), "5 shapes");
    let found = sandbox.run(&["search", "l", "a box", "--json", "--where", "format != embedding"]).success();
    assert_eq!(found.json().len(), 3);
    let duplicates = sandbox.run(&["duplicates", "l", "--json"]).success();
    assert!(!duplicates.stdout.contains("one"), "{duplicates:#?}");
}

#[test]
fn files_of_one_name_in_two_folders_are_two_sources() {
    let sandbox = Sandbox::empty();
    for (folder, names) in [("x", r#"{"one": 0, "two": 1}"#), ("y", r#"{"three": 2}"#)] {
        let file = format!("{folder}/a.h5");
        sandbox.write(&format!("{folder}/a_model_to_idx.json"), names);
        fs_err::copy(fixture("shape_emb.h5"), sandbox.path(&file)).unwrap();
        sandbox.run(&["index", &file, "--library", "l"]).success();
    }
    let pruned = sandbox.run(&["index", "y/a.h5", "--library", "l", "--prune"]).success();
    assert!(pruned.stderr.contains("0 indexed, 1 unchanged in"), "{pruned:#?}");
    assert!(pruned.stdout.contains("3 shapes"), "{pruned:#?}");
}

#[test]
fn queries_may_repeat_and_are_of_the_librarys_model() {
    let sandbox = Sandbox::empty();
    sandbox.run(&["index", &fixture("shape_emb.h5"), "--library", "l"]).success();
    sandbox.run(&["embed", "--text", "a chair", "--text", "a chair", "-o", "own.npz"]).success();
    let search = ["search", "l", "--embedding", "own.npz", "-k", "2", "--json"];
    let lines = sandbox.run(&search).success().json();
    assert_eq!(lines.len(), 4);
    assert_eq!((&lines[0]["path"], &lines[1]["path"]), (&lines[2]["path"], &lines[3]["path"]));
    sandbox.run(&["index", "own.npz", "--library", "l"]).failure(1, &["\"a chair\" is there twice"]);
    let noted = sandbox.run(&["embed", "--text", "a", "--text", "a", "-o", "d.h5"]).success();
    assert!(noted.stderr.contains("d_model_to_idx.json has only the last row"), "{noted:#?}");
    let other = other_model().to_str().unwrap();
    sandbox.run(&["embed", "--text", "a chair", "-o", "other.npz", "--model", other]).success();
    for args in [["search", "l", "--embedding", "other.npz"], ["index", "other.npz", "--library", "l"]] {
        sandbox.run(&args).failure(1, &["other.npz: expected embeddings of", "--model"]);
    }
    sandbox.write_npy("none.npy", 32, &[]);
    sandbox.run(&["search", "l", "--embedding", "none.npy"]).failure(2, &["none.npy: expected embeddings"]);
}

#[test]
fn unusable_files_and_models_are_errors() {
    let sandbox = Sandbox::empty();
    let whole = fs_err::read(fixture("shape_emb.h5")).unwrap();
    sandbox.write("short.h5", &whole[..whole.len() / 2]);
    sandbox.run(&["index", "short.h5", "--library", "l"]).failure(1, &["short.h5"]);
    sandbox.run(&["index", &fixture("shape_emb.h5")]).failure(2, &["--library"]);
    sandbox.run(&["index", "absent.h5", "--library", "l"]).failure(1, &["absent.h5: no such file"]);
    fs_err::copy(fixture("shape_emb.h5"), sandbox.path("nameless.h5")).unwrap();
    sandbox.run(&["index", "nameless.h5", "--library", "l"]).failure(1, &["no names", "--names FILE"]);
    sandbox.run(&["index", "nameless.h5", "--library", "l", "--names", &fixture("plain.txt")]).success();
    sandbox
        .run(&["search", "l", "--embedding", &fixture("queries.npy"), "--model", "duoduo"])
        .failure(1, &["no model duoduo"]);
    sandbox.run(&["embed", "--text", "a chair", "-o", "t.npy"]).success();
    sandbox.run(&["search", "l", "--embedding", "t.npy", "-k", "1"]).success();
    sandbox.run(&["search", "l", "--embedding", "absent.npy"]).failure(1, &["absent.npy"]);
}

#[test]
fn data_sets_are_indexed_and_only_changed_shapes_are_embedded_again() {
    let sandbox = Sandbox::new();
    sandbox.run(&["data", "prepare", "models", "-o", "set", "--views", "4", "--size", "64"]).success();
    let first = sandbox.run(&["index", "set", "--library", "l"]).success();
    assert!(first.stderr.contains("3 indexed"), "{first:#?}");
    let again = sandbox.run(&["index", "set", "--library", "l"]).success();
    assert!(again.stderr.contains("0 indexed, 3 unchanged"), "{again:#?}");
    let lines = sandbox.run(&["search", "l", "a tall box", "--json"]).success().json();
    assert_eq!(lines.len(), 3);
    // A library inside the set is made by the first search.
    let own = sandbox.run(&["search", "set", "a tall box", "--json"]).success().json();
    assert_eq!(own, lines);
}

#[test]
fn folders_and_data_sets_are_embedded_shape_by_shape() {
    let sandbox = Sandbox::new();
    let rows = |path: &str| {
        let run = sandbox.run(&["embed", path, "-o", "a.npz", "--force"]).success();
        assert!(run.stderr.contains("wrote 3 × "), "{run:#?}");
        fs_err::read(sandbox.path("a.npz")).unwrap()
    };
    let files = ["models/flat.obj", "models/kinds/cube.obj", "models/kinds/tall.obj"];
    sandbox.write("list.txt", files.join("\n"));
    // Files of inner folders too, in the order of their paths.
    assert_eq!(rows("models"), rows("@list.txt"));
    sandbox.run(&["data", "prepare", "models", "--out", "set", "--views", "2"]).success();
    rows("set");
    // A folder of views is one shape, as before.
    sandbox.run(&["render", "models/flat.obj", "-o", "views", "--views", "3", "--size", "40"]).success();
    let run = sandbox.run(&["embed", "views", "-o", "b.npz"]).success();
    assert!(run.stderr.contains("wrote 1 × "), "{run:#?}");
}

#[test]
fn a_killed_embed_continues_and_gives_the_same_file() {
    const SHAPES: u16 = 60;
    let sandbox = Sandbox::empty();
    for i in 0..SHAPES {
        sandbox.write_box(&format!("boxes/{i:02}.obj"), [1.0, f32::from(i + 1), 2.0]);
    }
    sandbox.run(&["embed", "boxes", "-o", "whole.npz"]).success();
    let (log, rows) = (sandbox.path("cut.npz.partial.jsonl"), sandbox.path("cut.npz.partial"));
    // One line is the settings; some rows are computed before the process is killed.
    let lines = || fs_err::read_to_string(&log).map_or(0, |text| text.lines().count());
    for expected in [4, 9] {
        let mut embed = sandbox.command(&["embed", "boxes", "-o", "cut.npz"]).spawn().unwrap();
        while lines() < expected {
            assert!(embed.try_wait().unwrap().is_none(), "ended before it was killed");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        embed.kill().unwrap();
        embed.wait().unwrap();
        assert!(!sandbox.path("cut.npz").exists() && rows.exists());
    }
    let run = sandbox.run(&["embed", "boxes", "-o", "cut.npz"]).success();
    assert!(
        run.stderr.contains("resuming: ") && run.stderr.contains("rows of an interrupted run"),
        "{run:#?}"
    );
    let read = |name: &str| fs_err::read(sandbox.path(name)).unwrap();
    assert!(read("cut.npz") == read("whole.npz"), "files differ");
    assert!(!log.exists() && !rows.exists());
}
