//! The loop, readable from top to bottom: generate, draw a batch, step, average, evaluate, save.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::grad_clipping::GradientClipping;
use burn::module::{Module as _, ModuleMapper, Param, ParamGroup};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamWConfig, AdjustLrFn, GradientsParams, ModuleOptimizer, MuonConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use image::RgbaImage;
use lexiform_geometry::RigKind;
use lexiform_model::weights::Precision;
use lexiform_model::{JointModel, ModelConfig, ModelError, OpenOptions};
use rayon::prelude::*;

use crate::augment::augment;
use crate::evaluate::{ZeroShotReport, zero_shot};
use crate::generated::{GeneratedShapes, Sample};
use crate::loss::{Negatives, contrastive, cross_entropy, ignored_pairs, normalize_rows};
use crate::recipe::{OptimizerKind, Recipe, RecipeError, ScheduleConfig};
use crate::shapes::{Rng, categories};
use crate::towers::Towers;

/// OpenCLIP's bound on the multiplier: `ln 100`.
const LARGEST_SCALE: f32 = 4.605_17;

/// What happens while training.
#[derive(Clone, Debug)]
pub enum TrainEvent {
    /// Shapes are being generated.
    Generating {
        /// How many.
        shapes: usize,
    },
    /// Ready to start.
    Start {
        /// Steps to do.
        steps: usize,
        /// Trained numbers.
        parameters: usize,
        /// Categories of shapes.
        categories: usize,
        /// Words of the vocabulary.
        vocabulary: usize,
    },
    /// One step is done.
    Step {
        /// Which, from 1.
        step: usize,
        /// Contrastive loss.
        contrastive: f32,
        /// Naming loss.
        naming: f32,
        /// Learning rate.
        learning_rate: f64,
        /// Images seen per second since the start.
        images_per_second: f64,
    },
    /// The averaged weights were measured on held-out shapes and saved.
    Evaluated {
        /// After which step.
        step: usize,
        /// How well held-out shapes are named.
        report: ZeroShotReport,
        /// Where the model was written.
        path: PathBuf,
    },
}

/// Why training stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The recipe is none.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The model cannot be built, written or read back.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The output folder cannot be written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A loss that is no number.
    #[error("the loss is {loss} at step {step}; the last good model is {}", path.display())]
    Diverged {
        /// At which step.
        step: usize,
        /// The loss.
        loss: f32,
        /// The last checkpoint.
        path: PathBuf,
    },
    /// A rig that does not exist.
    #[error("network.rig: {0}")]
    Rig(#[from] lexiform_geometry::UnknownRig),
}

/// Trains the recipe's model into `out/model.safetensors` (half precision), reporting on the way.
pub fn fit(
    recipe: &Recipe,
    out: &Path,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<ModelConfig, FitError> {
    recipe.validate()?;
    let rig: RigKind = recipe.network.rig.parse()?;
    fs_err::create_dir_all(out)?;
    let path = out.join("model.safetensors");
    let schedule = &recipe.schedule;
    let size = recipe.network.image_size;

    on_event(TrainEvent::Generating { shapes: recipe.data.shapes });
    let mut shapes = GeneratedShapes::training(&recipe.data, size, recipe.seed, 0);
    // Rigs that are drawn by chance are always drawn by the same.
    let cameras = rig.rig(recipe.network.n_views, 0);
    let held_out = GeneratedShapes::held_out(recipe.data.held_out, size, &cameras);
    let config = recipe.model(vocabulary(&shapes).iter().map(String::as_str));
    fs_err::write(out.join("recipe.toml"), toml::to_string(recipe).expect("a recipe is plain data"))?;

    let device = Device::flex().autodiff();
    let mut towers = Towers::new(&config, recipe.seed, &device).map_err(ModelError::from)?;
    let mut average = towers.valid();
    let mut optimizer = optimizer(schedule);
    on_event(TrainEvent::Start {
        steps: schedule.steps,
        parameters: towers.num_params(),
        categories: categories().len(),
        vocabulary: config.clip.text.vocabulary,
    });

    let mut rng = Rng::named("batches", recipe.seed);
    let start = Instant::now();
    for step in 1..=schedule.steps {
        if schedule.refresh_every > 0 && step % schedule.refresh_every == 0 {
            let round = (step / schedule.refresh_every) as u64;
            on_event(TrainEvent::Generating { shapes: recipe.data.shapes });
            shapes = GeneratedShapes::training(&recipe.data, size, recipe.seed, round);
        }
        let batch = Batch::draw(&shapes, &config, schedule, &mut rng, &device);
        let learning_rate = learning_rate(schedule, step);
        let losses = towers.step(&batch, &config, schedule, learning_rate, &mut optimizer)?;
        if !(losses[0] + losses[1]).is_finite() {
            return Err(FitError::Diverged { step, loss: losses[0] + losses[1], path });
        }
        average = toward(average, &towers.valid(), decay(schedule, step));
        on_event(TrainEvent::Step {
            step,
            contrastive: losses[0],
            naming: losses[1],
            learning_rate,
            images_per_second: (step * schedule.images) as f64 / start.elapsed().as_secs_f64(),
        });
        if step % schedule.evaluate_every == 0 || step == schedule.steps {
            save(&path, &config, &average)?;
            let model = JointModel::open(&path.to_string_lossy(), &OpenOptions::default())?;
            let report = zero_shot(&model, &held_out)?;
            on_event(TrainEvent::Evaluated { step, report, path: path.clone() });
        }
    }
    Ok(config)
}

/// AdamW for everything, or Muon for the matrices of the blocks and AdamW for the rest.
fn optimizer(schedule: &ScheduleConfig) -> ModuleOptimizer {
    let clip = GradientClipping::Norm(1.0);
    let adamw =
        AdamWConfig::new().with_epsilon(1e-6).with_beta_2(0.98).with_weight_decay(schedule.weight_decay);
    let optimizer = adamw.init().with_grad_clipping(clip);
    match schedule.optimizer {
        OptimizerKind::Adamw => optimizer,
        OptimizerKind::Muon => {
            let muon = MuonConfig::new()
                .with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW)
                .with_weight_decay(Some(WeightDecayConfig::new(schedule.weight_decay)));
            let matrices = ["in_proj.weight", "out_proj.weight", "c_fc.weight", "c_proj.weight"];
            optimizer.with_group(ParamGroup::from_any_predicates(matrices.to_vec()), muon.build(), None)
        }
    }
}

/// All captions of the shapes in memory, and every noun of every category.
fn vocabulary(shapes: &GeneratedShapes) -> Vec<String> {
    let nouns = categories().iter().flat_map(|c| std::iter::once(c.name).chain(c.synonyms.iter().copied()));
    let mut texts: Vec<String> = nouns.map(str::to_owned).collect();
    texts.extend(shapes.samples.iter().flat_map(|sample| sample.captions.iter().cloned()));
    texts
}

fn save(path: &Path, config: &ModelConfig, towers: &Towers) -> Result<(), ModelError> {
    let scale = towers.logit_scale.val().into_scalar::<f32>();
    lexiform_model::save(path, config, &towers.text, &towers.vision, scale, Precision::Half)
}

/// Rises linearly, then falls as a cosine to a hundredth.
fn learning_rate(schedule: &ScheduleConfig, step: usize) -> f64 {
    let ScheduleConfig { steps, warm_up, learning_rate, .. } = *schedule;
    if step <= warm_up {
        return learning_rate * step as f64 / warm_up as f64;
    }
    let done = (step - warm_up) as f64 / (steps - warm_up).max(1) as f64;
    learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()))
}

/// The running mean forgets quickly at first, so that the start does not stay in it.
fn decay(schedule: &ScheduleConfig, step: usize) -> f64 {
    schedule.average_decay.min((1 + step) as f64 / (10 + step) as f64)
}

/// One batch: pixels, captions, and which category each shape is of.
struct Batch {
    pixels: Tensor<4>,
    views: usize,
    captions: Vec<String>,
    general: Vec<bool>,
    categories: Vec<usize>,
    nouns: Vec<&'static str>,
}

impl Batch {
    fn draw(
        shapes: &GeneratedShapes,
        config: &ModelConfig,
        schedule: &ScheduleConfig,
        rng: &mut Rng,
        device: &Device,
    ) -> Self {
        let views = rng.count(1, schedule.most_views);
        let picked: Vec<&Sample> =
            (0..schedule.images / views).map(|_| &shapes.samples[rng.index(shapes.samples.len())]).collect();
        let chosen: Vec<(&RgbaImage, u64)> =
            picked.iter().flat_map(|sample| distinct_views(sample, views, rng)).collect();
        let images: Vec<RgbaImage> =
            chosen.into_par_iter().map(|(view, salt)| augment(view, &mut Rng::new(salt))).collect();
        let size = config.preprocess.size;
        let data = TensorData::new(config.preprocess.views(&images), [images.len(), 3, size, size]);
        let said: Vec<usize> = picked.iter().map(|sample| rng.index(sample.captions.len())).collect();
        let nouns = categories().iter().map(|category| {
            if category.synonyms.is_empty() || rng.chance(0.6) {
                category.name
            } else {
                rng.pick(category.synonyms)
            }
        });
        let nouns = nouns.collect();
        Self {
            pixels: Tensor::from_data(data, device),
            views,
            captions: picked.iter().zip(&said).map(|(sample, i)| sample.captions[*i].clone()).collect(),
            // The first caption is a bare noun and fits the whole category.
            general: said.iter().map(|i| *i == 0).collect(),
            categories: picked.iter().map(|sample| sample.category).collect(),
            nouns,
        }
    }
}

/// `count` different views of a sample, each with a salt for its augmentation.
fn distinct_views<'a>(sample: &'a Sample, count: usize, rng: &mut Rng) -> Vec<(&'a RgbaImage, u64)> {
    let mut left: Vec<&RgbaImage> = sample.views.iter().collect();
    (0..count).map(|_| (left.swap_remove(rng.index(left.len())), rand::RngCore::next_u64(rng))).collect()
}

impl Towers {
    /// One optimizer step; gives the contrastive and the naming loss.
    fn step(
        &mut self,
        batch: &Batch,
        config: &ModelConfig,
        schedule: &ScheduleConfig,
        learning_rate: f64,
        optimizer: &mut ModuleOptimizer,
    ) -> Result<[f32; 2], FitError> {
        let device = batch.pixels.device();
        let encode = |texts: Vec<&str>| {
            self.text.encode(&config.tokenizer.encode(&texts, config.clip.text.context).trimmed())
        };
        let shapes = self.vision.encode(batch.pixels.clone(), batch.views, config.joint_from);
        let captions = encode(batch.captions.iter().map(String::as_str).collect());
        let scale = self.logit_scale.val().clamp_max(LARGEST_SCALE);
        let ignored = ignored_pairs(&batch.categories, &batch.general, &device);
        let matching = contrastive(shapes.clone(), captions, scale.clone(), &Negatives::Ignored(ignored));

        let nouns = encode(batch.nouns.clone());
        let logits =
            normalize_rows(shapes).matmul(normalize_rows(nouns).transpose()) * scale.exp().unsqueeze::<2>();
        let targets: Vec<i64> = batch.categories.iter().map(|c| *c as i64).collect();
        let targets =
            Tensor::<1, Int>::from_data(TensorData::new(targets, [batch.categories.len()]), &device);
        let naming = cross_entropy(logits, targets, schedule.label_smoothing);

        let total = matching.clone() + naming.clone() * schedule.naming_weight;
        let gradients = GradientsParams::from_grads(total.backward(), self);
        *self = optimizer.step(learning_rate, self.clone(), gradients);
        Ok([matching.into_scalar::<f32>(), naming.into_scalar::<f32>()])
    }
}

/// `average · decay + current · (1 − decay)`, parameter by parameter.
fn toward(average: Towers, current: &Towers, decay: f64) -> Towers {
    let mut values = Vec::new();
    current.visit(&mut Collect { values: &mut values });
    average.map(&mut Blend { values: values.into_iter(), decay })
}

/// Parameters in visiting order, flattened.
struct Collect<'a> {
    values: &'a mut Vec<Tensor<1>>,
}

impl burn::module::ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.values.push(param.val().flatten::<1>(0, D - 1));
    }
}

struct Blend {
    values: std::vec::IntoIter<Tensor<1>>,
    decay: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let new = self.values.next().expect("both towers have the same parameters");
        let decay = self.decay;
        param.map(|old| {
            let shape = old.dims();
            old * decay + new.reshape(shape) * (1.0 - decay)
        })
    }
}
