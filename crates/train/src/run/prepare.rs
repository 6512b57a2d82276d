//! Start and resume of a run: data, network and optimizers.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::hash::Hasher as _;
use std::path::Path;

use burn::module::Module as _;
use burn::tensor::Device;
use fnv::FnvHasher;
use lexiform_geometry::RigKind;
use lexiform_model::nn::{BlockOptions, BlockWeightCast, Products};

use super::check;
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::SampleSize;
use crate::error::{CheckpointError, FitError};
use crate::event::TrainEvent;
use crate::loss::Objective;
use crate::network::{ModelSpec, NetworkVocabulary, OutputConfig, PretrainedModels, Towers};
use crate::optim::ParameterGroups;
use crate::optim::parameters::{freeze_except, frozen_names, load_values_except, with_stable_ids};
use crate::processes::{Processes, TransportError};
use crate::recipe::{MixedPrecision, NetworkConfig, Recipe};
use crate::run::checkpoint::{Checkpoint, RunProgress};
use crate::run::checkpoint_writer::CheckpointWriter;
use crate::run::options::FitOptions;
use crate::run::prefetch::Prefetch;
use crate::run::training_data::{Inputs, TrainingData};
use crate::run::{Run, checkpoint};

impl<'a> Run<'a> {
    /// Builds data, network and optimizers from the recipe, then restores the checkpoint if the run resumes.
    ///
    /// # Errors
    /// As [`fit`](crate::fit).
    pub(crate) fn prepare(
        recipe: &'a Recipe,
        out: &'a Path,
        options: &FitOptions,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<Self, FitError> {
        recipe.validate()?;
        check::check_dtype(recipe, &options.devices)?;
        check::check_shares(recipe, options)?;
        let objective = Objective::new(&recipe.losses, recipe.run.gather)?;
        let checkpoint = open_folder(recipe, out, options)?;
        let devices: Vec<Device> = options.devices.iter().map(|device| device.clone().autodiff()).collect();
        let models = PretrainedModels::new(&devices[0]);
        let done = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.progress.step);
        let inputs = data_inputs(recipe, &objective, &models, options.processes.is_first())?;
        let data = TrainingData::prepare(recipe, inputs, done, on_event)?;
        check_same_inputs(recipe, options, data.fingerprint())?;
        // The vocabulary of a new text tower depends on the captions: a resumed run takes it from the checkpoint.
        let known = checkpoint.as_ref().map(|checkpoint| &checkpoint.model);
        let network = Network::build(recipe, &data, &models, known, &devices[0])?;
        let mut run = network.into_run(recipe, out, devices, objective, data);
        run.processes = options.processes.clone();
        if let Some(checkpoint) = checkpoint {
            run.restore(checkpoint)?;
        }
        // After the checkpoint was checked: features may take hours.
        options.processes.in_turn(|| run.data.load_features(recipe, out, on_event))?;
        run.data.release_teacher(recipe);
        Ok(run)
    }

    /// Restores weights, optimizers and progress.
    fn restore(&mut self, checkpoint: Checkpoint) -> Result<(), FitError> {
        let path = checkpoint::checkpoint_path(self.out);
        let invalid = |message: String| CheckpointError::Invalid { path: path.clone(), message };
        checkpoint.progress.check_data(self.data.fingerprint().as_deref(), &path)?;
        if let Some(expected) = checkpoint.frozen {
            let found = self.frozen_checksum();
            if found != expected {
                return Err(CheckpointError::FrozenWeights { path, found, expected }.into());
            }
        }
        let load = |towers, values| load_values_except(towers, values, &self.frozen).map_err(invalid);
        self.towers = load(self.towers.clone(), &checkpoint.weights)?;
        if let Some(ema) = self.ema.take() {
            self.ema = Some(load(ema, &checkpoint.ema)?);
        }
        self.groups.restore(checkpoint.optimizers).map_err(invalid)?;
        self.progress = checkpoint.progress;
        self.last_checkpoint = Some(self.progress.step);
        Ok(())
    }
}

/// The initial network and its optimizers.
struct Network {
    towers: Towers,
    spec: ModelSpec,
    groups: ParameterGroups,
    /// Names of the parameters of no group.
    frozen: BTreeSet<String>,
}

impl Network {
    /// Builds the network. `known` is its configuration if the run resumes.
    fn build(
        recipe: &Recipe,
        data: &TrainingData,
        models: &PretrainedModels,
        known: Option<&OutputConfig>,
        device: &Device,
    ) -> Result<Self, FitError> {
        check::check_batch_size(recipe, data.pool.len())?;
        check::check_classes(recipe, data.pool.categories().len())?;
        let words = match (&recipe.network, known) {
            (NetworkConfig::Clip(_), None) => data.vocabulary_texts()?,
            _ => Vec::new(),
        };
        let vocabulary = NetworkVocabulary { words: &words, labels: &data.pool.names() };
        let (towers, spec) = Towers::build(recipe, models, vocabulary, known, device)?;
        check::check_block_options(recipe, &towers)?;
        // Optimizer state in checkpoints is keyed by parameter id.
        let towers = with_stable_ids(towers);
        let groups =
            ParameterGroups::new(&recipe.param_groups, recipe.schedule, spec.config.joint_from(), &towers)?;
        let frozen = frozen_names(&towers, &groups.ids());
        let towers = freeze_except(towers, &groups.ids());
        Ok(Self { towers, spec, groups, frozen })
    }

    /// The state of a run before its first step.
    fn into_run<'a>(
        self,
        recipe: &'a Recipe,
        out: &'a Path,
        devices: Vec<Device>,
        objective: Objective,
        data: TrainingData,
    ) -> Run<'a> {
        let Self { towers, spec, groups, frozen } = self;
        let options = block_options(recipe, &devices);
        let towers = towers.with_block_options(options);
        // Where products round their operands, weights are not cast.
        let dtype = recipe.run.mixed_precision.dtype().filter(|_| options.products == Products::F32);
        let cast = |dtype| RefCell::new(BlockWeightCast::new(dtype, groups.ids()));
        let casts = dtype.map_or(Vec::new(), |dtype| devices.iter().map(|_| cast(dtype)).collect());
        Run {
            ema: (recipe.run.ema_decay > 0.0).then(|| towers.valid()),
            progress: RunProgress { data_fingerprint: data.fingerprint(), ..RunProgress::default() },
            prefetch: Prefetch::default(),
            frozen,
            frozen_checksum: OnceCell::new(),
            copies: Vec::new(),
            casts,
            writer: CheckpointWriter::default(),
            last_checkpoint: None,
            checkpoint_verified: false,
            recipe,
            out,
            devices,
            processes: Processes::default(),
            objective,
            data,
            spec,
            towers,
            groups,
        }
    }
}

/// What to load for the recipe's network and losses.
fn data_inputs(
    recipe: &Recipe,
    objective: &Objective,
    models: &PretrainedModels,
    validates: bool,
) -> Result<Inputs, FitError> {
    let rig = match recipe.network.rig() {
        // Seed 0: random rigs are the same in every run.
        Some((rig, n_views)) => Some(rig.parse::<RigKind>()?.rig(n_views, 0)),
        None => None,
    };
    let teacher = models.teacher(recipe)?;
    check::check_dims(recipe, teacher.as_ref(), models)?;
    let size = SampleSize {
        view: models.view_size(recipe)?,
        points: recipe.data.points.max(recipe.network.n_points()),
    };
    let requirements = DataRequirements::of(recipe, objective);
    Ok(Inputs { requirements, teacher, rig, size, validates })
}

/// Checks that all processes have the same recipe, data and number of devices: otherwise they would not share the rows of one batch.
fn check_same_inputs(
    recipe: &Recipe,
    options: &FitOptions,
    fingerprint: Option<String>,
) -> Result<(), TransportError> {
    let mut hasher = FnvHasher::default();
    hasher.write(toml::to_string(recipe).expect("a recipe is plain data").as_bytes());
    let [recipe, devices] = [format!("{:016x}", hasher.finish()), options.devices.len().to_string()];
    let processes = &options.processes;
    processes.check_equal("the processes have different recipes: checksum", &recipe)?;
    processes.check_equal("the processes have different numbers of devices", &devices)?;
    let data = fingerprint.unwrap_or_else(|| "none".to_owned());
    processes.check_equal("the processes have different data: checksum", &data)
}

/// Creates the output folder and writes the recipe; reads the checkpoint of an existing run.
fn open_folder(recipe: &Recipe, out: &Path, options: &FitOptions) -> Result<Option<Checkpoint>, FitError> {
    fs_err::create_dir_all(out)?;
    let checkpoint = open_checkpoint(recipe, &checkpoint::checkpoint_path(out), options)?;
    if !options.processes.is_first() {
        return Ok(checkpoint);
    }
    // With all overrides applied, so that the run can be repeated.
    fs_err::write(out.join("recipe.toml"), toml::to_string(recipe).expect("a recipe is plain data"))?;
    Ok(checkpoint)
}

fn open_checkpoint(
    recipe: &Recipe,
    path: &Path,
    options: &FitOptions,
) -> Result<Option<Checkpoint>, FitError> {
    // The first process reads the file: the others may be on machines without it.
    let present = options.processes.is_first() && checkpoint::recover_latest(path)?;
    let bytes = if present { fs_err::read(path)? } else { Vec::new() };
    if present && bytes.is_empty() {
        // An empty message means that there is no run: it would be overwritten.
        let message = "the file is empty".to_owned();
        return Err(CheckpointError::Invalid { path: path.to_owned(), message }.into());
    }
    let bytes = options.processes.broadcast(bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let checkpoint = Checkpoint::parse(&bytes, path)?;
    if !options.resume {
        return Err(FitError::Exists { path: path.to_owned(), step: checkpoint.progress.step });
    }
    checkpoint.check_recipe(recipe, path)?;
    Ok(Some(checkpoint))
}

/// How blocks are trained: with operands of products in `bf16` where all devices are a CPU that multiplies it.
fn block_options(recipe: &Recipe, devices: &[Device]) -> BlockOptions {
    let is_rounded = recipe.run.mixed_precision == MixedPrecision::Bf16
        && devices.iter().all(|device| *device == Device::flex());
    BlockOptions {
        checkpoint_activations: recipe.run.checkpoint_activations,
        products: Products::bf16().filter(|_| is_rounded).unwrap_or_default(),
    }
}
