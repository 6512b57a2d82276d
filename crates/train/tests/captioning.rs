//! Captioners with a Q-Former: what training gains on generated shapes, that a resumed run gives the same bits, and that a pretrained
//! language model stays unchanged.

use std::path::Path;

use lexiform_model::Device;
use lexiform_model::caption::QFormerCaptioner;
use lexiform_model::weights::WeightFile;
use lexiform_train::{CaptionRecipe, CaptionReport, FitError, FitOptions, TrainEvent, fit_captioner};

/// Generated shapes, described from their embeddings by the built-in model.
const RECIPE: &str = r#"
task = "caption"
name = "tiny"
seed = 3
encoder = "nano"

[network]
cue = "3d"
prompt = "describe"
language = { width = 48, layers = 2, heads = 4, context = 48 }
qformer = { queries = 8, width = 48, layers = 2, heads = 4, cross_frequency = 2 }

[data]
shapes = 500
views = 2
val_per_class = 1
elevation_low = 0
elevation_high = 30

[batch]
size = 32

[param_groups.all]
optimizer = { kind = "adamw", beta_1 = 0.9, beta_2 = 0.98, epsilon = 1e-8 }
learning_rate = 3e-3
weight_decay = 0.01
no_decay = { vectors = true }
grad_clip = { norm = 1.0 }

[schedule]
kind = "constant"

[run]
steps = 300
evaluate_every = 300
evaluate_on_start = true
checkpoint_every = 300
val_shapes = 100
max_tokens = 24
save_precision = "f32"
"#;

fn recipe(folder: &Path, settings: &[&str]) -> CaptionRecipe {
    read(folder, RECIPE, settings)
}

fn read(folder: &Path, text: &str, settings: &[&str]) -> CaptionRecipe {
    let path = folder.join("tiny.toml");
    std::fs::write(&path, text).unwrap();
    assert!(CaptionRecipe::matches_file(&path));
    let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
    CaptionRecipe::read(&path, &settings).unwrap()
}

fn resumed() -> FitOptions {
    FitOptions { resume: true, ..FitOptions::default() }
}

#[test]
fn training_raises_cider_of_unseen_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let mut reports: Vec<CaptionReport> = Vec::new();
    let mut losses = Vec::new();
    let recipe = recipe(folder.path(), &[]);
    let out = folder.path().join("run");
    let model = fit_captioner(&recipe, &out, &FitOptions::default(), &mut |event| match event {
        TrainEvent::Captioned { report, .. } => reports.extend(report),
        TrainEvent::Step(step) => losses.push(step.loss),
        _ => {}
    })
    .unwrap();
    let [before, after] = &reports[..] else { panic!("{reports:?}") };
    println!("{before:?} → {after:?}; loss {} → {}", losses[0], losses[losses.len() - 1]);
    assert!(after.cider >= 3.0 * before.cider && after.cider > 0.1, "{reports:?}");
    assert!(after.bleu_4 > before.bleu_4 && losses[losses.len() - 1] < 0.5 * losses[0]);
    // The file alone describes shapes: it has the language model and its vocabulary.
    let captioner = QFormerCaptioner::open(model.to_str().unwrap(), &Device::flex()).unwrap();
    let dim = captioner.config().dim;
    let row: Vec<f32> = (0..dim).map(|i| (i as f32).sin()).collect();
    let texts = captioner.generate(&[&row], None, &QFormerCaptioner::default_options()).unwrap();
    assert!(!texts[0][0].is_empty());
}

#[test]
fn a_killed_run_that_resumes_gives_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "run.steps=12",
        "run.evaluate_every=12",
        "run.checkpoint_every=4",
        "data.shapes=64",
        "data.val_per_class=0",
    ];
    let recipe = recipe(folder.path(), &settings);
    let whole = folder.path().join("whole");
    fit_captioner(&recipe, &whole, &FitOptions::default(), &mut |_| {}).unwrap();
    let killed = folder.path().join("killed");
    let died = std::panic::catch_unwind(|| {
        fit_captioner(&recipe, &killed, &FitOptions::default(), &mut |event| {
            if let TrainEvent::Step(step) = event {
                assert!(step.step < 7, "killed");
            }
        })
    });
    assert!(died.is_err());
    let again = fit_captioner(&recipe, &killed, &FitOptions::default(), &mut |_| {});
    assert!(matches!(again, Err(FitError::Exists { step: 4, .. })), "{again:?}");
    let mut steps = Vec::new();
    fit_captioner(&recipe, &killed, &resumed(), &mut |event| {
        if let TrainEvent::Step(step) = event {
            steps.push(step.step);
        }
    })
    .unwrap();
    assert_eq!(steps, (5..=12).collect::<Vec<_>>());
    // All weights in f32, those of the language model too.
    let bytes = |out: &Path| std::fs::read(out.join("model.safetensors")).unwrap();
    assert!(bytes(&whole) == bytes(&killed));
    let other = CaptionRecipe { seed: 4, ..recipe };
    let error = fit_captioner(&other, &killed, &resumed(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("seed was 3, now 4"), "{error}");
}

#[test]
fn a_pretrained_language_model_is_frozen_and_not_part_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let language = lexiform_golden::fixture("language_models/llama");
    let own = "{ width = 48, layers = 2, heads = 4, context = 48 }";
    let text = RECIPE.replace(own, &format!("{:?}", language.to_str().unwrap()));
    let settings = ["run.steps=60", "run.evaluate_every=60", "data.shapes=64", "data.val_per_class=0"];
    // The group of the recipe has all parameters.
    let all = read(folder.path(), &text, &settings);
    let out = folder.path().join("run");
    let error = fit_captioner(&all, &out, &FitOptions::default(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("a pretrained language model is frozen"), "{error}");
    let frozen = [&settings[..], &[r#"param_groups.all.params=["norm", "qformer"]"#]].concat();
    let mut losses = Vec::new();
    let frozen = read(folder.path(), &text, &frozen);
    let model = fit_captioner(&frozen, &out, &FitOptions::default(), &mut |event| {
        if let TrainEvent::Step(step) = event {
            losses.push(step.loss);
        }
    })
    .unwrap();
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    println!("frozen language model: loss {} → {}", mean(&losses[..10]), mean(&losses[50..]));
    // A random language model that does not learn: queries alone bend its output, by little (5.94 → 5.69).
    assert!(mean(&losses[50..]) < 0.98 * mean(&losses[..10]), "{losses:?}");
    let file = WeightFile::open(&model).unwrap();
    assert!(file.names().all(|name| name.starts_with("norm.") || name.starts_with("qformer.")));
    let captioner = QFormerCaptioner::open(model.to_str().unwrap(), &Device::flex()).unwrap();
    let row = vec![0.1; captioner.config().dim];
    let answer = captioner.generate(&[&row], Some("What is it?"), &QFormerCaptioner::default_options());
    assert_eq!(answer.unwrap().len(), 1);
}
