//! Training and validation shapes of a run with the teacher's features; reloaded every `data.refresh_every` steps.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use lexiform_data::DataError;
use lexiform_geometry::Rig;
use lexiform_metrics::ClassFeatures;
use lexiform_model::{ModelError, Teacher};

use crate::data::features;
use crate::data::features::neighbor_file;
use crate::data::features::neighbors::Neighbors;
use crate::data::features::targets::{CachePath, Targets};
use crate::data::pool::{InMemoryPool, ShapePool};
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::SampleSize;
use crate::data::source::DataSource;
use crate::data::source::assets::Assets;
use crate::data::source::second::SecondSource;
use crate::data::source::validation::{read_class_features, validation_pool};
use crate::error::FitError;
use crate::event::TrainEvent;
use crate::recipe::{DataConfig, NetworkConfig, Recipe};
use crate::run::validate_model;

/// What to load.
pub(crate) struct Inputs {
    /// Requirements on every shape.
    pub requirements: DataRequirements,
    /// The frozen model whose features are the targets.
    pub teacher: Option<Teacher>,
    /// Cameras of the validation views; absent without an image tower.
    pub rig: Option<Rig>,
    /// Sizes of views and clouds.
    pub size: SampleSize,
    /// Whether validation shapes are needed: only the first process evaluates.
    pub validates: bool,
}

impl Inputs {
    /// Validation shapes: those of a data set of their own, or of `source`. `pool` are the training shapes.
    fn validation(
        &self,
        recipe: &Recipe,
        source: &DataSource,
        pool: &ShapePool,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<ShapePool, FitError> {
        if !self.validates {
            return Ok(ShapePool::InMemory(InMemoryPool::default()));
        }
        let Some(config) = &recipe.data.validation else {
            return Ok(source.validation(&recipe.data, self.rig.as_ref(), self.size));
        };
        let n_views = self.rig.as_ref().map_or(0, |rig| rig.0.len());
        // The head's logits are in the order of the training labels.
        let labels = recipe.network.head().map(|_| pool.names());
        let found = validation_pool(config, self.requirements, self.size.view, n_views, labels.as_deref())?;
        on_event(TrainEvent::Opened {
            path: config.path.clone(),
            training: 0,
            validation: found.len(),
            skipped: Vec::new(),
            features: None,
        });
        Ok(ShapePool::OnDisk(found))
    }
}

/// Training and validation shapes of a run.
pub(crate) struct TrainingData {
    source: DataSource,
    requirements: DataRequirements,
    size: SampleSize,
    refresh: u64,
    /// Training shapes.
    pub pool: Arc<ShapePool>,
    /// The second source, if any.
    pub second: Option<Arc<SecondSource>>,
    /// Validation shapes.
    pub validation: ShapePool,
    /// Nearest neighbors of the shapes, for hard negatives.
    pub neighbors: Option<Arc<Neighbors>>,
    /// The teacher, until its features are all computed.
    pub teacher: Option<Teacher>,
    /// Text features of the validation categories, if they do not change during the run.
    pub class_features: Option<ClassFeatures>,
    /// Width of the teacher's features; 0 without a teacher.
    pub teacher_dim: usize,
    /// The teacher's text features of class names and synonyms, for `class-text` losses.
    pub class_text: Arc<HashMap<String, Vec<f32>>>,
}

impl TrainingData {
    /// Opens the data and loads the shapes for `step`.
    pub fn prepare(
        recipe: &Recipe,
        inputs: Inputs,
        step: usize,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<Self, FitError> {
        let Inputs { requirements, size, validates, .. } = inputs;
        let teacher = inputs.teacher.as_ref();
        let source = DataSource::open(&recipe.data, requirements, teacher)?;
        on_event(match &source {
            DataSource::Dataset(set) => set.opened_event(recipe.data.validation.is_none()),
            DataSource::Procedural(_) | DataSource::Folder(_) => {
                TrainEvent::Preparing { shapes: source.count(&recipe.data) }
            }
        });
        let open = |second| SecondSource::open(recipe, second, requirements, teacher, size.view);
        let second = recipe.data.second.as_ref().map(open).transpose()?;
        if let Some(second) = &second {
            on_event(second.opened_event());
        }
        let refresh = refresh_index(recipe, &source, step);
        let pool = source.training(&recipe.data, size, recipe.seed, refresh)?;
        let validation = inputs.validation(recipe, &source, &pool, on_event)?;
        report_skipped([&pool, &validation], on_event);
        Ok(Self {
            class_text: teacher
                .filter(|_| requirements.label)
                .map_or_else(|| Ok(HashMap::new()), |teacher| class_text_features(teacher, &pool))?
                .into(),
            class_features: class_features(recipe, teacher.filter(|_| validates), &validation)?,
            teacher_dim: teacher.map_or(0, Teacher::dim),
            neighbors: None,
            source,
            requirements,
            size,
            refresh,
            pool: Arc::new(pool),
            second: second.map(Arc::new),
            validation,
            teacher: inputs.teacher,
        })
    }

    /// Loads new shapes, without their features, if they are due at `step`; whether they were.
    ///
    /// # Errors
    /// If shapes cannot be loaded.
    pub fn refresh(
        &mut self,
        recipe: &Recipe,
        step: usize,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<bool, FitError> {
        // Most steps use the same shapes as the step before.
        if self.is_current(recipe, step) {
            return Ok(false);
        }
        let refresh = refresh_index(recipe, &self.source, step);
        on_event(TrainEvent::Preparing { shapes: self.source.count(&recipe.data) });
        self.pool = Arc::new(self.source.training(&recipe.data, self.size, recipe.seed, refresh)?);
        self.refresh = refresh;
        Ok(true)
    }

    /// Whether the current shapes are those of `step`.
    pub fn is_current(&self, recipe: &Recipe, step: usize) -> bool {
        refresh_index(recipe, &self.source, step) == self.refresh
    }

    /// Number of training shapes.
    pub fn count(&self, recipe: &Recipe) -> usize {
        self.source.count(&recipe.data)
    }

    /// Checksum of the data sets or the folder; `None` for generated shapes.
    pub fn fingerprint(&self) -> Option<String> {
        let first = match &self.source {
            DataSource::Dataset(set) => Some(set.fingerprint()),
            DataSource::Folder(folder) => Some(folder.fingerprint()),
            DataSource::Procedural(assets) => assets.as_ref().map(Assets::fingerprint),
        };
        let parts: Vec<&str> =
            first.into_iter().chain(self.second.as_deref().map(SecondSource::fingerprint)).collect();
        (!parts.is_empty()).then(|| parts.join("+"))
    }

    /// All captions, class names and synonyms, from which a new text tower's vocabulary is built.
    ///
    /// # Errors
    /// If the index of a data set cannot be read.
    pub fn vocabulary_texts(&self) -> Result<Vec<String>, DataError> {
        let mut words: Vec<String> = self.pool.class_names().cloned().collect();
        match (&*self.pool, &self.source) {
            (ShapePool::InMemory(pool), _) => {
                let captions = pool.shapes.samples.iter().flat_map(|sample| &sample.captions);
                words.extend(captions.map(|caption| caption.text.clone()));
            }
            (_, DataSource::Dataset(set)) => words.extend(set.vocabulary_words()?),
            _ => {}
        }
        Ok(words)
    }

    /// Frees the teacher's memory once all features are computed, unless new shapes will need it.
    pub fn release_teacher(&mut self, recipe: &Recipe) {
        if !is_refreshed(recipe, &self.source) {
            self.teacher = None;
        }
    }

    /// Cache key of the teacher's features: equal keys mean equal shapes and views.
    fn feature_key(&self, recipe: &Recipe) -> String {
        // Without the path of the cache itself, and without shapes of other sources.
        let own = DataConfig { feature_file: None, second: None, validation: None, ..recipe.data.clone() };
        let data = toml::to_string(&own).unwrap_or_default();
        let view = self.size.view;
        let sum = match &self.source {
            DataSource::Folder(folder) => folder.fingerprint(),
            DataSource::Procedural(Some(assets)) => assets.fingerprint(),
            DataSource::Procedural(None) | DataSource::Dataset(_) => "",
        };
        format!("seed {} round {} views of {view} pixels {data}{sum}", recipe.seed, self.refresh)
    }

    /// Reads or computes the teacher's features of the current shapes.
    ///
    /// # Errors
    /// If features cannot be read, computed or written.
    pub fn load_features(
        &mut self,
        recipe: &Recipe,
        out: &Path,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let Some(teacher) = &self.teacher else { return Ok(()) };
        let key = self.feature_key(recipe);
        // Shared once batches are loaded from it: then it has its features.
        if let Some(second) = self.second.as_mut().and_then(Arc::get_mut) {
            second.load_features(teacher, &out.join("features-second.safetensors"), on_event)?;
        }
        let hard = recipe.batch.hard_negatives.map(|hard| hard.neighbors);
        // Shared only once batches are loaded from it.
        let pool = Arc::get_mut(&mut self.pool).expect("no batch is loaded from new shapes yet");
        match (pool, &self.source) {
            (ShapePool::InMemory(pool), _) => {
                let usual = features::default_path(out, self.refresh);
                let place = match &recipe.data.feature_file {
                    // The named file is for the first shapes; refreshed ones have files of their own.
                    Some(path) if self.refresh == 0 => CachePath::Explicit(path),
                    _ => CachePath::Default(&usual),
                };
                let mut shown = |done, total| on_event(TrainEvent::Features { done, total });
                let images = self.requirements.image_features;
                let targets =
                    Targets::open_or_compute(place, &key, teacher, &pool.shapes, images, &mut shown)?;
                self.neighbors = hard.map(|among| Arc::new(targets.neighbors(among)));
                pool.targets = Some(targets);
            }
            (ShapePool::OnDisk(pool), DataSource::Dataset(set)) => {
                set.load_features(pool, teacher, &key, &features::default_path(out, 0), on_event)?;
                if let Some(among) = hard {
                    self.neighbors = Some(Arc::new(match &recipe.data.neighbor_file {
                        Some(file) => neighbor_file::read(file, &pool.keys(), among)?,
                        None => set.neighbors(pool, among)?,
                    }));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Reports the files that could not be read.
fn report_skipped(pools: [&ShapePool; 2], on_event: &mut dyn FnMut(TrainEvent)) {
    for pool in pools {
        let ShapePool::InMemory(pool) = pool else { continue };
        for (path, reason) in pool.shapes.skipped.iter().cloned() {
            on_event(TrainEvent::FileSkipped { path, reason });
        }
    }
}

/// Text features of the validation categories: published ones, or the teacher's for point encoders and for validation sets,
/// which may have a thousand categories.
fn class_features(
    recipe: &Recipe,
    teacher: Option<&Teacher>,
    validation: &ShapePool,
) -> Result<Option<ClassFeatures>, FitError> {
    let Some(teacher) = teacher else { return Ok(None) };
    let config = recipe.data.validation.as_ref();
    match (config.and_then(|config| config.class_features.as_deref()), &recipe.network) {
        (Some(path), _) => read_class_features(path, validation.categories().len(), teacher.dim()).map(Some),
        (None, network) if config.is_some() || matches!(network, NetworkConfig::Points(_)) => {
            validate_model::class_features(teacher.model(), validation)
        }
        _ => Ok(None),
    }
}

/// Whether shapes are replaced during the run; those of a data set are not.
fn is_refreshed(recipe: &Recipe, source: &DataSource) -> bool {
    recipe.data.refresh_every > 0 && !matches!(source, DataSource::Dataset(_))
}

/// Which set of shapes a step uses, counted from 0.
fn refresh_index(recipe: &Recipe, source: &DataSource, step: usize) -> u64 {
    if is_refreshed(recipe, source) { (step / recipe.data.refresh_every) as u64 } else { 0 }
}

/// The teacher's text features of class names and synonyms.
fn class_text_features(teacher: &Teacher, pool: &ShapePool) -> Result<HashMap<String, Vec<f32>>, ModelError> {
    let mut names: Vec<&str> = pool.class_names().map(String::as_str).collect();
    // Synonyms may be shared by categories.
    names.sort_unstable();
    names.dedup();
    let features = teacher.texts(&names)?;
    let rows = features.chunks(teacher.dim().max(1)).map(<[f32]>::to_vec);
    Ok(names.into_iter().map(str::to_owned).zip(rows).collect())
}
