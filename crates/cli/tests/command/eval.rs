//! `lexiform eval` through the binary: on files, on features, with several models, and its report.

use serde_json::{Value, json};

use crate::support::{Sandbox, other_model, tiny_model, wide_model};

/// Folders of boxes: four flat ones, four tall ones, four cubes.
pub fn boxes() -> Sandbox {
    let sandbox = Sandbox::empty();
    for i in 0..4_u8 {
        let more = 0.1 * f32::from(i);
        sandbox.write_box(&format!("things/coffee_table/t{i}.obj"), [3.0 + more, 0.3, 2.0]);
        sandbox.write_box(&format!("things/tower/w{i}.obj"), [0.5 + more, 4.0, 0.6]);
        sandbox.write_box(&format!("things/box/b{i}.obj"), [1.0, 1.0 + more, 1.0]);
    }
    let rows = ["coffee_table/t", "tower/w", "box/b"].map(|start| {
        let label = start.split('/').next().unwrap();
        (0..4).map(|i| format!("{start}{i}.obj,{label}\n")).collect::<String>()
    });
    sandbox.write("things/labels.csv", format!("file,label\n{}", rows.concat()));
    sandbox
}

pub const BY_FOLDER: [&str; 6] = ["eval", "zero-shot", "--labels", "folders", "--assets", "things"];

#[test]
fn labels_come_from_folders_and_a_report_is_written() {
    let sandbox = boxes();
    let run = sandbox.run(&[&BY_FOLDER[..], &["--report", "out", "--json"]].concat()).success();
    let result = &run.json()[0];
    assert_eq!((&result["shapes"], &result["num_labels"]), (&json!(12), &json!(3)));
    let share = result["top_1"].as_f64().unwrap();
    let interval = &result["intervals"]["top_1"];
    assert!(interval["low"].as_f64().unwrap() <= share && share <= interval["high"].as_f64().unwrap());
    let page = fs_err::read_to_string(sandbox.path("out/report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("coffee_table") && !page.contains("http"), "{page}");
    assert_eq!(page.matches("data:image/jpeg").count(), 12 - (share * 12.0).round() as usize);
    let report: Value =
        serde_json::from_str(&fs_err::read_to_string(sandbox.path("out/report.json")).unwrap()).unwrap();
    assert_eq!(report["results"][0], *result);
    let lines = |name: &str| fs_err::read_to_string(sandbox.path(name)).unwrap().lines().count();
    assert_eq!((lines("out/classes.csv"), lines("out/predictions.csv")), (4, 13));
    let text = sandbox.run(&BY_FOLDER).success().stdout;
    assert!(text.contains("mean class accuracy") && text.contains("12 shapes, 3 labels"), "{text}");
    sandbox.run(&["eval", "zero-shot", "--labels", "folders"]).failure(2, &["--assets"]);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let sandbox = boxes();
    let run = |threads: &str, out: &str| {
        let args = [&BY_FOLDER[..], &["--report", out, "--json"]].concat();
        let output = sandbox.command(&args).env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let files = ["report.json", "classes.csv", "predictions.csv"];
        let files = files.map(|name| fs_err::read_to_string(sandbox.path(out).join(name)).unwrap());
        (String::from_utf8(output.stdout).unwrap(), files.map(|text| text.replace(out, "")))
    };
    assert_eq!(run("1", "one"), run("2", "two"));
}

#[test]
fn features_stand_for_files() {
    let sandbox = boxes();
    let files: Vec<String> = fs_err::read_to_string(sandbox.path("things/labels.csv"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| format!("things/{}", line.split(',').next().unwrap()))
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    for output in ["rows.safetensors", "rows.npy"] {
        sandbox.run(&[&["embed"], &files[..], &["-o", output]].concat()).success();
    }
    let numbers = |args: &[&str]| {
        let line =
            sandbox.run(&[&["eval", "zero-shot", "--labels", "things/labels.csv", "--json"], args].concat());
        let line = line.success().json().remove(0);
        (line["top_1"].clone(), line["classes"].clone())
    };
    let from_files = numbers(&[]);
    assert_eq!(numbers(&["--features", "rows.safetensors"]), from_files);
    assert_eq!(numbers(&["--features", "rows.npy"]), from_files);
    let by_folder = [&BY_FOLDER[..], &["--features", "rows.safetensors", "--json"]].concat();
    assert_eq!(sandbox.run(&by_folder).success().json()[0]["shapes"], 12);
    // Words may be features too: sorted labels, one row each.
    let words =
        ["embed", "--text", "a box", "--text", "a coffee table", "--text", "a tower", "-o", "words.npy"];
    sandbox.run(&words).success();
    numbers(&["--features", "rows.npy", "--class-features", "words.npy"]);
    let zero_shot = ["eval", "zero-shot", "--labels", "things/labels.csv", "--features"];
    let other = other_model().to_str().unwrap();
    sandbox
        .run(&[&zero_shot[..], &["rows.safetensors", "--model", other]].concat())
        .failure(1, &["were computed by tiny", "found other"]);
    sandbox.run(&[&zero_shot[..], &["words.npy"]].concat()).failure(1, &["expected 12 rows", "found 3"]);
    sandbox.run(&[&zero_shot[..], &["things/labels.csv"]].concat()).failure(1, &["labels.csv", "hint: "]);
}

#[test]
fn models_and_numbers_of_views_stand_side_by_side() {
    let sandbox = boxes();
    let (tiny, other) = (tiny_model().to_str().unwrap(), other_model().to_str().unwrap());
    let args = [&BY_FOLDER[..], &["--model", tiny, "--model", other, "--views", "1,3", "--json"]].concat();
    let lines = sandbox.run(&args).success().json();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines.iter().map(|l| l["views"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3, 1, 3]);
    assert!(lines[0].get("against_first").is_none());
    assert!(lines[1..].iter().all(|l| l["against_first"]["items"] == 12));
    let text = sandbox.run(&args[..args.len() - 1]).success().stdout;
    assert!(text.contains("top-1 vs. first") && text.contains("3 views"), "{text}");
    let drawn = [&BY_FOLDER[..], &["--seeds", "reference", "--views", "2", "--json"]].concat();
    let lines = sandbox.run(&drawn).success().json();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[..3].iter().map(|l| l["seed"].as_u64().unwrap()).collect::<Vec<_>>(), [678, 789, 900]);
    let mean: f64 = lines[..3].iter().map(|l| l["top_1"].as_f64().unwrap() * 100.0 / 3.0).sum();
    assert!((lines[3]["percent"][0].as_f64().unwrap() - mean).abs() < 0.011, "{lines:?}");
    sandbox.run(&[&BY_FOLDER[..], &["--views", "0"]].concat()).failure(2, &["0"]);
    sandbox
        .run(&[&BY_FOLDER[..], &["--seeds", "many"]].concat())
        .failure(2, &["expected numbers or `reference`"]);
}

#[test]
fn runs_are_compared_file_by_file() {
    let sandbox = boxes();
    let other = other_model().to_str().unwrap();
    sandbox.run(&[&BY_FOLDER[..], &["--report", "one"]].concat()).success();
    sandbox.run(&[&BY_FOLDER[..], &["--report", "two", "--model", other]].concat()).success();
    let lines = sandbox.run(&["eval", "compare", "one", "two/predictions.csv", "--json"]).success().json();
    assert_eq!((&lines[0]["shapes"], &lines[1]["against_first"]["items"]), (&json!(12), &json!(12)));
    let same = sandbox.run(&["eval", "compare", "one", "one", "--json"]).success().json();
    assert_eq!(
        (&same[1]["against_first"]["difference"], &same[1]["against_first"]["p_value"]),
        (&json!(0.0), &json!(1.0))
    );
    assert!(sandbox.run(&["eval", "compare", "one", "two"]).success().stdout.contains("only this correct"));
    sandbox.run(&["eval", "compare", "one", "nowhere"]).failure(1, &["nowhere"]);
    sandbox.run(&["eval", "compare", "one", "one/classes.csv"]).failure(1, &["expected a column file"]);
}

#[test]
fn captions_and_photos_find_shapes() {
    let sandbox = boxes();
    let captions = "file,caption\ntower/w0.obj,a tall tower\ntower/w1.obj,a tall tower\nbox/b0.obj,a box\n\
        box/b0.obj,a cube\nmissing.obj,nothing\n";
    sandbox.write("things/captions.csv", captions);
    sandbox
        .run(&[
            "render",
            "things/tower/w0.obj",
            "-o",
            "things/photos",
            "--rig",
            "zero123",
            "--views",
            "2",
            "--size",
            "40",
        ])
        .success();
    sandbox
        .write("things/photos.csv", "image,file\nphotos/v00.png,tower/w0.obj\nphotos/v01.png,tower/w0.obj\n");
    let args = ["eval", "retrieval", "--captions", "things/captions.csv", "--photos", "things/photos.csv"];
    let run = sandbox.run(&[&args[..], &["--per-query-csv", "queries.csv", "--json"]].concat()).success();
    assert!(run.stderr.contains("missing.obj: no such file"), "{run:#?}");
    let sizes: Vec<[u64; 2]> =
        run.json().iter().map(|l| ["queries", "gallery"].map(|key| l[key].as_u64().unwrap())).collect();
    // Three texts for three shapes, and back; two photos, and back for the one shape they show.
    assert_eq!(sizes, [[3, 3], [3, 3], [2, 3], [1, 2]]);
    assert_eq!(
        fs_err::read_to_string(sandbox.path("queries.csv")).unwrap().lines().count(),
        1 + 3 + 3 + 2 + 1
    );
    let text = sandbox.run(&args).success().stdout;
    assert!(text.contains("photo → shape") && text.contains("–") && !text.contains("vs. first"), "{text}");
    for line in run.json() {
        let share = line["recall"][0].as_f64().unwrap();
        let [low, high] = ["low", "high"].map(|end| line["intervals"]["recall"][0][end].as_f64().unwrap());
        assert!(low <= share && share <= high && low < high, "{line}");
        assert!(line.get("against_first").is_none());
    }
    // Labels as words: four right answers each.
    let labels =
        sandbox.run(&["eval", "retrieval", "--captions", "things/labels.csv", "--json"]).success().json();
    assert_eq!((&labels[0]["queries"], &labels[0]["gallery"]), (&json!(3), &json!(12)));
    assert_eq!(labels[0]["recall_all"][0].as_f64().unwrap() * 4.0, labels[0]["recall"][0].as_f64().unwrap());
}

#[test]
fn models_are_compared_in_every_direction() {
    let sandbox = boxes();
    let (tiny, other) = (tiny_model().to_str().unwrap(), other_model().to_str().unwrap());
    let one = ["eval", "retrieval", "--captions", "things/labels.csv", "--model", tiny];
    let both = [&one[..], &["--model", other]].concat();
    let lines =
        sandbox.run(&[&both[..], &["--per-query-csv", "queries.csv", "--json"]].concat()).success().json();
    let told = |line: &Value| (line["direction"].clone(), line["model"].as_str().unwrap()[..4].to_owned());
    let [there, back] = ["text → shape", "shape → text"].map(|name| json!(name));
    let expected = [(&there, "tiny"), (&there, "othe"), (&back, "tiny"), (&back, "othe")];
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), expected.map(|(d, m)| (d.clone(), m.to_owned())));
    for (first, further) in [(0, 1), (2, 3)] {
        let compared = &lines[further]["against_first"];
        let share = |line: usize| lines[line]["recall"][0].as_f64().unwrap();
        let difference = compared["difference"].as_f64().unwrap();
        assert!((share(further) - share(first) - difference).abs() < 1e-12, "{compared}");
        assert_eq!(compared["items"], lines[first]["queries"]);
        assert!(lines[first].get("against_first").is_none());
    }
    // A model gives the same results alone and with others; every query of each has a line.
    let alone = sandbox.run(&[&one[..], &["--json"]].concat()).success().json();
    assert_eq!([&alone[0], &alone[1]], [&lines[0], &lines[2]]);
    assert_eq!(
        fs_err::read_to_string(sandbox.path("queries.csv")).unwrap().lines().count(),
        1 + 2 * (3 + 12)
    );
    let text = sandbox.run(&both).success().stdout;
    assert!(text.contains("R@1 vs. first") && text.lines().count() == 5, "{text}");
    sandbox
        .run(&[&both[..], &["--features", "rows.npy"]].concat())
        .failure(2, &["precomputed features are of one model, found 2"]);
}

#[test]
fn unwritable_outputs_are_errors_before_any_work() {
    let sandbox = boxes();
    sandbox.write("file", "");
    // The model does not exist either; that would be the error if the work had begun.
    let report = [&BY_FOLDER[..], &["--model", "nowhere.safetensors", "--report", "file"]].concat();
    sandbox.run(&report).failure(1, &["file: cannot be written", "hint: "]);
    let retrieval =
        ["eval", "retrieval", "--captions", "things/labels.csv", "--model", "nowhere.safetensors"];
    sandbox
        .run(&[&retrieval[..], &["--per-query-csv", "no/queries.csv"]].concat())
        .failure(1, &["no/queries.csv: cannot be written"]);
    sandbox
        .run(&["search", "things", "box", "--sheet", "no/sheet.png"])
        .failure(1, &["no/sheet.png: cannot be written"]);
    sandbox.run(&["duplicates", "things", "--sheet", "things"]).failure(1, &["found a folder"]);
}

#[test]
fn tables_are_read_under_the_same_headings_and_splits() {
    let sandbox = boxes();
    let rows = "box/b0.obj,box,a box,Training\ntower/w0.obj,tower,a tall tower,TEST\ntower/w1.obj,tower,a tower,testing\n\
        tower/w2.obj,tower,a high one,train\n";
    sandbox.write("things/mine.csv", format!("Path,Category,Description,Split\n{rows}"));
    let of_table = ["eval", "zero-shot", "--labels", "things/mine.csv", "--json"];
    let shapes =
        |more: &[&str]| sandbox.run(&[&of_table[..], more].concat()).success().json()[0]["shapes"].clone();
    assert_eq!(
        [shapes(&[]), shapes(&["--split", "Test"]), shapes(&["--split", "train"])],
        [4, 2, 2].map(|n| json!(n))
    );
    sandbox
        .run(&[&of_table[..], &["--split", "val"]].concat())
        .failure(1, &["none of 4 shapes is in split", "test, train"]);
    sandbox
        .run(&[&of_table[..], &["--split", "banana"]].concat())
        .failure(2, &["expected split train, val or test"]);
    let retrieval = ["eval", "retrieval", "--captions", "things/mine.csv", "--json"];
    let texts =
        |more: &[&str]| sandbox.run(&[&retrieval[..], more].concat()).success().json()[0]["queries"].clone();
    assert_eq!([texts(&[]), texts(&["--split", "test"])], [4, 2].map(|n| json!(n)));
    sandbox
        .run(&[&retrieval[..], &["--split", "val"]].concat())
        .failure(1, &["none of 4 shapes is in split", "test, train"]);
    let probe = ["eval", "probe", "--labels", "things/mine.csv", "--json"];
    assert_eq!(sandbox.run(&probe).success().json()[0]["shapes"], 2);
    sandbox.write("things/bad.csv", "file,label,split\nbox/b0.obj,box,dev\n");
    let bad = ["eval", "zero-shot", "--labels", "things/bad.csv"];
    sandbox.run(&bad).failure(1, &["line 2: expected split train, val or test, found \"dev\""]);
}

#[test]
fn probes_and_episodes_learn_from_examples() {
    let sandbox = boxes();
    let probe = ["eval", "probe", "--labels", "folders", "--assets", "things", "--json"];
    let line = &sandbox.run(&probe).success().json()[0];
    assert_eq!((&line["shapes"], &line["train_shapes"]), (&json!(6), &json!(6)));
    assert!(line["top_1"].as_f64().unwrap() > 0.8, "boxes of different proportions are separable: {line}");
    let few = ["eval", "few-shot", "--labels", "folders", "--assets", "things", "--way", "3", "--json"];
    let line = sandbox.run(&few).success().json().remove(0);
    assert!(line["accuracy"].as_f64().unwrap() > 0.6, "{line}");
    assert_eq!(sandbox.run(&few).success().json()[0], line);
    sandbox.run(&[&few[..], &["--shot", "4"]].concat()).failure(1, &["more than 4 items, found 0"]);
    let table = "file,label,split\nbox/b0.obj,box,train\ntower/w0.obj,tower,train\ntower/w1.obj,tower,test\n";
    sandbox.write("things/split.csv", table);
    let line = &sandbox.run(&["eval", "probe", "--labels", "things/split.csv", "--json"]).success().json()[0];
    assert_eq!((&line["shapes"], &line["train_shapes"]), (&json!(1), &json!(2)));
}

#[test]
fn logits_of_a_classifier_are_scored_and_averaged() {
    let sandbox = Sandbox::empty();
    sandbox.write("labels.csv", "file,label\na,cup\nb,cup\nc,vase\n");
    // [3, 2], columns cup and vase; the two files differ in how confident they are about `b`.
    sandbox.write_npy("one.npy", 2, &[2.0, 1.0, 1.0, 3.0, 0.0, 1.0]);
    sandbox.write_npy("two.npy", 2, &[2.0, 1.0, 9.0, 1.0, 0.0, 1.0]);
    let one = ["eval", "classify", "--labels", "labels.csv", "--logits", "one.npy"];
    let line = sandbox.run(&[&one[..], &["--json"]].concat()).success().json().remove(0);
    assert_eq!((&line["mean_class_accuracy"], &line["augmentations"]), (&json!(0.75), &json!(1)));
    assert!((line["top_1"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12);
    let both = [&one[..], &["--logits", "two.npy"]].concat();
    assert_eq!(sandbox.run(&[&both[..], &["--json"]].concat()).success().json()[0]["top_1"], json!(1.0));
    let text = sandbox.run(&[&both[..], &["--vote", "majority"]].concat()).success().stdout;
    assert!(text.contains("mean class accuracy 100.0") && text.contains("3 shapes, 2 labels"), "{text}");
    sandbox.write("columns.txt", "vase\ncup\n");
    let turned =
        sandbox.run(&[&both[..], &["--class-names", "columns.txt", "--json"]].concat()).success().json();
    assert_eq!(turned[0]["top_1"], json!(0.0));
    sandbox.write("columns.txt", "vase\ncup\nbed\n");
    sandbox
        .run(&[&both[..], &["--class-names", "columns.txt"]].concat())
        .failure(1, &["one.npy: expected 3 logits per shape, found 2", "hint: "]);
}

#[test]
fn more_augmentations_help_a_classifier() {
    const LABELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/labels.csv");
    let table = fs_err::read_to_string(LABELS).unwrap();
    let given: Vec<&str> =
        table.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().1.trim()).collect();
    let mut labels = given.clone();
    labels.sort_unstable();
    labels.dedup();
    let sandbox = Sandbox::empty();
    // Each augmentation is wrong about another third of the files, with a smaller lead there.
    for look in 0..3 {
        let scores = |(i, label): (usize, &&str)| {
            let right = labels.binary_search(label).unwrap();
            let mut scores = vec![0.0_f32; labels.len()];
            scores[right] = 2.0;
            scores[(right + 1) % labels.len()] = if i % 3 == look { 3.0 } else { 0.0 };
            scores
        };
        let rows: Vec<f32> = given.iter().enumerate().flat_map(scores).collect();
        sandbox.write_npy(&format!("look{look}.npy"), labels.len(), &rows);
    }
    let args = ["eval", "classify", "--labels", LABELS, "--json", "--logits", "look0.npy"];
    let alone = sandbox.run(&args).success().json().remove(0);
    let wrong = given.len().div_ceil(3) as f64 / given.len() as f64;
    assert!((alone["top_1"].as_f64().unwrap() - (1.0 - wrong)).abs() < 1e-12, "{alone}");
    assert_eq!((&alone["shapes"], &alone["top_3"]), (&json!(given.len()), &json!(1.0)));
    for vote in ["mean", "softmax", "majority"] {
        let more = ["--logits", "look1.npy", "--logits", "look2.npy", "--vote", vote];
        let all = sandbox.run(&[&args[..], &more].concat()).success().json().remove(0);
        assert_eq!(
            (&all["top_1"], &all["mean_class_accuracy"], &all["augmentations"]),
            (&json!(1.0), &json!(1.0), &json!(3))
        );
        assert_eq!(all["vote"], vote);
    }
}

#[test]
fn protocols_provide_labels_templates_and_published_results() {
    let sandbox = Sandbox::empty();
    sandbox.write_box("net/night_stand/a.obj", [1.0, 1.5, 1.0]);
    sandbox.write_box("net/table/b.obj", [3.0, 0.2, 2.0]);
    let args = ["eval", "zero-shot", "--labels", "folders", "--assets", "net", "--protocol"];
    let run = sandbox.run(&[&args[..], &["modelnet10", "--json", "--report", "out"]].concat()).success();
    assert_eq!((&run.json()[0]["num_labels"], &run.json()[0]["shapes"]), (&json!(10), &json!(2)));
    for part in ["modelnet10 (cg3d protocol)", "67.3 / 66.9", "908 in the paper"] {
        assert!(run.stderr.contains(part), "{part}: {run:#?}");
    }
    let page = fs_err::read_to_string(sandbox.path("out/report.html")).unwrap();
    assert!(page.contains("This is a {}") && page.contains("67.3"));
    sandbox
        .run(&[&args[..], &["modelnet40"]].concat())
        .failure(2, &["choose one with --paper (ulip2, cg3d, openshape)"]);
    sandbox
        .run(&[&args[..], &["modelnet10", "--paper", "duoduo"]].concat())
        .failure(2, &["no protocol", "cg3d"]);
    sandbox
        .run(&[&args[..], &["objaverse-lvis", "--paper", "duoduo"]].concat())
        .failure(2, &["--labels-file", "1,156"]);
    sandbox
        .run(&[&args[..], &["modelnet40", "--paper", "openshape"]].concat())
        .failure(1, &["--class-features"]);
    sandbox.run(&[&args[..], &["shapenet"]].concat()).failure(2, &["unknown protocol", "mvpnet"]);
    sandbox.write("two.txt", "table\nnight stand\n");
    let labels =
        ["objaverse-lvis", "--paper", "duoduo", "--labels-file", "two.txt", "--views", "1", "--json"];
    let run = sandbox.run(&[&args[..], &labels[..]].concat()).success();
    assert!(
        run.stderr.contains("the protocol has 1156 labels, found 2") && run.json().len() == 1,
        "{run:#?}"
    );
}

#[test]
fn a_folder_of_pictures_is_a_shape() {
    let sandbox = Sandbox::new();
    for (name, file) in [("a", "models/flat.obj"), ("b", "models/kinds/tall.obj")] {
        sandbox
            .run(&["render", file, "-o", &format!("sets/{name}"), "--views", "3", "--size", "40"])
            .success();
    }
    sandbox.write("sets/labels.csv", "file,label\na,table\nb,tower\n");
    let run = sandbox
        .run(&["eval", "zero-shot", "--labels", "sets/labels.csv", "--views", "1,3", "--json"])
        .success();
    assert_eq!(run.json().iter().map(|l| l["shapes"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 2]);
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn point_models_are_measured_with_the_words_they_pair_with() {
    let points = lexiform_golden::shared("fixtures/pointbert_tiny_rgb/model.pt");
    let sandbox = boxes();
    let (points, words) = (points.to_str().unwrap(), wide_model().to_str().unwrap());
    let with = ["--model", points, "--text-model", words];
    let both = [&BY_FOLDER[..], &with, &["--model", words, "--json"]].concat();
    let lines = sandbox.run(&both).success().json();
    assert_eq!(lines.len(), 2);
    let generated = sandbox
        .run(&[&["eval", "zero-shot", "--per-class", "1", "--json"], &with[..]].concat())
        .success()
        .json();
    assert_eq!(generated[0]["num_labels"], generated[0]["shapes"]);
    sandbox
        .run(&[&BY_FOLDER[..], &with, &["--views", "3"]].concat())
        .failure(2, &["takes points, not views"]);
    sandbox
        .run(&[&BY_FOLDER[..], &["--model", points]].concat())
        .failure(1, &["has no text tower", "--text-model"]);
    let retrieval = ["eval", "retrieval", "--captions", "things/labels.csv", "--json"];
    assert_eq!(sandbox.run(&[&retrieval[..], &with].concat()).success().json().len(), 2);
    let probe = ["eval", "probe", "--labels", "folders", "--assets", "things", "--model", points, "--json"];
    assert_eq!(sandbox.run(&probe).success().json()[0]["shapes"], 6);
}

#[test]
fn attributes_of_generated_shapes_are_evaluated() {
    let (sandbox, tiny) = (Sandbox::empty(), tiny_model().to_str().unwrap());
    let ask = |more: &[&str]| {
        let args = [
            &["eval", "attributes", "--per-class", "1", "--resamples", "20", "--json", "--model", tiny],
            more,
        ]
        .concat();
        sandbox.run(&args).success().json()
    };
    let count = |line: &Value| line["questions"].as_u64().unwrap();
    let all = ask(&[]);
    let aspects: Vec<&str> = all.iter().map(|line| line["attribute"].as_str().unwrap()).collect();
    assert_eq!(aspects, ["color", "material", "subcategory", "part", "count"]);
    for line in &all {
        let [right, chance] = ["accuracy", "chance"].map(|name| line[name].as_f64().unwrap());
        assert!(count(line) > 10 && (0.0..0.51).contains(&chance), "{line}");
        // Random weights know nothing, and phrases truncated to the same tokens never count as correct.
        assert!((0.0..chance + 0.3).contains(&right), "{line}");
    }
    assert_eq!(all, ask(&[]));
    let split = ask(&["--unseen-fraction", "0.2"]);
    assert_eq!([&split[0]["unseen"], &split[1]["unseen"]], [&json!(false), &json!(true)]);
    assert_eq!(count(&split[0]) + count(&split[1]), count(&all[0]));
    assert_eq!(split[2..], all[1..]);
    sandbox.run(&["eval", "attributes", "--unseen-fraction", "2"]).failure(2, &["from 0 to 1"]);
}
