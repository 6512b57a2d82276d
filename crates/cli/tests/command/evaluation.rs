//! `lexiform eval` through the binary: on files, on features, with several models, and its report.

use serde_json::{Value, json};

use crate::support::{Bench, other_model, tiny_model, wide_model};

/// Folders of boxes: four flat ones, four tall ones, four cubes.
pub fn boxes() -> Bench {
    let bench = Bench::empty();
    for i in 0..4_u8 {
        let more = 0.1 * f32::from(i);
        bench.write_box(&format!("things/coffee_table/t{i}.obj"), [3.0 + more, 0.3, 2.0]);
        bench.write_box(&format!("things/tower/w{i}.obj"), [0.5 + more, 4.0, 0.6]);
        bench.write_box(&format!("things/box/b{i}.obj"), [1.0, 1.0 + more, 1.0]);
    }
    let rows = ["coffee_table/t", "tower/w", "box/b"].map(|start| {
        let label = start.split('/').next().unwrap();
        (0..4).map(|i| format!("{start}{i}.obj,{label}\n")).collect::<String>()
    });
    bench.write("things/labels.csv", format!("file,label\n{}", rows.concat()));
    bench
}

pub const BY_FOLDER: [&str; 6] = ["eval", "zero-shot", "--labels", "folders", "--assets", "things"];

#[test]
fn labels_come_from_folders_and_a_report_is_written() {
    let bench = boxes();
    let run = bench.run(&[&BY_FOLDER[..], &["--report", "out", "--json"]].concat()).good();
    let result = &run.json()[0];
    assert_eq!((&result["shapes"], &result["num_labels"]), (&json!(12), &json!(3)));
    let share = result["top_1"].as_f64().unwrap();
    let interval = &result["intervals"]["top_1"];
    assert!(interval["low"].as_f64().unwrap() <= share && share <= interval["high"].as_f64().unwrap());
    let page = fs_err::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("coffee_table") && !page.contains("http"), "{page}");
    assert_eq!(page.matches("data:image/jpeg").count(), 12 - (share * 12.0).round() as usize);
    let report: Value =
        serde_json::from_str(&fs_err::read_to_string(bench.path("out/report.json")).unwrap()).unwrap();
    assert_eq!(report["results"][0], *result);
    let lines = |name: &str| fs_err::read_to_string(bench.path(name)).unwrap().lines().count();
    assert_eq!((lines("out/classes.csv"), lines("out/predictions.csv")), (4, 13));
    let text = bench.run(&BY_FOLDER).good().stdout;
    assert!(text.contains("mean class accuracy") && text.contains("12 shapes, 3 labels"), "{text}");
    bench.run(&["eval", "zero-shot", "--labels", "folders"]).bad(2, &["--assets"]);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let bench = boxes();
    let run = |threads: &str, out: &str| {
        let args = [&BY_FOLDER[..], &["--report", out, "--json"]].concat();
        let output = bench.command(&args).env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let files = ["report.json", "classes.csv", "predictions.csv"];
        let files = files.map(|name| fs_err::read_to_string(bench.path(out).join(name)).unwrap());
        (String::from_utf8(output.stdout).unwrap(), files.map(|text| text.replace(out, "")))
    };
    assert_eq!(run("1", "one"), run("2", "two"));
}

#[test]
fn features_stand_for_files() {
    let bench = boxes();
    let files: Vec<String> = fs_err::read_to_string(bench.path("things/labels.csv"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| format!("things/{}", line.split(',').next().unwrap()))
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    for output in ["rows.safetensors", "rows.npy"] {
        bench.run(&[&["embed"], &files[..], &["-o", output]].concat()).good();
    }
    let numbers = |args: &[&str]| {
        let line =
            bench.run(&[&["eval", "zero-shot", "--labels", "things/labels.csv", "--json"], args].concat());
        let line = line.good().json().remove(0);
        (line["top_1"].clone(), line["classes"].clone())
    };
    let from_files = numbers(&[]);
    assert_eq!(numbers(&["--features", "rows.safetensors"]), from_files);
    assert_eq!(numbers(&["--features", "rows.npy"]), from_files);
    let by_folder = [&BY_FOLDER[..], &["--features", "rows.safetensors", "--json"]].concat();
    assert_eq!(bench.run(&by_folder).good().json()[0]["shapes"], 12);
    // Words may be features too: sorted labels, one row each.
    let words =
        ["embed", "--text", "a box", "--text", "a coffee table", "--text", "a tower", "-o", "words.npy"];
    bench.run(&words).good();
    numbers(&["--features", "rows.npy", "--class-features", "words.npy"]);
    let zero_shot = ["eval", "zero-shot", "--labels", "things/labels.csv", "--features"];
    let other = other_model().to_str().unwrap();
    bench
        .run(&[&zero_shot[..], &["rows.safetensors", "--model", other]].concat())
        .bad(1, &["were computed by tiny", "found other"]);
    bench.run(&[&zero_shot[..], &["words.npy"]].concat()).bad(1, &["each of the 12 lines", "found 3"]);
    bench.run(&[&zero_shot[..], &["things/labels.csv"]].concat()).bad(1, &["labels.csv", "hint: "]);
}

#[test]
fn models_and_numbers_of_views_stand_side_by_side() {
    let bench = boxes();
    let (tiny, other) = (tiny_model().to_str().unwrap(), other_model().to_str().unwrap());
    let args = [&BY_FOLDER[..], &["--model", tiny, "--model", other, "--views", "1,3", "--json"]].concat();
    let lines = bench.run(&args).good().json();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines.iter().map(|l| l["views"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3, 1, 3]);
    assert!(lines[0].get("against_first").is_none());
    assert!(lines[1..].iter().all(|l| l["against_first"]["items"] == 12));
    let text = bench.run(&args[..args.len() - 1]).good().stdout;
    assert!(text.contains("top 1 vs. first") && text.contains("3 views"), "{text}");
    let drawn = [&BY_FOLDER[..], &["--seeds", "reference", "--views", "2", "--json"]].concat();
    let lines = bench.run(&drawn).good().json();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[..3].iter().map(|l| l["seed"].as_u64().unwrap()).collect::<Vec<_>>(), [678, 789, 900]);
    let mean: f64 = lines[..3].iter().map(|l| l["top_1"].as_f64().unwrap() * 100.0 / 3.0).sum();
    assert!((lines[3]["percent"][0].as_f64().unwrap() - mean).abs() < 0.011, "{lines:?}");
    bench.run(&[&BY_FOLDER[..], &["--views", "0"]].concat()).bad(2, &["0"]);
    bench.run(&[&BY_FOLDER[..], &["--seeds", "many"]].concat()).bad(2, &["expected numbers or `reference`"]);
}

#[test]
fn runs_are_compared_file_by_file() {
    let bench = boxes();
    let other = other_model().to_str().unwrap();
    bench.run(&[&BY_FOLDER[..], &["--report", "one"]].concat()).good();
    bench.run(&[&BY_FOLDER[..], &["--report", "two", "--model", other]].concat()).good();
    let lines = bench.run(&["eval", "compare", "one", "two/predictions.csv", "--json"]).good().json();
    assert_eq!((&lines[0]["shapes"], &lines[1]["against_first"]["items"]), (&json!(12), &json!(12)));
    let same = bench.run(&["eval", "compare", "one", "one", "--json"]).good().json();
    assert_eq!(
        (&same[1]["against_first"]["difference"], &same[1]["against_first"]["p_value"]),
        (&json!(0.0), &json!(1.0))
    );
    assert!(bench.run(&["eval", "compare", "one", "two"]).good().stdout.contains("only this correct"));
    bench.run(&["eval", "compare", "one", "nowhere"]).bad(1, &["nowhere"]);
    bench.run(&["eval", "compare", "one", "one/classes.csv"]).bad(1, &["expected a column file"]);
}

#[test]
fn captions_and_photos_find_shapes() {
    let bench = boxes();
    let captions = "file,caption\ntower/w0.obj,a tall tower\ntower/w1.obj,a tall tower\nbox/b0.obj,a box\n\
        box/b0.obj,a cube\nmissing.obj,nothing\n";
    bench.write("things/captions.csv", captions);
    bench
        .run(&["render", "things/tower/w0.obj", "-o", "things/photos", "--views", "2", "--size", "40"])
        .good();
    bench
        .write("things/photos.csv", "image,file\nphotos/v00.png,tower/w0.obj\nphotos/v01.png,tower/w0.obj\n");
    let args = ["eval", "retrieval", "--captions", "things/captions.csv", "--photos", "things/photos.csv"];
    let run = bench.run(&[&args[..], &["--per-query-csv", "queries.csv", "--json"]].concat()).good();
    assert!(run.stderr.contains("missing.obj: no such file"), "{run:#?}");
    let sizes: Vec<[u64; 2]> =
        run.json().iter().map(|l| ["queries", "gallery"].map(|key| l[key].as_u64().unwrap())).collect();
    // Three texts for three shapes, and back; two photos, and back for the one shape they show.
    assert_eq!(sizes, [[3, 3], [3, 3], [2, 3], [1, 2]]);
    assert_eq!(fs_err::read_to_string(bench.path("queries.csv")).unwrap().lines().count(), 1 + 3 + 3 + 2 + 1);
    let text = bench.run(&args).good().stdout;
    assert!(text.contains("photo → shape") && text.contains("–") && !text.contains("vs. first"), "{text}");
    for line in run.json() {
        let share = line["recall"][0].as_f64().unwrap();
        let [low, high] = ["low", "high"].map(|end| line["intervals"]["recall"][0][end].as_f64().unwrap());
        assert!(low <= share && share <= high && low < high, "{line}");
        assert!(line.get("against_first").is_none());
    }
    // Labels as words: four right answers each.
    let labels = bench.run(&["eval", "retrieval", "--captions", "things/labels.csv", "--json"]).good().json();
    assert_eq!((&labels[0]["queries"], &labels[0]["gallery"]), (&json!(3), &json!(12)));
    assert_eq!(labels[0]["recall_all"][0].as_f64().unwrap() * 4.0, labels[0]["recall"][0].as_f64().unwrap());
}

#[test]
fn models_are_compared_in_every_direction() {
    let bench = boxes();
    let (tiny, other) = (tiny_model().to_str().unwrap(), other_model().to_str().unwrap());
    let one = ["eval", "retrieval", "--captions", "things/labels.csv", "--model", tiny];
    let both = [&one[..], &["--model", other]].concat();
    let lines = bench.run(&[&both[..], &["--per-query-csv", "queries.csv", "--json"]].concat()).good().json();
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
    let alone = bench.run(&[&one[..], &["--json"]].concat()).good().json();
    assert_eq!([&alone[0], &alone[1]], [&lines[0], &lines[2]]);
    assert_eq!(fs_err::read_to_string(bench.path("queries.csv")).unwrap().lines().count(), 1 + 2 * (3 + 12));
    let text = bench.run(&both).good().stdout;
    assert!(text.contains("R@1 vs. first") && text.lines().count() == 5, "{text}");
    bench
        .run(&[&both[..], &["--features", "rows.npy"]].concat())
        .bad(2, &["precomputed features are of one model, found 2"]);
}

#[test]
fn unwritable_outputs_are_errors_before_any_work() {
    let bench = boxes();
    bench.write("file", "");
    // The model does not exist either; that would be the error if the work had begun.
    let report = [&BY_FOLDER[..], &["--model", "nowhere.safetensors", "--report", "file"]].concat();
    bench.run(&report).bad(1, &["file: cannot be written", "hint: "]);
    let retrieval =
        ["eval", "retrieval", "--captions", "things/labels.csv", "--model", "nowhere.safetensors"];
    bench
        .run(&[&retrieval[..], &["--per-query-csv", "no/queries.csv"]].concat())
        .bad(1, &["no/queries.csv: cannot be written"]);
    bench
        .run(&["search", "things", "box", "--sheet", "no/sheet.png"])
        .bad(1, &["no/sheet.png: cannot be written"]);
    bench.run(&["duplicates", "things", "--sheet", "things"]).bad(1, &["found a folder"]);
}

#[test]
fn tables_are_read_under_the_same_headings_and_splits() {
    let bench = boxes();
    let rows = "box/b0.obj,box,a box,Training\ntower/w0.obj,tower,a tall tower,TEST\ntower/w1.obj,tower,a tower,testing\n\
        tower/w2.obj,tower,a high one,train\n";
    bench.write("things/mine.csv", format!("Path,Category,Description,Split\n{rows}"));
    let of_table = ["eval", "zero-shot", "--labels", "things/mine.csv", "--json"];
    let shapes =
        |more: &[&str]| bench.run(&[&of_table[..], more].concat()).good().json()[0]["shapes"].clone();
    assert_eq!(
        [shapes(&[]), shapes(&["--split", "Test"]), shapes(&["--split", "train"])],
        [4, 2, 2].map(|n| json!(n))
    );
    bench
        .run(&[&of_table[..], &["--split", "val"]].concat())
        .bad(1, &["none of 4 shapes is in split", "test, train"]);
    bench
        .run(&[&of_table[..], &["--split", "banana"]].concat())
        .bad(2, &["expected split train, val or test"]);
    let retrieval = ["eval", "retrieval", "--captions", "things/mine.csv", "--json"];
    let texts =
        |more: &[&str]| bench.run(&[&retrieval[..], more].concat()).good().json()[0]["queries"].clone();
    assert_eq!([texts(&[]), texts(&["--split", "test"])], [4, 2].map(|n| json!(n)));
    bench
        .run(&[&retrieval[..], &["--split", "val"]].concat())
        .bad(1, &["none of 4 shapes is in split", "test, train"]);
    let probe = ["eval", "probe", "--labels", "things/mine.csv", "--json"];
    assert_eq!(bench.run(&probe).good().json()[0]["shapes"], 2);
    bench.write("things/bad.csv", "file,label,split\nbox/b0.obj,box,dev\n");
    let bad = ["eval", "zero-shot", "--labels", "things/bad.csv"];
    bench.run(&bad).bad(1, &["line 2: expected split train, val or test, found \"dev\""]);
}

#[test]
fn probes_and_episodes_learn_from_examples() {
    let bench = boxes();
    let probe = ["eval", "probe", "--labels", "folders", "--assets", "things", "--json"];
    let line = &bench.run(&probe).good().json()[0];
    assert_eq!((&line["shapes"], &line["train_shapes"]), (&json!(6), &json!(6)));
    assert!(line["top_1"].as_f64().unwrap() > 0.8, "boxes of different proportions are separable: {line}");
    let few = ["eval", "few-shot", "--labels", "folders", "--assets", "things", "--way", "3", "--json"];
    let line = bench.run(&few).good().json().remove(0);
    assert!(line["accuracy"].as_f64().unwrap() > 0.6, "{line}");
    assert_eq!(bench.run(&few).good().json()[0], line);
    bench.run(&[&few[..], &["--shot", "4"]].concat()).bad(1, &["more than 4 items, found 0"]);
    let table = "file,label,split\nbox/b0.obj,box,train\ntower/w0.obj,tower,train\ntower/w1.obj,tower,test\n";
    bench.write("things/split.csv", table);
    let line = &bench.run(&["eval", "probe", "--labels", "things/split.csv", "--json"]).good().json()[0];
    assert_eq!((&line["shapes"], &line["train_shapes"]), (&json!(1), &json!(2)));
}

#[test]
fn logits_of_a_classifier_are_scored_and_averaged() {
    let bench = Bench::empty();
    bench.write("labels.csv", "file,label\na,cup\nb,cup\nc,vase\n");
    // [3, 2], columns cup and vase; the two files differ in how confident they are about `b`.
    bench.write_npy("one.npy", 2, &[2.0, 1.0, 1.0, 3.0, 0.0, 1.0]);
    bench.write_npy("two.npy", 2, &[2.0, 1.0, 9.0, 1.0, 0.0, 1.0]);
    let one = ["eval", "classify", "--labels", "labels.csv", "--logits", "one.npy"];
    let line = bench.run(&[&one[..], &["--json"]].concat()).good().json().remove(0);
    assert_eq!((&line["mean_class_accuracy"], &line["augmentations"]), (&json!(0.75), &json!(1)));
    assert!((line["top_1"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12);
    let both = [&one[..], &["--logits", "two.npy"]].concat();
    assert_eq!(bench.run(&[&both[..], &["--json"]].concat()).good().json()[0]["top_1"], json!(1.0));
    let text = bench.run(&[&both[..], &["--vote", "majority"]].concat()).good().stdout;
    assert!(text.contains("mean class accuracy 100.0") && text.contains("3 shapes, 2 labels"), "{text}");
    bench.write("columns.txt", "vase\ncup\n");
    let turned = bench.run(&[&both[..], &["--class-names", "columns.txt", "--json"]].concat()).good().json();
    assert_eq!(turned[0]["top_1"], json!(0.0));
    bench.write("columns.txt", "vase\ncup\nbed\n");
    bench
        .run(&[&both[..], &["--class-names", "columns.txt"]].concat())
        .bad(1, &["one.npy: expected 3 logits per shape, found 2", "hint: "]);
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
    let bench = Bench::empty();
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
        bench.write_npy(&format!("look{look}.npy"), labels.len(), &rows);
    }
    let args = ["eval", "classify", "--labels", LABELS, "--json", "--logits", "look0.npy"];
    let alone = bench.run(&args).good().json().remove(0);
    let wrong = given.len().div_ceil(3) as f64 / given.len() as f64;
    assert!((alone["top_1"].as_f64().unwrap() - (1.0 - wrong)).abs() < 1e-12, "{alone}");
    assert_eq!((&alone["shapes"], &alone["top_3"]), (&json!(given.len()), &json!(1.0)));
    for vote in ["mean", "softmax", "majority"] {
        let more = ["--logits", "look1.npy", "--logits", "look2.npy", "--vote", vote];
        let all = bench.run(&[&args[..], &more].concat()).good().json().remove(0);
        assert_eq!(
            (&all["top_1"], &all["mean_class_accuracy"], &all["augmentations"]),
            (&json!(1.0), &json!(1.0), &json!(3))
        );
        assert_eq!(all["vote"], vote);
    }
}

#[test]
fn protocols_provide_labels_templates_and_published_results() {
    let bench = Bench::empty();
    bench.write_box("net/night_stand/a.obj", [1.0, 1.5, 1.0]);
    bench.write_box("net/table/b.obj", [3.0, 0.2, 2.0]);
    let args = ["eval", "zero-shot", "--labels", "folders", "--assets", "net", "--protocol"];
    let run = bench.run(&[&args[..], &["modelnet10", "--json", "--report", "out"]].concat()).good();
    assert_eq!((&run.json()[0]["num_labels"], &run.json()[0]["shapes"]), (&json!(10), &json!(2)));
    for part in ["modelnet10 (cg3d protocol)", "67.3 / 66.9", "908 in the paper"] {
        assert!(run.stderr.contains(part), "{part}: {run:#?}");
    }
    let page = fs_err::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(page.contains("This is a {}") && page.contains("67.3"));
    bench
        .run(&[&args[..], &["modelnet40"]].concat())
        .bad(2, &["choose one with --paper (ulip2, cg3d, openshape)"]);
    bench.run(&[&args[..], &["modelnet10", "--paper", "duoduo"]].concat()).bad(2, &["no protocol", "cg3d"]);
    bench
        .run(&[&args[..], &["objaverse-lvis", "--paper", "duoduo"]].concat())
        .bad(2, &["--labels-file", "1,156"]);
    bench.run(&[&args[..], &["modelnet40", "--paper", "openshape"]].concat()).bad(1, &["--class-features"]);
    bench.run(&[&args[..], &["shapenet"]].concat()).bad(2, &["unknown protocol", "mvpnet"]);
    bench.write("two.txt", "table\nnight stand\n");
    let labels =
        ["objaverse-lvis", "--paper", "duoduo", "--labels-file", "two.txt", "--views", "1", "--json"];
    let run = bench.run(&[&args[..], &labels[..]].concat()).good();
    assert!(
        run.stderr.contains("the protocol has 1156 labels, found 2") && run.json().len() == 1,
        "{run:#?}"
    );
}

#[test]
fn a_folder_of_pictures_is_a_shape() {
    let bench = Bench::new();
    for (name, file) in [("a", "models/flat.obj"), ("b", "models/kinds/tall.obj")] {
        bench.run(&["render", file, "-o", &format!("sets/{name}"), "--views", "3", "--size", "40"]).good();
    }
    bench.write("sets/labels.csv", "file,label\na,table\nb,tower\n");
    let run =
        bench.run(&["eval", "zero-shot", "--labels", "sets/labels.csv", "--views", "1,3", "--json"]).good();
    assert_eq!(run.json().iter().map(|l| l["shapes"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 2]);
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn point_models_are_measured_with_the_words_they_pair_with() {
    let points = lexiform_golden::shared("fixtures/pointbert_tiny_rgb/model.pt");
    let bench = boxes();
    let (points, words) = (points.to_str().unwrap(), wide_model().to_str().unwrap());
    let with = ["--model", points, "--text-model", words];
    let both = [&BY_FOLDER[..], &with, &["--model", words, "--json"]].concat();
    let lines = bench.run(&both).good().json();
    assert_eq!(lines.len(), 2);
    let generated =
        bench.run(&[&["eval", "zero-shot", "--per-class", "1", "--json"], &with[..]].concat()).good().json();
    assert_eq!(generated[0]["num_labels"], generated[0]["shapes"]);
    bench.run(&[&BY_FOLDER[..], &with, &["--views", "3"]].concat()).bad(2, &["takes points, not views"]);
    bench
        .run(&[&BY_FOLDER[..], &["--model", points]].concat())
        .bad(1, &["has no text tower", "--text-model"]);
    let retrieval = ["eval", "retrieval", "--captions", "things/labels.csv", "--json"];
    assert_eq!(bench.run(&[&retrieval[..], &with].concat()).good().json().len(), 2);
    let probe = ["eval", "probe", "--labels", "folders", "--assets", "things", "--model", points, "--json"];
    assert_eq!(bench.run(&probe).good().json()[0]["shapes"], 6);
}

#[test]
fn attributes_of_generated_shapes_are_evaluated() {
    let (bench, tiny) = (Bench::empty(), tiny_model().to_str().unwrap());
    let ask = |more: &[&str]| {
        let args = [
            &["eval", "attributes", "--per-class", "1", "--resamples", "20", "--json", "--model", tiny],
            more,
        ]
        .concat();
        bench.run(&args).good().json()
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
    bench.run(&["eval", "attributes", "--unseen-fraction", "2"]).bad(2, &["from 0 to 1"]);
}
