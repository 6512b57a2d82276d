//! An interrupted run gives the weights of an uninterrupted one, bit by bit.

mod support;

use std::path::{Path, PathBuf};

use lexiform_model::Device;
use lexiform_train::{
    Checkpoint, FitError, FitOptions, Recipe, StepsOrEpochs, TrainEvent, check_no_run, fit,
};
use support::{FEW_GROUPS, TINY_CLIP, TINY_ENCODER, TINY_HEAD, WITH_TEACHER, checkpoint, train};

/// A few steps of a small network; shapes are refreshed in the middle of the run.
const TINY: &[&str] = &[
    "data.shapes=24",
    "data.views=3",
    "data.val_per_class=0",
    "data.refresh_every=3",
    "batch.size.images=8",
    "schedule.warmup=2",
    "run.steps=8",
    "run.evaluate_every=4",
    "run.checkpoint_every=2",
    "run.ema_decay=0.9",
];

fn recipe(more: &[&str]) -> Recipe {
    support::recipe("nano.toml", &[TINY_CLIP, TINY, more].concat())
}

fn assert_same(a: &Checkpoint, b: &Checkpoint) {
    assert_eq!(a.progress, b.progress);
    assert!(a.weights == b.weights, "weights differ");
    assert!(a.ema == b.ema, "averaged weights differ");
    assert!(a.weights.len() > 20 && !a.ema.is_empty());
}

/// Trains, and copies the checkpoint of `step` into another output folder.
fn train_and_copy(recipe: &Recipe, out: &Path, step: usize) -> (Vec<f64>, PathBuf) {
    let copy = out.with_extension(format!("copy-{step}"));
    let mut losses = Vec::new();
    fit(recipe, out, &FitOptions::default(), &mut |event| match event {
        TrainEvent::Step(step) => losses.push(step.loss),
        TrainEvent::CheckpointSaved { step: saved } if saved == step => {
            std::fs::create_dir_all(&copy).unwrap();
            let name = "checkpoint.safetensors";
            std::fs::copy(out.join(name), copy.join(name)).unwrap();
        }
        _ => {}
    })
    .unwrap();
    (losses, copy)
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    for (name, more) in
        [("muon", vec![]), ("accumulation", vec!["batch.accumulate_batches=2", "batch.order=shuffled"])]
    {
        let recipe = recipe(&more);
        let whole = folder.path().join(name);
        let (losses, cut) = train_and_copy(&recipe, &whole, 4);
        let resumed = train(&recipe, &cut, &FitOptions { resume: true, ..FitOptions::default() });
        assert_eq!(resumed, losses[4..], "{name}");
        assert_same(&checkpoint(&whole), &checkpoint(&cut));
        let model = |out: &Path| std::fs::read(out.join("model.safetensors")).unwrap();
        assert!(model(&whole) == model(&cut), "{name}: the finished models differ");
    }
}

/// Point encoders, alternating prompts, dropout in a head: their randomness depends on the step only.
#[test]
fn point_encoders_resume() {
    let folder = tempfile::tempdir().unwrap();
    let few = &[
        "data.shapes=16",
        "data.views=2",
        "data.val_per_class=0",
        "data.points=256",
        "batch.size.shapes=4",
        "run.steps={ epochs = 2 }",
        "run.evaluate_every={ epochs = 1 }",
        "run.checkpoint_every=2",
    ];
    let prompts = &["network.prompts=2", "data.views=1"];
    let recipes: [(&str, &[&[&str]]); 3] = [
        ("ulip2.toml", &[TINY_ENCODER, WITH_TEACHER, FEW_GROUPS, few]),
        ("cg3d.toml", &[TINY_ENCODER, WITH_TEACHER, FEW_GROUPS, few, prompts]),
        ("classify.toml", &[TINY_ENCODER, FEW_GROUPS, TINY_HEAD, few]),
    ];
    for (name, settings) in recipes {
        let recipe = support::recipe(name, &settings.concat());
        let whole = folder.path().join(name);
        let (losses, cut) = train_and_copy(&recipe, &whole, 4);
        let resumed = train(&recipe, &cut, &FitOptions { resume: true, ..FitOptions::default() });
        assert_eq!(resumed, losses[4..], "{name}");
        let [one, other] = [&whole, &cut].map(|out| checkpoint(out));
        assert!(one.progress == other.progress && one.weights == other.weights, "{name}: weights differ");
    }
}

/// The average follows the weights, faster at first; frozen parameters are copied.
#[test]
fn ema_follows_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let few = "param_groups.rest.params=[\"logit_scale\", \"vision.positional_embedding\"]";
    let recipe = recipe(&["run.checkpoint_every=1", few]);
    let mut saved = Vec::new();
    fit(&recipe, folder.path(), &FitOptions::default(), &mut |event| {
        if let TrainEvent::CheckpointSaved { .. } = event {
            saved.push(checkpoint(folder.path()));
        }
    })
    .unwrap();
    assert_eq!(saved.len(), 8);
    let mut averaged = std::collections::BTreeSet::new();
    for pair in saved.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let step = after.progress.step as f32;
        let decay = 0.9f32.min((1.0 + step) / (10.0 + step));
        for (name, mean) in &after.ema {
            let (old, now) = (before.ema[name].iter::<f32>(), after.weights[name].iter::<f32>());
            for (found, (old, now)) in mean.iter::<f32>().zip(old.zip(now)) {
                let expected = old * decay + now * (1.0 - decay);
                assert!((found - expected).abs() < 1e-6, "{name} after step {step}: {found}, not {expected}");
            }
            if *mean != after.weights[name] {
                averaged.insert(name.clone());
            }
        }
    }
    // Four matrices in each of three blocks, and the two in the group `rest`.
    assert!(averaged.contains("logit_scale") && averaged.len() == 14, "{averaged:?}");
}

#[test]
fn a_run_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(&["run.steps=2"]);
    check_no_run(folder.path()).unwrap();
    train(&recipe, folder.path(), &FitOptions::default());
    assert!(matches!(check_no_run(folder.path()), Err(FitError::Exists { step: 2, .. })));
    let again = fit(&recipe, folder.path(), &FitOptions::default(), &mut |_| {});
    assert!(matches!(again, Err(FitError::Exists { step: 2, .. })));
    let resume = FitOptions { resume: true, ..FitOptions::default() };
    assert!(train(&recipe, folder.path(), &resume).is_empty());
    let mut other = recipe.clone();
    other.seed += 1;
    let error = fit(&other, folder.path(), &resume, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("seed was 1, now 2"), "{error}");
}

/// The three steps of the first epoch have a moderate learning rate, the fourth step has `rate`.
fn diverging(rate: &str) -> Recipe {
    let schedule = format!(
        "param_groups.rest.schedule={{ kind = \"epoch-cosine\", epochs = 1, warmup = 1, warmup_start_lr = 1e-4, min_lr = {rate} }}"
    );
    recipe(&[
        &schedule,
        "param_groups.rest.grad_clip={ norm = 1e30 }",
        "run.checkpoint_every=1",
        "run.evaluate_every=8",
    ])
}

/// Weights may be bad after a finite loss, and be saved before the next loss shows it; or not be finite at once.
#[test]
fn divergence_stops_the_run_and_leaves_a_good_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    for rate in ["1e30", "1e39"] {
        let out = folder.path().join(rate);
        let error = fit(&diverging(rate), &out, &FitOptions::default(), &mut |_| {}).unwrap_err();
        let FitError::Diverged { last_good, path, .. } = &error else { panic!("{error}") };
        assert_eq!(*last_good, Some(3), "{rate}: {error}");
        let kept = Checkpoint::read(path).unwrap();
        assert_eq!(kept.progress.step, 3, "{rate}");
        for (name, data) in kept.weights.iter().chain(&kept.ema) {
            assert!(data.iter::<f32>().all(|number| number.abs() < 100.0), "{rate}: {name}");
        }
        // As the hint says: it can resume with a lower learning rate.
        let mut milder = diverging(rate);
        milder.param_groups.values_mut().for_each(|group| group.learning_rate /= 2.0);
        milder.param_groups.get_mut("rest").unwrap().grad_clip = None;
        let kept = checkpoint(&out);
        kept.check_recipe(&milder, path).unwrap();
    }
}

#[test]
fn divergence_without_a_good_checkpoint_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(&[
        "param_groups.rest.learning_rate=1e30",
        "param_groups.rest.grad_clip={ norm = 1e30 }",
        "run.checkpoint_every=1",
    ]);
    let error = fit(&recipe, folder.path(), &FitOptions::default(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, FitError::Diverged { last_good: None, .. }), "{error}");
    assert!(error.to_string().ends_with("no good checkpoint"), "{error}");
    assert!(error.hint().unwrap().contains("start again"));
}

/// If a run is killed between the two renames of a new checkpoint, only the previous one exists.
#[test]
fn resumes_from_the_previous_checkpoint_if_the_last_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(&[]);
    let whole = folder.path().join("whole");
    let losses = train(&recipe, &whole, &FitOptions::default());
    let before = whole.join("checkpoint.previous.safetensors");
    assert_eq!(Checkpoint::read(&before).unwrap().progress.step, 6);
    let cut = folder.path().join("cut");
    std::fs::create_dir_all(&cut).unwrap();
    std::fs::copy(before, cut.join("checkpoint.previous.safetensors")).unwrap();
    let resumed = train(&recipe, &cut, &FitOptions { resume: true, ..FitOptions::default() });
    assert_eq!(resumed, losses[6..]);
}

/// Learning rates, the number of steps and activation checkpointing may change as long as finished steps stay the same.
#[test]
fn learning_rates_and_lengths_may_change() {
    let folder = tempfile::tempdir().unwrap();
    let resume = FitOptions { resume: true, ..FitOptions::default() };
    let constant = recipe(&["schedule={ kind = \"constant\" }", "run.steps=2"]);
    train(&constant, folder.path(), &FitOptions::default());
    let mut other = constant.clone();
    other.run.steps = StepsOrEpochs::Steps(3);
    other.run.checkpoint_activations = !constant.run.checkpoint_activations;
    other.param_groups.values_mut().for_each(|group| group.learning_rate *= 0.5);
    other.param_groups.get_mut("rest").unwrap().grad_clip = None;
    assert_eq!(train(&other, folder.path(), &resume).len(), 1);
    let mut decayed = other.clone();
    decayed.param_groups.values_mut().for_each(|group| group.weight_decay = 0.5);
    let error = fit(&decayed, folder.path(), &resume, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("param_groups.matrices.weight_decay"), "{error}");

    let cosine = checkpoint(folder.path());
    let cosine = Checkpoint { recipe: recipe(&[]), ..cosine };
    let error = cosine.check_recipe(&recipe(&["run.steps=9"]), folder.path()).unwrap_err().to_string();
    assert!(error.contains("run.steps was 8, now 9"), "{error}");
}

#[test]
fn damaged_checkpoints_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(&["run.steps=2"]);
    train(&recipe, folder.path(), &FitOptions::default());
    let path = folder.path().join("checkpoint.safetensors");
    let whole = std::fs::read(&path).unwrap();
    // In the length field, in the header, in the tensors, and one byte short.
    for end in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..end]).unwrap();
        assert!(Checkpoint::read(&path).is_err(), "{end}");
        assert!(check_no_run(folder.path()).is_err(), "{end}");
    }
    // An empty file is a damaged checkpoint too: the run is not started again over it.
    std::fs::write(&path, b"").unwrap();
    for resume in [false, true] {
        let options = FitOptions { resume, ..FitOptions::default() };
        let error = fit(&recipe, folder.path(), &options, &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("the file is empty"), "{error}");
    }
}

/// Data parallelism over two devices gives the gradients of one, up to the order of sums; here both are the same CPU.
#[test]
fn two_devices_equal_one() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(&["run.steps=2", "run.evaluate_every=2"]);
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let alone = train(&recipe, &one, &FitOptions::default());
    let devices = vec![Device::flex(), Device::flex()];
    let shared = train(&recipe, &two, &FitOptions { devices, ..FitOptions::default() });
    lexiform_golden::check("losses", &shared, &alone, 1e-5);
    let (one, two) = (checkpoint(&one), checkpoint(&two));
    // Key biases do not affect attention: their gradients are rounding noise, which Adam scales to the size of all others.
    for (name, data) in one.weights.iter().filter(|(name, _)| !name.ends_with("in_proj.bias")) {
        let [a, b] = [data, &two.weights[name]].map(|data| data.iter::<f64>().collect::<Vec<f64>>());
        lexiform_golden::check(name, &b, &a, 1e-3);
    }
}
