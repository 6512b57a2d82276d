//! A run at work: what is trained, by which batches, and how far it is.

mod check;
mod checkpoint;
mod dry_run;
mod fit;
mod options;
mod prepare;
mod reporting;
mod step;
mod timing;
mod training_data;
mod validate_model;

pub use checkpoint::{Checkpoint, RunProgress};
pub use dry_run::{DryRun, dry_run};
pub use fit::fit;
pub use options::FitOptions;

use std::path::Path;

use burn::tensor::Device;

use crate::batch::Batch;
use crate::error::FitError;
use crate::event::TrainEvent;
use crate::loss::Objective;
use crate::network::{ModelSpec, Towers};
use crate::optim::ParameterGroups;
use crate::recipe::{Recipe, RunConfig, RunPosition};
use crate::run::training_data::TrainingData;

/// A batch with the step and the part of it that it is for.
type PrefetchedBatch = ((usize, usize), Batch);

/// A run at work.
pub(crate) struct Run<'a> {
    recipe: &'a Recipe,
    out: &'a Path,
    devices: Vec<Device>,
    objective: Objective,
    data: TrainingData,
    spec: ModelSpec,
    towers: Towers,
    ema: Option<Towers>,
    groups: ParameterGroups,
    pub(crate) progress: RunProgress,
    /// The next batch, drawn already: of which step and part.
    prefetched: Option<PrefetchedBatch>,
    /// Step of the newest checkpoint.
    last_checkpoint: Option<usize>,
    /// Whether a loss was good since: it was taken with the weights of that checkpoint, or later ones.
    checkpoint_verified: bool,
}

impl Run<'_> {
    /// Shapes that a round of the recipe's data has.
    pub(crate) fn n_shapes(&self, recipe: &Recipe) -> usize {
        self.data.count(recipe)
    }

    /// Where the run is.
    pub(crate) fn position(&self) -> RunPosition {
        let steps_per_epoch = self.steps_per_epoch();
        RunPosition { step: self.progress.step, steps: self.steps(), steps_per_epoch }
    }

    /// Steps in all.
    pub(crate) fn steps(&self) -> usize {
        self.recipe.run.steps.steps(self.steps_per_epoch())
    }

    /// Steps between evaluations, and between checkpoints.
    pub(crate) fn intervals(&self) -> [usize; 2] {
        let RunConfig { evaluate_every, checkpoint_every, .. } = self.recipe.run;
        [evaluate_every, checkpoint_every].map(|span| span.steps(self.steps_per_epoch()))
    }

    fn steps_per_epoch(&self) -> usize {
        self.recipe.batch.steps_per_epoch(self.data.pool.len())
    }

    /// Fresh shapes where the recipe asks for them.
    pub(crate) fn refresh(
        &mut self,
        position: RunPosition,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        self.data.refresh(self.recipe, self.out, position.step, on_event)
    }
}
