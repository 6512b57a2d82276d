//! A data set that `lexiform data` made, as a source of shapes: which of them are learned from and which are measured on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_data::{DataError, Dataset, IndexRow, Key, Member, POINTS, TEXT_FEATURES, VIEW_FEATURES};
use lexiform_model::Teacher;

use crate::data::features::dataset::{FeatureFile, Rows, SetFeatures};
use crate::data::features::{usual_path, vectors};
use crate::data::on_disk::{Entry, Look, Stored};
use crate::data::picked::Wanted;
use crate::data::requirements::Needs;
use crate::data::shape_set::Names;
use crate::error::FitError;
use crate::event::{FeatureSource, TrainEvent};
use crate::recipe::DataConfig;

/// Most shapes that are all compared with each other.
const MOST_COMPARED: usize = 50_000;

/// A data set, and what of it is used.
pub(crate) struct SetSupply {
    folder: PathBuf,
    set: Arc<Dataset>,
    names: Arc<Vec<Names>>,
    training: Vec<Entry>,
    held_out: Vec<Entry>,
    /// Why shapes are not learned from, with how many.
    left_out: BTreeMap<&'static str, usize>,
    needs: Needs,
    /// Where features come from; none where nobody asks for them.
    source: Option<FeatureSource>,
    unseen: usize,
}

/// What the table says of a shape.
struct Listed {
    entry: Entry,
    label: Option<String>,
    key: String,
    held_out: bool,
    lacks: Option<&'static str>,
    /// Whether it cannot be measured on.
    unfit: bool,
}

impl SetSupply {
    /// Reads the table and parts the shapes: by the splits it names, or else by a share of keys.
    pub fn open(
        folder: &Path,
        config: &DataConfig,
        needs: Needs,
        teacher: Option<&Teacher>,
    ) -> Result<Self, FitError> {
        let set = Dataset::open(folder)?;
        let source = teacher
            .filter(|_| needs.image_features || needs.text_features)
            .map(|teacher| source_of(&set, config, teacher));
        let mut listed = list(&set, needs, matches!(source, Some(FeatureSource::Set)))?;
        hold_out_by_key(&mut listed, config.hold_out);
        let names = Arc::new(name(&mut listed));
        let Parts { training, held_out, left_out } = Parts::of(&listed, config.held_out);
        let unseen = unseen(&set, &training)?;
        let (folder, set) = (folder.to_owned(), Arc::new(set));
        let this = Self { folder, set, names, training, held_out, left_out, needs, source, unseen };
        this.check(config)?;
        Ok(this)
    }

    fn check(&self, config: &DataConfig) -> Result<(), FitError> {
        let wrong = |message: String| FitError::Set { path: self.folder.clone(), message };
        if self.training.len() < 2 {
            let reasons: Vec<String> =
                self.left_out.iter().map(|(reason, count)| format!("; {count} {reason}")).collect();
            let held_out = self.held_out.len();
            return Err(wrong(format!(
                "expected at least 2 shapes to learn from, found {} and {held_out} held out{}",
                self.training.len(),
                reasons.concat()
            )));
        }
        if self.unseen > 0 && self.unseen < self.needs.views {
            return Err(wrong(format!("has features of {} views, the recipe draws more", self.unseen)));
        }
        match &config.labels {
            Some(labels) => {
                Err(wrong(format!("brings its own labels, found data.labels = {}", labels.display())))
            }
            None => Ok(()),
        }
    }

    /// What was found, for whoever shows it.
    pub fn opened(&self) -> TrainEvent {
        TrainEvent::Opened {
            path: self.folder.clone(),
            training: self.training.len(),
            held_out: self.held_out.len(),
            left_out: self.left_out.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
            features: self.source.clone(),
        }
    }

    /// Tells whether the set is still the same.
    pub fn sum(&self) -> &str {
        &self.set.manifest().index_sha256
    }

    /// Shapes to learn from.
    pub fn count(&self, config: &DataConfig) -> usize {
        match config.limit {
            0 => self.training.len(),
            most => self.training.len().min(most),
        }
    }

    /// Shapes to learn from, with pictures of `edge` pixels.
    pub fn training(&self, config: &DataConfig, edge: usize) -> Stored {
        let entries = self.training[..self.count(config)].to_vec();
        self.stored(entries, edge, config.views, &config.templates)
    }

    /// Shapes to measure on, by `views` views of each.
    pub fn held_out(&self, edge: usize, views: usize) -> Stored {
        self.stored(self.held_out.clone(), edge, views, &[])
    }

    fn stored(&self, entries: Vec<Entry>, edge: usize, views: usize, templates: &[String]) -> Stored {
        let look = Look { edge, views, unseen: self.unseen, templates: templates.to_vec() };
        let (set, names) = (Arc::clone(&self.set), Arc::clone(&self.names));
        Stored { set, names, entries, look, features: None }
    }

    /// Brings the teacher's features to shapes that are learned from: those in the set, or computed ones, which are kept
    /// in `out`.
    pub fn bring_features(
        &self,
        stored: &mut Stored,
        teacher: &Teacher,
        key: &str,
        out: &Path,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        let rows = match &self.source {
            None => return Ok(()),
            Some(FeatureSource::Set) => Rows::Given,
            Some(FeatureSource::Computed { .. }) => {
                let key = format!("{key} {} {:?}", self.sum(), self.needs);
                let path = usual_path(out, 0);
                let mut shown = |done, all| on_event(TrainEvent::Features { done, all });
                let file =
                    FeatureFile::open_or_compute(&path, &key, teacher, stored, self.needs, &mut shown)?;
                Rows::Computed(file)
            }
        };
        let features = SetFeatures::new(rows, self.needs, &self.names, &stored.look.templates, teacher)?;
        stored.features = Some(features);
        Ok(())
    }

    /// For each shape those that look most like it, at most `count`.
    pub fn neighbors(&self, stored: &Stored, count: usize) -> Result<Vec<Vec<usize>>, FitError> {
        if stored.len() > MOST_COMPARED {
            return Err(FitError::Set {
                path: self.folder.clone(),
                message: format!(
                    "batch.hard compares all shapes with each other: at most {MOST_COMPARED}, found {}",
                    stored.len()
                ),
            });
        }
        use rayon::prelude::*;
        let nothing = Wanted { pictures: false, cloud: false };
        let direction = |at: usize| {
            let views: Vec<usize> = (0..stored.n_views(at)).collect();
            let mean = stored.pick(at, &views, nothing)?.frozen.map(|frozen| frozen.image);
            let mean = mean.unwrap_or_default();
            Ok(vectors::direction(&mean, mean.len()))
        };
        let directions: Vec<Vec<f32>> =
            (0..stored.len()).into_par_iter().map(direction).collect::<Result<_, DataError>>()?;
        Ok(vectors::neighbors(&directions, count))
    }

    /// Every word that is said of the shapes to learn from, and every label.
    pub fn words(&self) -> Result<Vec<String>, DataError> {
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

impl Listed {
    fn of(row: IndexRow, shape: u32, needs: Needs, given: bool) -> Self {
        let has = |name: &str| row.members.iter().any(|member| member.name == name);
        let n_views = row.members.iter().filter(|member| Member::view_index(&member.name).is_some()).count();
        let label = row.labels.into_iter().find(|label| !label.trim().is_empty());
        let captions = row.captions.len();
        let spoken = label.is_some() || captions > 0 || (given && has(TEXT_FEATURES));
        let featured = (!needs.image_features || has(VIEW_FEATURES))
            && (!needs.text_features || captions == 0 || has(TEXT_FEATURES));
        let seen = needs.pictures || (needs.image_features && !given);
        let lacks = [
            (needs.label && label.is_none(), "have no label"),
            (needs.words && !spoken, "have no caption and no label"),
            (seen && n_views < needs.views, "have too few views"),
            (needs.points && !has(POINTS), "have no points"),
            (given && !featured, "have no features"),
        ];
        let unfit = label.is_none() || (!needs.points && n_views == 0) || (needs.points && !has(POINTS));
        Self {
            entry: Entry { shape, category: None, captions: captions as u32 },
            label,
            key: row.key,
            held_out: !matches!(row.split.as_str(), "" | "train"),
            lacks: lacks.into_iter().find(|(lacks, _)| *lacks).map(|(_, reason)| reason),
            unfit,
        }
    }
}

/// Every row of the table, in the order of keys.
fn list(set: &Dataset, needs: Needs, given: bool) -> Result<Vec<Listed>, DataError> {
    let mut listed = Vec::with_capacity(set.len());
    set.for_each_row(|row| {
        listed.push(Listed::of(row, listed.len() as u32, needs, given));
        Ok(())
    })?;
    // The order of shards depends on how the making was divided; that of keys does not.
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(listed)
}

/// Where the table names no splits, a share of the keys is held out.
fn hold_out_by_key(listed: &mut [Listed], share: f32) {
    if listed.iter().any(|one| one.held_out) {
        return;
    }
    for one in listed {
        one.held_out = Key::new(&one.key).is_some_and(|key| key.split_hash() < f64::from(share));
    }
}

/// Shapes to learn from, to measure on, and how many are neither.
struct Parts {
    training: Vec<Entry>,
    held_out: Vec<Entry>,
    left_out: BTreeMap<&'static str, usize>,
}

impl Parts {
    /// At most `most_held_out` of each label are measured on, all at 0.
    fn of(listed: &[Listed], most_held_out: usize) -> Self {
        let mut parts = Self { training: Vec::new(), held_out: Vec::new(), left_out: BTreeMap::new() };
        let mut measured: BTreeMap<Option<u32>, usize> = BTreeMap::new();
        for one in listed {
            if one.held_out {
                let of_label = measured.entry(one.entry.category).or_default();
                if !one.unfit && (most_held_out == 0 || *of_label < most_held_out) {
                    *of_label += 1;
                    parts.held_out.push(one.entry);
                }
            } else if let Some(reason) = one.lacks {
                *parts.left_out.entry(reason).or_default() += 1;
            } else {
                parts.training.push(one.entry);
            }
        }
        parts
    }
}

/// Numbers the labels in alphabetical order.
fn name(listed: &mut [Listed]) -> Vec<Names> {
    let labels: BTreeSet<String> = listed.iter().filter_map(|one| one.label.clone()).collect();
    let labels: Vec<String> = labels.into_iter().collect();
    for one in listed {
        let place = one.label.as_ref().and_then(|label| labels.binary_search(label).ok());
        one.entry.category = place.map(|place| place as u32);
    }
    labels.into_iter().map(|name| Names { name, synonyms: Vec::new() }).collect()
}

/// How many views shapes have of which only features are stored: as many as the first of them.
fn unseen(set: &Dataset, training: &[Entry]) -> Result<usize, DataError> {
    let without = training.iter().map(|entry| entry.shape as usize).find(|shape| set.n_views(*shape) == 0);
    let Some(shape) = without else { return Ok(0) };
    Ok(set.array(shape, VIEW_FEATURES)?.map_or(0, |array| array.rows()))
}

/// Whether the features in the set are the teacher's.
fn source_of(set: &Dataset, config: &DataConfig, teacher: &Teacher) -> FeatureSource {
    let own = teacher.model().id();
    match set.manifest().features() {
        _ if config.trust_features => FeatureSource::Set,
        Some(found) if found == own => FeatureSource::Set,
        found => FeatureSource::Computed { expected: own.to_owned(), found: found.map(str::to_owned) },
    }
}
