//! `lexiform eval` on the released files of Duoduo CLIP, with the numbers of its own evaluation; lists of labels, class features and
//! folds in the forms in which they are published.

use lexiform_formats::array::{Array, Dtype, Kind};
use lexiform_formats::hdf5::Writer;
use lexiform_golden::fixture;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::eval::{BY_FOLDER, boxes};
use crate::support::{Sandbox, tiny_model, tiny_points};

const SHAPES: u32 = 40;
const CLASSES: u32 = 10;
const VIEWS: u32 = 12;
/// Width of the network.
const WIDTH: u64 = 64;

/// `xtask/peers/lvis_evaluation.py`.
#[derive(Deserialize)]
struct Expected {
    seeds: Vec<u32>,
    class_features: Vec<Vec<f32>>,
    runs: Vec<ExpectedRun>,
}

#[derive(Deserialize)]
struct ExpectedRun {
    num_workers: usize,
    views: usize,
    /// Top-1, top-3 and top-5 of each seed, rounded to two decimals.
    percent: Vec<[f64; 3]>,
    /// Their mean, rounded again.
    mean: [f64; 3],
}

impl Expected {
    fn read() -> Self {
        let text = fs_err::read_to_string(fixture("eval/lvis_tiny.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// A byte that looks random, by the finalizer of MurmurHash3.
fn mixed(number: u32) -> u32 {
    let mut x = number;
    for (shift, factor) in [(16, 0x85EB_CA6B), (13, 0xC2B2_AE35), (16, 1)] {
        x = (x ^ (x >> shift)).wrapping_mul(factor);
    }
    x >> 24
}

/// The views of a shape, `[12, 3, 224, 224]`: blocks of 28 pixels whose values depend on the class, and on shape and view.
fn images(shape: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(12 * 3 * 224 * 224);
    for (view, channel) in (0..VIEWS).flat_map(|view| (0..3).map(move |channel| (view, channel))) {
        for (y, x) in (0..224).flat_map(|y| (0..224).map(move |x| (y / 28, x / 28))) {
            let place = (channel * 8 + y) * 8 + x;
            let own = mixed(((shape + 1) * VIEWS + view) * 192 + place + 1_000_000);
            let of_class = mixed((shape % CLASSES) * 192 + place);
            bytes.push(((3 * of_class + 5 * own) / 8) as u8);
        }
    }
    bytes
}

fn uid(shape: u32) -> String {
    format!("{:032x}", (shape * 7919 + 13) % 99991)
}

/// The files that the reference reads: rows, list and ids are in three different orders.
fn lvis(expected: &Expected) -> Sandbox {
    let sandbox = Sandbox::empty();
    let mut writer = Writer::create(&sandbox.path("lvis_images.h5")).unwrap();
    let dtype = Dtype { kind: Kind::Unsigned, size: 1, big_endian: false };
    writer.begin_array("imgs", dtype, &[SHAPES as usize, 12, 3, 224, 224]).unwrap();
    let row = |shape: u32| (shape * 17 + 5) % SHAPES;
    let mut in_rows: Vec<u32> = (0..SHAPES).collect();
    in_rows.sort_by_key(|shape| row(*shape));
    in_rows.iter().for_each(|shape| writer.write(&images(*shape)).unwrap());
    writer.finish().unwrap();
    let index: serde_json::Map<String, Value> =
        (0..SHAPES).map(|shape| (uid(shape), json!(row(shape)))).collect();
    sandbox.write("lvis_model_to_idx.json", Value::Object(index).to_string());
    let mut listed: Vec<u32> = (0..SHAPES).collect();
    listed.sort_by_key(|shape| (shape % CLASSES, *shape));
    let line = |shape: &u32| format!("{0},class_{0},{1}\n", shape % CLASSES, uid(*shape));
    sandbox.write("lvis.csv", listed.iter().map(line).collect::<String>());
    let values = expected.class_features.concat().into_iter();
    let features = Array::from_f16(10, expected.class_features[0].len(), values).to_npy();
    sandbox.write("classes.npy", features);
    sandbox
}

/// The report names the crop windows that the seeds chose, not the model's own crop.
#[test]
fn reports_of_seeded_runs_name_their_crops() {
    let sandbox = lvis(&Expected::read());
    let model = fixture("duoduo_tiny224/model.safetensors");
    let shapes = ["--labels", "lvis.csv", "--data", "lvis_images.h5", "--class-features", "classes.npy"];
    let args = ["eval", "zero-shot", "--model", model.to_str().unwrap(), "--views", "1"];
    for (seeds, expected) in [
        (&["--seeds", "reference"][..], "random crop, seeds 678, 789, 900"),
        (&["--seeds", "5"], "random crop, seed 5"),
        (&[], "center crop"),
    ] {
        let folder = ["--report", expected];
        sandbox.run(&[&args[..], &shapes, seeds, &folder].concat()).success();
        let report = std::fs::read_to_string(sandbox.path(expected).join("report.json")).unwrap();
        assert!(report.contains(&format!("on white, {expected}")), "{report}");
    }
}

fn evaluate(sandbox: &Sandbox, shapes: &[&str], workers: usize) -> Vec<Value> {
    let (model, workers) = (fixture("duoduo_tiny224/model.safetensors"), workers.to_string());
    let fixed = ["eval", "zero-shot", "--class-features", "classes.npy", "--seeds", "reference", "--json"];
    let chosen = ["--views", "1,5,12", "--num-workers", &workers, "--model", model.to_str().unwrap()];
    sandbox.run(&[&fixed[..], &chosen, shapes].concat()).success().json()
}

/// Seed by seed, number of views by number of views, and their means.
fn check_against(lines: &[Value], expected: &Expected, workers: usize) {
    let numbers = |line: &Value| {
        ["top_1", "top_3", "top_5"].map(|top| (line[top].as_f64().unwrap() * 1e4).round() / 100.0)
    };
    for run in expected.runs.iter().filter(|run| run.num_workers == workers) {
        for (seed, percent) in expected.seeds.iter().zip(&run.percent) {
            let is_ours = |line: &&Value| line["views"] == json!(run.views) && line["seed"] == json!(seed);
            let found = numbers(lines.iter().find(is_ours).unwrap());
            assert_eq!(found, *percent, "{workers} workers, {} views, seed {seed}", run.views);
        }
        let views = if run.views == 1 { "1 view".to_owned() } else { format!("{} views", run.views) };
        let mean = lines.iter().find(|line| {
            line["mean_over_seeds"].as_str().is_some_and(|name| name.ends_with(&format!(", {views}")))
        });
        assert_eq!(mean.unwrap()["percent"], json!(run.mean), "{workers} workers, {views}");
    }
}

#[test]
fn seeded_runs_give_the_numbers_of_the_reference() {
    let expected = Expected::read();
    let sandbox = lvis(&expected);
    let listed = ["--labels", "lvis.csv", "--data", "lvis_images.h5"];
    for workers in [0, 4] {
        let lines = evaluate(&sandbox, &listed, workers);
        assert_eq!(lines.len(), 9 + 3);
        check_against(&lines, &expected, workers);
        // Three blocks of 12 W² weights, of which the first sees one view at a time and the last needs only class tokens; 50 tokens
        // a view. Subsets of 1, 5 and 12 views: 18 views, whose tokens attend to 1 + 25 + 144 times 50.
        let (weights, scores) = (WIDTH * WIDTH, 2 * 50 * WIDTH);
        let [once, whole] = [12, 18].map(|views| 50 * views * (12 * weights + scores));
        let joint = 50 * (18 * 12 * weights + 170 * scores);
        let last = 50 * 18 * 3 * weights + 18 * 9 * weights + 170 * scores;
        let work = json!({
            "multiply_adds": 40 * 3 * (once + joint + last),
            "unshared_multiply_adds": 40 * 3 * (whole + 2 * joint),
        });
        assert_eq!(lines[0]["tower_work"], work);
    }
    // A data set has an order of its own; the list gives back that of the reference.
    sandbox.run(&["data", "import", "duoduo", "lvis_images.h5", "--out", "set"]).success();
    check_against(&evaluate(&sandbox, &["--labels", "lvis.csv", "--data", "set"], 4), &expected, 4);
    let kept = sandbox.run(&["eval", "zero-shot", "--labels", "lvis.csv", "--data", "nowhere"]);
    kept.failure(1, &["nowhere: no such data set or file"]);
}

#[test]
fn a_list_names_some_of_the_classes_and_shapes_of_a_file() {
    let expected = Expected::read();
    let sandbox = lvis(&expected);
    // Class 9 and others have no shape here; the features still have a row for each of ten.
    let rows = format!("2,class_2,{}\n7,class_7,{}\n2,class_2,{}\n", uid(2), uid(7), "0f".repeat(16));
    sandbox.write("some.csv", rows);
    let lines = evaluate(&sandbox, &["--labels", "some.csv", "--data", "lvis_images.h5"], 0);
    assert_eq!((&lines[0]["shapes"], &lines[0]["num_labels"]), (&json!(2), &json!(10)));
    // By text, only labels are candidates, whatever their numbers.
    sandbox
        .write("large.csv", format!("2,class_2,{}\n7,class_7,{}\n900000,mug,{}\n", uid(2), uid(7), uid(3)));
    let text =
        ["eval", "zero-shot", "--labels", "large.csv", "--data", "lvis_images.h5", "--views", "1", "--json"];
    let line = sandbox.run(&text).success().json().remove(0);
    assert_eq!((&line["shapes"], &line["num_labels"]), (&json!(3), &json!(3)));
    let model = fixture("duoduo_tiny224/model.safetensors");
    let run = ["eval", "zero-shot", "--labels", "some.csv", "--data", "lvis_images.h5", "--model"];
    let run = [&run[..], &[model.to_str().unwrap(), "--class-features", "classes.npy"]].concat();
    let strict = sandbox.run(&[&run[..], &["--strict"]].concat());
    strict.failure(1, &["not in lvis_images.h5"]);
    // The protocol takes the numbered classes of the list.
    let protocol = ["--protocol", "objaverse-lvis", "--paper", "duoduo", "--views", "1", "--json"];
    let run = sandbox.run(&[&run[..], &protocol].concat()).success();
    assert!(run.stderr.contains("the protocol has 1156 labels, found 10"), "{run:#?}");
    sandbox.write("twice.csv", format!("2,class_2,{}\n2,class_3,{}\n", uid(2), uid(3)));
    let twice = ["eval", "zero-shot", "--labels", "twice.csv", "--data", "lvis_images.h5"];
    sandbox.run(&twice).failure(1, &["class number 2 has two labels, \"class_2\" and \"class_3\""]);
}

#[test]
fn tables_of_a_result_are_written() {
    let sandbox = boxes();
    let tables = ["--confusion-csv", "confusion.csv", "--per-class-csv", "classes.csv", "--json"];
    let line =
        sandbox.run(&[&BY_FOLDER[..], &tables, &["--report", "out"]].concat()).success().json().remove(0);
    let read = |name: &str| fs_err::read_to_string(sandbox.path(name)).unwrap();
    let confusion = read("confusion.csv");
    let lines: Vec<&str> = confusion.lines().collect();
    assert_eq!(lines[0], "label,box,coffee_table,tower");
    let counts: Vec<Vec<u32>> =
        lines[1..].iter().map(|line| line.split(',').skip(1).map(|n| n.parse().unwrap()).collect()).collect();
    assert!(counts.iter().all(|row| row.iter().sum::<u32>() == 4), "{confusion}");
    let right: u32 = (0..3).map(|class| counts[class][class]).sum();
    assert_eq!(f64::from(right) / 12.0, line["top_1"].as_f64().unwrap());
    assert_eq!([read("out/confusion.csv"), read("out/classes.csv")], [confusion, read("classes.csv")]);
    sandbox.run(&[&BY_FOLDER[..], &tables].concat()).failure(1, &["confusion.csv: exists", "hint: "]);
    let probe =
        ["eval", "probe", "--labels", "folders", "--assets", "things", "--confusion-csv", "probe.csv"];
    sandbox.run(&probe).success();
    assert!(read("probe.csv").starts_with("label,box,coffee_table,tower\n"));
}

#[test]
fn labels_are_read_in_every_published_form() {
    let sandbox = boxes();
    let check = |name: &str, text: &str| {
        sandbox.write(name, text);
        let run = [&BY_FOLDER[..], &["--labels-file", name, "--json"]].concat();
        let line = sandbox.run(&run).success().json().remove(0);
        // A number without a label is no candidate.
        let labels = if name == "lvis.csv" { 3 } else { 4 };
        assert_eq!((&line["shapes"], &line["num_labels"]), (&json!(12), &json!(labels)), "{name}");
    };
    check("lines.txt", "coffee table\ntower, tall\ntower\nbox\n");
    check("lvis.csv", "0,coffee_table,aa\n0,coffee_table,bb\n1,tower,cc\n3,box,dd\n");
    check("numbered.csv", "2,box\n0,coffee_table\n1,tower\n3,bed\n");
    check("gaps.txt", "0,coffee table\n7,tower\n9,box\n20,bed\n");
    check("headed.csv", "class_idx,label,n\n3,box,1\n0,coffee_table,2\n1,tower,3\n2,bed,4\n");
    check("list.json", r#"["box", "tower", "coffee_table", "bed"]"#);
    check("index.json", r#"{"box": 0, "tower": 2, "coffee_table": 1, "bed": 3}"#);
    check("names.json", r#"{"0": "box", "2": "tower", "1": "coffee_table", "3": "bed"}"#);
    sandbox.write("bad.json", "{\"box\": \"tower\"}");
    sandbox
        .run(&[&BY_FOLDER[..], &["--labels-file", "bad.json"]].concat())
        .failure(1, &["bad.json: expected a list of labels"]);
    sandbox.write("empty.txt", "\n");
    sandbox.run(&[&BY_FOLDER[..], &["--labels-file", "empty.txt"]].concat()).failure(1, &["found none"]);
}

/// Three unit vectors as class features, `night stand`, `bed` and `Band_Aid, (dressing)`: a shape whose feature is the second is a bed.
#[test]
fn class_features_bring_their_labels() {
    let sandbox = Sandbox::empty();
    sandbox.write("labels.csv", "file,label\na,bed\nb,night_stand\n");
    sandbox.write_npy("shapes.npy", 4, &[0.1, 2.0, 0.3, 0.0, 0.9, 0.1, 0.0, 0.0]);
    let run = |features: &str| {
        let file = fixture("eval/class_features").join(features);
        let args = ["eval", "zero-shot", "--labels", "labels.csv", "--features", "shapes.npy", "--json"];
        sandbox.run(&[&args[..], &["--labels-file", file.to_str().unwrap()]].concat())
    };
    let files =
        ["variable.h5", "fixed.h5#class_feat", "named.npz", "objects.npz", "dictionary.npy", "listed.npy"];
    for file in files.into_iter().chain(["named.safetensors"]) {
        let line = run(file).success().json().remove(0);
        assert_eq!((&line["top_1"], &line["num_labels"]), (&json!(1.0), &json!(3)), "{file}");
    }
    run("fixed.h5").failure(1, &["expected one array of floats", "\"class_feat\", \"other\""]);
    run("unnamed.npy").failure(1, &["3 rows of class features without names", "hint: "]);
    // Named rows are matched by name, in whatever order the labels are given.
    sandbox.write("other.txt", "bed\nnight stand\n");
    let named = fixture("eval/class_features/named.npz");
    let args = ["eval", "zero-shot", "--labels", "labels.csv", "--features", "shapes.npy", "--json"];
    let named = ["--labels-file", "other.txt", "--class-features", named.to_str().unwrap()];
    let line = sandbox.run(&[&args[..], &named].concat()).success().json().remove(0);
    assert_eq!((&line["top_1"], &line["num_labels"]), (&json!(1.0), &json!(2)));
}

/// The queries of folds 0 and 10 are their examples, those of fold 1 have the two labels exchanged.
#[test]
fn published_folds_are_episodes() {
    let (sandbox, points) = (Sandbox::empty(), tiny_points());
    let folds = fixture("eval/class_features/2way_1shot");
    let args = ["eval", "few-shot", "--folds", folds.to_str().unwrap(), "--json"];
    let with = ["--model", points.to_str().unwrap(), "--text-model", tiny_model().to_str().unwrap()];
    let line = sandbox.run(&[&args[..], &with].concat()).success().json().remove(0);
    let accuracies: Vec<f64> =
        line["folds"].as_array().unwrap().iter().map(|fold| fold["accuracy"].as_f64().unwrap()).collect();
    assert_eq!(accuracies, [1.0, 0.0, 1.0]);
    assert_eq!(line["folds"][0]["ways"], 2);
    assert!((line["accuracy"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12);
    assert!((line["deviation"].as_f64().unwrap() - (2.0_f64 / 9.0).sqrt()).abs() < 1e-12);
    assert!(line["folds"][2]["fold"].as_str().unwrap().ends_with("10.pkl"));
    let fold = folds.join("1.pkl");
    let import = ["data", "import", "few-shot", fold.to_str().unwrap(), "--out", "set"];
    sandbox.run(&import).success();
    let probe = ["eval", "probe", "--data", "set", "--c", "100", "--json"];
    let line = sandbox.run(&[&probe[..], &with].concat()).success().json().remove(0);
    assert_eq!((&line["top_1"], &line["train_shapes"]), (&json!(0.0), &json!(2)));
    sandbox.run(&["eval", "few-shot", "--folds", "no.pkl"]).failure(1, &["no.pkl: no such fold"]);
    sandbox.run(&["eval", "few-shot", "--folds", "x.pkl", "--way", "3"]).failure(2, &["cannot be used with"]);
}

#[test]
fn a_probe_learns_from_every_nth_file() {
    let sandbox = boxes();
    let rows = |kind: &str| {
        (0..4)
            .map(|i| format!("{kind}{i}.obj,{},{}\n", &kind[..3], if i < 3 { "train" } else { "test" }))
            .collect::<String>()
    };
    let table = ["coffee_table/t", "tower/w", "box/b"].map(rows).concat();
    sandbox.write("things/split.csv", format!("file,label,split\n{table}"));
    let probe = ["eval", "probe", "--labels", "things/split.csv", "--c", "1", "--json", "--per-samples"];
    // Of nine training files: range(0, 9, 100 // percent).
    for (percent, kept) in [("100", 9), ("50", 5), ("30", 3), ("34", 5)] {
        let run = sandbox.run(&[&probe[..], &[percent]].concat());
        let line = run.success().json().remove(0);
        assert_eq!((&line["train_shapes"], &line["shapes"]), (&json!(kept), &json!(3)), "{percent}");
    }
    sandbox.run(&[&probe[..], &["0"]].concat()).failure(2, &["above 0 and at most 100"]);
}
