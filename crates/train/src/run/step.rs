//! One optimizer step: batches, gradients over all devices, parameter update.

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
use crate::loss::{BatchFeatures, LossValues};
use crate::network::{OutputConfig, Towers};
use crate::optim::gradients;
use crate::optim::parameters::ema_update;
use crate::recipe::{BatchConfig, RunPosition};
use crate::run::timing::StepTimer;
use crate::run::{PrefetchedBatch, Run};

impl Run<'_> {
    /// Loss terms and gradients, averaged over the batches of the step. The next batch is loaded meanwhile.
    fn gradients(
        &mut self,
        position: RunPosition,
        timer: &mut StepTimer,
    ) -> Result<(LossValues<f64>, GradientsParams), FitError> {
        let parts = self.recipe.batch.accumulate_batches;
        let (mut values, mut gradients) = (Vec::with_capacity(parts), GradientsParams::new());
        for part in 0..parts {
            let place = (position.step, part);
            // Absent in the first step, after new shapes, and if loading failed: then it is loaded here.
            let drawn = self.prefetched.take().filter(|(at, _)| *at == place);
            let batch = match drawn {
                Some((_, batch)) => batch,
                None => {
                    let (batch, took) = timer.time_data_wait(|| self.sample_batch(place));
                    timer.add_data_time(took);
                    batch?
                }
            };
            timer.count(&batch);
            let (found, prefetched) =
                self.with_prefetch(place, |run| run.batch_gradients(&batch, position), timer);
            self.prefetched = prefetched;
            let (value, own) = found?;
            values.push(value);
            gradients = gradients::add(&self.towers, gradients, own);
        }
        Ok((LossValues::mean(&values), gradients))
    }

    /// Runs `work` while another thread loads the batch after (step, part), unless its shapes are not loaded yet.
    fn with_prefetch<T>(
        &self,
        (step, part): (usize, usize),
        work: impl FnOnce(&Self) -> T,
        timer: &mut StepTimer,
    ) -> (T, Option<PrefetchedBatch>) {
        let next =
            if part + 1 < self.recipe.batch.accumulate_batches { (step, part + 1) } else { (step + 1, 0) };
        if next.0 >= self.steps() || !self.data.is_current(self.recipe, next.0) {
            return (work(self), None);
        }
        std::thread::scope(|scope| {
            let (sampler, pool) = (self.sampler(), &self.data.pool);
            let drawing = scope.spawn(move || timed(|| sampler.sample(pool, next.0, next.1)));
            let done = work(self);
            // After a panic or an error the batch is loaded again on this thread, which reports it.
            let drawn = timer.time_data_wait(|| drawing.join().ok()).and_then(|(batch, took)| {
                timer.add_data_time(took);
                Some((next, batch.ok()?))
            });
            (done, drawn)
        })
    }

    /// A batch, and the time it took to load.
    fn sample_batch(&self, (step, part): (usize, usize)) -> (Result<Batch, DataError>, Duration) {
        timed(|| self.sampler().sample(&self.data.pool, step, part))
    }

    /// Loss terms and gradients of one batch. Each device encodes a part of the rows; the loss is computed once, on the first
    /// device, from the features of all.
    fn batch_gradients(
        &self,
        batch: &Batch,
        position: RunPosition,
    ) -> Result<(LossValues<f64>, GradientsParams), FitError> {
        let main = &self.devices[0];
        let copies: Vec<Towers> =
            self.devices[1..].iter().map(|device| self.towers.clone().fork(device)).collect();
        let towers: Vec<Towers> =
            std::iter::once(&self.towers).chain(&copies).map(|towers| self.autocast(towers)).collect();
        let shares =
            (0..towers.len()).map(|i| batch.rows() * i / towers.len()..batch.rows() * (i + 1) / towers.len());
        let ranks: Vec<BatchFeatures> = (towers.iter().zip(shares))
            .map(|(towers, rows)| {
                let features = towers.features(batch, rows, &self.spec, &self.objective);
                features.map(|features| features.moved_to(main))
            })
            .collect::<Result<_, _>>()?;
        // Autodiff crosses devices: one backward pass reaches every copy of the towers.
        let scale = self.scale();
        let value = self.objective.evaluate(&ranks, &batch.labels, &scale, position);
        let (value, total) = value.into_numbers();
        let Some(total) = total else { return Ok((value, GradientsParams::new())) };
        let mut all = (total / self.recipe.batch.accumulate_batches as f64).backward();
        let mut gradients = GradientsParams::from_module(&mut all, &self.towers);
        for copy in &copies {
            let own = GradientsParams::from_module(&mut all, copy);
            gradients = gradients::add(&self.towers, gradients, own);
        }
        Ok((value, gradients))
    }

    /// The towers with matrix products in the recipe's data type.
    fn autocast(&self, towers: &Towers) -> Towers {
        match self.recipe.run.mixed_precision.dtype() {
            Some(dtype) => cast_block_weights(towers.clone(), dtype),
            None => towers.clone(),
        }
    }

    /// One optimizer step.
    ///
    /// # Errors
    /// If a shape cannot be read, clouds cannot be encoded, or the loss diverges.
    pub(crate) fn step(
        &mut self,
        position: RunPosition,
        timer: &mut StepTimer,
    ) -> Result<StepOutcome, FitError> {
        let (value, gradients) = self.gradients(position, timer)?;
        let LossValues { terms: losses, accuracies, total } = value;
        let total = total.unwrap_or(0.0);
        let checked = self.progress.check_divergence(total, self.recipe.run.divergence_ratio);
        checked.map_err(|message| self.diverged_error(self.progress.step + 1, message))?;
        // The loss was computed from the current weights, which are at least as new as the last checkpoint.
        self.checkpoint_verified = true;
        let grad_norms = self.optimizer_step(gradients, position);
        Ok(StepOutcome { losses, accuracies, total, grad_norms })
    }

    fn sampler(&self) -> Sampler<'_> {
        let first = self.sampler_of(&self.recipe.batch, "");
        let second = self.data.second.as_ref().map(|second| {
            let sampler = Sampler { neighbors: None, ..self.sampler_of(&second.batch, "second ") };
            (Box::new(sampler), &second.pool)
        });
        Sampler { second, ..first }
    }

    /// The sampler of one source.
    fn sampler_of<'a>(&'a self, config: &'a BatchConfig, stream: &'static str) -> Sampler<'a> {
        Sampler {
            config,
            preprocess: match &self.spec.config {
                OutputConfig::Joint(config) => Some(config.preprocess),
                OutputConfig::Points(_) => {
                    self.spec.prompted_teacher.as_ref().map(|images| images.preprocess)
                }
            },
            input: match &self.spec.config {
                OutputConfig::Joint(_) => None,
                OutputConfig::Points(config) => Some(config.input),
            },
            augment: &self.recipe.augment,
            neighbors: self.data.neighbors.as_ref(),
            teacher_dim: self.data.teacher_dim,
            class_text: &self.data.class_text,
            seed: self.recipe.seed,
            stream,
            second: None,
        }
    }

    /// The temperature in the loss: clamped here, or after each step.
    fn scale(&self) -> Tensor<1> {
        let scale = self.towers.logit_scale.val();
        match self.recipe.logit_scale.bounds {
            Some([low, high]) if !self.recipe.logit_scale.clamp_after_step => scale.clamp(low, high),
            _ => scale,
        }
    }

    /// Updates parameters, clamps the temperature and updates the averaged weights; returns gradient norms by group.
    pub(crate) fn optimizer_step(
        &mut self,
        gradients: GradientsParams,
        position: RunPosition,
    ) -> BTreeMap<String, f32> {
        let (mut towers, grad_norms) = self.groups.step(self.towers.clone(), gradients, position);
        if let Some([low, high]) =
            self.recipe.logit_scale.bounds.filter(|_| self.recipe.logit_scale.clamp_after_step)
        {
            let trained = towers.logit_scale.is_require_grad();
            towers.logit_scale = towers.logit_scale.map(|value| {
                // Outside the graph: clamping is not a differentiable part of the step.
                let bounded = value.without_autodiff().clamp(low, high);
                Tensor::from_inner(bounded).set_require_grad(trained)
            });
        }
        self.towers = towers;
        self.progress.step += 1;
        let decay = self.recipe.run.ema_decay;
        let step = self.progress.step;
        self.ema = self.ema.take().map(|ema| {
            // A lower decay at first, as in TensorFlow's ExponentialMovingAverage: the initial weights fade quickly.
            let decay = decay.min((1 + step) as f64 / (10 + step) as f64);
            ema_update(ema, &self.towers.valid(), &self.groups.ids(), decay)
        });
        grad_norms
    }
}

/// Result of a step.
pub(crate) struct StepOutcome {
    pub(super) losses: BTreeMap<String, f64>,
    pub(super) accuracies: BTreeMap<String, f64>,
    pub(super) total: f64,
    pub(super) grad_norms: BTreeMap<String, f32>,
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = Instant::now();
    (work(), before.elapsed())
}

impl BatchFeatures {
    fn moved_to(self, device: &Device) -> Self {
        let here = |features: Tensor<2>| features.to_device(device);
        Self {
            shape: here(self.shape),
            text: self.text.map(here),
            image: self.image.map(here),
            class_text: self.class_text.map(here),
            class_logits: self.class_logits.map(here),
        }
    }
}
