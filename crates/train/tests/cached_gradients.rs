//! A batch computed in chunks gives the loss and the weights of the whole batch.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::TensorData;
use lexiform_model::Device;
use lexiform_train::{FitOptions, Recipe};
use support::{FEW_GROUPS, TINY_CLIP, TINY_ENCODER, TINY_HEAD, WITH_TEACHER, checkpoint, recipe};

const FEW: &[&str] = &["data.val_per_class=0", "run.evaluate_every=3", "run.steps=3"];

/// Of `duoduo-nano.toml`.
const LEARNING_RATE: f64 = 5e-5;

/// Losses and final weights.
type Trained = (Vec<f64>, BTreeMap<String, TensorData>);

fn train(name: &str, settings: &[&[&str]], devices: usize) -> Trained {
    let recipe = recipe(name, &settings.concat());
    let out = tempfile::tempdir().unwrap();
    let options = FitOptions { devices: vec![Device::flex(); devices], ..FitOptions::default() };
    (support::train(&recipe, out.path(), &options), checkpoint(out.path()).weights)
}

/// Compares losses and every weight; `tolerance` is relative to the largest weight of a tensor. Key biases do not affect
/// attention: their gradients are rounding noise, which Adam scales to the size of all others. For them it is absolute, and at
/// least one step of the recipe's learning rate.
fn assert_same(what: &str, whole: &Trained, chunked: &Trained, tolerance: f64) {
    lexiform_golden::check(&format!("{what}: losses"), &chunked.0, &whole.0, tolerance);
    assert_eq!(whole.1.len(), chunked.1.len());
    for (name, expected) in &whole.1 {
        let [expected, found] =
            [expected, &chunked.1[name]].map(|data| data.iter::<f64>().collect::<Vec<f64>>());
        // Queries, keys and values, a third each.
        let keys = match name.ends_with("in_proj.bias") {
            true => expected.len() / 3..2 * expected.len() / 3,
            false => 0..0,
        };
        let least = if keys.is_empty() { 1e-3 } else { 1.0 };
        let largest = expected.iter().fold(least, |largest: f64, value| largest.max(value.abs()));
        for (i, (a, b)) in expected.iter().zip(&found).enumerate() {
            let allowed = if keys.contains(&i) { tolerance.max(LEARNING_RATE) } else { tolerance * largest };
            assert!((a - b).abs() <= allowed, "{what}: {name}[{i}]: {b}, expected {a} within {allowed:e}");
        }
    }
}

/// Three steps of 64 shapes, at once and in chunks of 8, with the recipe's own AdamW.
#[test]
fn duoduo_in_chunks_of_8_equals_64() {
    let data = ["data.shapes=64", "data.views=3", "batch.size.shapes=64", "batch.max_views=3"];
    let whole = train("duoduo-nano.toml", &[FEW, &data], 1);
    assert!(whole.0[0] > 1.0, "{:?}", whole.0);
    for chunk in ["batch.chunk_size.shapes=8", "batch.chunk_size.images=23"] {
        let chunked = train("duoduo-nano.toml", &[FEW, &data, &[chunk]], 1);
        assert_same(chunk, &whole, &chunked, 1e-5);
    }
    // Accumulated batches of 8 have other negatives and so another loss.
    let accumulated = ["batch.accumulate_batches=8", "batch.size.shapes=8"];
    let separate = train("duoduo-nano.toml", &[FEW, &data, &accumulated], 1);
    assert!((separate.0[0] - whole.0[0]).abs() > 0.5, "{} {}", separate.0[0], whole.0[0]);
}

/// Both towers trained, several positives per caption, and every chunk accumulated over two batches.
#[test]
fn text_towers_and_accumulated_batches() {
    let settings = [
        "data.shapes=24",
        "data.views=3",
        "data.refresh_every=2",
        "batch.size.images=24",
        "batch.accumulate_batches=2",
        "param_groups={ all = { optimizer = { kind = \"sgd\", momentum = 0.9 }, learning_rate = 0.05 } }",
        "losses.text.kind=multi-positive",
        "losses.names={ kind = \"class-text\" }",
    ];
    let whole = train("nano.toml", &[FEW, TINY_CLIP, &settings], 1);
    let chunked = train("nano.toml", &[FEW, TINY_CLIP, &settings, &["batch.chunk_size.shapes=3"]], 1);
    assert_same("text", &whole, &chunked, 1e-5);
}

fn points(more: &[&str]) -> Vec<&'static str> {
    let few = ["data.shapes=24", "data.views=2", "data.points=256", "batch.size.shapes=8"];
    let sgd = ["param_groups.all.optimizer={ kind = \"sgd\", momentum = 0.9 }"];
    let more = more.iter().map(|setting| String::leak((*setting).to_owned()) as &str);
    few.into_iter().chain(sgd).chain(more).collect()
}

/// Batch norms use the statistics of a chunk as they use those of a device: two chunks equal two devices, stochastic depth and
/// running statistics included. Without gathered features' gradients each device has its own loss, so here they have them.
#[test]
fn two_chunks_equal_two_devices() {
    let settings = points(&["run.gather=with-gradient"]);
    let base = [TINY_ENCODER, WITH_TEACHER, FEW_GROUPS, FEW, &settings];
    let devices = train("ulip2.toml", &base, 2);
    let chunks = train("ulip2.toml", &[&base[..], &[&["batch.chunk_size.shapes=4"]]].concat(), 1);
    assert_same("point-bert", &devices, &chunks, 1e-5);
    // Statistics of the whole batch are others.
    let whole = train("ulip2.toml", &base, 1);
    assert!((whole.0[0] - chunks.0[0]).abs() > 1e-5);
}

/// Each device's rows in chunks, with ULIP's loss per device. The batch norms of two devices with two chunks each are those of
/// four parts, so they are frozen here.
#[test]
fn devices_and_chunks_combine() {
    let trained =
        "param_groups.all.params=[\"points.encoder.*.transformer\", \"points.projection\", \"logit_scale\"]";
    for gather in ["run.gather=detached", "run.gather=with-gradient"] {
        let settings = points(&[gather, trained]);
        let base = [TINY_ENCODER, WITH_TEACHER, FEW_GROUPS, FEW, &settings];
        let whole = train("ulip2.toml", &base, 2);
        let chunked = train("ulip2.toml", &[&base[..], &[&["batch.chunk_size.shapes=2"]]].concat(), 2);
        assert_same(gather, &whole, &chunked, 1e-5);
    }
}

/// Hard negatives are masked over the whole batch; prompts are learned in the image tower; dropout in a head. Batch norms, which
/// depend on the chunks, are frozen.
#[test]
fn other_papers() {
    let hard = "batch.hard_negatives={ group_size = 2, neighbors = 4, margin = 0.1 }";
    let openshape = points(&[hard, "losses.text.negatives=hard", "losses.image.negatives=hard"]);
    let of = |group: &str, head: &str| {
        format!("param_groups.{group}.params=[\"points.encoder.*.transformer\", \"points.{head}\"]")
    };
    let (all, encoder) = (of("all", "projection"), of("encoder", "projection"));
    let openshape = [&openshape[..], &[&all]].concat();
    let few =
        ["data.shapes=24", "data.views=1", "data.points=256", "batch.size.shapes=8", "network.prompts=2"];
    let prompts = [&few[..], &[&encoder]].concat();
    let head = points(&[&of("all", "classifier")]);
    let groups = ["network.tower.encoder.patches=8", "network.tower.encoder.samples=8"];
    let cases: [(&str, &[&[&str]]); 3] = [
        ("openshape.toml", &[TINY_ENCODER, WITH_TEACHER, &groups, FEW, &openshape]),
        ("cg3d.toml", &[TINY_ENCODER, WITH_TEACHER, FEW_GROUPS, FEW, &prompts]),
        ("classify.toml", &[TINY_ENCODER, FEW_GROUPS, TINY_HEAD, FEW, &head]),
    ];
    for (name, settings) in cases {
        let whole = train(name, settings, 1);
        let chunked = train(name, &[settings, &[&["batch.chunk_size.shapes=3"]]].concat(), 1);
        assert_same(name, &whole, &chunked, 1e-5);
    }
}

/// In mixed precision the products of chunks and of the whole batch are rounded alike: each row has its own.
#[test]
fn mixed_precision() {
    let settings = ["data.shapes=16", "data.views=6", "batch.size.shapes=8", "run.mixed_precision=bf16"];
    let whole = train("duoduo-nano.toml", &[FEW, &settings], 1);
    let chunked = train("duoduo-nano.toml", &[FEW, &settings, &["batch.chunk_size.shapes=3"]], 1);
    assert_same("bf16", &whole, &chunked, 5e-3);
}

#[test]
fn chunks_without_a_shape_are_errors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/duoduo-nano.toml");
    for chunk in ["batch.chunk_size.shapes=0", "batch.chunk_size.images=5"] {
        let error = Recipe::read(&path, &[chunk.to_owned()]).unwrap_err().to_string();
        assert!(error.contains("batch.chunk_size") && error.contains("at least one shape"), "{error}");
    }
}
