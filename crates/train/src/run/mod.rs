//! A training run: its state, and the steps that change it.
//!
//! `fit.rs` is the loop, `step.rs` one optimizer step, `gradients.rs` the gradients of a batch, `prepare.rs` the start or resume, `checkpoint.rs` what is saved.

mod check;
mod checkpoint;
mod checkpoint_writer;
mod dry_run;
mod fit;
mod gather;
mod gradients;
mod options;
mod prefetch;
mod prepare;
mod reporting;
mod step;
mod timing;
mod training_data;
mod validate_model;

pub use checkpoint::{Checkpoint, RunProgress};
pub(crate) use checkpoint::{
    check_same_recipe, checkpoint_path, read_progress, recover_latest, replace as replace_checkpoint,
};
pub use dry_run::{DryRun, dry_run};
pub use fit::fit;
pub use options::FitOptions;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::Device;
use lexiform_model::nn::BlockWeightCast;

use crate::data::pool::ShapePool;
use crate::error::FitError;
use crate::event::TrainEvent;
use crate::loss::Objective;
use crate::network::{ModelSpec, Towers};
use crate::optim::ParameterGroups;
use crate::processes::Processes;
use crate::recipe::{Recipe, RunConfig, RunPosition};
use crate::run::checkpoint_writer::CheckpointWriter;
use crate::run::prefetch::Prefetch;
use crate::run::training_data::TrainingData;

/// State of a training run.
pub(crate) struct Run<'a> {
    recipe: &'a Recipe,
    out: &'a Path,
    devices: Vec<Device>,
    processes: Processes,
    objective: Objective,
    data: TrainingData,
    spec: ModelSpec,
    towers: Towers,
    ema: Option<Towers>,
    groups: ParameterGroups,
    pub(crate) progress: RunProgress,
    /// The next batches, loaded while the current step computes.
    prefetch: Prefetch,
    /// Names of the frozen parameters, which are not part of checkpoints.
    frozen: BTreeSet<String>,
    frozen_checksum: OnceCell<String>,
    /// Copies of the towers on the other devices.
    copies: Vec<Towers>,
    /// Casts to the data type of mixed precision, by device; empty without.
    casts: Vec<RefCell<BlockWeightCast>>,
    /// The checkpoint that is being written.
    writer: CheckpointWriter,
    /// Step of the last checkpoint.
    last_checkpoint: Option<usize>,
    /// Whether a finite loss has been computed since, from the weights of that checkpoint or later ones.
    checkpoint_verified: bool,
}

impl<'a> Run<'a> {
    /// Continues with another recipe for the same data and network, without the batch that the old one has loaded.
    pub(crate) fn use_recipe(&mut self, recipe: &'a Recipe) {
        self.recipe = recipe;
        self.prefetch = Prefetch::default();
    }
}

impl Run<'_> {
    /// Memory in bytes of the shapes of a recipe that this run, of a reduced one, has not loaded.
    pub(crate) fn memory_of_missing_shapes(&self, recipe: &Recipe) -> u64 {
        let missing = |pool: &ShapePool, all: usize| {
            let loaded = pool.len().max(1);
            (pool.memory_bytes() / loaded * all.saturating_sub(loaded)) as u64
        };
        let validation = match recipe.data.path {
            None => recipe.data.val_per_class * self.data.pool.categories().len(),
            Some(_) => self.data.validation.len(),
        };
        missing(&self.data.pool, self.data.count(recipe)) + missing(&self.data.validation, validation)
    }

    /// Keeps the first `limit` validation shapes.
    pub(crate) fn limit_validation(&mut self, limit: usize) {
        self.data.validation.truncate(limit);
    }

    /// Progress of the run.
    pub(crate) fn position(&self) -> RunPosition {
        let steps_per_epoch = self.steps_per_epoch();
        RunPosition { step: self.progress.step, steps: self.steps(), steps_per_epoch }
    }

    /// Steps in total.
    pub(crate) fn steps(&self) -> usize {
        self.recipe.run.steps.steps(self.steps_per_epoch())
    }

    /// Steps between evaluations, and between checkpoints.
    pub(crate) fn intervals(&self) -> [usize; 2] {
        let RunConfig { evaluate_every, checkpoint_every, .. } = self.recipe.run;
        [evaluate_every, checkpoint_every].map(|span| span.steps(self.steps_per_epoch()))
    }

    fn steps_per_epoch(&self) -> usize {
        self.epoch(self.recipe, self.data.pool.len())
    }

    /// Steps per epoch of a recipe with more of the same shapes.
    pub(crate) fn steps_per_epoch_of(&self, recipe: &Recipe) -> usize {
        self.epoch(recipe, self.data.count(recipe))
    }

    /// Steps in which each source is used once, the first one with `shapes` shapes; the shorter one starts again.
    fn epoch(&self, recipe: &Recipe, shapes: usize) -> usize {
        let second = self.data.second.as_ref();
        let of_second = second.map_or(0, |second| second.steps_per_epoch(recipe.data.max_shapes));
        recipe.batch.steps_per_epoch(shapes).max(of_second)
    }

    /// Loads new shapes if `data.refresh_every` steps have passed.
    ///
    /// # Errors
    /// If shapes cannot be loaded or features not be computed.
    pub(crate) fn refresh(
        &mut self,
        position: RunPosition,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        if !self.data.refresh(self.recipe, position.step, on_event)? {
            return Ok(());
        }
        let (data, processes) = (&mut self.data, &self.processes);
        // Only the features: a later process finds those of an earlier one in the cache, but shapes are made by each.
        processes.in_turn(|| data.load_features(self.recipe, self.out, on_event))
    }
}
