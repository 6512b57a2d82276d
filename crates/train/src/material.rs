//! What a run learns from and is measured on, with the features it learns towards: brought at the start, and anew where a
//! recipe asks for fresh shapes.

use std::collections::HashMap;
use std::path::Path;

use lexiform_data::DataError;
use lexiform_geometry::Rig;
use lexiform_metrics::ClassFeatures;
use lexiform_model::{ModelError, Teacher};

use crate::event::TrainEvent;
use crate::fit::FitError;
use crate::measure;
use crate::needs::Needs;
use crate::pool::Pool;
use crate::recipe::{DataConfig, NetworkConfig, Recipe};
use crate::shape_set::Sizes;
use crate::supply::Supply;
use crate::targets::{self, Place, Targets};

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
    /// What its words say of every category, where clouds are measured beside them.
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
        needs: Needs,
        teacher: Option<Teacher>,
        (rig, sizes): (Option<&Rig>, Sizes),
        step: usize,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<Self, FitError> {
        let supply = Supply::open(&recipe.data, needs, teacher.as_ref())?;
        if let Supply::Set(set) = &supply {
            on_event(set.opened());
        } else {
            on_event(TrainEvent::Preparing { shapes: supply.count(&recipe.data) });
        }
        let round = round(recipe, &supply, step);
        let pool = supply.training(&recipe.data, sizes, recipe.seed, round)?;
        let held_out = supply.held_out(&recipe.data, rig, sizes);
        for held in [&pool, &held_out] {
            let Pool::Held(held) = held else { continue };
            for (path, reason) in held.shapes.left_out.iter().cloned() {
                on_event(TrainEvent::LeftOut { path, reason });
            }
        }
        let nouns = match &teacher {
            Some(teacher) if needs.label => noun_features(teacher, &pool)?,
            _ => HashMap::new(),
        };
        let choices = match (&recipe.network, &teacher) {
            (NetworkConfig::Points(_), Some(teacher)) => measure::choices(teacher.model(), &held_out)?,
            _ => None,
        };
        let (frozen_dim, neighbors) = (teacher.as_ref().map_or(0, Teacher::dim), Vec::new());
        Ok(Self {
            supply,
            needs,
            sizes,
            round,
            pool,
            held_out,
            neighbors,
            teacher,
            choices,
            frozen_dim,
            nouns,
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

    /// A sum that tells whether a data set, or a folder, is still the same.
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

    /// Features of the frozen model for the shapes of this round.
    pub fn bring_features(
        &mut self,
        recipe: &Recipe,
        out: &Path,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let Some(teacher) = &self.teacher else { return Ok(()) };
        // Where features are kept changes nothing about them; how large views are drawn does.
        let data = toml::to_string(&DataConfig { features: None, ..recipe.data.clone() }).unwrap_or_default();
        let view = self.sizes.view;
        let sum = match &self.supply {
            Supply::Files(files) => files.sum(),
            Supply::Rules | Supply::Set(_) => "",
        };
        let key = format!("seed {} round {} views of {view} pixels {data}{sum}", recipe.seed, self.round);
        let hard = recipe.batch.hard.map(|hard| hard.among);
        match (&mut self.pool, &self.supply) {
            (Pool::Held(held), _) => {
                let usual = targets::usual_path(out, self.round);
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

/// Whether shapes come anew after some steps.
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
