//! One optimizer step: batches, the sum of their gradients (`gradients.rs`), parameter update.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::module::Module as _;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::batch::Batch;
use crate::error::FitError;
use crate::loss::LossValues;
use crate::network::OutputConfig;
use crate::optim::gradients;
use crate::optim::parameters::ema_update;
use crate::recipe::RunPosition;
use crate::run::Run;
use crate::run::prefetch::{BatchIndex, BatchSource};
use crate::run::timing::StepTimer;

impl Run<'_> {
    /// Loss terms and gradients, averaged over the batches of the step.
    fn gradients(
        &mut self,
        position: RunPosition,
        timer: &mut StepTimer,
    ) -> Result<(LossValues<f64>, GradientsParams), FitError> {
        let parts = self.recipe.batch.accumulate_batches;
        let (mut values, mut gradients) = (Vec::with_capacity(parts), GradientsParams::new());
        for part in 0..parts {
            let batch = self.next_batch((position.step, part), timer)?;
            timer.count(&batch);
            let (value, own) = self.batch_gradients(&batch, position)?;
            values.push(value);
            gradients = gradients::add(&self.towers, gradients, own);
        }
        Ok((LossValues::mean(&values), self.sum_over_processes(gradients)?))
    }

    /// A batch. The next ones are loaded from then on.
    fn next_batch(&mut self, at: BatchIndex, timer: &mut StepTimer) -> Result<Batch, FitError> {
        let source = self.batch_source();
        // Absent in the first step, after new shapes, and if its thread panicked: then it is loaded here.
        let (batch, took) =
            timer.time_data_wait(|| self.prefetch.take(at).unwrap_or_else(|| source.load(at)));
        timer.add_data_time(took);
        let next = self.batches_after(at).take(self.recipe.run.prefetch);
        let next: Vec<BatchIndex> = next.collect();
        self.prefetch.request(&source, next.into_iter());
        Ok(batch?)
    }

    /// The batches after one, as far as their shapes are loaded.
    fn batches_after(&self, (step, part): BatchIndex) -> impl Iterator<Item = BatchIndex> {
        let parts = self.recipe.batch.accumulate_batches;
        let next = (step * parts + part + 1..self.steps() * parts).map(move |i| (i / parts, i % parts));
        next.take_while(|(step, _)| self.data.is_current(self.recipe, *step))
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
        self.update_copies();
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

    fn batch_source(&self) -> BatchSource {
        let (preprocess, input) = match &self.spec.config {
            OutputConfig::Joint(config) => (Some(config.preprocess), None),
            OutputConfig::Points(config) => {
                (self.spec.prompted_teacher.as_ref().map(|images| images.preprocess), Some(config.input))
            }
        };
        BatchSource {
            pool: Arc::clone(&self.data.pool),
            second: self.data.second.clone(),
            config: self.recipe.batch.clone(),
            augment: self.recipe.augment.clone(),
            preprocess,
            input,
            neighbors: self.data.neighbors.clone(),
            teacher_dim: self.data.teacher_dim,
            class_text: Arc::clone(&self.data.class_text),
            grouping: Arc::clone(&self.spec.grouping),
            seed: self.recipe.seed,
            process: [self.processes.rank(), self.processes.count()],
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
