//! What a run writes and reports: models, checkpoints, evaluations and events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::module::Module as _;
use lexiform_metrics::ClassificationMetrics;
use lexiform_model::{JointModel, OpenOptions, PointModel, PointModelOptions};

use crate::error::{CheckpointError, FitError};
use crate::event::{GroupPlan, StepMetrics, TrainEvent, TrainPlan};
use crate::network::{OutputConfig, Towers};
use crate::optim::parameters::{checksum, first_non_finite, parameters, values_except};
use crate::recipe::RunPosition;
use crate::run::checkpoint::Checkpoint;
use crate::run::step::StepOutcome;
use crate::run::timing::StepTimer;
use crate::run::{Run, checkpoint, validate_model};

impl Run<'_> {
    /// The weights to save: the moving average, if any.
    fn saved_towers(&self) -> Towers {
        self.ema.clone().unwrap_or_else(|| self.towers.valid())
    }

    /// Saves the model and evaluates it on the validation shapes, in the first process.
    ///
    /// # Errors
    /// If the model cannot be saved, read back or evaluated.
    pub(crate) fn evaluate(&mut self) -> Result<TrainEvent, FitError> {
        let path = self.out.join("model.safetensors");
        let event = match self.processes.is_first() {
            true => self.evaluate_here(path)?,
            false => TrainEvent::Evaluated { step: self.progress.step, report: None, best: false, path },
        };
        if self.processes.count() > 1 {
            // All processes must stop early at the same step.
            let own = serde_json::to_vec(&self.progress).expect("progress is plain data");
            let shared = self.processes.broadcast(own)?;
            let invalid = |error: serde_json::Error| self.processes.error(error.to_string());
            self.progress = serde_json::from_slice(&shared).map_err(invalid)?;
        }
        Ok(event)
    }

    fn evaluate_here(&mut self, path: PathBuf) -> Result<TrainEvent, FitError> {
        let (saved_towers, precision) = (self.saved_towers(), self.recipe.run.save_precision.precision());
        saved_towers.save(&path, &self.spec, precision)?;
        let report = self.classify(&saved_towers, &path)?;
        let step = self.progress.step;
        let top_1 = report.as_ref().map(|report| report.top_1 as f32);
        // Without validation shapes the last model counts as the best.
        let best = match (top_1, self.progress.best) {
            (Some(now), Some((before, _))) => now > before,
            _ => true,
        };
        if best {
            self.progress.best = Some((top_1.unwrap_or(0.0), step));
            self.progress.evals_since_best = 0;
            saved_towers.save(&self.out.join("best.safetensors"), &self.spec, precision)?;
        } else {
            self.progress.evals_since_best += 1;
        }
        Ok(TrainEvent::Evaluated { step, report, best, path })
    }

    /// Classifies the validation shapes: by views with the model read back from its file, or by point clouds.
    fn classify(
        &self,
        saved_towers: &Towers,
        path: &Path,
    ) -> Result<Option<ClassificationMetrics>, FitError> {
        let validation_pool = &self.data.validation;
        match (&self.spec.config, &saved_towers.points) {
            (OutputConfig::Points(config), Some(tower)) if let Some(head) = tower.classifier() => {
                validate_model::classify_with_head(tower, head, config, validation_pool)
            }
            (OutputConfig::Points(config), Some(tower)) => {
                let classify_clouds = |class_features| {
                    validate_model::classify_clouds(tower, config, class_features, validation_pool)
                };
                self.data.class_features.as_ref().map(classify_clouds).transpose()
            }
            _ => {
                let device = self.devices[0].clone().inner();
                let options = OpenOptions { device, ..OpenOptions::default() };
                // Read back from disk: the file is tested, not the weights in memory.
                let model = JointModel::open(&path.to_string_lossy(), &options)?;
                validate_model::classify_views(&model, self.data.class_features.as_ref(), validation_pool)
            }
        }
    }

    /// Starts saving a checkpoint; its file is complete at [`TrainEvent::CheckpointSaved`].
    ///
    /// # Errors
    /// If this one cannot be made, or the one before could not be written.
    pub(crate) fn save(&mut self, on_event: &mut dyn FnMut(TrainEvent)) -> Result<(), FitError> {
        self.wait_for_checkpoint(on_event)?;
        (self.last_checkpoint, self.checkpoint_verified) = (Some(self.progress.step), false);
        self.check_processes()?;
        if !self.processes.is_first() {
            return Ok(());
        }
        let path = checkpoint::checkpoint_path(self.out);
        let invalid = |message| CheckpointError::Invalid { path: path.clone(), message };
        let stored = |towers: &Towers| values_except(towers, &self.frozen);
        let checkpoint = Checkpoint {
            recipe: self.recipe.clone(),
            model: self.spec.config.clone(),
            progress: self.progress.clone(),
            weights: stored(&self.towers.valid()),
            frozen: (!self.frozen.is_empty()).then(|| self.frozen_checksum()),
            ema: self.ema.as_ref().map_or(BTreeMap::new(), stored),
            optimizers: self.groups.optimizer_states().map_err(invalid)?,
        };
        self.writer.start(checkpoint, path);
        Ok(())
    }

    /// Checks that all processes still have the same weights: sums of gradients are the same everywhere, but processors of
    /// different kinds may round the optimizer's arithmetic differently.
    fn check_processes(&self) -> Result<(), FitError> {
        if self.processes.count() == 1 {
            return Ok(());
        }
        // Not running statistics, which each process has of its own rows; the first one's are saved.
        let trained = parameters(&self.towers).into_iter().filter(|parameter| parameter.requires_grad);
        let trained: BTreeSet<String> = trained.map(|parameter| parameter.name).collect();
        let own = checksum(&self.towers.valid(), &trained);
        Ok(self.processes.check_equal("the processes have different weights: checksum", &own)?)
    }

    /// Reports the last checkpoint if its file is complete since the last call.
    ///
    /// # Errors
    /// If it could not be written.
    pub(crate) fn poll_checkpoint(&mut self, on_event: &mut dyn FnMut(TrainEvent)) -> Result<(), FitError> {
        let saved = self.writer.poll()?;
        saved.into_iter().for_each(|step| on_event(TrainEvent::CheckpointSaved { step }));
        Ok(())
    }

    /// Waits until the last checkpoint is written, and reports it.
    ///
    /// # Errors
    /// If it could not be written.
    pub(crate) fn wait_for_checkpoint(
        &mut self,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let saved = self.writer.wait()?;
        saved.into_iter().for_each(|step| on_event(TrainEvent::CheckpointSaved { step }));
        Ok(())
    }

    /// Checksum of the frozen weights.
    pub(super) fn frozen_checksum(&self) -> String {
        // They never change, so it is computed once.
        self.frozen_checksum.get_or_init(|| checksum(&self.towers.valid(), &self.frozen)).clone()
    }

    /// Checks that all weights are finite.
    ///
    /// # Errors
    /// If a weight is not finite.
    pub(crate) fn check_weights(&mut self) -> Result<(), FitError> {
        let step = self.progress.step;
        match first_non_finite(&self.towers.valid()) {
            Some(name) => Err(self.diverged_error(step, format!("{name} has a value that is not finite"))),
            None => Ok(()),
        }
    }

    /// Path of the finished model, which `run.save_joint_model` first merges with the teacher's towers.
    ///
    /// # Errors
    /// If a model cannot be read, merged or written.
    pub(crate) fn final_model(&self) -> Result<PathBuf, FitError> {
        let path = self.out.join("model.safetensors");
        let joint_path = self.out.join("joint.safetensors");
        let teacher = match self.recipe.teacher.as_deref().filter(|_| self.recipe.run.save_joint_model) {
            None => return Ok(path),
            Some(_) if !self.processes.is_first() => return Ok(joint_path),
            Some(teacher) => teacher,
        };
        let points = PointModel::open(&path.to_string_lossy(), &PointModelOptions::default())?;
        let joined = JointModel::open(teacher, &OpenOptions::default())?.with_point_tower(&points)?;
        joined.save(&joint_path, self.recipe.run.save_precision.precision())?;
        Ok(joint_path)
    }

    /// The error for a diverged run. The last checkpoint may already have bad weights: unless a finite loss has been computed
    /// since, it is replaced by the previous one.
    pub(super) fn diverged_error(&mut self, step: usize, message: String) -> FitError {
        // Whether it could be written or not: what counts is which files there are.
        drop(self.writer.wait());
        let path = checkpoint::checkpoint_path(self.out);
        let good = match self.checkpoint_verified || !self.processes.is_first() {
            true => self.last_checkpoint,
            false => checkpoint::restore_previous(&path),
        };
        FitError::Diverged { step, message, last_good: good, path }
    }

    /// The plan of the run.
    pub(crate) fn plan(&self) -> TrainPlan {
        let groups: Vec<GroupPlan> = self.groups.iter().map(GroupPlan::of).collect();
        let all: usize = parameters(&self.towers).iter().map(|parameter| parameter.count()).sum();
        let trained: usize = groups.iter().map(|group| group.parameters).sum();
        let ema = if self.ema.is_some() { all } else { 0 };
        let samples = self.data.pool.memory_bytes() + self.data.validation.memory_bytes();
        TrainPlan {
            steps: self.steps(),
            start_step: self.progress.step,
            steps_per_epoch: self.position().steps_per_epoch,
            trainable_parameters: trained,
            frozen_parameters: all - trained,
            categories: self.data.pool.categories().len(),
            vocabulary_size: match &self.spec.config {
                OutputConfig::Joint(config) => config.clip.text.vocabulary,
                OutputConfig::Points(_) => 0,
            },
            // f32: weights and their average; of trainable parameters also gradients and up to two moments.
            memory_bytes: (4 * (all + ema + 3 * trained) + samples) as u64,
            groups,
        }
    }

    pub(crate) fn step_event(
        &self,
        outcome: StepOutcome,
        position: RunPosition,
        timer: &StepTimer,
    ) -> TrainEvent {
        let moved = self.groups.iter().filter(|group| group.config().step_parity.includes(position));
        let StepOutcome { losses, accuracies, total, grad_norms } = outcome;
        let (all, last, (shapes, images)) = (timer.all().seconds(), timer.last(), timer.counts());
        TrainEvent::Step(StepMetrics {
            step: self.progress.step,
            loss: total,
            losses,
            accuracies,
            learning_rates: moved
                .map(|group| (group.name().to_owned(), group.learning_rate(position)))
                .collect(),
            grad_norms,
            // Read after the step, so that it shows the clamped value.
            logit_scale: self.towers.logit_scale.val().into_scalar::<f32>(),
            shapes_per_second: shapes as f64 / all,
            images_per_second: images as f64 / all,
            seconds: last.seconds(),
            data_wait: last.data_wait_fraction(),
            data_load: last.data_load_fraction(),
        })
    }

    /// The final event, after `steps` steps.
    pub(crate) fn finished(&self, steps: usize, timer: &StepTimer) -> TrainEvent {
        let (spent, (shapes, images)) = (timer.all(), timer.counts());
        TrainEvent::Finished {
            step: self.progress.step,
            steps,
            seconds: spent.seconds(),
            data_wait: spent.data_wait_fraction(),
            data_load: spent.data_load_fraction(),
            shapes_per_second: shapes as f64 / spent.seconds(),
            images_per_second: images as f64 / spent.seconds(),
        }
    }
}
