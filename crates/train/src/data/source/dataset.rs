//! A data set that `lexiform data` made, as a source of shapes: which of them are learned from and which are measured on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_data::{DataError, Dataset, Key, Member, POINTS, Row, TEXT_FEATURES, VIEW_FEATURES};
use lexiform_model::Teacher;

use crate::data::features::dataset::{DatasetFeatures, FeatureFile, FeatureRows};
use crate::data::features::{default_path, vectors};
use crate::data::loaded_shape::LoadFields;
use crate::data::on_disk::{DatasetEntry, LoadOptions, OnDiskPool};
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::CategoryNames;
use crate::error::FitError;
use crate::event::{FeatureSource, TrainEvent};
use crate::recipe::DataConfig;

/// Most shapes that are all compared with each other.
const MAX_NEIGHBOR_SHAPES: usize = 50_000;

/// A data set, and what of it is used.
pub(crate) struct DatasetSource {
    folder: PathBuf,
    set: Arc<Dataset>,
    names: Arc<Vec<CategoryNames>>,
    training: Vec<DatasetEntry>,
    validation: Vec<DatasetEntry>,
    /// Why shapes are not learned from, with how many.
    skipped: BTreeMap<&'static str, usize>,
    requirements: DataRequirements,
    /// Where features come from; none where nobody asks for them.
    source: Option<FeatureSource>,
    feature_only_views: usize,
}

/// What the table says of a shape.
struct IndexRow {
    entry: DatasetEntry,
    label: Option<String>,
    key: String,
    validation: bool,
    missing: Option<&'static str>,
    /// Whether it cannot be measured on.
    cannot_validate: bool,
}

impl DatasetSource {
    /// Reads the table and parts the shapes: by the splits it names, or else by a share of keys.
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
        split_by_key(&mut listed, config.val_fraction);
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
            source,
            feature_only_views,
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
                "expected at least 2 shapes to learn from, found {} and {validation} held out{}",
                self.training.len(),
                reasons.concat()
            )));
        }
        if self.feature_only_views > 0 && self.feature_only_views < self.requirements.views {
            return Err(wrong(format!(
                "has features of {} views, the recipe draws more",
                self.feature_only_views
            )));
        }
        match &config.label_table {
            Some(labels) => {
                Err(wrong(format!("brings its own labels, found data.label_table = {}", labels.display())))
            }
            None => Ok(()),
        }
    }

    /// What was found, for whoever shows it.
    pub fn opened_event(&self) -> TrainEvent {
        TrainEvent::Opened {
            path: self.folder.clone(),
            training: self.training.len(),
            validation: self.validation.len(),
            skipped: self.skipped.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
            features: self.source.clone(),
        }
    }

    /// Tells whether the set is still the same.
    pub fn fingerprint(&self) -> &str {
        &self.set.manifest().index_sha256
    }

    /// Shapes to learn from.
    pub fn count(&self, config: &DataConfig) -> usize {
        match config.max_shapes {
            0 => self.training.len(),
            most => self.training.len().min(most),
        }
    }

    /// Shapes to learn from, with pictures of `edge` pixels.
    pub fn training(&self, config: &DataConfig, edge: usize) -> OnDiskPool {
        let entries = self.training[..self.count(config)].to_vec();
        self.on_disk_pool(entries, edge, config.views, &config.templates)
    }

    /// Shapes to measure on, by `views` views of each.
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
        };
        let (set, names) = (Arc::clone(&self.set), Arc::clone(&self.names));
        OnDiskPool { set, names, entries, options, features: None }
    }

    /// Brings the teacher's features to shapes that are learned from: those in the set, or computed ones, which are kept
    /// in `out`.
    pub fn load_features(
        &self,
        pool: &mut OnDiskPool,
        teacher: &Teacher,
        key: &str,
        out: &Path,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let rows = match &self.source {
            None => return Ok(()),
            Some(FeatureSource::Dataset) => FeatureRows::FromDataset,
            Some(FeatureSource::Computed { .. }) => {
                let key = format!("{key} {} {:?}", self.fingerprint(), self.requirements);
                let path = default_path(out, 0);
                let mut shown = |done, total| on_event(TrainEvent::Features { done, total });
                let file =
                    FeatureFile::open_or_compute(&path, &key, teacher, pool, self.requirements, &mut shown)?;
                FeatureRows::Computed(file)
            }
        };
        let features =
            DatasetFeatures::new(rows, self.requirements, &self.names, &pool.options.templates, teacher)?;
        pool.features = Some(features);
        Ok(())
    }

    /// For each shape those that look most like it, at most `count`.
    pub fn neighbors(&self, pool: &OnDiskPool, count: usize) -> Result<Vec<Vec<usize>>, FitError> {
        if pool.len() > MAX_NEIGHBOR_SHAPES {
            return Err(FitError::Dataset {
                path: self.folder.clone(),
                message: format!(
                    "batch.hard_negatives compares all shapes with each other: at most {MAX_NEIGHBOR_SHAPES}, found {}",
                    pool.len()
                ),
            });
        }
        use rayon::prelude::*;
        let nothing = LoadFields { images: false, cloud: false };
        let unit_mean = |at: usize| {
            let views: Vec<usize> = (0..pool.n_views(at)).collect();
            let mean = pool.load(at, &views, nothing)?.teacher.map(|teacher| teacher.image);
            let mean = mean.unwrap_or_default();
            Ok(vectors::unit_mean(&mean, mean.len()))
        };
        let unit_means: Vec<Vec<f32>> =
            (0..pool.len()).into_par_iter().map(unit_mean).collect::<Result<_, DataError>>()?;
        Ok(vectors::nearest_neighbors(&unit_means, count))
    }

    /// Every word that is said of the shapes to learn from, and every label.
    pub fn vocabulary_words(&self) -> Result<Vec<String>, DataError> {
        let training: BTreeSet<u32> = self.training.iter().map(|entry| entry.shape).collect();
        let mut words: BTreeSet<String> = BTreeSet::new();
        let mut add = |text: &str| words.extend(text.split_whitespace().map(str::to_owned));
        self.names.iter().for_each(|names| add(&names.name));
        let mut shape = 0;
        self.set.rows(|row| {
            if training.contains(&shape) {
                row.captions.iter().for_each(|caption| add(caption));
            }
            shape += 1;
            Ok(())
        })?;
        Ok(words.into_iter().collect())
    }
}

impl IndexRow {
    fn of(row: Row, shape: u32, requirements: DataRequirements, given: bool) -> Self {
        let has = |name: &str| row.members.iter().any(|member| member.name == name);
        let n_views = row.members.iter().filter(|member| Member::view_index(&member.name).is_some()).count();
        let label = row.labels.into_iter().find(|label| !label.trim().is_empty());
        let captions = row.captions.len();
        let spoken = label.is_some() || captions > 0 || (given && has(TEXT_FEATURES));
        let featured = (!requirements.image_features || has(VIEW_FEATURES))
            && (!requirements.text_features || captions == 0 || has(TEXT_FEATURES));
        let seen = requirements.images || (requirements.image_features && !given);
        let missing = [
            (requirements.label && label.is_none(), "have no label"),
            (requirements.captions && !spoken, "have no caption and no label"),
            (seen && n_views < requirements.views, "have too few views"),
            (requirements.points && !has(POINTS), "have no points"),
            (given && !featured, "have no features"),
        ];
        let cannot_validate = label.is_none()
            || (!requirements.points && n_views == 0)
            || (requirements.points && !has(POINTS));
        Self {
            entry: DatasetEntry { shape, category: None, captions: captions as u32 },
            label,
            key: row.key,
            validation: !matches!(row.split.as_str(), "" | "train"),
            missing: missing.into_iter().find(|(missing, _)| *missing).map(|(_, reason)| reason),
            cannot_validate,
        }
    }
}

/// Every row of the table, in the order of keys.
fn list(set: &Dataset, requirements: DataRequirements, given: bool) -> Result<Vec<IndexRow>, DataError> {
    let mut listed = Vec::with_capacity(set.len());
    set.rows(|row| {
        listed.push(IndexRow::of(row, listed.len() as u32, requirements, given));
        Ok(())
    })?;
    // The order of shards depends on how the making was divided; that of keys does not.
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(listed)
}

/// Where the table names no splits, a share of the keys is held out.
fn split_by_key(listed: &mut [IndexRow], share: f32) {
    if listed.iter().any(|one| one.validation) {
        return;
    }
    for one in listed {
        one.validation = Key::new(&one.key).is_some_and(|key| key.lot() < f64::from(share));
    }
}

/// Shapes to learn from, to measure on, and how many are neither.
struct Split {
    training: Vec<DatasetEntry>,
    validation: Vec<DatasetEntry>,
    skipped: BTreeMap<&'static str, usize>,
}

impl Split {
    /// At most `max_per_class` of each label are measured on, all at 0.
    fn of(listed: &[IndexRow], max_per_class: usize) -> Self {
        let mut parts = Self { training: Vec::new(), validation: Vec::new(), skipped: BTreeMap::new() };
        let mut measured: BTreeMap<Option<u32>, usize> = BTreeMap::new();
        for one in listed {
            if one.validation {
                let of_label = measured.entry(one.entry.category).or_default();
                if !one.cannot_validate && (max_per_class == 0 || *of_label < max_per_class) {
                    *of_label += 1;
                    parts.validation.push(one.entry);
                }
            } else if let Some(reason) = one.missing {
                *parts.skipped.entry(reason).or_default() += 1;
            } else {
                parts.training.push(one.entry);
            }
        }
        parts
    }
}

/// Numbers the labels in alphabetical order.
fn assign_categories(listed: &mut [IndexRow]) -> Vec<CategoryNames> {
    let labels: BTreeSet<String> = listed.iter().filter_map(|one| one.label.clone()).collect();
    let labels: Vec<String> = labels.into_iter().collect();
    for one in listed {
        let place = one.label.as_ref().and_then(|label| labels.binary_search(label).ok());
        one.entry.category = place.map(|place| place as u32);
    }
    labels.into_iter().map(|name| CategoryNames { name, synonyms: Vec::new() }).collect()
}

/// How many views shapes have of which only features are pool: as many as the first of them.
fn feature_only_views(set: &Dataset, training: &[DatasetEntry]) -> Result<usize, DataError> {
    let without = training.iter().map(|entry| entry.shape as usize).find(|shape| set.n_views(*shape) == 0);
    let Some(shape) = without else { return Ok(0) };
    Ok(set.array(shape, VIEW_FEATURES)?.map_or(0, |array| array.rows()))
}

/// Whether the features in the set are the teacher's.
fn feature_source(set: &Dataset, config: &DataConfig, teacher: &Teacher) -> FeatureSource {
    let own = teacher.model().id();
    match set.manifest().features() {
        _ if config.trust_features => FeatureSource::Dataset,
        Some(found) if found == own => FeatureSource::Dataset,
        found => FeatureSource::Computed { expected: own.to_owned(), found: found.map(str::to_owned) },
    }
}
