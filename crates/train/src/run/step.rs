//! One step of a run: batches drawn while the network computes, gradients, and what optimizers make of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use burn::module::Module as _;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use lexiform_data::DataError;
use lexiform_model::nn::cast_block_weights;

use crate::batch::Batch;
use crate::batch::sampler::Sampler;
use crate::error::FitError;
use crate::loss::{Features, Value};
use crate::network::{Design, Towers};
use crate::optim::gradients;
use crate::optim::parameters::toward;
use crate::recipe::Position;
use crate::run::timing::Clock;
use crate::run::{Drawn, Run};

impl Run<'_> {
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
        let next = if part + 1 < self.recipe.batch.accumulate { (step, part + 1) } else { (step + 1, 0) };
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
            Some(dtype) => cast_block_weights(towers.clone(), dtype),
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
    pub(super) losses: BTreeMap<String, f64>,
    pub(super) accuracies: BTreeMap<String, f64>,
    pub(super) total: f64,
    pub(super) norms: BTreeMap<String, f32>,
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = Instant::now();
    (work(), before.elapsed())
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
