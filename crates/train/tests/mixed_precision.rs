//! Training with matrix products in bfloat16 stays close to training in f32; weights and saved models are f32 in both.

mod support;

use std::path::Path;

use burn::tensor::TensorData;
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
    "run.steps=4",
    "run.evaluate_every=4",
];

/// Losses of every step, and the checkpoint after the last.
fn train(name: &str, settings: &[&str], out: &Path) -> (Vec<f64>, Checkpoint) {
    let recipe = recipe(name, &[SHORT, settings].concat());
    (support::train(&recipe, out, &FitOptions::default()), checkpoint(out))
}

fn initialized_nonzero(name: &str, data: &TensorData) -> bool {
    data.shape().len() > 1 && !name.ends_with("lora.up")
}

fn assert_close(name: &str, settings: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (whole, at_32) = train(name, settings, &folder.path().join("f32"));
    let mixed = [settings, &["run.mixed_precision=bf16"]].concat();
    let (halves, at_16) = train(name, &mixed, &folder.path().join("bf16"));
    assert_ne!(whole, halves, "{name}: nothing was computed in bfloat16");
    // bfloat16 has 8 bits: 0.4 % of each factor, most of which cancels in sums.
    lexiform_golden::check(name, &halves, &whole, 1e-2);
    assert!(whole.last() < whole.first(), "{name}: the loss did not decrease: {whole:?}");
    // Tensors initialized with zeros are skipped: those before a normalization have only rounding noise as gradient, which Adam
    // scales to the size of all others.
    for (tensor, data) in at_32.weights.iter().filter(|(name, data)| initialized_nonzero(name, data)) {
        let [a, b] = [data, &at_16.weights[tensor]].map(|data| data.iter::<f64>().collect::<Vec<f64>>());
        assert!(b.iter().all(|x| x.is_finite()), "{name}: {tensor}");
        let off: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum();
        let size: f64 = a.iter().map(|a| a * a).sum();
        assert!(off.sqrt() <= 0.1 * size.sqrt(), "{name}: {tensor}: {off} of {size}");
    }
}

#[test]
fn duoduo() {
    assert_close("duoduo-nano.toml", &[]);
}

/// Low-rank adapters stay in f32.
#[test]
fn low_rank() {
    let settings = [
        "network.lora={ rank = 2, first_layer = 0 }",
        "param_groups.attention.params=[\"vision.transformer.resblocks.*.*.*.lora\", \"logit_scale\"]",
    ];
    assert_close("duoduo-nano.toml", &settings);
}

#[test]
fn points() {
    assert_close("ulip2.toml", &[support::TINY_ENCODER, support::WITH_TEACHER, support::FEW_GROUPS].concat());
}

/// Without transformer blocks mixed precision has no effect, which is an error.
#[test]
fn networks_without_transformer_blocks_are_errors() {
    let settings = [
        "data.shapes=12",
        "data.points=128",
        "network.input.n_points=64",
        "batch.size.shapes=4",
        "network.tower.encoder={ kind = \"point-net2\" }",
        "run.mixed_precision=bf16",
    ];
    let recipe = recipe("classify.toml", &settings);
    let folder = tempfile::tempdir().unwrap();
    let error = fit(&recipe, folder.path(), &FitOptions::default(), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("run.mixed_precision") && error.contains("has no effect"), "{error}");
}
