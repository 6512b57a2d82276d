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
use crate::network::{Published, Said, Towers};
use crate::optim::Groups;
use crate::optim::parameters::{train_only, with_stable_ids, with_values};
use crate::recipe::{NetworkConfig, Recipe};
use crate::run::checkpoint::{Checkpoint, Progress};
use crate::run::options::FitOptions;
use crate::run::training_data::Material;
use crate::run::{Run, checkpoint};

impl<'a> Run<'a> {
    /// Data, network and optimizers as the recipe says; or, when the run goes on, as the checkpoint left them.
    pub(crate) fn prepare(
        recipe: &'a Recipe,
        out: &'a Path,
        options: &FitOptions,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<Self, FitError> {
        recipe.validate()?;
        validate::check_numbers(recipe, &options.devices)?;
        let objective = Objective::new(&recipe.losses, recipe.run.gather)?;
        fs_err::create_dir_all(out)?;
        let checkpoint = open_checkpoint(recipe, out, options)?;
        fs_err::write(out.join("recipe.toml"), toml::to_string(recipe).expect("a recipe is plain data"))?;

        let devices: Vec<Device> = options.devices.iter().map(|device| device.clone().autodiff()).collect();
        let published = Published::on(&devices[0]);
        let done = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.progress.step);
        let mut material = bring(recipe, &objective, &published, done, on_event)?;
        validate::check_batch(recipe, material.pool.len())?;
        validate::check_classes(recipe, material.pool.categories().len())?;
        let known = checkpoint.as_ref().map(|checkpoint| &checkpoint.model);
        let words = match (&recipe.network, known) {
            (NetworkConfig::Clip(_), None) => material.words()?,
            _ => Vec::new(),
        };
        let said = Said { words: &words, labels: &material.pool.names() };
        let (towers, blueprint) = Towers::build(recipe, &published, said, known, &devices[0])?;
        validate::check_products(recipe, &towers)?;
        let towers = with_stable_ids(towers);
        let mut groups = Groups::new(&recipe.groups, recipe.schedule, &towers)?;
        let mut towers = train_only(towers, &groups.ids());
        let mut average = (recipe.run.average_decay > 0.0).then(|| towers.valid());
        let mut saved = None;
        let mut progress = Progress { data: material.sum().map(str::to_owned), ..Progress::default() };
        if let Some(checkpoint) = checkpoint {
            let path = checkpoint::path_in(out);
            let invalid = |message: String| CheckpointError::Invalid { path: path.clone(), message };
            checkpoint.progress.check_data(material.sum(), &path)?;
            towers = with_values(towers, &checkpoint.weights).map_err(invalid)?;
            average = match average {
                Some(average) => Some(with_values(average, &checkpoint.average).map_err(invalid)?),
                None => None,
            };
            groups.restore(checkpoint.optimizers).map_err(invalid)?;
            progress = checkpoint.progress;
            saved = Some(progress.step);
        }
        material.bring_features(recipe, out, on_event)?;
        material.dismiss_teacher(recipe);
        let (ahead, proven) = (None, false);
        Ok(Self {
            recipe,
            out,
            devices,
            objective,
            material,
            blueprint,
            towers,
            average,
            groups,
            progress,
            ahead,
            saved,
            proven,
        })
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
    Material::prepare(recipe, needs, teacher, (rig.as_ref(), sizes), step, on_event)
}

/// The run in the folder: to go on with when asked, in the way otherwise.
fn open_checkpoint(
    recipe: &Recipe,
    out: &Path,
    options: &FitOptions,
) -> Result<Option<Checkpoint>, FitError> {
    let path = checkpoint::path_in(out);
    if !checkpoint::newest(&path)? {
        return Ok(None);
    }
    let checkpoint = Checkpoint::read(&path)?;
    if !options.resume {
        return Err(FitError::Exists { path, step: checkpoint.progress.step });
    }
    checkpoint.check_recipe(recipe, &path)?;
    Ok(Some(checkpoint))
}
