//! Benchmarks a training step of Duoduo CLIP (ViT-B/32), ULIP-2 (colored PointBERT) and `nano`. Prints one JSON line per
//! measurement; each case runs in its own process, so that peak memory is its own too.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use burn::tensor::Device;
use lexiform_model::clip::{ClipConfig, ClipText, ClipVision};
use lexiform_model::preprocess::Preprocess;
use lexiform_model::tokenizer::Tokenizer;
use lexiform_model::weights::{Precision, WeightSource};
use lexiform_model::{JointTowers, ModelConfig, default_templates, save_joint_model};
use lexiform_train::{FitOptions, Recipe, dry_run};

/// A benchmarked step.
struct Case {
    recipe: &'static str,
    what: &'static str,
    settings: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        recipe: "duoduo.toml",
        what: "step of Duoduo CLIP, ViT-B/32, last 6 blocks, 4 shapes of 3 views",
        settings: &["batch.size.shapes=4", "batch.min_views=3", "batch.max_views=3", "data.views=3"],
    },
    Case {
        recipe: "duoduo.toml",
        what: "step of Duoduo CLIP, ViT-B/32, last 6 blocks, 64 shapes of 6 views, activations recomputed",
        settings: &[
            "batch.size.shapes=64",
            "batch.min_views=6",
            "batch.max_views=6",
            "data.views=6",
            "run.checkpoint_activations=true",
        ],
    },
    Case {
        recipe: "ulip2.toml",
        what: "step of PointBERT, 18 blocks, 4 clouds of 10k colored points",
        // The peer has no stochastic depth.
        settings: &["batch.size.shapes=4", "data.views=1", "network.drop_path=0"],
    },
    Case {
        recipe: "nano.toml",
        what: "step of nano, 192 images",
        // Two views per shape and no weight averaging, as in the peer.
        settings: &["batch.size.images=192", "batch.min_views=2", "run.ema_decay=0"],
    },
];

fn main() -> anyhow::Result<()> {
    if let [number, precision, base] = std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        let case = CASES.get(number.parse::<usize>()?).context("no such case")?;
        return time(case, precision, Path::new(base));
    }
    // Written by the parent process, so that it does not count as memory of a step.
    let folder = tempfile::tempdir()?;
    let base = folder.path().join("vit-b-32.safetensors");
    random_clip(&base)?;
    for (number, case) in CASES.iter().enumerate() {
        for precision in ["f32", "bf16"] {
            let number = number.to_string();
            let status =
                Command::new(std::env::current_exe()?).args([&*number, precision]).arg(&base).status()?;
            ensure!(status.success(), "{} failed", case.what);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]
fn time(case: &Case, precision: &str, base: &Path) -> anyhow::Result<()> {
    let what = format!("{}, {precision}", case.what);
    let mut settings: Vec<String> = case.settings.iter().map(|s| (*s).to_owned()).collect();
    if case.recipe != "nano.toml" {
        settings.push(format!("teacher={}", base.display()));
    }
    if precision == "bf16" {
        settings.push("run.mixed_precision=bf16".to_owned());
    }
    match case.recipe {
        "duoduo.toml" => settings.push(format!("network.base={}", base.display())),
        "ulip2.toml" => settings.push("network.tower.projection.dim=512".to_owned()),
        _ => {}
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(case.recipe);
    let trial = dry_run(&Recipe::read(&path, &settings)?, &FitOptions::default(), &mut |_| {})?;
    if trial.shapes == 0 {
        bail!("{}: the step had no shapes", case.recipe);
    }
    println!("{{\"what\": \"{what}\", \"milliseconds\": {:.1}}}", 1000.0 * trial.step_seconds);
    let megabytes = trial.peak_memory_bytes / 1_000_000;
    println!("{{\"what\": \"{what}: peak memory, MB\", \"milliseconds\": {megabytes}}}");
    Ok(())
}

/// ViT-B/32 with random weights.
fn random_clip(path: &Path) -> anyhow::Result<()> {
    let device = Device::flex();
    let clip = ClipConfig::vit_b_32();
    let source = WeightSource::random(0, &device);
    let config = ModelConfig {
        name: "vit-b-32".to_owned(),
        clip,
        joint_from: clip.vision.layers,
        preprocess: Preprocess::clip(224),
        tokenizer: Tokenizer::Clip,
        rig: "zero123".to_owned(),
        n_views: 12,
        templates: default_templates(),
        points: None,
        language: None,
        prompts_of: None,
    };
    let (text, vision) = (ClipText::load(&source, &clip)?, ClipVision::load(&source, &clip)?);
    let towers =
        JointTowers { text: &text, vision: &vision, points: None, language: None, logit_scale: 2.659 };
    Ok(save_joint_model(path, &config, towers, Precision::Full)?)
}
