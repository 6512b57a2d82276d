//! A run at work: what it learns from, what is trained, and how far it is.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module as _;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use lexiform_geometry::RigKind;
use lexiform_model::point::{Clouds, Start};
use lexiform_model::{Embedding, JointModel, ModelError, OpenOptions};

use crate::batch::{Batch, Sampler};
use crate::checkpoint::{self, Checkpoint, CheckpointError, Progress};
use crate::clock::Clock;
use crate::evaluate::{ZeroShotReport, zero_shot, zero_shot_of};
use crate::event::{GroupPlan, Plan, Step, TrainEvent};
use crate::fit::{FitError, FitOptions};
use crate::gradients;
use crate::groups::Groups;
use crate::objective::{Features, Objective};
use crate::parameters::{parameters, toward, train_only, values, with_stable_ids, with_values};
use crate::recipe::{DataConfig, NetworkConfig, Recipe, RecipeError};
use crate::schedule::Position;
use crate::shape_set::{ShapeSet, Sizes};
use crate::supply::Supply;
use crate::targets::{self, Targets};
use crate::towers::{Blueprint, Design, Towers};

/// Most clouds that are measured at once: bounds memory.
const CLOUDS_AT_ONCE: usize = 16;

/// A batch with the step and the part of it that it is for.
type Drawn = ((usize, usize), Batch);

/// A run at work.
pub(crate) struct Run<'a> {
    recipe: &'a Recipe,
    out: &'a Path,
    devices: Vec<Device>,
    objective: Objective,
    supply: Supply,
    sizes: Sizes,
    shapes: ShapeSet,
    round: u64,
    held_out: ShapeSet,
    teacher: Option<JointModel>,
    targets: Option<Targets>,
    neighbors: Vec<Vec<usize>>,
    blueprint: Blueprint,
    towers: Towers,
    average: Option<Towers>,
    groups: Groups,
    pub(crate) progress: Progress,
    /// The next batch, drawn already: of which step and part.
    ahead: Option<Drawn>,
    saved: usize,
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
        let objective = Objective::new(&recipe.losses, recipe.run.gather)?;
        let rig = match recipe.network.rig() {
            // Rigs that are drawn by chance are always drawn by the same.
            Some((rig, n_views)) => Some(rig.parse::<RigKind>()?.rig(n_views, 0)),
            None => None,
        };
        fs_err::create_dir_all(out)?;
        let checkpoint = open_checkpoint(recipe, out, options)?;
        fs_err::write(out.join("recipe.toml"), toml::to_string(recipe).expect("a recipe is plain data"))?;

        let teacher = match &recipe.teacher {
            Some(name) => Some(JointModel::open(name, &OpenOptions::default())?),
            None => None,
        };
        let done = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.progress.step);
        let round = round(recipe, done);
        let devices: Vec<Device> = options.devices.iter().map(|device| device.clone().autodiff()).collect();
        let known = checkpoint.as_ref().map(|checkpoint| &checkpoint.model);
        let view = view_size(recipe, teacher.as_ref())?;
        let sizes = Sizes { view, points: recipe.network.n_points() };
        let supply = Supply::open(&recipe.data)?;
        on_event(TrainEvent::Preparing { shapes: supply.count(&recipe.data) });
        let shapes = supply.training(&recipe.data, sizes, recipe.seed, round)?;
        let held_out = supply.held_out(&recipe.data, rig.as_ref(), sizes);
        for (path, reason) in shapes.left_out.iter().chain(&held_out.left_out).cloned() {
            on_event(TrainEvent::LeftOut { path, reason });
        }

        check_widths(recipe, teacher.as_ref())?;
        let (towers, blueprint) = Towers::build(recipe, &shapes, known, &devices[0])?;
        let towers = with_stable_ids(towers);
        let mut groups = Groups::new(&recipe.groups, recipe.schedule, &towers)?;
        let mut towers = train_only(towers, &groups.ids());
        let mut average = (recipe.run.average_decay > 0.0).then(|| towers.valid());
        let mut progress = Progress::default();
        if let Some(checkpoint) = checkpoint {
            let path = checkpoint::path_in(out);
            let invalid = |message: String| CheckpointError::Invalid { path: path.clone(), message };
            towers = with_values(towers, &checkpoint.weights).map_err(invalid)?;
            average = match average {
                Some(average) => Some(with_values(average, &checkpoint.average).map_err(invalid)?),
                None => None,
            };
            groups.restore(checkpoint.optimizers).map_err(invalid)?;
            progress = checkpoint.progress;
        }
        let saved = progress.step;
        let mut run = Self {
            recipe,
            out,
            devices,
            objective,
            supply,
            sizes,
            shapes,
            round,
            held_out,
            teacher,
            targets: None,
            neighbors: Vec::new(),
            blueprint,
            towers,
            average,
            groups,
            progress,
            ahead: None,
            saved,
        };
        run.prepare_targets(on_event)?;
        Ok(run)
    }

    /// Features of the frozen model for the shapes in memory.
    fn prepare_targets(&mut self, on_event: &mut dyn FnMut(TrainEvent)) -> Result<(), FitError> {
        let Some(teacher) = &self.teacher else { return Ok(()) };
        let path = match &self.recipe.data.features {
            Some(path) if self.round == 0 => path.clone(),
            _ => targets::usual_path(self.out, self.round),
        };
        let data = toml::to_string(&self.recipe.data).unwrap_or_default();
        let key = format!("seed {} round {} {data}", self.recipe.seed, self.round);
        let mut shown = |done, all| on_event(TrainEvent::Features { done, all });
        // A prompted tower sees the views itself.
        let images = self.blueprint.images.is_none();
        let targets = Targets::open_or_compute(&path, &key, teacher, &self.shapes, images, &mut shown)?;
        self.neighbors = self.recipe.batch.hard.map_or(Vec::new(), |hard| targets.neighbors(hard.among));
        self.targets = Some(targets);
        Ok(())
    }

    /// Shapes that a round of this data has.
    pub(crate) fn count_of(&self, data: &DataConfig) -> usize {
        self.supply.count(data)
    }

    /// Where the run is.
    pub(crate) fn position(&self) -> Position {
        Position {
            step: self.progress.step,
            steps: self.recipe.run.steps,
            steps_per_epoch: self.recipe.batch.steps_per_epoch(self.shapes.samples.len()),
        }
    }

    /// Fresh shapes where the recipe asks for them.
    pub(crate) fn refresh(
        &mut self,
        position: Position,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let round = round(self.recipe, position.step);
        if round == self.round {
            return Ok(());
        }
        let data = &self.recipe.data;
        on_event(TrainEvent::Preparing { shapes: self.supply.count(data) });
        self.shapes = self.supply.training(data, self.sizes, self.recipe.seed, round)?;
        self.round = round;
        self.prepare_targets(on_event)
    }

    /// Terms, their sum, and the gradients of it, averaged over the step's batches.
    ///
    /// While the network works on a batch, the next one is drawn.
    pub(crate) fn gradients(
        &mut self,
        position: Position,
        clock: &mut Clock,
    ) -> Result<(BTreeMap<String, f64>, f64, GradientsParams), FitError> {
        let parts = self.recipe.batch.accumulate;
        let (mut losses, mut sum, mut gradients) = (BTreeMap::new(), 0.0, GradientsParams::new());
        for part in 0..parts {
            let place = (position.step, part);
            let drawn = self.ahead.take().filter(|(at, _)| *at == place);
            let batch = match drawn {
                Some((_, batch)) => batch,
                None => clock.waits(|| self.sampler().draw(&self.shapes, place.0, place.1)),
            };
            clock.saw(&batch);
            let (found, ahead) = self.with_next(place, |run| run.batch_gradients(&batch, position), clock);
            self.ahead = ahead;
            let (terms, total, own) = found?;
            for (name, value) in terms {
                *losses.entry(name).or_insert(0.0) += value / parts as f64;
            }
            sum += total / parts as f64;
            gradients = gradients::add(&self.towers, gradients, own);
        }
        Ok((losses, sum, gradients))
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
        if next.0 >= self.recipe.run.steps || round(self.recipe, next.0) != self.round {
            return (work(self), None);
        }
        let (sampler, shapes) = (self.sampler(), &self.shapes);
        std::thread::scope(|scope| {
            let drawing = scope.spawn(move || sampler.draw(shapes, next.0, next.1));
            let done = work(self);
            // A panic there comes again, with its message, when the batch is drawn here.
            (done, clock.waits(|| drawing.join().ok()).map(|batch| (next, batch)))
        })
    }

    /// Each device encodes its share of the rows; the loss is taken once, of all of them.
    pub(crate) fn batch_gradients(
        &self,
        batch: &Batch,
        position: Position,
    ) -> Result<(BTreeMap<String, f64>, f64, GradientsParams), FitError> {
        let main = &self.devices[0];
        let copies: Vec<Towers> =
            self.devices[1..].iter().map(|device| self.towers.clone().fork(device)).collect();
        let towers: Vec<&Towers> = std::iter::once(&self.towers).chain(&copies).collect();
        let shares =
            (0..towers.len()).map(|i| batch.rows() * i / towers.len()..batch.rows() * (i + 1) / towers.len());
        let ranks: Option<Vec<Features>> = (towers.iter().zip(shares))
            .map(|(towers, rows)| {
                let features =
                    towers.features(batch, rows, &self.blueprint, &self.objective, self.targets.as_ref());
                features.map(|features| features.moved_to(main))
            })
            .collect();
        let ranks =
            ranks.ok_or_else(|| RecipeError::loss("", "the network has no encoder for it".to_owned()))?;
        let scale = self.scale();
        let (terms, total) = self.objective.value(&ranks, &batch.labels, &scale, position);
        let terms =
            terms.into_iter().map(|(name, value)| (name, f64::from(value.into_scalar::<f32>()))).collect();
        let Some(total) = total else { return Ok((terms, 0.0, GradientsParams::new())) };
        let value = f64::from(total.clone().into_scalar::<f32>());
        let mut all = (total / self.recipe.batch.accumulate as f64).backward();
        let mut gradients = GradientsParams::from_module(&mut all, &self.towers);
        for copy in &copies {
            let own = GradientsParams::from_module(&mut all, copy);
            gradients = gradients::add(&self.towers, gradients, own);
        }
        Ok((terms, value, gradients))
    }

    /// One step whose outcome nobody looks at.
    pub(crate) fn try_step(&mut self, clock: &mut Clock) -> Result<(), FitError> {
        let position = self.position();
        let (_, _, gradients) = self.gradients(position, clock)?;
        self.advance(gradients, position);
        Ok(())
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
            neighbors: &self.neighbors,
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
            toward(average, &self.towers.valid(), decay.min((1 + step) as f64 / (10 + step) as f64))
        });
        norms
    }

    /// The weights that are kept: the running mean where there is one.
    fn kept(&self) -> Towers {
        self.average.clone().unwrap_or_else(|| self.towers.valid())
    }

    /// Writes the model, reads it back, and names held-out shapes with it.
    pub(crate) fn evaluate(&mut self) -> Result<TrainEvent, FitError> {
        let path = self.out.join("model.safetensors");
        let kept = self.kept();
        kept.save(&path, &self.blueprint)?;
        let report = self.measure(&kept, &path)?;
        let step = self.progress.step;
        let top_1 = report.top_1 as f32;
        let best = self.progress.best.is_none_or(|(before, _)| top_1 > before);
        if best {
            self.progress.best = Some((top_1, step));
            self.progress.since_best = 0;
            kept.save(&self.out.join("best.safetensors"), &self.blueprint)?;
        } else {
            self.progress.since_best += 1;
        }
        Ok(TrainEvent::Evaluated { step, report, best, path })
    }

    /// Names held-out shapes: with the model that was written, or with clouds and the teacher's words.
    fn measure(&self, kept: &Towers, path: &Path) -> Result<ZeroShotReport, FitError> {
        let (Design::Points(config), Some(teacher), Some(tower)) =
            (&self.blueprint.design, &self.teacher, &kept.points)
        else {
            let model = JointModel::open(&path.to_string_lossy(), &OpenOptions::default())?;
            return Ok(zero_shot(&model, &self.held_out)?);
        };
        let mut embeddings = Vec::new();
        for chunk in self.held_out.samples.chunks(CLOUDS_AT_ONCE) {
            let clouds: Vec<_> =
                chunk.iter().map(|sample| config.input.prepare(&sample.cloud, Start::default())).collect();
            let clouds = Clouds::new(&clouds, config.tower.encoder.colored()).map_err(ModelError::from)?;
            let features = tower.encode(&clouds, Start::default());
            let dim = features.dims()[1].max(1);
            let values: Vec<f32> = features.into_data().iter::<f32>().collect();
            for row in values.chunks(dim) {
                embeddings.push(Embedding::new(row.to_vec())?);
            }
        }
        let truth: Vec<usize> = self.held_out.samples.iter().map(|sample| sample.category).collect();
        let labels = self.held_out.names();
        Ok(zero_shot_of(teacher, &embeddings, &truth, &labels, &teacher.config().templates)?)
    }

    /// Writes the checkpoint.
    pub(crate) fn save(&mut self) -> Result<(), FitError> {
        let path = checkpoint::path_in(self.out);
        let invalid = |message| CheckpointError::Invalid { path: path.clone(), message };
        let checkpoint = Checkpoint {
            recipe: self.recipe.clone(),
            model: self.blueprint.design.clone(),
            progress: self.progress.clone(),
            weights: values(&self.towers.valid()),
            average: self.average.as_ref().map_or(BTreeMap::new(), values),
            optimizers: self.groups.records().map_err(invalid)?,
        };
        checkpoint.write(&path)?;
        self.saved = self.progress.step;
        Ok(())
    }

    pub(crate) fn diverged(&self, message: String) -> FitError {
        let path = checkpoint::path_in(self.out);
        FitError::Diverged { step: self.progress.step + 1, message, good: self.saved, path }
    }

    /// What the run would do.
    pub(crate) fn plan(&self) -> Plan {
        let groups = self.groups.iter().map(|group| GroupPlan {
            name: group.name().to_owned(),
            tensors: group.tensors(),
            parameters: group.count,
            learning_rate: group.config().learning_rate,
        });
        let groups: Vec<GroupPlan> = groups.collect();
        let all: usize = parameters(&self.towers).iter().map(|parameter| parameter.count()).sum();
        let trained: usize = groups.iter().map(|group| group.parameters).sum();
        let average = if self.average.is_some() { all } else { 0 };
        let pictures =
            self.shapes.samples.iter().chain(&self.held_out.samples).flat_map(|sample| &sample.views);
        let pictures: usize = pictures.map(|view| view.as_raw().len()).sum();
        Plan {
            steps: self.recipe.run.steps,
            done: self.progress.step,
            steps_per_epoch: self.position().steps_per_epoch,
            parameters: trained,
            frozen: all - trained,
            categories: self.shapes.categories.len(),
            vocabulary: match &self.blueprint.design {
                Design::Joint(config) => config.clip.text.vocabulary,
                Design::Points(_) => 0,
            },
            // Weights, running mean; gradients and at most two moments of what is trained.
            bytes: (4 * (all + average + 3 * trained) + pictures) as u64,
            groups,
        }
    }

    pub(crate) fn step_event(
        &self,
        losses: BTreeMap<String, f64>,
        loss: f64,
        norms: BTreeMap<String, f32>,
        position: Position,
        clock: &Clock,
    ) -> Step {
        let moved = self.groups.iter().filter(|group| group.config().turn.takes_part(position));
        let seconds = clock.seconds();
        Step {
            step: self.progress.step,
            loss,
            losses,
            rates: moved.map(|group| (group.name().to_owned(), group.rate(position))).collect(),
            norms,
            logit_scale: self.towers.logit_scale.val().into_scalar::<f32>(),
            shapes_per_second: clock.seen().0 as f64 / seconds,
            images_per_second: clock.seen().1 as f64 / seconds,
            waiting: clock.waited() / seconds,
        }
    }
}

/// Which set of generated shapes a step sees.
fn round(recipe: &Recipe, step: usize) -> u64 {
    match recipe.data.refresh_every {
        0 => 0,
        every => ((step + 1) / every) as u64,
    }
}

/// Edge of the views to draw: the network's, or the teacher's where only it looks at views.
fn view_size(recipe: &Recipe, teacher: Option<&JointModel>) -> Result<usize, ModelError> {
    Ok(match &recipe.network {
        NetworkConfig::Clip(network) => network.image_size,
        NetworkConfig::Pretrained(network) => match teacher {
            Some(teacher) => teacher.view_size() as usize,
            None => JointModel::open(&network.base, &OpenOptions::default())?.view_size() as usize,
        },
        NetworkConfig::Points(_) => teacher.map_or(0, |teacher| teacher.view_size() as usize),
    })
}

/// An encoder of clouds learns from a teacher whose features are as wide as its own.
fn check_widths(recipe: &Recipe, teacher: Option<&JointModel>) -> Result<(), RecipeError> {
    let NetworkConfig::Points(network) = &recipe.network else { return Ok(()) };
    let (field, found, rule) = match teacher {
        None => ("teacher", "absent".to_owned(), "an encoder of clouds needs a teacher"),
        Some(teacher) if teacher.dim() != network.tower.dim() => (
            "network.tower.projection.dim",
            network.tower.dim().to_string(),
            "must be as wide as the teacher's features",
        ),
        Some(_) => return Ok(()),
    };
    Err(RecipeError::Value { field, found, rule })
}

/// The run in the folder: to go on with when asked, in the way otherwise.
fn open_checkpoint(
    recipe: &Recipe,
    out: &Path,
    options: &FitOptions,
) -> Result<Option<Checkpoint>, FitError> {
    let path = checkpoint::path_in(out);
    if !path.is_file() {
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
        }
    }
}
