//! Commands that need a model: index, search, classify, embed, compare.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::support::{Sandbox, other_model, tiny_model, wide_model};
use lexiform_store::SqliteStore;
use serde_json::{Value, json};

#[test]
fn a_folder_is_searched_without_any_preparation() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["search", "models", "--shape", "models/kinds/tall.obj", "--json"]).success();
    let answers = run.json();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0]["rank"], 1);
    assert_eq!(answers[0]["path"], "models/kinds/tall.obj");
    assert!(answers[0]["score"].as_f64().unwrap() > 0.999, "{}", answers[0]);
    let id = answers[0]["id"].as_str().unwrap();
    assert_eq!(id.len(), 16);
    let like = sandbox.run(&["search", "models", "--like", id, "-k", "1", "--json"]).success();
    assert_eq!(like.json()[0]["id"], id);
    assert!(sandbox.path("models/.lexiform").is_dir());
}

#[test]
fn people_get_a_table() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["search", "models", "--shape", "models/flat.obj", "-k", "2"]).success();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{run:#?}");
    assert_eq!(lines[0], "rank  score  path");
    assert_eq!(lines[1], "   1  1.000  models/flat.obj");
    assert!(run.stderr.contains("3 indexed"), "{run:#?}");
    let again = sandbox.run(&["search", "models", "--shape", "models/flat.obj", "-k", "2"]).success();
    assert_eq!((again.stdout, again.stderr.as_str()), (run.stdout, ""));
}

#[test]
fn what_is_found_can_be_filtered_and_drawn() {
    let sandbox = Sandbox::new();
    let some = ["search", "models", "a box", "--where", "path ~ 'kinds/*'", "--sheet", "sheet.png", "--json"];
    let answers = sandbox.run(&some).success().json();
    assert_eq!(answers.len(), 2);
    assert!(image::image_dimensions(sandbox.path("sheet.png")).unwrap().0 > 100);
    let none = sandbox.run(&["search", "models", "a box", "--where", "triangles > 1M"]).success();
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains("none of 3 shapes matches --where"), "{none:#?}");
}

#[test]
fn an_empty_folder_is_explained() {
    let sandbox = Sandbox::empty();
    sandbox.write("notes.txt", "nothing here");
    let run = sandbox.run(&["search", ".", "a box"]).success();
    assert!(run.stderr.contains("no 3D files"), "{run:#?}");
    sandbox.write("broken.stl", "solid nothing");
    let run = sandbox.run(&["search", ".", "a box"]).success();
    assert!(run.stderr.contains("could be used"), "{run:#?}");
}

#[test]
fn files_in_unsupported_formats_are_counted() {
    let sandbox = Sandbox::new();
    for name in ["car.step", "kinds/room.blend", "kinds/ship.BLEND"] {
        sandbox.write(&format!("models/{name}"), "unreadable");
    }
    let expected = "3 files not read: .blend 2, .step 1\n";
    let index = sandbox.run(&["index", "models"]).success();
    assert!(index.stderr.contains(expected), "{index:#?}");
    let lines = sandbox.run(&["index", "models", "--json"]).success().json();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[3]["summary"]["not_read"], json!({"blend": 2, "step": 1}));
    let search = sandbox.run(&["search", "models", "a box"]).success();
    assert_eq!(search.stderr.matches(expected).count(), 1, "{search:#?}");
}

#[test]
fn packages_of_python_are_no_shapes() {
    let sandbox = Sandbox::new();
    sandbox.write("models/a.dist-info/RECORD", "a/__init__.py,sha256=0,12\n".repeat(12));
    sandbox.write("models/a.dist-info/top_level.txt", "a\n");
    sandbox.write("models/requirements.txt", "numpy==1.26.0\ntorch\n");
    sandbox.write("models/iris.csv", format!("150,4,setosa\n{}", "5.1,3.5,1.4\n".repeat(12)));
    sandbox.write("models/scan.csv", format!("x,y,z\n{}", "0,0,1\n1,0,0\n0,1,0\n1,1,1\n".repeat(3)));
    let run = sandbox.run(&["index", "models"]).success();
    assert!(run.stderr.contains("4 indexed in"), "{run:#?}");
}

#[test]
fn a_filter_alone_lists_what_it_selects() {
    let sandbox = Sandbox::new();
    let list = |filter: &str| {
        let run = sandbox.run(&["search", "models", "--where", filter, "--json"]).success();
        let path = |line: &Value| line["path"].as_str().unwrap().to_owned();
        run.json().iter().map(path).collect::<Vec<_>>()
    };
    assert_eq!(list("format = OBJ"), ["models/flat.obj", "models/kinds/cube.obj", "models/kinds/tall.obj"]);
    assert_eq!(list("name ~ CUBE"), ["models/kinds/cube.obj"]);
    assert_eq!(list("path ~ kinds and name !~ cube"), ["models/kinds/tall.obj"]);
    assert_eq!(list("name = cube"), [] as [&str; 0]);
    let table = sandbox.run(&["search", "models", "--where", "path ~ 'Kinds/*'", "-k", "1"]).success();
    assert_eq!(table.stdout, "path\nmodels/kinds/cube.obj\n");
    let line =
        sandbox.run(&["search", "models", "--where", "name ~ flat", "--json"]).success().json().remove(0);
    assert!(line["score"].is_null() && line["triangles"] == 12, "{line}");
    let drawn = ["search", "models", "--where", "name ~ l", "--sheet", "sheet.png"];
    sandbox.run(&drawn).success();
    assert!(sandbox.path("sheet.png").is_file());
}

#[test]
fn unwanted_texts_alone_rank_by_what_is_least_like_them() {
    let sandbox = Sandbox::new();
    let search = |words: &[&str]| {
        let run = sandbox.run(&[&["search", "models", "--rank-by", "semantic", "--json"], words].concat());
        run.success().json()
    };
    let (like, unlike) = (search(&["a box"]), search(&["--not", "a box"]));
    let paths = |lines: &[Value]| lines.iter().map(|line| line["path"].clone()).collect::<Vec<_>>();
    let mut reversed = paths(&like);
    reversed.reverse();
    assert_eq!(paths(&unlike), reversed);
    let score = |line: &Value| line["score"].as_f64().unwrap();
    assert!((score(&like[0]) + score(&unlike[2])).abs() < 1e-5, "{like:?} {unlike:?}");
}

#[test]
fn a_folder_in_an_indexed_folder_is_a_part_of_its_library() {
    let sandbox = Sandbox::new();
    sandbox.write_box("models/kinds_2/wide.obj", [3.0, 1.0, 1.0]);
    sandbox.run(&["index", "models"]).success();
    sandbox.write_box("models/kinds/new.obj", [1.0, 2.0, 1.0]);
    let search = |folder: &str, more: &[&str]| {
        let run = sandbox.run(&[&["search", folder, "a box", "--json"], more].concat()).success();
        let paths = run.json().into_iter().map(|line| line["path"].as_str().unwrap().to_owned());
        paths.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let part = ["models/kinds/cube.obj", "models/kinds/new.obj", "models/kinds/tall.obj"];
    assert_eq!(search("models/kinds", &[]), part);
    assert!(!sandbox.path("models/kinds/.lexiform").exists());
    assert_eq!(search("models/kinds", &["--where", "name ~ new"]), part[1..2]);
    assert_eq!(search("models/kinds", &["--rank-by", "name"]), [] as [&str; 0]);
    assert_eq!(search("models", &[]).len(), 5);
    assert_eq!(search("models/.lexiform", &[]), search("models", &[]));
    let none = sandbox.run(&["search", "models/kinds", "a box", "--where", "points > 0"]).success();
    assert!(none.stderr.contains("none of 3 shapes matches --where"), "{none:#?}");

    // Its own library comes first.
    sandbox.run(&["index", "models/kinds_2"]).success();
    assert_eq!(search("models/kinds_2", &[]), ["models/kinds_2/wide.obj"]);
    assert!(sandbox.path("models/kinds_2/.lexiform").is_dir());
}

#[test]
fn files_are_added_to_the_library_of_their_folder() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["index", "models/kinds/cube.obj", "--json"]).success();
    assert_eq!(run.json()[0]["path"], "models/kinds/cube.obj");
    assert!(sandbox.path("models/kinds/.lexiform").is_dir());
    let both = ["index", "models/kinds/cube.obj", "models/kinds/tall.obj"];
    let run = sandbox.run(&both).success();
    assert!(run.stderr.contains("1 indexed, 1 unchanged"), "{run:#?}");
    let others = ["index", "models/kinds/cube.obj", "models/flat.obj"];
    sandbox.run(&others).failure(2, &["several paths need --library"]);
    sandbox.write("a.h5", "");
    sandbox.run(&["index", "a.h5"]).failure(2, &["embeddings", "--library"]);
    sandbox
        .run(&["index", "models", "--library", "models/flat.obj"])
        .failure(1, &["models/flat.obj: expected a folder for the library, found a file", "hint: "]);
}

#[test]
fn index_tells_of_every_file() {
    let sandbox = Sandbox::new();
    sandbox.write("models/broken.stl", "solid nothing");
    let index = ["index", "models", "--library", "library", "--json"];
    let lines = sandbox.run(&index).success().json();
    assert_eq!(lines.len(), 5);
    let status = |lines: &[Value], name: &str| {
        let line = lines.iter().find(|l| l["path"].as_str().is_some_and(|p| p.ends_with(name)));
        line.map(|l| l["status"].clone()).unwrap()
    };
    assert_eq!(status(&lines, "flat.obj"), "indexed");
    assert_eq!(status(&lines, "broken.stl"), "failed");
    let summary = &lines[4]["summary"];
    assert_eq!((&summary["indexed"], &summary["failed"]), (&json!(3), &json!(1)));
    assert!(summary["seconds"].as_f64().is_some() && summary["unchanged"] == 0);

    fs_err::rename(sandbox.path("models/flat.obj"), sandbox.path("models/plate.obj")).unwrap();
    fs_err::remove_file(sandbox.path("models/kinds/cube.obj")).unwrap();
    let lines = sandbox.run(&index).success().json();
    assert_eq!(status(&lines, "plate.obj"), "renamed");
    assert_eq!(status(&lines, "cube.obj"), "removed");
    assert_eq!(status(&lines, "tall.obj"), "unchanged");

    let strict = sandbox.run(&["index", "models", "--library", "library", "--strict"]);
    assert_eq!(strict.code, 1);
    assert!(strict.stderr.contains("1 file could not be used") && strict.stderr.contains("broken.stl"));
    let answers = sandbox.run(&["search", "library", "a box", "--json"]).success().json();
    assert_eq!(answers.len(), 3, "what is gone stays until it is pruned");
}

#[test]
fn a_second_run_is_told_who_is_at_work_and_searching_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.run(&["index", "models"]).success();
    let _writer = SqliteStore::open_for_writing(&sandbox.path("models/.lexiform")).unwrap();
    sandbox.run(&["index", "models"]).failure(1, &["being written by", "hint: "]);
    let run = sandbox.run(&["search", "models", "--shape", "models/flat.obj", "-k", "1"]).success();
    assert!(run.stdout.contains("flat.obj") && run.stderr.contains("note: "), "{run:#?}");
}

#[test]
fn a_run_that_is_killed_keeps_what_it_told() {
    let sandbox = Sandbox::empty();
    for i in 0..60 {
        sandbox.write_box(&format!("models/{i:02}.obj"), [1.0, 1.0 + i as f32, 1.0]);
    }
    let mut child = sandbox.command(&["index", "models", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let told: BTreeSet<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .take(5)
        .map(|line| {
            serde_json::from_str::<Value>(&line.unwrap()).unwrap()["path"].as_str().unwrap().to_owned()
        })
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = sandbox.run(&["index", "models", "--json"]).success().json();
    let unchanged: BTreeSet<String> = lines
        .iter()
        .filter(|line| line["status"] == "unchanged")
        .map(|line| line["path"].as_str().unwrap().to_owned())
        .collect();
    assert!(told.is_subset(&unchanged), "{told:?} {unchanged:?}");
    assert_eq!(lines.last().unwrap()["summary"]["failed"], 0);
    assert_eq!(lines.len(), 61);
}

#[test]
fn two_models_never_mix() {
    let sandbox = Sandbox::new();
    sandbox.run(&["index", "models"]).success();
    let other = other_model().to_str().unwrap();
    sandbox.run(&["search", "models", "box", "--model", other]).failure(1, &["expected model ", "hint: "]);
}

/// As after an upgrade: the name stands for other weights.
#[test]
fn a_model_that_changed_encodes_the_files_anew() {
    let sandbox = Sandbox::new();
    let search = ["search", "models", "box", "--json", "--model", "model.safetensors"];
    let with = |weights: &std::path::Path| {
        fs_err::copy(weights, sandbox.path("model.safetensors")).unwrap();
        sandbox.run(&search).success().json()
    };
    let before = with(tiny_model());
    let after = with(other_model());
    assert_eq!((before.len(), after.len()), (3, 3));
    assert_ne!(before[0]["score"], after[0]["score"]);
    sandbox.run(&["index", "models"]).success();
    assert_eq!(sandbox.run(&search).success().json(), after);
}

#[test]
fn several_models_answer_side_by_side_and_together() {
    let sandbox = Sandbox::new();
    let (tiny, other) = (tiny_model().to_str().unwrap(), other_model().to_str().unwrap());
    sandbox.run(&["index", "models"]).success();
    let run = sandbox.run(&["index", "models", "--model", other]).success();
    assert!(run.stderr.contains("3 indexed"), "{run:#?}");
    let search = |more: &[&str]| {
        sandbox.run(&[&["search", "models", "a box", "--json"], more].concat()).success().json()
    };
    let [alone, second] = [tiny, other].map(|model| search(&["--model", model]));
    assert_eq!((alone.len(), second.len()), (3, 3));
    assert_ne!(alone, second, "each model has its own scores");
    let heavy = format!("{tiny}=1");
    let light = format!("{other}=0");
    for fusion in ["rrf", "weighted"] {
        let both = search(&["--model", &heavy, "--model", &light, "--fusion", fusion]);
        let ids = |answers: &[Value]| answers.iter().map(|a| a["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&both), ids(&alone), "a model without weight says nothing: {fusion}");
        assert_ne!(both[0]["score"], alone[0]["score"]);
    }
    let wrong = ["search", "models", "a box", "--model", "nano=-1", "--model", tiny];
    sandbox.run(&wrong).failure(2, &["expected a weight of at least 0 after `=`, found \"nano=-1\""]);
    let twice = ["search", "models", "a box", "--model", tiny, "--model", &heavy];
    sandbox.run(&twice).failure(2, &["is given twice"]);
    sandbox.run(&["search", "models", "a box", "--fusion", "mean"]).failure(2, &["expected rrf or weighted"]);

    // Without a name, all models are brought up to date.
    sandbox.write_box("models/new.obj", [1.0, 2.0, 3.0]);
    let mut command = sandbox.command(&["index", "models", "--json"]);
    let output = command.env_remove("LEXIFORM_MODEL").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("\"indexed\":1")).count(), 2, "{text}");
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn a_point_model_takes_points_and_borrows_words() {
    let points = lexiform_golden::shared("fixtures/pointbert_tiny_rgb/model.pt");
    let (sandbox, points) = (Sandbox::new(), points.to_str().unwrap());
    let words = wide_model().to_str().unwrap();
    let run = sandbox.run(&["index", "models", "--model", points]).success();
    assert!(run.stderr.contains("3 indexed"), "{run:#?}");
    let same = ["search", "models", "--shape", "models/kinds/tall.obj", "--model", points, "--json"];
    assert_eq!(sandbox.run(&same).success().json()[0]["path"], "models/kinds/tall.obj");
    let search = ["search", "models", "a box", "--model", points];
    sandbox.run(&search).failure(1, &["has no text tower", "--text-model"]);
    let answers = sandbox.run(&[&search[..], &["--text-model", words, "--json"]].concat()).success().json();
    assert_eq!(answers.len(), 3);
    let tiny = tiny_model().to_str().unwrap();
    sandbox
        .run(&[&search[..], &["--text-model", tiny]].concat())
        .failure(1, &["of dimension 40", "of dimension 32", "hint: "]);
    let classify =
        ["classify", "models/flat.obj", "--labels", "rug,table", "--model", points, "--text-model", words];
    sandbox.run(&[&classify[..], &["--json"]].concat()).success();
    sandbox.run(&["embed", "models/flat.obj", "-o", "a.npy", "--model", points]).success();
    sandbox.run(&["model", "convert", points, "own.safetensors"]).success();
    sandbox.run(&["embed", "models/flat.obj", "-o", "b.npy", "--model", "own.safetensors"]).success();
    let [a, b] = ["a.npy", "b.npy"].map(|name| fs_err::read(sandbox.path(name)).unwrap());
    assert_eq!(a, b, "a converted model gives the same embeddings");
    let card = sandbox.run(&["model", "info", points, "--json"]).success().json().remove(0);
    assert_eq!((&card["modality"], &card["dim"]), (&json!("points"), &json!(40)));
}

#[test]
fn classify_ranks_all_labels() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["classify", "models/flat.obj", "--labels", "table,rug", "--json"]).success();
    let line = &run.json()[0];
    assert_eq!(line["path"], "models/flat.obj");
    let scores: Vec<f64> =
        line["labels"].as_array().unwrap().iter().map(|l| l["score"].as_f64().unwrap()).collect();
    assert!(
        scores.len() == 2 && scores[0] >= scores[1] && (scores[0] + scores[1] - 1.0).abs() < 1e-4,
        "{line}"
    );
    sandbox.write("labels.txt", "table\n\nrug\nplate\n");
    sandbox.write("broken.stl", "solid nothing");
    let run =
        sandbox.run(&["classify", "broken.stl", "models/flat.obj", "--labels-file", "labels.txt"]).success();
    assert!(run.stdout.contains("plate") && run.stderr.contains("1 file could not be used"), "{run:#?}");
}

#[test]
fn classify_may_answer_none_of_these() {
    let sandbox = Sandbox::new();
    let classify = |more: &[&str]| {
        sandbox.run(&[&["classify", "models/flat.obj", "--labels", "table,rug"], more].concat())
    };
    let best = classify(&["--json"]).success().json().remove(0);
    assert_eq!(best["label"], best["labels"][0]["label"]);
    // Of two probabilities, the larger is at least a half.
    assert_eq!(classify(&["--json", "--reject", "0.4"]).success().json()[0]["label"], best["label"]);
    let rejected = classify(&["--json", "--reject", "1"]).success().json().remove(0);
    assert!(rejected["label"].is_null() && rejected["labels"].as_array().unwrap().len() == 2, "{rejected}");
    assert!(classify(&["--reject", "1"]).success().stdout.starts_with("none of these"));
    assert!(!classify(&["--reject", "0"]).success().stdout.contains("none of these"));
    classify(&["--reject", "2"]).failure(2, &["expected 0 to 1, found 2"]);
    sandbox
        .run(&["classify", "models/flat.obj", "--labels", "table", "--reject", "0.5"])
        .failure(2, &["expected at least two labels"]);
}

#[test]
fn embed_writes_unit_rows() {
    let sandbox = Sandbox::new();
    sandbox.run(&["embed", "models/flat.obj", "models/kinds/cube.obj", "-o", "shapes.npy"]).success();
    sandbox.run(&["embed", "--text", "a box", "-o", "text.npy"]).success();
    sandbox.run(&["render", "models/flat.obj", "-o", "views", "--views", "2"]).success();
    sandbox
        .run(&["embed", "--views", "views/v00.png", "views/v01.png", "-o", "views.npy", "--crop", "none"])
        .success();
    sandbox.run(&["embed", "models/flat.obj", "views/v00.png", "-o", "shapes.safetensors"]).success();
    for (name, rows) in [("shapes.npy", 2), ("text.npy", 1), ("views.npy", 1)] {
        let bytes = fs_err::read(sandbox.path(name)).unwrap();
        let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let values: Vec<f32> =
            bytes[header..].chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        let norm = values.iter().map(|x| x * x).sum::<f32>();
        assert!((norm - rows as f32).abs() < 1e-3, "{name}: {norm}");
    }
    sandbox.run(&["embed", "-o", "nothing.npy"]).failure(2, &["FILE"]);
}

#[test]
fn a_thing_is_like_itself() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["compare", "models/flat.obj", "models/flat.obj"]).success();
    assert_eq!(run.stdout, "1.000\n");
    let words = "the same to the model: models/flat.obj (3D file) and models/flat.obj (3D file); cosine similarity by";
    assert!(run.stderr.contains(words), "{run:#?}");
    let object = &sandbox.run(&["compare", "a red box", "models/flat.obj", "--json"]).success().json()[0];
    assert!(object["score"].as_f64().unwrap().abs() <= 1.0);
    assert!(object["model"].is_string() && object.get("words").is_some(), "{object}");
    sandbox.run(&["compare", "missing.glb", "words"]).failure(1, &["missing.glb"]);
}

#[test]
fn eval_counts_right_answers() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "labels.csv",
        "path,label\nmodels/flat.obj,table\nmodels/kinds/cube.obj,box\nbroken.stl,box\n",
    );
    sandbox.write("broken.stl", "solid nothing");
    let run = sandbox.run(&["eval", "zero-shot", "--labels", "labels.csv", "--json"]).success();
    let report = &run.json()[0];
    assert_eq!((&report["shapes"], &report["num_labels"]), (&json!(2), &json!(2)));
    assert_eq!(report["top_3"], 1.0);
    assert!(run.stderr.contains("1 file could not be used"), "{run:#?}");
    sandbox.write("other.csv", "shape,kind\na,b\n");
    sandbox
        .run(&["eval", "zero-shot", "--labels", "other.csv"])
        .failure(1, &["expected a column file", "hint: "]);
}

#[test]
fn models_are_listed_and_described() {
    let sandbox = Sandbox::empty();
    assert!(sandbox.run(&["model", "list"]).success().stdout.contains("nano"));
    let tiny = tiny_model();
    let card = &sandbox.run(&["model", "info", tiny.to_str().unwrap(), "--json"]).success().json()[0];
    assert!(card["dim"].as_u64().unwrap() > 0);
    sandbox.run(&["model", "convert", tiny.to_str().unwrap(), "tiny.safetensors"]).success();
    sandbox.run(&["compare", "a", "b", "--model", "tiny.safetensors"]).success();
    sandbox.run(&["model", "convert", tiny.to_str().unwrap(), "half.safetensors", "--half"]).success();
    let size = |name: &str| fs_err::metadata(sandbox.path(name)).unwrap().len();
    assert!(size("half.safetensors") * 3 < size("tiny.safetensors") * 2);
}

#[test]
fn a_checkpoint_is_recognized_and_told_apart() {
    let sandbox = Sandbox::empty();
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let info = |name: &str| {
        let path = fixtures.join(name);
        sandbox.run(&["model", "info", path.to_str().unwrap(), "--json"]).success().json().remove(0)
    };
    let duoduo = info("duoduo_tiny/model.ckpt");
    assert_eq!(duoduo["contents"]["kind"], "Duoduo CLIP");
    assert_eq!(duoduo["contents"]["missing"], json!([]));
    assert_eq!(duoduo["modality"], "views");
    let odd = &info("weights/odd.pt")["contents"];
    assert_eq!(odd["kind"], "unknown");
    assert_eq!(odd["container"], "state_dict");
    assert_eq!(odd["other_containers"], json!(["visual_clip_model", "optimizer"]));
    assert!(odd["values"].as_array().unwrap().contains(&json!(["metrics.acc", "61.5"])), "{odd}");
    let run =
        sandbox.run(&["model", "info", fixtures.join("weights/odd_legacy.pt").to_str().unwrap()]).success();
    assert!(run.stdout.contains("says        epoch = 12"), "{run:#?}");
    sandbox.write("broken.pt", "PK\u{3}\u{4} and no more");
    sandbox
        .run(&["model", "info", "broken.pt"])
        .failure(1, &["broken.pt: not a readable PyTorch file", "truncated or damaged"]);
    let by_hand = sandbox.run(&["compare", "a", "b", "--model", "cg3d-pt-1024"]);
    by_hand.failure(
        1,
        &[
            "must be downloaded manually",
            "hint: download https://drive.google.com/file/d/14aFau0H5Zn4byH6ahq7_PI7xzBSL18Ao",
        ],
    );
}
