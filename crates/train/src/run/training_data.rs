//! What a run learns from and is measured on, with the features it learns towards: loaded at the start, and again where a
//! recipe asks for fresh shapes.

use std::collections::HashMap;
use std::path::Path;

use lexiform_data::DataError;
use lexiform_geometry::Rig;
use lexiform_metrics::ClassFeatures;
use lexiform_model::{ModelError, Teacher};

use crate::data::features;
use crate::data::features::targets::{CachePath, Targets};
use crate::data::pool::ShapePool;
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::SampleSize;
use crate::data::source::DataSource;
use crate::error::FitError;
use crate::event::TrainEvent;
use crate::recipe::{DataConfig, NetworkConfig, Recipe};
use crate::run::validate_model;

/// What shapes must bring, and how they are shown.
pub(crate) struct Inputs {
    /// What every shape must have.
    pub requirements: DataRequirements,
    /// The frozen model whose features are learned towards.
    pub teacher: Option<Teacher>,
    /// Cameras that held-out shapes are seen by; absent where views are not looked at.
    pub rig: Option<Rig>,
    /// Sizes of views and clouds.
    pub size: SampleSize,
}

/// Shapes of a run.
pub(crate) struct TrainingData {
    source: DataSource,
    requirements: DataRequirements,
    size: SampleSize,
    refresh: u64,
    /// Shapes to learn from.
    pub pool: ShapePool,
    /// Shapes to measure on.
    pub validation: ShapePool,
    /// For each shape those that look like it, where batches are made of such.
    pub neighbors: Vec<Vec<usize>>,
    /// The frozen model whose features are learned towards, as long as someone will ask it.
    pub teacher: Option<Teacher>,
    /// What its words say of every category, where clouds are compared with them.
    pub class_features: Option<ClassFeatures>,
    /// Width of its features; 0 without one.
    pub teacher_dim: usize,
    /// Its features of every noun of every category, where shapes are named.
    pub class_text: HashMap<String, Vec<f32>>,
}

impl TrainingData {
    /// Opens the source and brings the shapes of the refresh that `step` is in.
    pub fn prepare(
        recipe: &Recipe,
        Inputs { requirements, teacher, rig, size }: Inputs,
        step: usize,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<Self, FitError> {
        let source = DataSource::open(&recipe.data, requirements, teacher.as_ref())?;
        on_event(match &source {
            DataSource::Dataset(set) => set.opened_event(),
            DataSource::Procedural | DataSource::Folder(_) => {
                TrainEvent::Preparing { shapes: source.count(&recipe.data) }
            }
        });
        let refresh = refresh_index(recipe, &source, step);
        let pool = source.training(&recipe.data, size, recipe.seed, refresh)?;
        let validation = source.validation(&recipe.data, rig.as_ref(), size);
        report_skipped([&pool, &validation], on_event);
        Ok(Self {
            class_text: teacher
                .as_ref()
                .filter(|_| requirements.label)
                .map_or_else(|| Ok(HashMap::new()), |teacher| class_text_features(teacher, &pool))?,
            class_features: class_features(recipe, teacher.as_ref(), &validation)?,
            teacher_dim: teacher.as_ref().map_or(0, Teacher::dim),
            neighbors: Vec::new(),
            source,
            requirements,
            size,
            refresh,
            pool,
            validation,
            teacher,
        })
    }

    /// Fresh shapes where `step` is in another refresh, with features in `out`.
    pub fn refresh(
        &mut self,
        recipe: &Recipe,
        out: &Path,
        step: usize,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let refresh = refresh_index(recipe, &self.source, step);
        if refresh == self.refresh {
            return Ok(());
        }
        on_event(TrainEvent::Preparing { shapes: self.source.count(&recipe.data) });
        self.pool = self.source.training(&recipe.data, self.size, recipe.seed, refresh)?;
        self.refresh = refresh;
        self.load_features(recipe, out, on_event)
    }

    /// Whether a step sees the shapes that are here now.
    pub fn is_current(&self, recipe: &Recipe, step: usize) -> bool {
        refresh_index(recipe, &self.source, step) == self.refresh
    }

    /// How many shapes a refresh of the recipe's data has.
    pub fn count(&self, recipe: &Recipe) -> usize {
        self.source.count(&recipe.data)
    }

    /// A checksum of the data set, or of the folder.
    pub fn fingerprint(&self) -> Option<&str> {
        match &self.source {
            DataSource::Dataset(set) => Some(set.fingerprint()),
            DataSource::Folder(folder) => Some(folder.fingerprint()),
            DataSource::Procedural => None,
        }
    }

    /// All that is said of the shapes, and every noun of every category.
    pub fn vocabulary_texts(&self) -> Result<Vec<String>, DataError> {
        let mut words: Vec<String> = self.pool.class_names().cloned().collect();
        match (&self.pool, &self.source) {
            (ShapePool::InMemory(pool), _) => {
                let captions = pool.shapes.samples.iter().flat_map(|sample| &sample.captions);
                words.extend(captions.map(|caption| caption.text.clone()));
            }
            (_, DataSource::Dataset(set)) => words.extend(set.vocabulary_words()?),
            _ => {}
        }
        Ok(words)
    }

    /// Gives the teacher's memory back once its features are kept, unless fresh shapes come.
    pub fn release_teacher(&mut self, recipe: &Recipe) {
        if !is_refreshed(recipe, &self.source) {
            self.teacher = None;
        }
    }

    /// Tells features of these shapes from those of others, or of views of another size.
    fn feature_key(&self, recipe: &Recipe) -> String {
        // Where features are kept changes nothing about them; how large views are drawn does.
        let data =
            toml::to_string(&DataConfig { feature_file: None, ..recipe.data.clone() }).unwrap_or_default();
        let view = self.size.view;
        let sum = match &self.source {
            DataSource::Folder(folder) => folder.fingerprint(),
            DataSource::Procedural | DataSource::Dataset(_) => "",
        };
        format!("seed {} round {} views of {view} pixels {data}{sum}", recipe.seed, self.refresh)
    }

    /// Features of the frozen model for the shapes of this refresh.
    pub fn load_features(
        &mut self,
        recipe: &Recipe,
        out: &Path,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let Some(teacher) = &self.teacher else { return Ok(()) };
        let key = self.feature_key(recipe);
        let hard = recipe.batch.hard_negatives.map(|hard| hard.neighbors);
        match (&mut self.pool, &self.source) {
            (ShapePool::InMemory(pool), _) => {
                let usual = features::default_path(out, self.refresh);
                let place = match &recipe.data.feature_file {
                    Some(path) if self.refresh == 0 => CachePath::Explicit(path),
                    _ => CachePath::Default(&usual),
                };
                let mut shown = |done, total| on_event(TrainEvent::Features { done, total });
                let images = self.requirements.image_features;
                let targets =
                    Targets::open_or_compute(place, &key, teacher, &pool.shapes, images, &mut shown)?;
                self.neighbors = hard.map_or(Vec::new(), |among| targets.neighbors(among));
                pool.targets = Some(targets);
            }
            (ShapePool::OnDisk(pool), DataSource::Dataset(set)) => {
                set.load_features(pool, teacher, &key, out, on_event)?;
                if let Some(among) = hard {
                    self.neighbors = set.neighbors(pool, among)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Says which files of both pools could not be used.
fn report_skipped(pools: [&ShapePool; 2], on_event: &mut dyn FnMut(TrainEvent)) {
    for pool in pools {
        let ShapePool::InMemory(pool) = pool else { continue };
        for (path, reason) in pool.shapes.skipped.iter().cloned() {
            on_event(TrainEvent::FileSkipped { path, reason });
        }
    }
}

/// What a teacher's words say of every category, where clouds are measured.
fn class_features(
    recipe: &Recipe,
    teacher: Option<&Teacher>,
    validation: &ShapePool,
) -> Result<Option<ClassFeatures>, FitError> {
    match (&recipe.network, teacher) {
        (NetworkConfig::Points(_), Some(teacher)) => {
            validate_model::class_features(teacher.model(), validation)
        }
        _ => Ok(None),
    }
}

/// Whether shapes are replaced by others after some steps.
fn is_refreshed(recipe: &Recipe, source: &DataSource) -> bool {
    recipe.data.refresh_every > 0 && !matches!(source, DataSource::Dataset(_))
}

/// Which set of shapes a step sees.
fn refresh_index(recipe: &Recipe, source: &DataSource, step: usize) -> u64 {
    if is_refreshed(recipe, source) { (step / recipe.data.refresh_every) as u64 } else { 0 }
}

/// A teacher's features of every noun of every category.
fn class_text_features(teacher: &Teacher, pool: &ShapePool) -> Result<HashMap<String, Vec<f32>>, ModelError> {
    let mut names: Vec<&str> = pool.class_names().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let features = teacher.texts(&names)?;
    let rows = features.chunks(teacher.dim().max(1)).map(<[f32]>::to_vec);
    Ok(names.into_iter().map(str::to_owned).zip(rows).collect())
}
