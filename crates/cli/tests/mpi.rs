//! Training with several processes of an MPI job on this machine. Needs `mpirun`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lexiform_train::Checkpoint;

/// A CLIP of a few thousand parameters, trained with momentum: Adam would scale rounding noise to the size of other gradients.
const SETTINGS: &[&str] = &[
    "network.dim=16",
    "network.image_size=32",
    "network.width=32",
    "network.layers=2",
    "network.head_width=16",
    "network.joint_from=1",
    "network.text_width=16",
    "network.text_layers=1",
    "network.n_views=2",
    "data.shapes=24",
    "data.views=3",
    "data.val_per_class=1",
    "batch.size.images=24",
    "run.steps=8",
    "run.evaluate_every=4",
    "run.checkpoint_every=2",
    "param_groups={ all = { optimizer = { kind = \"sgd\", momentum = 0.9 }, learning_rate = 0.05 } }",
];

fn arguments(out: &Path, more: &[&str]) -> Vec<String> {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/nano.toml");
    let paths = [recipe.display().to_string(), "--out".to_owned(), out.display().to_string()];
    let settings = SETTINGS.iter().flat_map(|setting| ["--set", setting]).chain(more.iter().copied());
    std::iter::once("train".to_owned()).chain(paths).chain(settings.map(str::to_owned)).collect()
}

/// `mpirun -n 2 lexiform …`.
fn mpirun(arguments: &[String]) -> Command {
    let mut command = Command::new("mpirun");
    command.args(["-n", "2", "--allow-run-as-root", "--oversubscribe"]).arg(env!("CARGO_BIN_EXE_lexiform"));
    command.args(arguments);
    command
}

fn succeeded(output: std::io::Result<Output>) -> String {
    let output = output.expect("mpirun is installed (Debian: openmpi-bin)");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn weights(out: &Path) -> BTreeMap<String, Vec<f32>> {
    let checkpoint = Checkpoint::read(&out.join("checkpoint.safetensors")).unwrap();
    assert_eq!(checkpoint.progress.step, 8);
    let values = checkpoint.weights.into_iter();
    values.map(|(name, data)| (name, data.iter::<f32>().collect())).collect()
}

#[test]
fn two_processes_equal_one_and_resume_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let alone = Command::new(env!("CARGO_BIN_EXE_lexiform")).args(arguments(&path("one"), &[])).output();
    succeeded(alone);
    let printed = succeeded(mpirun(&arguments(&path("two"), &["--mpi"])).output());
    // Only the first process prints.
    assert_eq!(printed.trim(), path("two").join("model.safetensors").display().to_string());
    let (one, two) = (weights(&path("one")), weights(&path("two")));
    for (name, expected) in &one {
        let off = expected.iter().zip(&two[name]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off <= 1e-6, "{name}: off by {off:e}");
    }

    kill_after_a_checkpoint(&path("cut"));
    succeeded(mpirun(&arguments(&path("cut"), &["--mpi", "--resume"])).output());
    assert!(weights(&path("cut")) == two, "weights differ");
    let [a, b] = ["cut", "two"].map(|name| std::fs::read(path(name).join("model.safetensors")).unwrap());
    assert!(a == b, "models differ");
}

/// Starts a job and kills one of its processes once a checkpoint is saved; `mpirun` then ends the other.
fn kill_after_a_checkpoint(out: &Path) {
    let mut command = mpirun(&arguments(out, &["--mpi", "--json"]));
    let mut job = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(job.stdout.take().unwrap()).lines();
    let saved = lines.map_while(Result::ok).find(|line| line.contains("\"checkpoint-saved\""));
    assert!(saved.is_some(), "no checkpoint was saved");
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", job.id())).unwrap();
    let second = children.split_whitespace().nth(1).expect("two processes");
    assert!(Command::new("kill").args(["-9", second]).status().unwrap().success());
    assert!(!job.wait().unwrap().success());
    assert!(out.join("checkpoint.safetensors").is_file());
}

#[test]
fn a_job_without_the_flag_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = mpirun(&arguments(folder.path(), &[])).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("hint: add --mpi"), "{errors}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
