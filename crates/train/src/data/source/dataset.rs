//! A data set written by `lexiform data`: its training and validation split, and its features.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_data::{DataError, Dataset, VIEW_FEATURES};
use lexiform_mesh_io::UpRule;
use lexiform_model::Teacher;

use crate::data::features::dataset::{DatasetFeatures, FeatureFile, FeatureRows};
use crate::data::features::neighbors::Neighbors;
use crate::data::features::vectors;
use crate::data::loaded_shape::LoadFields;
use crate::data::on_disk::{DatasetEntry, LoadOptions, OnDiskPool};
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::CategoryNames;
use crate::data::source::dataset_rows::{Split, assign_categories, list, select, split_by_key};
use crate::error::FitError;
use crate::event::{FeatureSource, TrainEvent};
use crate::recipe::DataConfig;

/// A data set and the shapes of it that are used.
pub(crate) struct DatasetSource {
    folder: PathBuf,
    set: Arc<Dataset>,
    names: Arc<Vec<CategoryNames>>,
    training: Vec<DatasetEntry>,
    validation: Vec<DatasetEntry>,
    /// Reasons why shapes are excluded from training, with counts.
    skipped: BTreeMap<&'static str, usize>,
    requirements: DataRequirements,
    /// Checksum of the index and of the list of ids.
    fingerprint: String,
    /// Source of the features; `None` if no loss term uses them.
    source: Option<FeatureSource>,
    feature_only_views: usize,
    /// How the up axis of stored points is found.
    up: UpRule,
}

impl DatasetSource {
    /// Reads the index and splits the shapes: by its split column, or by hash of the keys.
    ///
    /// # Errors
    /// If the data set cannot be read, or does not fit the recipe.
    pub fn open(
        folder: &Path,
        config: &DataConfig,
        requirements: DataRequirements,
        teacher: Option<&Teacher>,
    ) -> Result<Self, FitError> {
        let set = Dataset::open(folder)?;
        let source = teacher
            .filter(|_| requirements.image_features || requirements.text_features)
            .map(|teacher| feature_source(&set, config, teacher));
        let mut listed = list(&set, requirements, matches!(source, Some(FeatureSource::Dataset)))?;
        let mut fingerprint = set.manifest().index_sha256.clone();
        match &config.ids {
            Some(path) => fingerprint.push_str(&select(&mut listed, path)?),
            None => split_by_key(&mut listed, config.val_fraction),
        }
        let names = Arc::new(assign_categories(&mut listed));
        let Split { training, validation, skipped } = Split::of(&listed, config.val_per_class);
        let feature_only_views = feature_only_views(&set, &training)?;
        let (folder, set) = (folder.to_owned(), Arc::new(set));
        let this = Self {
            folder,
            set,
            names,
            training,
            validation,
            skipped,
            requirements,
            fingerprint,
            source,
            feature_only_views,
            up: config.up,
        };
        this.check(config)?;
        Ok(this)
    }

    fn check(&self, config: &DataConfig) -> Result<(), FitError> {
        let wrong = |message: String| FitError::Dataset { path: self.folder.clone(), message };
        if self.training.len() < 2 {
            let reasons: Vec<String> =
                self.skipped.iter().map(|(reason, count)| format!("; {count} {reason}")).collect();
            let validation = self.validation.len();
            return Err(wrong(format!(
                "expected at least 2 training shapes, found {} (and {validation} for validation){}",
                self.training.len(),
                reasons.concat()
            )));
        }
        if self.feature_only_views > 0 && self.feature_only_views < self.requirements.views {
            return Err(wrong(format!(
                "features of {} views, but batch.max_views is larger",
                self.feature_only_views
            )));
        }
        match &config.label_table {
            Some(labels) => Err(wrong(format!(
                "a data set has its own labels, found data.label_table = {}",
                labels.display()
            ))),
            None => Ok(()),
        }
    }

    /// Event with the numbers of shapes; its validation shapes count only if the run `validates` on them.
    pub fn opened_event(&self, validates: bool) -> TrainEvent {
        TrainEvent::Opened {
            path: self.folder.clone(),
            training: self.training.len(),
            validation: if validates { self.validation.len() } else { 0 },
            skipped: self.skipped.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
            features: self.source.clone(),
        }
    }

    /// Checksum of the index and of the list of ids.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Number of training shapes, at most `max_shapes`; 0 for all.
    pub fn count(&self, max_shapes: usize) -> usize {
        match max_shapes {
            0 => self.training.len(),
            most => self.training.len().min(most),
        }
    }

    /// Training shapes, with views of `edge` pixels.
    pub fn training(&self, config: &DataConfig, edge: usize) -> OnDiskPool {
        let entries = self.training[..self.count(config.max_shapes)].to_vec();
        self.on_disk_pool(entries, edge, config.views, &config.templates)
    }

    /// Validation shapes, with `views` views each.
    pub fn validation(&self, edge: usize, views: usize) -> OnDiskPool {
        self.on_disk_pool(self.validation.clone(), edge, views, &[])
    }

    fn on_disk_pool(
        &self,
        entries: Vec<DatasetEntry>,
        edge: usize,
        views: usize,
        templates: &[String],
    ) -> OnDiskPool {
        let options = LoadOptions {
            image_size: edge,
            views,
            feature_only_views: self.feature_only_views,
            templates: templates.to_vec(),
            up: self.up,
            label_captions: self.requirements.label_captions,
        };
        let (set, names) = (Arc::clone(&self.set), Arc::clone(&self.names));
        OnDiskPool { set, names, entries, options, features: None }
    }

    /// Attaches the teacher's features: those stored in the data set, or computed ones, cached in the file `path`.
    ///
    /// # Errors
    /// If shapes cannot be read or features not be written.
    pub fn load_features(
        &self,
        pool: &mut OnDiskPool,
        teacher: &Teacher,
        key: &str,
        path: &Path,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let rows = match &self.source {
            None => return Ok(()),
            Some(FeatureSource::Dataset) => FeatureRows::FromDataset,
            Some(FeatureSource::Computed { .. }) => {
                let key = format!("{key} {} {:?}", self.fingerprint(), self.requirements);
                let mut shown = |done, total| on_event(TrainEvent::Features { done, total });
                let file =
                    FeatureFile::open_or_compute(path, &key, teacher, pool, self.requirements, &mut shown)?;
                FeatureRows::Computed(file)
            }
        };
        let features =
            DatasetFeatures::new(rows, self.requirements, &self.names, &pool.options.templates, teacher)?;
        pool.features = Some(features);
        Ok(())
    }

    /// Nearest neighbors of the shapes by mean image feature, at most `count` of each.
    ///
    /// # Errors
    /// If a shape cannot be read.
    pub fn neighbors(&self, pool: &OnDiskPool, count: usize) -> Result<Neighbors, DataError> {
        let nothing = LoadFields::default();
        let dim = pool.features.as_ref().map_or(0, |features| features.dim);
        Neighbors::new(pool.len(), dim, count, |at| {
            let views: Vec<usize> = (0..pool.n_views(at)).collect();
            // Features only: no images are decoded.
            let mean = pool.load(at, &views, nothing)?.teacher.map(|teacher| teacher.image);
            Ok(vectors::unit_mean(&mean.unwrap_or_default(), dim))
        })
    }

    /// Words of all training captions and labels, sorted.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn vocabulary_words(&self) -> Result<Vec<String>, DataError> {
        // Validation captions must not enter the vocabulary.
        let training: BTreeSet<u32> = self.training.iter().map(|entry| entry.shape).collect();
        let mut words: BTreeSet<String> = BTreeSet::new();
        let mut add = |text: &str| words.extend(text.split_whitespace().map(str::to_owned));
        self.names.iter().for_each(|names| add(&names.name));
        let mut shape = 0;
        self.set.for_each_row(|row| {
            if training.contains(&shape) {
                row.captions.iter().for_each(|caption| add(caption));
            }
            shape += 1;
            Ok(())
        })?;
        Ok(words.into_iter().collect())
    }
}

/// Number of views of shapes with features but no images, which is equal for all: that of the first.
fn feature_only_views(set: &Dataset, training: &[DatasetEntry]) -> Result<usize, DataError> {
    let without = training.iter().map(|entry| entry.shape as usize).find(|shape| set.n_views(*shape) == 0);
    let Some(shape) = without else { return Ok(0) };
    Ok(set.array(shape, VIEW_FEATURES)?.map_or(0, |array| array.rows()))
}

/// Whether the stored features are the teacher's.
fn feature_source(set: &Dataset, config: &DataConfig, teacher: &Teacher) -> FeatureSource {
    let own = teacher.model().id();
    match set.manifest().features() {
        // The user vouches for them.
        _ if config.trust_features => FeatureSource::Dataset,
        Some(found) if found == own => FeatureSource::Dataset,
        found => FeatureSource::Computed { expected: own.to_owned(), found: found.map(str::to_owned) },
    }
}
