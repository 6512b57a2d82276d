//! Training with activation checkpointing gives the same losses and weights, to the bit.

mod support;

use std::path::Path;

use lexiform_train::{Checkpoint, FitOptions, fit};
use support::{checkpoint, recipe};

/// A few steps on a few shapes.
const SHORT: &[&str] = &[
    "data.shapes=12",
    "data.views=3",
    "data.val_per_class=0",
    "batch.size.shapes=6",
    "batch.min_views=1",
    "batch.max_views=2",
    "schedule.warmup=0",
    "run.steps=3",
    "run.evaluate_every=3",
];

/// Losses of every step, and the checkpoint after the last.
fn train(name: &str, settings: &[&str], out: &Path) -> (Vec<f64>, Checkpoint) {
    let recipe = recipe(name, &[SHORT, settings].concat());
    (support::train(&recipe, out, &FitOptions::default()), checkpoint(out))
}

fn assert_same(name: &str, settings: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (losses, kept) = train(name, settings, &folder.path().join("kept"));
    let settings = [settings, &["run.checkpoint_activations=true"]].concat();
    let (again, recomputed) = train(name, &settings, &folder.path().join("recomputed"));
    assert_eq!(losses, again, "{name}");
    assert!(losses.len() == 3 && losses[0] != losses[2], "{name}: nothing was trained: {losses:?}");
    for (tensor, data) in &kept.weights {
        assert!(data.iter::<f64>().eq(recomputed.weights[tensor].iter::<f64>()), "{name}: {tensor}");
    }
}

#[test]
fn views_of_a_shape_that_attend_to_each_other() {
    assert_same("duoduo-nano.toml", &[]);
}

/// Adapters are trained, the matrices they change are not.
#[test]
fn low_rank_adapters_in_mixed_precision() {
    let settings = [
        "network.lora={ rank = 2, first_layer = 0 }",
        "param_groups.attention.params=[\"vision.transformer.resblocks.*.*.*.lora\", \"logit_scale\"]",
        "run.mixed_precision=bf16",
    ];
    assert_same("duoduo-nano.toml", &settings);
}

/// The same rows skip the same branches when a block is computed again.
#[test]
fn points_with_stochastic_depth() {
    let tiny = [support::TINY_ENCODER, support::WITH_TEACHER, support::FEW_GROUPS].concat();
    assert_same("ulip2.toml", &[&tiny[..], &["network.drop_path=0.5"]].concat());
}

/// Without transformer blocks checkpointing has no effect, which is an error.
#[test]
fn networks_without_transformer_blocks_are_errors() {
    let settings = [
        "data.shapes=12",
        "data.points=128",
        "network.input.n_points=64",
        "batch.size.shapes=4",
        "network.tower.encoder={ kind = \"point-net2\" }",
        "run.checkpoint_activations=true",
    ];
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe("classify.toml", &settings);
    let error = fit(&recipe, folder.path(), &FitOptions::default(), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("run.checkpoint_activations") && error.contains("has no effect"), "{error}");
}
