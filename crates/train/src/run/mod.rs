//! A run at work: what is trained, by which batches, and how far it is.

mod checkpoint;
mod dry_run;
mod fit;
mod options;
mod prepare;
mod reporting;
mod step;
mod timing;
mod training_data;
mod validate;
mod validation;

pub use checkpoint::{Checkpoint, Progress};
pub use dry_run::{Trial, rehearse};
pub use fit::fit;
pub use options::FitOptions;

use std::path::Path;

use burn::tensor::Device;

use crate::batch::Batch;
use crate::error::FitError;
use crate::event::TrainEvent;
use crate::loss::Objective;
use crate::network::{Blueprint, Towers};
use crate::optim::Groups;
use crate::recipe::{Position, Recipe, RunConfig};
use crate::run::training_data::Material;

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

impl Run<'_> {
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
}
