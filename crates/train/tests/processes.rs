//! Several processes train as one. Here they are threads that exchange messages in memory; `crates/cli/tests/mpi.rs` has real
//! ones.

mod support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier, Mutex};

use lexiform_model::Device;
use lexiform_train::processes::{Processes, Transport, TransportError};
use lexiform_train::{FitError, FitOptions, Recipe, TrainEvent, fit};
use support::{FEW_GROUPS, TINY_CLIP, TINY_ENCODER, WITH_TEACHER, checkpoint};

/// Messages in memory.
#[derive(Debug)]
struct Threads {
    rank: usize,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// By sender and receiver.
    messages: Mutex<Vec<Vec<Vec<u8>>>>,
    barrier: Barrier,
}

impl Shared {
    fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { messages: Mutex::new(vec![Vec::new(); count]), barrier: Barrier::new(count) })
    }
}

fn processes(rank: usize, shared: &Arc<Shared>) -> Processes {
    Processes::new(Arc::new(Threads { rank, shared: Arc::clone(shared) }))
}

impl Transport for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.shared.messages.lock().unwrap().len()
    }

    fn exchange(&self, messages: &[&[u8]]) -> Result<Vec<Vec<u8>>, TransportError> {
        let own = messages.iter().map(|message| message.to_vec()).collect();
        self.shared.messages.lock().unwrap()[self.rank] = own;
        self.shared.barrier.wait();
        let all = self.shared.messages.lock().unwrap();
        let received = all.iter().map(|sent| sent[self.rank].clone()).collect();
        drop(all);
        self.shared.barrier.wait();
        Ok(received)
    }
}

fn recipe(name: &str, settings: &[&[&str]]) -> Recipe {
    let few: &[&str] = &[
        "data.shapes=24",
        "data.val_per_class=0",
        "run.evaluate_every=4",
        "run.steps=4",
        "run.checkpoint_every=2",
    ];
    support::recipe(name, &[few, &settings.concat()].concat())
}

/// Trains in `count` processes, each with a folder of its own, as on machines without common files. Returns the losses of the
/// first process, and its folder.
fn train(recipe: &Recipe, out: &Path, count: usize, options: &FitOptions) -> Vec<f64> {
    let shared = Shared::new(count);
    let process = |rank: usize| {
        let options = FitOptions { processes: processes(rank, &shared), ..options.clone() };
        let mut losses = Vec::new();
        fit(recipe, &folder(out, rank), &options, &mut |event| match event {
            TrainEvent::Step(step) => losses.push(step.loss),
            TrainEvent::CheckpointSaved { step: 2 } => {
                let cut = folder(&out.with_extension("cut"), rank);
                std::fs::create_dir_all(&cut).unwrap();
                std::fs::copy(out.join("checkpoint.safetensors"), cut.join("checkpoint.safetensors"))
                    .unwrap();
            }
            _ => {}
        })
        .unwrap();
        losses
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..count).map(|rank| scope.spawn(move || process(rank))).collect();
        let losses = process(0);
        // Only the first process reports.
        others.into_iter().for_each(|other| assert!(other.join().unwrap().is_empty()));
        losses
    })
}

fn folder(out: &Path, rank: usize) -> PathBuf {
    if rank == 0 { out.to_owned() } else { out.with_extension(format!("process-{rank}")) }
}

fn weights(out: &Path) -> Vec<(String, Vec<f64>)> {
    let weights = checkpoint(out).weights;
    let values = weights.iter();
    values.map(|(name, data)| (name.clone(), data.iter::<f64>().collect())).collect()
}

fn assert_close(what: &str, found: &[(String, Vec<f64>)], expected: &[(String, Vec<f64>)]) {
    assert_eq!(found.len(), expected.len());
    for ((name, found), (_, expected)) in found.iter().zip(expected) {
        let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off <= 1e-6, "{what}: {name}: off by {off:e}");
    }
}

/// Both towers are trained, and class names are encoded by the first process only. Momentum without Adam, which scales rounding
/// noise to the size of all other gradients.
const BOTH_TOWERS: &[&str] = &[
    "data.views=3",
    "batch.size.images=22",
    "run.ema_decay=0.9",
    "param_groups={ all = { optimizer = { kind = \"sgd\", momentum = 0.9 }, learning_rate = 0.05 } }",
];

#[test]
fn processes_equal_one() {
    let temporary = tempfile::tempdir().unwrap();
    let one = temporary.path().join("one");
    let recipe = recipe("nano.toml", &[TINY_CLIP, BOTH_TOWERS]);
    let losses = train(&recipe, &one, 1, &FitOptions::default());
    assert_eq!(losses.len(), 4);
    for count in [2, 3] {
        let out = temporary.path().join(format!("{count}"));
        let shared = train(&recipe, &out, count, &FitOptions::default());
        lexiform_golden::check("losses", &shared, &losses, 1e-6);
        assert_close(&format!("{count} processes"), &weights(&out), &weights(&one));
    }
    // The others write nothing but caches.
    let others = std::fs::read_dir(folder(&temporary.path().join("3"), 2)).unwrap();
    assert_eq!(others.count(), 0);
}

/// Two processes with two devices and two chunks for each of them.
#[test]
fn processes_devices_and_chunks_combine() {
    let temporary = tempfile::tempdir().unwrap();
    let (one, two) = (temporary.path().join("one"), temporary.path().join("two"));
    let recipe = recipe(
        "nano.toml",
        &[TINY_CLIP, BOTH_TOWERS, &["batch.accumulate_batches=2", "batch.chunk_size.shapes=2"]],
    );
    let losses = train(&recipe, &one, 1, &FitOptions::default());
    let devices = vec![Device::flex(); 2];
    let shared = train(&recipe, &two, 2, &FitOptions { devices, ..FitOptions::default() });
    lexiform_golden::check("losses", &shared, &losses, 1e-6);
    assert_close("combined", &weights(&two), &weights(&one));
}

/// Batch norms have the statistics of each process's rows, as of each device's; with ULIP's loss each has negatives of its own.
/// Resumed processes continue with the same bits.
#[test]
fn points_and_a_resumed_run() {
    let temporary = tempfile::tempdir().unwrap();
    let settings = [
        "data.views=2",
        "data.points=256",
        "batch.size.shapes=8",
        "param_groups.all.optimizer={ kind = \"sgd\", momentum = 0.9 }",
    ];
    let recipe = recipe("ulip2.toml", &[TINY_ENCODER, WITH_TEACHER, FEW_GROUPS, &settings]);
    let (devices, two) = (temporary.path().join("devices"), temporary.path().join("two"));
    let options = FitOptions { devices: vec![Device::flex(); 2], ..FitOptions::default() };
    let alone = train(&recipe, &devices, 1, &options);
    let losses = train(&recipe, &two, 2, &FitOptions::default());
    lexiform_golden::check("losses", &losses, &alone, 1e-6);
    let trained = |out: &Path| {
        let mut all = weights(out);
        // Two devices update the same running statistics one after the other; each process has its own.
        all.retain(|(name, _)| !name.contains("running_"));
        all
    };
    assert_close("points", &trained(&two), &trained(&devices));

    let resume = FitOptions { resume: true, ..FitOptions::default() };
    let cut = two.with_extension("cut");
    let resumed = train(&recipe, &cut, 2, &resume);
    assert_eq!(resumed, losses[2..]);
    assert!(weights(&cut) == weights(&two), "weights differ");
}

/// Every process loads the new shapes; the teacher's features of them are computed by one process after the other.
#[test]
fn refreshed_shapes_have_features_in_every_process() {
    let temporary = tempfile::tempdir().unwrap();
    let settings = ["data.views=2", "data.points=256", "data.refresh_every=2", "batch.size.shapes=8"];
    let recipe = recipe("ulip2.toml", &[TINY_ENCODER, WITH_TEACHER, FEW_GROUPS, &settings]);
    let out = temporary.path().join("out");
    assert_eq!(train(&recipe, &out, 2, &FitOptions::default()).len(), 4);
    for rank in 0..2 {
        for name in ["features.safetensors", "features-1.safetensors"] {
            assert!(folder(&out, rank).join(name).is_file(), "{name} of process {rank}");
        }
    }
}

/// Otherwise they would not share the rows of one batch.
#[test]
fn processes_with_different_inputs_are_errors() {
    let temporary = tempfile::tempdir().unwrap();
    let recipe = recipe("nano.toml", &[TINY_CLIP, BOTH_TOWERS]);
    let mut other = recipe.clone();
    other.seed += 1;
    let check = |name: &str, recipes: [&Recipe; 2], devices: [usize; 2], expected: &str| {
        let shared = Shared::new(2);
        let error = |rank: usize| {
            let devices = vec![Device::flex(); devices[rank]];
            let options =
                FitOptions { devices, processes: processes(rank, &shared), ..FitOptions::default() };
            let out = folder(&temporary.path().join(name), rank);
            fit(recipes[rank], &out, &options, &mut |_| {}).unwrap_err().to_string()
        };
        let errors = std::thread::scope(|scope| {
            let second = scope.spawn(|| error(1));
            [error(0), second.join().unwrap()]
        });
        assert!(errors.iter().all(|error| error.contains(expected)), "{name}: {errors:?}");
    };
    check("recipes", [&recipe, &other], [1, 1], "the processes have different recipes");
    check("devices", [&recipe, &recipe], [1, 2], "the processes have different numbers of devices");
}

#[test]
fn fewer_shapes_than_devices_are_an_error() {
    let recipe = recipe("nano.toml", &[TINY_CLIP, BOTH_TOWERS, &["batch.size.images=4"]]);
    let devices = vec![Device::flex(); 3];
    let out = tempfile::tempdir().unwrap();
    let error =
        fit(&recipe, out.path(), &FitOptions { devices, ..FitOptions::default() }, &mut |_| {}).unwrap_err();
    assert!(matches!(error, FitError::Recipe(_)) && error.to_string().contains("3 devices"), "{error}");
}
