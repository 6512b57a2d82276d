//! Rows of a data set's index: which shapes are for training, which for validation, and which cannot be used.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hasher as _;
use std::path::Path;

use fnv::FnvHasher;
use lexiform_data::{DataError, Dataset, Key, Member, POINTS, TEXT_FEATURES, VIEW_FEATURES};

use crate::data::on_disk::DatasetEntry;
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::CategoryNames;
use crate::error::FitError;

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
pub(super) fn select(listed: &mut Vec<DatasetRow>, path: &Path) -> Result<String, FitError> {
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
pub(super) fn split_by_key(listed: &mut [DatasetRow], share: f32) {
    if listed.iter().any(|one| one.validation) {
        return;
    }
    for one in listed {
        one.validation = Key::new(&one.key).is_some_and(|key| key.split_hash() < f64::from(share));
    }
}

/// Training and validation shapes, and reasons for all others.
pub(super) struct Split {
    pub training: Vec<DatasetEntry>,
    pub validation: Vec<DatasetEntry>,
    pub skipped: BTreeMap<&'static str, usize>,
}

impl Split {
    /// At most `max_per_class` validation shapes per label; 0 for all.
    pub fn of(listed: &[DatasetRow], max_per_class: usize) -> Self {
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
pub(super) fn assign_categories(listed: &mut [DatasetRow]) -> Vec<CategoryNames> {
    let labels: BTreeSet<String> = listed.iter().filter_map(|one| one.label.clone()).collect();
    let labels: Vec<String> = labels.into_iter().collect();
    for one in listed {
        let place = one.label.as_ref().and_then(|label| labels.binary_search(label).ok());
        one.entry.category = place.map(|place| place as u32);
    }
    labels.into_iter().map(|name| CategoryNames { name, synonyms: Vec::new() }).collect()
}
