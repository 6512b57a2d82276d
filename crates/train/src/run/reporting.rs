//! What a run writes and tells: models, checkpoints, measurements, plans and steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module as _;
use lexiform_metrics::ClassificationMetrics;
use lexiform_model::weights::Precision;
use lexiform_model::{JointModel, OpenOptions, PointModel, PointOptions};

use crate::error::{CheckpointError, FitError};
use crate::event::{GroupPlan, Plan, Step, TrainEvent};
use crate::network::{Design, Towers};
use crate::optim::parameters::{not_finite, parameters, values};
use crate::recipe::Position;
use crate::run::checkpoint::Checkpoint;
use crate::run::step::Outcome;
use crate::run::timing::Clock;
use crate::run::{Run, checkpoint, validation};

impl Run<'_> {
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
        let top_1 = report.as_ref().map(|report| report.top_1 as f32);
        let best = match (top_1, self.progress.best) {
            (Some(now), Some((before, _))) => now > before,
            _ => true,
        };
        if best {
            self.progress.best = Some((top_1.unwrap_or(0.0), step));
            self.progress.since_best = 0;
            kept.save(&self.out.join("best.safetensors"), &self.blueprint)?;
        } else {
            self.progress.since_best += 1;
        }
        Ok(TrainEvent::Evaluated { step, report, best, path })
    }

    /// Names held-out shapes: with the model that was written, or with clouds and the teacher's words.
    fn measure(&self, kept: &Towers, path: &Path) -> Result<Option<ClassificationMetrics>, FitError> {
        let held_out = &self.material.held_out;
        match (&self.blueprint.design, &kept.points) {
            (Design::Points(config), Some(tower)) if let Some(head) = tower.classifier() => {
                validation::by_head(tower, head, config, held_out)
            }
            (Design::Points(config), Some(tower)) => {
                let by_points = |choices| validation::by_points(tower, config, choices, held_out);
                self.material.choices.as_ref().map(by_points).transpose()
            }
            _ => {
                let device = self.devices[0].clone().inner();
                let options = OpenOptions { device, ..OpenOptions::default() };
                let model = JointModel::open(&path.to_string_lossy(), &options)?;
                validation::by_views(&model, held_out)
            }
        }
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
        (self.saved, self.proven) = (Some(self.progress.step), false);
        Ok(())
    }

    /// Fails where a weight is no number: such are neither measured nor saved.
    pub(crate) fn check_weights(&self) -> Result<(), FitError> {
        let step = self.progress.step;
        match not_finite(&self.towers.valid()) {
            Some(name) => Err(self.diverged(step, format!("{name} holds a number that is not finite"))),
            None => Ok(()),
        }
    }

    /// The file of the model: as it was last written, or joined with the teacher's towers.
    pub(crate) fn publish(&self) -> Result<PathBuf, FitError> {
        let path = self.out.join("model.safetensors");
        let Some(teacher) = self.recipe.teacher.as_deref().filter(|_| self.recipe.run.join) else {
            return Ok(path);
        };
        let points = PointModel::open(&path.to_string_lossy(), &PointOptions::default())?;
        let joined = JointModel::open(teacher, &OpenOptions::default())?.with_points(&points)?;
        let path = self.out.join("joined.safetensors");
        joined.save(&path, Precision::Half)?;
        Ok(path)
    }

    /// The loss of a step, or a weight after it, is no number or has run away. The newest checkpoint may hold weights that
    /// are to blame; where no loss was good since, the one before takes its place.
    pub(super) fn diverged(&self, step: usize, message: String) -> FitError {
        let path = checkpoint::path_in(self.out);
        let good = if self.proven { self.saved } else { checkpoint::put_back(&path) };
        FitError::Diverged { step, message, good, path }
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
        let samples = self.material.pool.bytes() + self.material.held_out.bytes();
        Plan {
            steps: self.steps(),
            done: self.progress.step,
            steps_per_epoch: self.position().steps_per_epoch,
            parameters: trained,
            frozen: all - trained,
            categories: self.material.pool.categories().len(),
            vocabulary: match &self.blueprint.design {
                Design::Joint(config) => config.clip.text.vocabulary,
                Design::Points(_) => 0,
            },
            // Weights, running mean; gradients and at most two moments of what is trained.
            bytes: (4 * (all + average + 3 * trained) + samples) as u64,
            groups,
        }
    }

    pub(crate) fn step_event(&self, outcome: Outcome, position: Position, clock: &Clock) -> TrainEvent {
        let moved = self.groups.iter().filter(|group| group.config().turn.takes_part(position));
        let Outcome { losses, accuracies, total, norms } = outcome;
        let (all, last, (shapes, images)) = (clock.all().seconds(), clock.last(), clock.seen());
        TrainEvent::Step(Step {
            step: self.progress.step,
            loss: total,
            losses,
            accuracies,
            rates: moved.map(|group| (group.name().to_owned(), group.rate(position))).collect(),
            norms,
            logit_scale: self.towers.logit_scale.val().into_scalar::<f32>(),
            shapes_per_second: shapes as f64 / all,
            images_per_second: images as f64 / all,
            seconds: last.seconds(),
            waiting: last.share_waiting(),
            drawing: last.share_drawing(),
        })
    }

    /// The run is over after `steps` steps.
    pub(crate) fn finished(&self, steps: usize, clock: &Clock) -> TrainEvent {
        let (spent, (shapes, images)) = (clock.all(), clock.seen());
        TrainEvent::Finished {
            step: self.progress.step,
            steps,
            seconds: spent.seconds(),
            waiting: spent.share_waiting(),
            drawing: spent.share_drawing(),
            shapes_per_second: shapes as f64 / spent.seconds(),
            images_per_second: images as f64 / spent.seconds(),
        }
    }
}
