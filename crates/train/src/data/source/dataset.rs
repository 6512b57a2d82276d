//! A data set written by `lexiform data`: its training and validation split, and its features.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fnv::FnvHasher;
use lexiform_data::{DataError, Dataset, Key, Member, POINTS, TEXT_FEATURES, VIEW_FEATURES};
use lexiform_model::Teacher;

use crate::data::features::dataset::{DatasetFeatures, FeatureFile, FeatureRows};
use crate::data::features::neighbors::Neighbors;
use crate::data::features::vectors;
use crate::data::loaded_shape::LoadFields;
use crate::data::on_disk::{DatasetEntry, LoadOptions, OnDiskPool};
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::CategoryNames;
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
}

/// A row of the index.
pub(super) struct DatasetRow {
    pub entry: DatasetEntry,
    pub label: Option<String>,
    pub key: String,
    pub validation: bool,
    missing: Option<&'static str>,
    /// Whether it cannot be a validation shape.
    pub cannot_validate: bool,
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

    /// Number of training shapes.
    pub fn count(&self, config: &DataConfig) -> usize {
        match config.max_shapes {
            0 => self.training.len(),
            most => self.training.len().min(most),
        }
    }

    /// Training shapes, with views of `edge` pixels.
    pub fn training(&self, config: &DataConfig, edge: usize) -> OnDiskPool {
        let entries = self.training[..self.count(config)].to_vec();
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
        let nothing = LoadFields { images: false, cloud: false };
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

impl DatasetRow {
    fn of(row: lexiform_data::IndexRow, shape: u32, requirements: DataRequirements, given: bool) -> Self {
        let has = |name: &str| row.members.iter().any(|member| member.name == name);
        // View images are members named by their number.
        let n_views = row.members.iter().filter(|member| Member::view_index(&member.name).is_some()).count();
        // The first label is the category; others are not used.
        let label = row.labels.into_iter().find(|label| !label.trim().is_empty());
        let captions = row.captions.len();
        let spoken = label.is_some() || captions > 0 || (given && has(TEXT_FEATURES));
        let featured = (!requirements.image_features || has(VIEW_FEATURES))
            && (!requirements.text_features || captions == 0 || has(TEXT_FEATURES));
        let seen = requirements.images || (requirements.image_features && !given);
        // In order of importance: the first applicable reason is reported.
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

/// All rows of the index, sorted by key.
pub(super) fn list(
    set: &Dataset,
    requirements: DataRequirements,
    given: bool,
) -> Result<Vec<DatasetRow>, DataError> {
    let mut listed = Vec::with_capacity(set.len());
    set.for_each_row(|row| {
        listed.push(DatasetRow::of(row, listed.len() as u32, requirements, given));
        Ok(())
    })?;
    // The order in the shards depends on the number of jobs that wrote them; that of keys does not.
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(listed)
}

/// The shapes of a list are for training, whatever their split; all others only for validation, if their split is. Returns a
/// checksum of the list.
fn select(listed: &mut Vec<DatasetRow>, path: &Path) -> Result<String, FitError> {
    let text = fs_err::read_to_string(path)?;
    let ids = text.lines().map(str::trim).filter(|id| !id.is_empty());
    let ids: HashSet<Key> = ids.map(Key::from_id).collect();
    let mut hasher = FnvHasher::default();
    listed.retain_mut(|one| {
        let chosen = Key::new(&one.key).is_some_and(|key| ids.contains(&key));
        if chosen {
            // In the order of the keys, so that the order of the list does not matter.
            hasher.write(one.key.as_bytes());
        }
        one.validation &= !chosen;
        chosen || one.validation
    });
    if listed.iter().all(|one| one.validation) {
        let message = format!("none of the {} ids is in the data set", ids.len());
        return Err(FitError::Dataset { path: path.to_owned(), message });
    }
    Ok(format!("-{:016x}", hasher.finish()))
}

/// Without splits in the index, a fraction of the keys is for validation, by hash.
fn split_by_key(listed: &mut [DatasetRow], share: f32) {
    if listed.iter().any(|one| one.validation) {
        return;
    }
    for one in listed {
        one.validation = Key::new(&one.key).is_some_and(|key| key.split_hash() < f64::from(share));
    }
}

/// Training and validation shapes, and reasons for all others.
struct Split {
    training: Vec<DatasetEntry>,
    validation: Vec<DatasetEntry>,
    skipped: BTreeMap<&'static str, usize>,
}

impl Split {
    /// At most `max_per_class` validation shapes per label; 0 for all.
    fn of(listed: &[DatasetRow], max_per_class: usize) -> Self {
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

/// Assigns categories to labels in alphabetical order.
fn assign_categories(listed: &mut [DatasetRow]) -> Vec<CategoryNames> {
    let labels: BTreeSet<String> = listed.iter().filter_map(|one| one.label.clone()).collect();
    let labels: Vec<String> = labels.into_iter().collect();
    for one in listed {
        let place = one.label.as_ref().and_then(|label| labels.binary_search(label).ok());
        one.entry.category = place.map(|place| place as u32);
    }
    labels.into_iter().map(|name| CategoryNames { name, synonyms: Vec::new() }).collect()
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
