//! `lexiform train` through the binary: models, traces, and runs that are cut off.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use lexiform_train::Recipe;

use crate::support::Sandbox;

/// A network of a few thousand numbers on a handful of shapes.
const TINY: &str = "network.dim=16 network.image_size=32 network.width=16 network.layers=2 network.head_width=16 \
    network.joint_from=1 network.text_width=16 network.text_layers=1 network.n_views=2 data.shapes=8 data.views=2 \
    data.val_per_class=0 run.steps=4 batch.size.images=4 batch.max_views=2 schedule.warmup=1 run.evaluate_every=4";
const RECIPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes/nano.toml");

pub fn args<'a>(out: &'a str, more: &'a str) -> Vec<&'a str> {
    let mut args = vec!["train", RECIPE, "--out", out, "--json"];
    TINY.split_whitespace().for_each(|setting| args.extend(["--set", setting]));
    args.extend(more.split_whitespace());
    args
}

#[test]
fn train_makes_a_model_that_can_be_used() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&args("run", "")).success();
    assert!(run.stdout.lines().any(|line| line.contains("\"event\":\"evaluated\"")), "{run:#?}");
    sandbox.run(&["compare", "a chair", "models/flat.obj", "--model", "run/model.safetensors"]).success();
    for name in ["log.jsonl", "curves.svg", "recipe.toml", "best.safetensors", "tensorboard"] {
        assert!(sandbox.path("run").join(name).exists(), "{name}");
    }
    sandbox.run(&args("run", "")).failure(1, &["already contains a run (step 4)", "hint: add --resume"]);
    sandbox.run(&args("run", "--resume")).success();
    sandbox.run(&["train", RECIPE, "--set", "run.stepz=1"]).failure(1, &["stepz", "did you mean `steps`?"]);
    sandbox
        .run(&args("run", "--devices cpu,gpu"))
        .failure(2, &["'gpu' for '--devices", "no device is called so"]);
}

/// Points learn towards what the recipe before them gave, and both are one model at the end.
#[test]
fn recipes_train_in_turn() {
    let sandbox = Sandbox::new();
    let points = "teacher=runs/words/model.safetensors network.tower.projection.dim=16 network.tower.encoder.patches=4 \
        network.tower.encoder.samples=4 network.tower.encoder.group_width=16 network.tower.encoder.width=16 \
        network.tower.encoder.layers=1 network.tower.encoder.heads=2 network.tower.encoder.head_width=8 \
        network.tower.encoder.mlp_width=16 network.input.n_points=64 data.points=128 data.shapes=8 data.views=2 \
        data.val_per_class=0 batch.size.shapes=4 batch.min_views=1 batch.max_views=2 run.steps=2 run.evaluate_every=2";
    for (name, base, settings) in [("words", "nano.toml", TINY), ("points", "nano-points.toml", points)] {
        let mut settings: Vec<String> = settings.split_whitespace().map(str::to_owned).collect();
        settings.push(format!("name={name}"));
        let base = std::path::Path::new(RECIPE).with_file_name(base);
        let recipe = toml::to_string(&Recipe::read(&base, &settings).unwrap()).unwrap();
        std::fs::write(sandbox.path(&format!("{name}.toml")), recipe).unwrap();
    }
    let both = ["train", "words.toml", "points.toml"];
    // The second cannot be rehearsed before the first has made its teacher.
    let trial = sandbox.run(&[&both[..], &["--dry-run"]].concat()).success();
    assert!(trial.stderr.contains("points: skipped: runs/words/model.safetensors"), "{trial:#?}");
    let run = sandbox.run(&both).success();
    let models: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(models, ["runs/words/model.safetensors", "runs/points/joint.safetensors"]);
    let info = sandbox.run(&["model", "info", "runs/points/model.safetensors"]).success().stdout;
    assert!(info.contains("OpenShape PointBERT point encoder \"points\", written by lexiform"), "{info}");
    sandbox.run(&["compare", "a chair", "models/flat.obj", "--model", models[1]]).success();
    sandbox.run(&both).failure(1, &["runs/words", "already contains a run"]);
    sandbox.run(&[&both[..], &["--resume"]].concat()).success();
    sandbox.run(&[&both[..], &["--out", "run"]].concat()).failure(2, &["each goes to runs/NAME"]);
    sandbox
        .run(&["train", "words.toml", "words.toml"])
        .failure(2, &["another recipe has the name \"words\""]);
    sandbox
        .run(&["train", "words.toml", "--set", "run.save_joint_model=true", "--out", "run"])
        .failure(1, &["run.save_joint_model", "requires a point encoder"]);
}

/// One command trains every combination, each in a folder of its own, and ends in one table.
#[test]
fn a_sweep_ends_in_one_table() {
    let sandbox = Sandbox::empty();
    let swept =
        ["--sweep", "seed=[3, 4]", "--sweep", "batch.size.images=[4, 6]", "--set", "data.val_per_class=1"];
    let args = |more: &[&'static str]| [&args("sweep", "")[..], &swept, more].concat();
    let run = sandbox.run(&args(&[])).success();
    let table = run.json().pop().unwrap();
    assert_eq!(table["keys"], serde_json::json!(["seed", "batch.size.images"]));
    let rows = table["runs"].as_array().unwrap();
    let values: Vec<String> = rows.iter().map(|row| row["values"].to_string()).collect();
    assert_eq!(values, [r#"["3","4"]"#, r#"["3","6"]"#, r#"["4","4"]"#, r#"["4","6"]"#]);
    assert!(rows.iter().all(|row| row["steps"] == 4 && row["top_1"].is_f64() && row["error"].is_null()));
    // Each run is the one that its settings alone give.
    sandbox
        .run(
            &[
                &self::args("alone", "--set data.val_per_class=1 --set seed=4")[..],
                &["--set", "batch.size.images=6"],
            ]
            .concat(),
        )
        .success();
    let model = |path: &str| std::fs::read(sandbox.path(path).join("model.safetensors")).unwrap();
    assert!(model("alone") == model("sweep/seed=4,batch.size.images=6"));
    let csv = std::fs::read_to_string(sandbox.path("sweep/sweep.csv")).unwrap();
    assert!(
        csv.starts_with("run,seed,batch.size.images,steps,loss,top_1,") && csv.lines().count() == 5,
        "{csv}"
    );
    assert!(sandbox.path("sweep/sweep.json").is_file());
    sandbox.run(&args(&[])).failure(1, &["already contains a run (step 4)", "hint: add --resume"]);
    // A resumed sweep trains only what is missing.
    std::fs::remove_dir_all(sandbox.path("sweep/seed=3,batch.size.images=6")).unwrap();
    let again = sandbox.run(&args(&["--resume"])).success();
    assert_eq!(again.stdout.lines().filter(|line| line.starts_with("{\"event\":\"step\"")).count(), 4);
    assert_eq!(again.json().pop().unwrap()["runs"], table["runs"]);
    sandbox.run(&["train", RECIPE, "--sweep", "seed=3"]).failure(1, &["expected KEY=[VALUE, …]"]);
    sandbox
        .run(&["train", RECIPE, RECIPE, "--sweep", "seed=[3]"])
        .failure(2, &["--sweep is for a single recipe"]);
    sandbox.run(&["train", RECIPE, "--sweep", "run.stepz=[3]"]).failure(1, &["did you mean `steps`?"]);
}

#[test]
fn a_dry_run_trains_nothing() {
    let sandbox = Sandbox::empty();
    let run = sandbox.run(&args("run", "--dry-run")).success();
    let trial = run.json().pop().unwrap();
    assert!(
        trial["step_seconds"].as_f64().unwrap() > 0.0
            && trial["plan"]["trainable_parameters"].as_u64().unwrap() > 1000
    );
    assert!(!sandbox.path("run").exists());
}

/// Killed at three moments and gone on with each time, a run ends with the bytes of one that nobody touched.
#[test]
fn a_killed_run_goes_on_as_if_nothing_had_been() {
    let sandbox = Sandbox::empty();
    let longer = "--set run.steps=30 --set run.checkpoint_every=2 --set run.evaluate_every=15";
    sandbox.run(&args("whole", longer)).success();
    let resumed = format!("{longer} --resume");
    for (lines, wait) in [(3, 0), (9, 20), (14, 45)] {
        let mut child = sandbox.command(&args("cut", &resumed)).stdout(Stdio::piped()).spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap()).lines();
        let seen = events.map_while(Result::ok).take(lines).count();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(seen, lines);
    }
    sandbox.run(&args("cut", &resumed)).success();
    for name in ["model.safetensors", "best.safetensors"] {
        let bytes = |out: &str| std::fs::read(sandbox.path(out).join(name)).unwrap();
        assert!(bytes("whole") == bytes("cut"), "{name} differs");
    }
    let steps = |out: &str| {
        let log = std::fs::read_to_string(sandbox.path(out).join("log.jsonl")).unwrap();
        let steps = log.lines().filter(|line| line.starts_with("{\"event\":\"step\""));
        let steps = steps.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        steps.map(|step| (step["step"].as_u64().unwrap(), step["loss"].as_f64().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(steps("whole"), steps("cut"));
    assert_eq!(steps("cut").len(), 30);
}
