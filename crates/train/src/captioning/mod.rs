//! Training a captioner with a Q-Former between a frozen encoder and a language model, as ULIP-2's captioning task
//! ([arXiv 2305.08275](https://arxiv.org/abs/2305.08275), section 5.3; method of [arXiv 2311.18799](https://arxiv.org/abs/2311.18799)).
//!
//! The embeddings of all shapes are computed once, because the encoder is frozen. A step samples captions, or questions with answers, and
//! minimizes the cross-entropy of their tokens.

mod checkpoint;
mod examples;
mod steps;

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use lexiform_metrics::caption::{CaptionItem, bleu, cider, ptb_tokenize};
use lexiform_model::caption::{CaptionLanguage, LanguagePart, QFormerCaptioner, QFormerCaptionerConfig};
use lexiform_model::lm::{DecodingStrategy, TextOptions};
use lexiform_model::tokenizer::WordPieceTokenizer;
use lexiform_model::weights::WeightSource;

use self::checkpoint::CaptionCheckpoint;
use self::examples::{CaptionData, CaptionSampler, CaptionedShape, FrozenEncoder};
use self::steps::CaptionRun;
use crate::error::{CheckpointError, FitError};
use crate::event::{CaptionReport, StepMetrics, TrainEvent};
use crate::recipe::{CaptionRecipe, LanguageConfig, RecipeError};
use crate::run::{FitOptions, checkpoint_path, recover_latest};

/// Shapes that are captioned at a time.
const VALIDATION_BATCH: usize = 16;

/// Trains a captioner and returns the path of its file, `out/model.safetensors`; the best by CIDEr on the validation shapes is
/// `out/best.safetensors`.
///
/// Progress is passed to `on_event`. A run that was interrupted resumes from its last checkpoint if [`FitOptions::resume`] is set, and
/// gives the same weights, bit by bit, as one that was not.
///
/// # Errors
/// If the recipe is invalid or does not fit its data, a file cannot be read or written, the output folder already contains a run that is
/// not to be resumed, the loss diverges, or there are several devices or processes.
pub fn fit_captioner(
    recipe: &CaptionRecipe,
    out: &Path,
    options: &FitOptions,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<PathBuf, FitError> {
    recipe.validate()?;
    let [device] = &options.devices[..] else {
        let rule = "captioners are trained on one device";
        let found = options.devices.len().to_string();
        return Err(RecipeError::Value { field: "--devices", found, rule }.into());
    };
    if options.processes.count() > 1 {
        let found = options.processes.count().to_string();
        let rule = "captioners are trained by one process";
        return Err(RecipeError::Value { field: "--mpi", found, rule }.into());
    }
    let path = checkpoint_path(out);
    let checkpoint = open_folder(recipe, out, &path, options.resume)?;
    let encoder = FrozenEncoder::open(&recipe.encoder, device)?;
    let data = CaptionData::load(recipe, &encoder, &mut |shapes| on_event(TrainEvent::Preparing { shapes }))?;
    let device = device.clone().autodiff();
    let captioner = new_captioner(recipe, &encoder, &data, checkpoint.as_ref(), &device)?;
    let sampler = CaptionSampler::new(&data.training, recipe);
    let mut run = CaptionRun::new(recipe, captioner, &sampler, data.fingerprint())?;
    if let Some(checkpoint) = checkpoint {
        run.restore(checkpoint, &path)?;
    }
    on_event(TrainEvent::Start(run.plan()));
    if recipe.run.evaluate_on_start && run.progress.step == 0 {
        on_event(evaluate(&mut run, &data.validation, out)?);
    }
    train(&mut run, &data.validation, out, on_event)?;
    Ok(out.join("model.safetensors"))
}

/// The steps, evaluations and checkpoints.
fn train(
    run: &mut CaptionRun,
    validation: &[CaptionedShape],
    out: &Path,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<(), FitError> {
    let (steps, path) = (run.steps(), checkpoint_path(out));
    let [evaluate_every, checkpoint_every] = run.intervals();
    let (before, mut seconds) = (run.progress.step, 0.0);
    while run.progress.step < steps {
        let started = Instant::now();
        let outcome = run.step()?;
        let took = started.elapsed().as_secs_f64();
        seconds += took;
        let rate = ((run.progress.step - before) * run.recipe.batch.size) as f64 / seconds;
        on_event(TrainEvent::Step(StepMetrics {
            step: run.progress.step,
            loss: outcome.loss,
            losses: [("caption".to_owned(), outcome.loss)].into(),
            accuracies: [("caption".to_owned(), outcome.accuracy)].into(),
            learning_rates: outcome.learning_rates,
            grad_norms: outcome.grad_norms,
            logit_scale: 0.0,
            shapes_per_second: rate,
            images_per_second: 0.0,
            seconds: took,
            data_wait: 0.0,
            data_load: 0.0,
        }));
        let last = run.progress.step == steps;
        let evaluates = last || run.progress.step.is_multiple_of(evaluate_every);
        if evaluates {
            on_event(evaluate(run, validation, out)?);
        }
        if evaluates || run.progress.step.is_multiple_of(checkpoint_every) {
            run.save(&path)?;
            on_event(TrainEvent::CheckpointSaved { step: run.progress.step });
        }
    }
    let done = run.progress.step - before;
    if done > 0 {
        on_event(TrainEvent::Finished {
            step: run.progress.step,
            steps: done,
            seconds,
            data_wait: 0.0,
            data_load: 0.0,
            shapes_per_second: (done * run.recipe.batch.size) as f64 / seconds,
            images_per_second: 0.0,
        });
    }
    Ok(())
}

/// Saves the captioner and measures it on the validation shapes.
fn evaluate(run: &mut CaptionRun, validation: &[CaptionedShape], out: &Path) -> Result<TrainEvent, FitError> {
    let (captioner, precision) = (run.captioner(), run.recipe.run.save_precision.precision());
    let path = out.join("model.safetensors");
    captioner.save(&path, precision).map_err(lexiform_model::ModelError::from)?;
    let report = measure(&captioner, validation, run.recipe)?;
    let cider = report.as_ref().map(|report| report.cider as f32);
    let best = match (cider, run.progress.best) {
        (Some(now), Some((before, _))) => now > before,
        _ => true,
    };
    if best {
        run.progress.best = Some((cider.unwrap_or(0.0), run.progress.step));
        run.progress.evals_since_best = 0;
        captioner.save(&out.join("best.safetensors"), precision).map_err(lexiform_model::ModelError::from)?;
    } else {
        run.progress.evals_since_best += 1;
    }
    Ok(TrainEvent::Captioned { step: run.progress.step, report, best, path })
}

/// CIDEr and BLEU-4 of greedy captions, or of answers where shapes have no captions; `None` without validation shapes.
fn measure(
    captioner: &QFormerCaptioner,
    shapes: &[CaptionedShape],
    recipe: &CaptionRecipe,
) -> Result<Option<CaptionReport>, FitError> {
    let options = TextOptions {
        decoding: DecodingStrategy::Greedy,
        max_tokens: recipe.run.max_tokens,
        ..TextOptions::default()
    };
    let item = |candidate: &[String], references: &[String]| CaptionItem {
        candidate: ptb_tokenize(candidate.first().map_or("", String::as_str)),
        references: references.iter().map(|reference| ptb_tokenize(reference)).collect(),
    };
    let captioned: Vec<&CaptionedShape> =
        shapes.iter().filter(|shape| !shape.captions.is_empty()).take(recipe.run.val_shapes).collect();
    let mut items = Vec::new();
    for batch in captioned.chunks(VALIDATION_BATCH) {
        let rows: Vec<&[f32]> = batch.iter().map(|shape| shape.features.as_slice()).collect();
        let texts = captioner.generate(&rows, None, &options)?;
        items.extend(texts.iter().zip(batch).map(|(texts, shape)| item(texts, &shape.captions)));
    }
    if items.is_empty() {
        let asked = shapes.iter().flat_map(|shape| shape.questions.iter().map(move |asked| (shape, asked)));
        for (shape, asked) in asked.take(recipe.run.val_shapes) {
            let texts = captioner.generate(&[shape.features.as_slice()], Some(&asked.question), &options)?;
            items.push(item(&texts[0], std::slice::from_ref(&asked.answer)));
        }
    }
    if items.is_empty() {
        return Ok(None);
    }
    let [.., bleu_4] = bleu(&items)?.corpus;
    Ok(Some(CaptionReport { items: items.len(), cider: cider(&items)?.corpus, bleu_4 }))
}

/// A captioner before its first step. Its vocabulary, if it has one of its own, is that of the checkpoint.
fn new_captioner(
    recipe: &CaptionRecipe,
    encoder: &FrozenEncoder,
    data: &CaptionData,
    checkpoint: Option<&CaptionCheckpoint>,
    device: &Device,
) -> Result<QFormerCaptioner, FitError> {
    let network = &recipe.network;
    let language = match (&network.language, checkpoint) {
        (_, Some(checkpoint)) => checkpoint.header.config.language.clone(),
        (LanguageConfig::Pretrained(path), None) => {
            CaptionLanguage::Pretrained { path: path.clone(), id: String::new() }
        }
        (LanguageConfig::New(sizes), None) => {
            let instructions = [network.cue.as_str(), &network.prompt, "question answer"];
            let words = WordPieceTokenizer::from_texts(data.texts().chain(instructions));
            CaptionLanguage::Own { sizes: *sizes, words }
        }
    };
    let mut config = QFormerCaptionerConfig {
        name: recipe.name.clone(),
        model: encoder.id().to_owned(),
        dim: encoder.dim(),
        qformer: network.qformer,
        cue: network.cue.clone(),
        prompt: network.prompt.clone(),
        language,
    };
    let source = WeightSource::random(recipe.seed, device);
    let part = LanguagePart::load(&source, &config)?;
    // The file names the exact weights that the queries were trained for.
    if let (CaptionLanguage::Pretrained { id, .. }, Some(found)) = (&mut config.language, part.id()) {
        found.clone_into(id);
    }
    Ok(QFormerCaptioner::new(config, &source, part)?)
}

/// Creates the output folder and writes the recipe; reads the checkpoint of an existing run.
fn open_folder(
    recipe: &CaptionRecipe,
    out: &Path,
    path: &Path,
    resume: bool,
) -> Result<Option<CaptionCheckpoint>, FitError> {
    fs_err::create_dir_all(out)?;
    let checkpoint = if recover_latest(path)? { Some(CaptionCheckpoint::read(path)?) } else { None };
    if let Some(checkpoint) = &checkpoint {
        if !resume {
            let step = checkpoint.header.progress.step;
            return Err(FitError::Exists { path: path.to_owned(), step });
        }
        checkpoint.check_recipe(recipe, path)?;
    }
    let text = toml::to_string(recipe)
        .map_err(|error| CheckpointError::Invalid { path: path.to_owned(), message: error.to_string() })?;
    // With all overrides applied, so that the run can be repeated.
    fs_err::write(out.join("recipe.toml"), text)?;
    Ok(checkpoint)
}
