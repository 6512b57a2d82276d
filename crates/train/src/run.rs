//! A run at work: what is trained, by which batches, and how far it is.

mod suits;
mod telling;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::module::Module as _;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use lexiform_data::DataError;
use lexiform_geometry::RigKind;
use lexiform_model::nn::with_products_in;

use crate::batch::Batch;
use crate::checkpoint::{self, Checkpoint, CheckpointError, Progress};
use crate::clock::Clock;
use crate::event::TrainEvent;
use crate::fit::{FitError, FitOptions};
use crate::gradients;
use crate::groups::Groups;
use crate::material::Material;
use crate::needs::Needs;
use crate::objective::{Features, Objective, Value};
use crate::parameters::{toward, train_only, with_stable_ids, with_values};
use crate::published::Published;
use crate::recipe::{NetworkConfig, Recipe, RunConfig};
use crate::sampler::Sampler;
use crate::schedule::Position;
use crate::shape_set::Sizes;
use crate::towers::{Blueprint, Design, Said, Towers};

/// A batch with the step and the part of it that it is for.
type Drawn = ((usize, usize), Batch);

/// A run at work.
pub(crate) struct Run<'a> {
    recipe: &'a Recipe,
    out: &'a Path,
    devices: Vec<Device>,
    objective: Objective,
    material: Material,
    blueprint: Blueprint,
    towers: Towers,
    average: Option<Towers>,
    groups: Groups,
    pub(crate) progress: Progress,
    /// The next batch, drawn already: of which step and part.
    ahead: Option<Drawn>,
    /// Step of the newest checkpoint.
    saved: Option<usize>,
    /// Whether a loss was good since: it was taken with the weights of that checkpoint, or later ones.
    proven: bool,
}

impl<'a> Run<'a> {
    /// Data, network and optimizers as the recipe says; or, when the run goes on, as the checkpoint left them.
    pub(crate) fn prepare(
        recipe: &'a Recipe,
        out: &'a Path,
        options: &FitOptions,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<Self, FitError> {
        recipe.validate()?;
        suits::check_numbers(recipe, &options.devices)?;
        let objective = Objective::new(&recipe.losses, recipe.run.gather)?;
        fs_err::create_dir_all(out)?;
        let checkpoint = open_checkpoint(recipe, out, options)?;
        fs_err::write(out.join("recipe.toml"), toml::to_string(recipe).expect("a recipe is plain data"))?;

        let devices: Vec<Device> = options.devices.iter().map(|device| device.clone().autodiff()).collect();
        let published = Published::on(&devices[0]);
        let done = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.progress.step);
        let mut material = bring(recipe, &objective, &published, done, on_event)?;
        suits::check_batch(recipe, material.pool.len())?;
        suits::check_classes(recipe, material.pool.categories().len())?;
        let known = checkpoint.as_ref().map(|checkpoint| &checkpoint.model);
        let words = match (&recipe.network, known) {
            (NetworkConfig::Clip(_), None) => material.words()?,
            _ => Vec::new(),
        };
        let said = Said { words: &words, labels: &material.pool.names() };
        let (towers, blueprint) = Towers::build(recipe, &published, said, known, &devices[0])?;
        suits::check_products(recipe, &towers)?;
        let towers = with_stable_ids(towers);
        let mut groups = Groups::new(&recipe.groups, recipe.schedule, &towers)?;
        let mut towers = train_only(towers, &groups.ids());
        let mut average = (recipe.run.average_decay > 0.0).then(|| towers.valid());
        let mut saved = None;
        let mut progress = Progress { data: material.sum().map(str::to_owned), ..Progress::default() };
        if let Some(checkpoint) = checkpoint {
            let path = checkpoint::path_in(out);
            let invalid = |message: String| CheckpointError::Invalid { path: path.clone(), message };
            checkpoint.progress.check_data(material.sum(), &path)?;
            towers = with_values(towers, &checkpoint.weights).map_err(invalid)?;
            average = match average {
                Some(average) => Some(with_values(average, &checkpoint.average).map_err(invalid)?),
                None => None,
            };
            groups.restore(checkpoint.optimizers).map_err(invalid)?;
            progress = checkpoint.progress;
            saved = Some(progress.step);
        }
        material.bring_features(recipe, out, on_event)?;
        material.dismiss_teacher(recipe);
        let (ahead, proven) = (None, false);
        Ok(Self {
            recipe,
            out,
            devices,
            objective,
            material,
            blueprint,
            towers,
            average,
            groups,
            progress,
            ahead,
            saved,
            proven,
        })
    }

    /// Shapes that a round of the recipe's data has.
    pub(crate) fn count_of(&self, recipe: &Recipe) -> usize {
        self.material.count(recipe)
    }

    /// Where the run is.
    pub(crate) fn position(&self) -> Position {
        let steps_per_epoch = self.steps_per_epoch();
        Position { step: self.progress.step, steps: self.steps(), steps_per_epoch }
    }

    /// Steps in all.
    pub(crate) fn steps(&self) -> usize {
        self.recipe.run.steps.steps(self.steps_per_epoch())
    }

    /// Steps between evaluations, and between checkpoints.
    pub(crate) fn rhythm(&self) -> [usize; 2] {
        let RunConfig { evaluate_every, checkpoint_every, .. } = self.recipe.run;
        [evaluate_every, checkpoint_every].map(|span| span.steps(self.steps_per_epoch()))
    }

    fn steps_per_epoch(&self) -> usize {
        self.recipe.batch.steps_per_epoch(self.material.pool.len())
    }

    /// Fresh shapes where the recipe asks for them.
    pub(crate) fn refresh(
        &mut self,
        position: Position,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        self.material.refresh(self.recipe, self.out, position.step, on_event)
    }

    /// Terms, their sum, and the gradients of it, averaged over the step's batches.
    ///
    /// While the network works on a batch, the next one is drawn.
    fn gradients(
        &mut self,
        position: Position,
        clock: &mut Clock,
    ) -> Result<(Value<f64>, GradientsParams), FitError> {
        let parts = self.recipe.batch.accumulate;
        let (mut values, mut gradients) = (Vec::with_capacity(parts), GradientsParams::new());
        for part in 0..parts {
            let place = (position.step, part);
            let drawn = self.ahead.take().filter(|(at, _)| *at == place);
            let batch = match drawn {
                Some((_, batch)) => batch,
                None => {
                    let (batch, took) = clock.waits(|| self.draw(place));
                    clock.drew(took);
                    batch?
                }
            };
            clock.saw(&batch);
            let (found, ahead) = self.with_next(place, |run| run.batch_gradients(&batch, position), clock);
            self.ahead = ahead;
            let (value, own) = found?;
            values.push(value);
            gradients = gradients::add(&self.towers, gradients, own);
        }
        Ok((Value::mean(&values), gradients))
    }

    /// Does some work on this thread while another draws the batch after `place`, unless that is of shapes not made yet.
    fn with_next<T>(
        &self,
        (step, part): (usize, usize),
        work: impl FnOnce(&Self) -> T,
        clock: &mut Clock,
    ) -> (T, Option<Drawn>) {
        let next = match part + 1 < self.recipe.batch.accumulate {
            true => (step, part + 1),
            false => (step + 1, 0),
        };
        if next.0 >= self.steps() || !self.material.has(self.recipe, next.0) {
            return (work(self), None);
        }
        std::thread::scope(|scope| {
            let (sampler, pool) = (self.sampler(), &self.material.pool);
            let drawing = scope.spawn(move || timed(|| sampler.draw(pool, next.0, next.1)));
            let done = work(self);
            // A panic or an error there comes again, with its message, when the batch is drawn here.
            let drawn = clock.waits(|| drawing.join().ok()).and_then(|(batch, took)| {
                clock.drew(took);
                Some((next, batch.ok()?))
            });
            (done, drawn)
        })
    }

    /// A batch, and the time it took to draw.
    fn draw(&self, (step, part): (usize, usize)) -> (Result<Batch, DataError>, Duration) {
        timed(|| self.sampler().draw(&self.material.pool, step, part))
    }

    /// Each device encodes its share of the rows; the loss is taken once, of all of them.
    fn batch_gradients(
        &self,
        batch: &Batch,
        position: Position,
    ) -> Result<(Value<f64>, GradientsParams), FitError> {
        let main = &self.devices[0];
        let copies: Vec<Towers> =
            self.devices[1..].iter().map(|device| self.towers.clone().fork(device)).collect();
        let towers: Vec<Towers> =
            std::iter::once(&self.towers).chain(&copies).map(|towers| self.at_work(towers)).collect();
        let shares =
            (0..towers.len()).map(|i| batch.rows() * i / towers.len()..batch.rows() * (i + 1) / towers.len());
        let ranks: Vec<Features> = (towers.iter().zip(shares))
            .map(|(towers, rows)| {
                let features = towers.features(batch, rows, &self.blueprint, &self.objective);
                features.map(|features| features.moved_to(main))
            })
            .collect::<Result<_, _>>()?;
        let scale = self.scale();
        let value = self.objective.value(&ranks, &batch.labels, &scale, position);
        let (value, total) = value.into_numbers();
        let Some(total) = total else { return Ok((value, GradientsParams::new())) };
        let mut all = (total / self.recipe.batch.accumulate as f64).backward();
        let mut gradients = GradientsParams::from_module(&mut all, &self.towers);
        for copy in &copies {
            let own = GradientsParams::from_module(&mut all, copy);
            gradients = gradients::add(&self.towers, gradients, own);
        }
        Ok((value, gradients))
    }

    /// The towers as they compute.
    fn at_work(&self, towers: &Towers) -> Towers {
        match self.recipe.run.mixed_precision.products() {
            Some(dtype) => with_products_in(towers.clone(), dtype),
            None => towers.clone(),
        }
    }

    /// One step: gradients of its batches, and what optimizers make of them. Gives the terms of the loss, their sum, and
    /// the measured norms of gradients.
    pub(crate) fn step(&mut self, position: Position, clock: &mut Clock) -> Result<Outcome, FitError> {
        let (value, gradients) = self.gradients(position, clock)?;
        let Value { terms: losses, accuracies, total } = value;
        let total = total.unwrap_or(0.0);
        let judged = self.progress.judge(total, self.recipe.run.diverged);
        judged.map_err(|message| self.diverged(self.progress.step + 1, message))?;
        self.proven = true;
        let norms = self.advance(gradients, position);
        Ok(Outcome { losses, accuracies, total, norms })
    }

    fn sampler(&self) -> Sampler<'_> {
        Sampler {
            config: &self.recipe.batch,
            preprocess: match &self.blueprint.design {
                Design::Joint(config) => Some(config.preprocess),
                Design::Points(_) => self.blueprint.images.as_ref().map(|images| images.preprocess),
            },
            input: match &self.blueprint.design {
                Design::Joint(_) => None,
                Design::Points(config) => Some(config.input),
            },
            augment: &self.recipe.augment,
            neighbors: &self.material.neighbors,
            frozen_dim: self.material.frozen_dim,
            nouns: &self.material.nouns,
            seed: self.recipe.seed,
        }
    }

    /// The scale as the loss uses it.
    fn scale(&self) -> Tensor<1> {
        let scale = self.towers.logit_scale.val();
        match self.recipe.scale.bounds {
            Some([low, high]) if !self.recipe.scale.put_back => scale.clamp(low, high),
            _ => scale,
        }
    }

    /// One step of the optimizers, the scale's bounds, the running mean. Gives the measured norms of gradients.
    pub(crate) fn advance(
        &mut self,
        gradients: GradientsParams,
        position: Position,
    ) -> BTreeMap<String, f32> {
        let (mut towers, norms) = self.groups.step(self.towers.clone(), gradients, position);
        if let Some([low, high]) = self.recipe.scale.bounds.filter(|_| self.recipe.scale.put_back) {
            let trained = towers.logit_scale.is_require_grad();
            towers.logit_scale = towers.logit_scale.map(|value| {
                let bounded = value.without_autodiff().clamp(low, high);
                Tensor::from_inner(bounded).set_require_grad(trained)
            });
        }
        self.towers = towers;
        self.progress.step += 1;
        let decay = self.recipe.run.average_decay;
        let step = self.progress.step;
        self.average = self.average.take().map(|average| {
            // The running mean forgets quickly at first, so that the start does not stay in it.
            let decay = decay.min((1 + step) as f64 / (10 + step) as f64);
            toward(average, &self.towers.valid(), &self.groups.ids(), decay)
        });
        norms
    }
}

/// What a step found.
pub(crate) struct Outcome {
    losses: BTreeMap<String, f64>,
    accuracies: BTreeMap<String, f64>,
    total: f64,
    norms: BTreeMap<String, f32>,
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = Instant::now();
    (work(), before.elapsed())
}

/// Opens the source of shapes, with the teacher's features to come.
fn bring(
    recipe: &Recipe,
    objective: &Objective,
    published: &Published,
    step: usize,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<Material, FitError> {
    let rig = match recipe.network.rig() {
        // Rigs that are drawn by chance are always drawn by the same.
        Some((rig, n_views)) => Some(rig.parse::<RigKind>()?.rig(n_views, 0)),
        None => None,
    };
    let teacher = published.teacher(recipe)?;
    suits::check_widths(recipe, teacher.as_ref(), published)?;
    let sizes = Sizes {
        view: published.view_size(recipe)?,
        points: recipe.data.points.max(recipe.network.n_points()),
    };
    let needs = Needs::of(recipe, objective);
    Material::prepare(recipe, needs, teacher, (rig.as_ref(), sizes), step, on_event)
}

/// The run in the folder: to go on with when asked, in the way otherwise.
fn open_checkpoint(
    recipe: &Recipe,
    out: &Path,
    options: &FitOptions,
) -> Result<Option<Checkpoint>, FitError> {
    let path = checkpoint::path_in(out);
    if !checkpoint::newest(&path)? {
        return Ok(None);
    }
    let checkpoint = Checkpoint::read(&path)?;
    if !options.resume {
        return Err(FitError::Exists { path, step: checkpoint.progress.step });
    }
    checkpoint.check_recipe(recipe, &path)?;
    Ok(Some(checkpoint))
}

impl Features {
    fn moved_to(self, device: &Device) -> Self {
        let here = |features: Tensor<2>| features.to_device(device);
        Self {
            shape: here(self.shape),
            text: self.text.map(here),
            image: self.image.map(here),
            nouns: self.nouns.map(here),
            classes: self.classes.map(here),
        }
    }
}
