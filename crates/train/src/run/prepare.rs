//! Data, network and optimizers of a run at its start, or as a checkpoint left them.

use std::path::Path;

use burn::module::Module as _;
use burn::tensor::Device;
use lexiform_geometry::RigKind;

use super::validate;
use crate::data::requirements::Needs;
use crate::data::shape_set::Sizes;
use crate::error::{CheckpointError, FitError};
use crate::event::TrainEvent;
use crate::loss::Objective;
use crate::network::{Blueprint, Design, Published, Said, Towers};
use crate::optim::Groups;
use crate::optim::parameters::{train_only, with_stable_ids, with_values};
use crate::recipe::{NetworkConfig, Recipe};
use crate::run::checkpoint::{Checkpoint, Progress};
use crate::run::options::FitOptions;
use crate::run::training_data::{Inputs, Material};
use crate::run::{Run, checkpoint};

impl<'a> Run<'a> {
    /// Data, network and optimizers as the recipe says; or, when the run resumes, as the checkpoint left them.
    pub(crate) fn prepare(
        recipe: &'a Recipe,
        out: &'a Path,
        options: &FitOptions,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<Self, FitError> {
        recipe.validate()?;
        validate::check_numbers(recipe, &options.devices)?;
        let objective = Objective::new(&recipe.losses, recipe.run.gather)?;
        let checkpoint = open_folder(recipe, out, options)?;
        let devices: Vec<Device> = options.devices.iter().map(|device| device.clone().autodiff()).collect();
        let published = Published::on(&devices[0]);
        let done = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.progress.step);
        let material = bring(recipe, &objective, &published, done, on_event)?;
        let known = checkpoint.as_ref().map(|checkpoint| &checkpoint.model);
        let network = Network::build(recipe, &material, &published, known, &devices[0])?;
        let mut run = network.into_run(recipe, out, devices, objective, material);
        if let Some(checkpoint) = checkpoint {
            run.restore(checkpoint)?;
        }
        run.material.bring_features(recipe, out, on_event)?;
        run.material.dismiss_teacher(recipe);
        Ok(run)
    }

    /// Weights, optimizers and progress as a checkpoint left them.
    fn restore(&mut self, checkpoint: Checkpoint) -> Result<(), FitError> {
        let path = checkpoint::path_in(self.out);
        let invalid = |message: String| CheckpointError::Invalid { path: path.clone(), message };
        checkpoint.progress.check_data(self.material.sum(), &path)?;
        self.towers = with_values(self.towers.clone(), &checkpoint.weights).map_err(invalid)?;
        if let Some(average) = self.average.take() {
            self.average = Some(with_values(average, &checkpoint.average).map_err(invalid)?);
        }
        self.groups.restore(checkpoint.optimizers).map_err(invalid)?;
        self.progress = checkpoint.progress;
        self.saved = Some(self.progress.step);
        Ok(())
    }
}

/// The network at its start, with what trains it.
struct Network {
    towers: Towers,
    blueprint: Blueprint,
    groups: Groups,
}

impl Network {
    /// Builds the recipe's network for the shapes at hand. `known` is the configuration of a run that is resumed.
    fn build(
        recipe: &Recipe,
        material: &Material,
        published: &Published,
        known: Option<&Design>,
        device: &Device,
    ) -> Result<Self, FitError> {
        validate::check_batch(recipe, material.pool.len())?;
        validate::check_classes(recipe, material.pool.categories().len())?;
        let words = match (&recipe.network, known) {
            (NetworkConfig::Clip(_), None) => material.words()?,
            _ => Vec::new(),
        };
        let said = Said { words: &words, labels: &material.pool.names() };
        let (towers, blueprint) = Towers::build(recipe, published, said, known, device)?;
        validate::check_products(recipe, &towers)?;
        let towers = with_stable_ids(towers);
        let groups = Groups::new(&recipe.groups, recipe.schedule, &towers)?;
        let towers = train_only(towers, &groups.ids());
        Ok(Self { towers, blueprint, groups })
    }

    /// A run before its first step.
    fn into_run<'a>(
        self,
        recipe: &'a Recipe,
        out: &'a Path,
        devices: Vec<Device>,
        objective: Objective,
        material: Material,
    ) -> Run<'a> {
        let Self { towers, blueprint, groups } = self;
        Run {
            average: (recipe.run.average_decay > 0.0).then(|| towers.valid()),
            progress: Progress { data: material.sum().map(str::to_owned), ..Progress::default() },
            ahead: None,
            saved: None,
            proven: false,
            recipe,
            out,
            devices,
            objective,
            material,
            blueprint,
            towers,
            groups,
        }
    }
}

/// Opens the source of shapes, with the teacher's features to come.
fn bring(
    recipe: &Recipe,
    objective: &Objective,
    published: &Published,
    step: usize,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<Material, FitError> {
    let rig = match recipe.network.rig() {
        // Rigs that are drawn by chance are always drawn by the same.
        Some((rig, n_views)) => Some(rig.parse::<RigKind>()?.rig(n_views, 0)),
        None => None,
    };
    let teacher = published.teacher(recipe)?;
    validate::check_widths(recipe, teacher.as_ref(), published)?;
    let sizes = Sizes {
        view: published.view_size(recipe)?,
        points: recipe.data.points.max(recipe.network.n_points()),
    };
    let needs = Needs::of(recipe, objective);
    Material::prepare(recipe, Inputs { needs, teacher, rig, sizes }, step, on_event)
}

/// Creates the folder and writes the recipe into it. A run that is there already is resumed when asked, an error otherwise.
fn open_folder(recipe: &Recipe, out: &Path, options: &FitOptions) -> Result<Option<Checkpoint>, FitError> {
    fs_err::create_dir_all(out)?;
    let checkpoint = open_checkpoint(recipe, &checkpoint::path_in(out), options)?;
    fs_err::write(out.join("recipe.toml"), toml::to_string(recipe).expect("a recipe is plain data"))?;
    Ok(checkpoint)
}

fn open_checkpoint(
    recipe: &Recipe,
    path: &Path,
    options: &FitOptions,
) -> Result<Option<Checkpoint>, FitError> {
    if !checkpoint::newest(path)? {
        return Ok(None);
    }
    let checkpoint = Checkpoint::read(path)?;
    if !options.resume {
        return Err(FitError::Exists { path: path.to_owned(), step: checkpoint.progress.step });
    }
    checkpoint.check_recipe(recipe, path)?;
    Ok(Some(checkpoint))
}
