//! What a run learns from and is measured on, with the features it learns towards: loaded at the start, and again where a
//! recipe asks for fresh shapes.

use std::collections::HashMap;
use std::path::Path;

use lexiform_data::DataError;
use lexiform_geometry::Rig;
use lexiform_metrics::ClassFeatures;
use lexiform_model::{ModelError, Teacher};

use crate::data::features;
use crate::data::features::targets::{Place, Targets};
use crate::data::pool::Pool;
use crate::data::requirements::Needs;
use crate::data::shape_set::Sizes;
use crate::data::source::Supply;
use crate::error::FitError;
use crate::event::TrainEvent;
use crate::recipe::{DataConfig, NetworkConfig, Recipe};
use crate::run::validation;

/// What shapes must bring, and how they are shown.
pub(crate) struct Inputs {
    /// What every shape must have.
    pub needs: Needs,
    /// The frozen model whose features are learned towards.
    pub teacher: Option<Teacher>,
    /// Cameras that held-out shapes are seen by; absent where views are not looked at.
    pub rig: Option<Rig>,
    /// Sizes of views and clouds.
    pub sizes: Sizes,
}

/// Shapes of a run.
pub(crate) struct Material {
    supply: Supply,
    needs: Needs,
    sizes: Sizes,
    round: u64,
    /// Shapes to learn from.
    pub pool: Pool,
    /// Shapes to measure on.
    pub held_out: Pool,
    /// For each shape those that look like it, where batches are made of such.
    pub neighbors: Vec<Vec<usize>>,
    /// The frozen model whose features are learned towards, as long as someone will ask it.
    pub teacher: Option<Teacher>,
    /// What its words say of every category, where clouds are compared with them.
    pub choices: Option<ClassFeatures>,
    /// Width of its features; 0 without one.
    pub frozen_dim: usize,
    /// Its features of every noun of every category, where shapes are named.
    pub nouns: HashMap<String, Vec<f32>>,
}

impl Material {
    /// Opens the source and brings the shapes of the round that `step` is in.
    pub fn prepare(
        recipe: &Recipe,
        Inputs { needs, teacher, rig, sizes }: Inputs,
        step: usize,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<Self, FitError> {
        let supply = Supply::open(&recipe.data, needs, teacher.as_ref())?;
        on_event(match &supply {
            Supply::Set(set) => set.opened(),
            Supply::Rules | Supply::Files(_) => TrainEvent::Preparing { shapes: supply.count(&recipe.data) },
        });
        let round = round(recipe, &supply, step);
        let pool = supply.training(&recipe.data, sizes, recipe.seed, round)?;
        let held_out = supply.held_out(&recipe.data, rig.as_ref(), sizes);
        report_left_out([&pool, &held_out], on_event);
        Ok(Self {
            nouns: teacher
                .as_ref()
                .filter(|_| needs.label)
                .map_or_else(|| Ok(HashMap::new()), |teacher| noun_features(teacher, &pool))?,
            choices: choices(recipe, teacher.as_ref(), &held_out)?,
            frozen_dim: teacher.as_ref().map_or(0, Teacher::dim),
            neighbors: Vec::new(),
            supply,
            needs,
            sizes,
            round,
            pool,
            held_out,
            teacher,
        })
    }

    /// Fresh shapes where `step` is in another round, with features in `out`.
    pub fn refresh(
        &mut self,
        recipe: &Recipe,
        out: &Path,
        step: usize,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let round = round(recipe, &self.supply, step);
        if round == self.round {
            return Ok(());
        }
        on_event(TrainEvent::Preparing { shapes: self.supply.count(&recipe.data) });
        self.pool = self.supply.training(&recipe.data, self.sizes, recipe.seed, round)?;
        self.round = round;
        self.bring_features(recipe, out, on_event)
    }

    /// Whether a step sees the shapes that are here now.
    pub fn has(&self, recipe: &Recipe, step: usize) -> bool {
        round(recipe, &self.supply, step) == self.round
    }

    /// How many shapes a round of the recipe's data has.
    pub fn count(&self, recipe: &Recipe) -> usize {
        self.supply.count(&recipe.data)
    }

    /// A checksum of the data set, or of the folder.
    pub fn sum(&self) -> Option<&str> {
        match &self.supply {
            Supply::Set(set) => Some(set.sum()),
            Supply::Files(files) => Some(files.sum()),
            Supply::Rules => None,
        }
    }

    /// All that is said of the shapes, and every noun of every category.
    pub fn words(&self) -> Result<Vec<String>, DataError> {
        let mut words: Vec<String> = self.pool.nouns().cloned().collect();
        match (&self.pool, &self.supply) {
            (Pool::Held(held), _) => {
                let sayings = held.shapes.samples.iter().flat_map(|sample| &sample.sayings);
                words.extend(sayings.map(|saying| saying.text.clone()));
            }
            (_, Supply::Set(set)) => words.extend(set.words()?),
            _ => {}
        }
        Ok(words)
    }

    /// Gives the teacher's memory back once its features are kept, unless fresh shapes come.
    pub fn dismiss_teacher(&mut self, recipe: &Recipe) {
        if !refreshes(recipe, &self.supply) {
            self.teacher = None;
        }
    }

    /// Tells features of these shapes from those of others, or of views of another size.
    fn feature_key(&self, recipe: &Recipe) -> String {
        // Where features are kept changes nothing about them; how large views are drawn does.
        let data = toml::to_string(&DataConfig { features: None, ..recipe.data.clone() }).unwrap_or_default();
        let view = self.sizes.view;
        let sum = match &self.supply {
            Supply::Files(files) => files.sum(),
            Supply::Rules | Supply::Set(_) => "",
        };
        format!("seed {} round {} views of {view} pixels {data}{sum}", recipe.seed, self.round)
    }

    /// Features of the frozen model for the shapes of this round.
    pub fn bring_features(
        &mut self,
        recipe: &Recipe,
        out: &Path,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let Some(teacher) = &self.teacher else { return Ok(()) };
        let key = self.feature_key(recipe);
        let hard = recipe.batch.hard.map(|hard| hard.among);
        match (&mut self.pool, &self.supply) {
            (Pool::Held(held), _) => {
                let usual = features::usual_path(out, self.round);
                let place = match &recipe.data.features {
                    Some(path) if self.round == 0 => Place::Named(path),
                    _ => Place::Own(&usual),
                };
                let mut shown = |done, all| on_event(TrainEvent::Features { done, all });
                let images = self.needs.image_features;
                let targets =
                    Targets::open_or_compute(place, &key, teacher, &held.shapes, images, &mut shown)?;
                self.neighbors = hard.map_or(Vec::new(), |among| targets.neighbors(among));
                held.targets = Some(targets);
            }
            (Pool::Stored(stored), Supply::Set(set)) => {
                set.bring_features(stored, teacher, &key, out, on_event)?;
                if let Some(among) = hard {
                    self.neighbors = set.neighbors(stored, among)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Says which files of both pools could not be used.
fn report_left_out(pools: [&Pool; 2], on_event: &mut dyn FnMut(TrainEvent)) {
    for pool in pools {
        let Pool::Held(held) = pool else { continue };
        for (path, reason) in held.shapes.left_out.iter().cloned() {
            on_event(TrainEvent::LeftOut { path, reason });
        }
    }
}

/// What a teacher's words say of every category, where clouds are measured.
fn choices(
    recipe: &Recipe,
    teacher: Option<&Teacher>,
    held_out: &Pool,
) -> Result<Option<ClassFeatures>, FitError> {
    match (&recipe.network, teacher) {
        (NetworkConfig::Points(_), Some(teacher)) => validation::choices(teacher.model(), held_out),
        _ => Ok(None),
    }
}

/// Whether shapes are replaced by others after some steps.
fn refreshes(recipe: &Recipe, supply: &Supply) -> bool {
    recipe.data.refresh_every > 0 && !matches!(supply, Supply::Set(_))
}

/// Which set of shapes a step sees.
fn round(recipe: &Recipe, supply: &Supply, step: usize) -> u64 {
    if refreshes(recipe, supply) { (step / recipe.data.refresh_every) as u64 } else { 0 }
}

/// A teacher's features of every noun of every category.
fn noun_features(teacher: &Teacher, pool: &Pool) -> Result<HashMap<String, Vec<f32>>, ModelError> {
    let mut nouns: Vec<&str> = pool.nouns().map(String::as_str).collect();
    nouns.sort_unstable();
    nouns.dedup();
    let features = teacher.texts(&nouns)?;
    let rows = features.chunks(teacher.dim().max(1)).map(<[f32]>::to_vec);
    Ok(nouns.into_iter().map(str::to_owned).zip(rows).collect())
}
