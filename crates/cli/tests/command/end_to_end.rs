//! docs/walk.md through the binary: from 3D files to a data set with features, to a model, to its numbers.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::Sandbox;

const RECIPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/labels.csv");
/// Largest file that is taken of the real ones, in bytes: the walk is about the way, not about large files.
const LARGEST: u64 = 300_000;
/// How many of the real ones are taken.
const MOST: usize = 24;

fn event<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == name).collect()
}

/// Prepares, trains 50 steps, evaluates; gives how many shapes there were, and the events of training.
fn walk(sandbox: &Sandbox, labels: &str) -> (usize, Vec<Value>) {
    let small =
        "--transparent --views 6 --size 64 --points 0 --feature-model nano --val-fraction 0.25 --json";
    let prepare = ["data", "prepare", labels, "--out", "set"].into_iter().chain(small.split(' '));
    let made = sandbox.run(&prepare.collect::<Vec<_>>()).success().json();
    let shapes = event(&made, "merged")[0]["shapes"].as_u64().unwrap() as usize;

    let recipe = format!("{RECIPES}/duoduo-nano.toml");
    let settings = "data=set data.views=6 run.steps=50 batch.size.shapes=8 batch.max_views=3";
    let mut train = vec!["train", &recipe, "--out", "run", "--json"];
    settings.split(' ').for_each(|setting| train.extend(["--set", setting]));
    let told = sandbox.run(&train).success().json();
    let opened = event(&told, "opened")[0];
    let [training, validation] =
        ["training", "validation"].map(|part| opened[part].as_u64().unwrap() as usize);
    assert_eq!(
        (training + validation, &opened["features"]["from"]),
        (shapes, &Value::from("dataset")),
        "{opened}"
    );
    assert!(event(&told, "features").is_empty(), "features are in the set");
    assert_eq!(event(&told, "step").len(), 50);
    let evaluated = event(&told, "evaluated");
    assert_eq!(evaluated.iter().map(|e| e["step"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 25, 50]);
    assert!(evaluated.iter().all(|e| e["report"]["items"] == validation));

    let eval =
        ["eval", "zero-shot", "--labels", labels, "--model", "nano", "--model", "run/model.safetensors"];
    let results = sandbox.run(&[&eval[..], &["--views", "4", "--json"]].concat()).success().json();
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(|result| result["shapes"] == shapes), "{results:#?}");
    (shapes, told)
}

#[test]
fn from_the_gallery_to_a_measured_model() {
    let sandbox = Sandbox::empty();
    let (shapes, told) = walk(&sandbox, SAMPLES);
    assert_eq!(shapes, 64);
    let finished = event(&told, "finished")[0];
    let share = |name: &str| finished[name].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&share("data_wait")) && share("shapes_per_second") > 0.0, "{finished}");
    let log = std::fs::read_to_string(sandbox.path("run/log.jsonl")).unwrap();
    assert!(log.lines().last().unwrap().contains("\"data_wait\""), "the share is kept in the log");
    println!("{finished}");
}

#[test]
#[ignore = "needs LEXIFORM_SHARED"]
fn from_real_files_to_a_measured_model() {
    let public = lexiform_golden::shared("assets/public");
    let table = std::fs::read_to_string(public.join("labels.csv")).unwrap();
    let sandbox = Sandbox::empty();
    let rows = table.lines().skip(1).filter_map(|line| {
        let (file, rest) = line.split_once(',')?;
        let path: PathBuf = public.join(file).canonicalize().ok()?;
        let alone = path.extension().is_some_and(|ending| ending == "glb" || ending == "stl");
        let small = path.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST);
        (alone && small)
            .then(|| format!("{},{}\n", path.display(), rest.split(',').next().unwrap_or_default()))
    });
    sandbox.write("real.csv", format!("file,label\n{}", rows.take(MOST).collect::<String>()));
    let (shapes, _) = walk(&sandbox, "real.csv");
    assert!(shapes >= 10, "{shapes}");
}
