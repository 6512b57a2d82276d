//! Trains a captioner for a joint model on texts alone (DeCap, [arXiv 2303.03032](https://arxiv.org/abs/2303.03032)): it
//! reconstructs descriptions of generated shapes from their own text embeddings.

use std::collections::BTreeSet;

use burn::module::Module as _;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Int, Tensor, TensorData, activation};
use lexiform_model::caption::{PrefixCaptioner, PrefixCaptionerConfig, PrefixNetwork, TextMemory};
use lexiform_model::tokenizer::WordPieceTokenizer;
use lexiform_model::weights::WeightSource;
use lexiform_model::{Device, Embedding, JointModel, ModelError};
use lexiform_shapes::{Category, Rng, categories, description};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

use crate::optim::adamw::AdamW;
use crate::optim::gradients;
use crate::recipe::{RunPosition, Schedule, StepsOrEpochs};

/// Texts embedded at a time.
const TEXT_BATCH: usize = 256;
/// Largest norm of gradients.
const MAX_NORM: f32 = 1.0;
/// Steps between two reports.
const REPORT_EVERY: usize = 50;
/// One caption in this many is for validation.
const VALIDATION_EVERY: usize = 32;
/// Most captions of a validation.
const MAX_VALIDATION: usize = 512;
/// Seed of the first shape of each category, far from those that the towers are evaluated on.
const FIRST_SEED: u64 = 7_000_000;

/// How a captioner is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CaptionerOptions {
    /// Width of the language model, a quarter of that of its MLPs.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of heads.
    pub heads: usize,
    /// Longest caption in tokens.
    pub context: usize,
    /// Shapes of each category whose descriptions are learned.
    pub per_category: usize,
    /// Descriptions of each category that embeddings of shapes are projected on.
    pub memory_per_category: usize,
    /// Factor of similarities in the projection before softmax.
    pub memory_scale: f32,
    /// Standard deviation of noise that is added to embeddings of unit length, over all their numbers
    /// ([arXiv 2211.00575](https://arxiv.org/abs/2211.00575)).
    pub noise: f32,
    /// Optimizer steps.
    pub steps: usize,
    /// Captions per step.
    pub batch: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Seed of weights, captions, noise and the order of captions.
    pub seed: u64,
}

impl Default for CaptionerOptions {
    fn default() -> Self {
        Self {
            width: 192,
            layers: 4,
            heads: 6,
            context: 24,
            per_category: 160,
            memory_per_category: 32,
            memory_scale: 50.0,
            noise: 0.2,
            steps: 1500,
            batch: 48,
            learning_rate: 2e-3,
            seed: 1,
        }
    }
}

/// Progress of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CaptionerStep {
    /// Steps so far.
    pub step: usize,
    /// Loss of the last batch, in nats per token.
    pub loss: f32,
    /// Loss of the captions for validation without noise, after the last step.
    pub validation: Option<f32>,
}

/// Trains a captioner on descriptions of the kinds of objects that the model knows: of all categories, or of those that its everyday
/// language has.
///
/// # Errors
/// If the model knows no category, or its text tower fails.
pub fn train_captioner(
    model: &JointModel,
    options: &CaptionerOptions,
    on_step: &mut dyn FnMut(CaptionerStep),
) -> Result<PrefixCaptioner, ModelError> {
    let kinds = kinds(model);
    if kinds.is_empty() {
        return Err(ModelError::InvalidLanguage(format!("{} knows none of the categories", model.id())));
    }
    let described: Vec<Vec<String>> = kinds.par_iter().map(|kind| descriptions(kind, options)).collect();
    let memory = memory(model, &described, options)?;
    let all: Vec<&str> = described.iter().flatten().map(String::as_str).collect();
    let words = WordPieceTokenizer::from_texts(&all);
    let config = PrefixCaptionerConfig {
        name: format!("{}-captioner", model.config().name),
        model: model.id().to_owned(),
        dim: model.dim(),
        prefix_tokens: 1,
        width: options.width,
        layers: options.layers,
        heads: options.heads,
        context: options.context,
        words,
        memory: Some(memory.config()),
        kinds: kinds.iter().take(memory.n_kinds()).map(|kind| kind.name.to_owned()).collect(),
    };
    let examples = Examples::new(&all, &embed(model, &all)?, &config);
    let network = learn(&config, &examples, options, on_step)?;
    PrefixCaptioner::new(config, network, Some(memory))
}

/// The categories in the order of the model's kinds, or all where it has none.
fn kinds(model: &JointModel) -> Vec<&'static Category> {
    match model.language() {
        Some(language) => {
            let concepts = &language.config().concepts;
            // Kinds without a category have no descriptions; the memory is then not sorted by kinds.
            let found = |name: &String| categories().iter().find(|category| category.name == *name);
            concepts.iter().filter_map(|concept| found(&concept.name)).collect()
        }
        None => categories().iter().collect(),
    }
}

/// Descriptions of shapes of a category, each once, in random order.
fn descriptions(category: &Category, options: &CaptionerOptions) -> Vec<String> {
    let mut rng = Rng::named(category.name, options.seed);
    let mut seen = BTreeSet::new();
    let mut described = Vec::new();
    for i in 0..options.per_category as u64 {
        let specimen = category.generate(FIRST_SEED + options.seed * 1_000_000 + i);
        for _ in 0..4 {
            let text = description(category, &specimen, &mut rng);
            if seen.insert(text.clone()) {
                described.push(text);
            }
        }
    }
    described
}

fn embed(model: &JointModel, texts: &[&str]) -> Result<Vec<Embedding>, ModelError> {
    let batches: Vec<&[&str]> = texts.chunks(TEXT_BATCH).collect();
    let embedded = batches.into_par_iter().map(|batch| model.embed_texts(batch));
    Ok(embedded.collect::<Result<Vec<_>, _>>()?.concat())
}

/// The first descriptions of each kind, sorted by kind.
fn memory(
    model: &JointModel,
    described: &[Vec<String>],
    options: &CaptionerOptions,
) -> Result<TextMemory, ModelError> {
    let first = |texts: &Vec<String>| texts.len().min(options.memory_per_category);
    let rows: Vec<usize> = described.iter().map(first).collect();
    let texts: Vec<&str> =
        described.iter().flat_map(|texts| texts[..first(texts)].iter().map(String::as_str)).collect();
    let has_kinds = model.language().is_some_and(|language| language.n_concepts() == rows.len());
    Ok(TextMemory::new(
        &embed(model, &texts)?,
        if has_kinds { rows } else { Vec::new() },
        options.memory_scale,
    ))
}

/// Captions with their embeddings.
struct Examples {
    /// Tokens of each caption and the end.
    ids: Vec<Vec<u32>>,
    /// Unit vectors.
    embeddings: Vec<Vec<f32>>,
}

/// Some captions as tensors.
struct Batch {
    /// `[captions, dim]`.
    features: Tensor<2>,
    /// Row by row, padded with 0.
    ids: Vec<u32>,
    tokens: usize,
}

impl Examples {
    fn new(texts: &[&str], embeddings: &[Embedding], config: &PrefixCaptionerConfig) -> Self {
        let room = config.context - config.prefix_tokens;
        let tokens = |text: &&str| {
            // Without the start: the first word follows the embedding.
            let mut ids = config.words.encode(text).split_off(1);
            ids.truncate(room);
            ids
        };
        Self {
            ids: texts.iter().map(tokens).collect(),
            embeddings: embeddings.iter().map(|embedding| embedding.as_slice().to_vec()).collect(),
        }
    }

    /// Captions by index, with noise of this standard deviation over all numbers of an embedding.
    fn batch(&self, chosen: &[usize], noise: f32, rng: &mut SmallRng, device: &Device) -> Batch {
        let tokens = chosen.iter().map(|i| self.ids[*i].len()).max().unwrap_or(1);
        let dim = self.embeddings.first().map_or(0, Vec::len);
        let each = noise / (dim as f32).sqrt();
        let features: Vec<f32> = chosen.iter().flat_map(|i| noisy(&self.embeddings[*i], each, rng)).collect();
        let padded = |i: &usize| {
            let ids = &self.ids[*i];
            ids.iter().copied().chain(std::iter::repeat_n(0, tokens - ids.len())).collect::<Vec<_>>()
        };
        Batch {
            features: Tensor::from_data(TensorData::new(features, [chosen.len(), dim]), device),
            ids: chosen.iter().flat_map(padded).collect(),
            tokens,
        }
    }
}

/// A unit vector with Gaussian noise, scaled to length 1 again.
fn noisy(vector: &[f32], deviation: f32, rng: &mut SmallRng) -> Vec<f32> {
    let mut normal = || {
        let (a, b): (f32, f32) = (1.0 - rng.random::<f32>(), rng.random());
        (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
    };
    let sum: Vec<f32> = vector.iter().map(|x| x + deviation * normal()).collect();
    let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
    sum.iter().map(|x| x / norm).collect()
}

/// Mean cross-entropy of the tokens of captions, in nats, without padding.
fn cross_entropy(network: &PrefixNetwork, batch: &Batch) -> Tensor<1> {
    let logits = network.forward(batch.features.clone(), &batch.ids);
    let [rows, tokens, vocabulary] = logits.dims();
    assert_eq!(tokens, batch.tokens);
    let device = logits.device();
    let log_probabilities = activation::log_softmax(logits.reshape([rows * tokens, vocabulary]), 1);
    let ids: Vec<i64> = batch.ids.iter().map(|id| i64::from(*id)).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [rows * tokens, 1]), &device);
    let is_word: Vec<f32> = batch.ids.iter().map(|id| f32::from(u8::from(*id > 0))).collect();
    let count: f32 = is_word.iter().sum();
    let is_word = Tensor::<2>::from_data(TensorData::new(is_word, [rows * tokens, 1]), &device);
    (log_probabilities.gather(1, ids) * is_word).sum() / -count.max(1.0)
}

fn learn(
    config: &PrefixCaptionerConfig,
    examples: &Examples,
    options: &CaptionerOptions,
    on_step: &mut dyn FnMut(CaptionerStep),
) -> Result<PrefixNetwork, ModelError> {
    let device = Device::flex().autodiff();
    let source = WeightSource::random(options.seed, &device);
    let sizes = config.sizes().map_err(ModelError::InvalidLanguage)?;
    let mut network = PrefixNetwork::load(&source, &sizes)?;
    let adamw = AdamW { beta_1: 0.9, beta_2: 0.98, epsilon: 1e-8, weight_decay: 0.01 };
    let mut optimizer = ModuleOptimizer::from(adamw);
    let schedule = Schedule::Cosine {
        warmup: StepsOrEpochs::Steps(100),
        warmup_start_lr: None,
        min_lr: 0.0,
        reach_min: true,
    };
    let mut rng = SmallRng::seed_from_u64(options.seed);
    let (kept, learned): (Vec<usize>, Vec<usize>) =
        (0..examples.ids.len()).partition(|i| i.is_multiple_of(VALIDATION_EVERY));
    for step in 0..options.steps {
        let chosen: Vec<usize> =
            (0..options.batch).map(|_| learned[rng.random_range(0..learned.len())]).collect();
        let batch = examples.batch(&chosen, options.noise, &mut rng, &device);
        let loss = cross_entropy(&network, &batch);
        let gradients = GradientsParams::from_module(&mut loss.backward(), &network);
        let (gradients, _) = gradients::clip_norm(&network, gradients, MAX_NORM);
        let position = RunPosition { step, steps: options.steps, steps_per_epoch: options.steps };
        network = optimizer.step(schedule.rate(options.learning_rate, position), network, gradients);
        let is_last = step + 1 == options.steps;
        if (step + 1).is_multiple_of(REPORT_EVERY) || is_last {
            let validation = is_last.then(|| validate(&network.valid(), examples, &kept));
            on_step(CaptionerStep { step: step + 1, loss: loss.into_scalar::<f32>(), validation });
        }
    }
    Ok(network.valid())
}

/// Loss of the captions for validation.
fn validate(network: &PrefixNetwork, examples: &Examples, kept: &[usize]) -> f32 {
    let chosen = &kept[..kept.len().min(MAX_VALIDATION)];
    let mut rng = SmallRng::seed_from_u64(0);
    let batch = examples.batch(chosen, 0.0, &mut rng, &Device::flex());
    cross_entropy(network, &batch).into_scalar::<f32>()
}
