//! A folder of one's own 3D files to learn from: labels or captions from a table, or labels from the folders' names.

use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};

use fnv::FnvHasher;
use lexiform_data::shape_csv::{CsvColumn, CsvRow, ShapeCsv};
use lexiform_geometry::{Rig, Scene};
use lexiform_mesh_io::Format;
use lexiform_shapes::Rng;
use rayon::prelude::*;

use crate::data::caption::{Origin, Saying};
use crate::data::requirements::Needs;
use crate::data::shape_set::{Names, Sample, ShapeSet, Sizes, from_templates};
use crate::error::FilesError;
use crate::recipe::DataConfig;

/// Deepest nesting of folders that is looked into.
const DEEPEST: usize = 16;

/// A file and what is known of it.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    path: PathBuf,
    category: usize,
    sayings: Vec<Saying>,
}

/// The labelled files of a folder, parted into those to learn from and those to measure on.
#[derive(Debug)]
pub(crate) struct Files {
    categories: Vec<Names>,
    training: Vec<Entry>,
    held_out: Vec<Entry>,
    /// Whether there are captions only, so that each shape is a category of its own.
    captioned: bool,
    /// A checksum of the files and of what is said of them.
    sum: String,
}

impl Files {
    /// Finds files and labels. A label's files are parted by their paths' hashes, so that the same files are always held
    /// out; where there are captions only, all files are; where the table names splits, those decide. Classes are labels: files
    /// without one are left out where a head names them.
    pub fn open(folder: &Path, config: &DataConfig, needs: Needs) -> Result<Self, FilesError> {
        let mut rows = rows_of(folder, config)?;
        rows.retain(|row| !(needs.class && row.captioned));
        let sum = sum_of(&rows, folder);
        if rows.len() < 2 {
            return Err(FilesError::TooFew { path: folder.to_owned(), found: rows.len(), first: None });
        }
        let names = labels_of(&rows);
        let captioned = rows.iter().all(|row| row.captioned);
        let has_splits = rows.iter().any(|row| row.held_out);
        let mut by_category: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
        let (mut training, mut held_out) = (Vec::new(), Vec::new());
        for row in rows {
            let category = names.binary_search(&row.label).unwrap_or(0);
            let sayings = row.sayings(&config.templates);
            let part = if captioned { 0 } else { category };
            let entry = Entry { path: row.path, category, sayings };
            match (has_splits, row.held_out) {
                (true, true) => held_out.push(entry),
                (true, false) => training.push(entry),
                (false, _) => by_category.entry(part).or_default().push(entry),
            }
        }
        for entries in by_category.into_values() {
            let (learned, measured) = parted(entries, folder, config.hold_out);
            training.extend(learned);
            held_out.extend(measured);
        }
        let categories = names.into_iter().map(|name| Names { name, synonyms: Vec::new() }).collect();
        Ok(Self { categories, training, held_out, captioned, sum })
    }

    /// Tells whether the files and what is said of them are still the same.
    pub fn sum(&self) -> &str {
        &self.sum
    }

    /// Files that a round shows.
    pub fn count(&self, config: &DataConfig) -> usize {
        match config.shapes {
            0 => self.training.len(),
            most => self.training.len().min(most),
        }
    }

    /// Shapes to learn from, seen by cameras and in light that `seed` and `round` draw.
    pub fn training(
        &self,
        config: &DataConfig,
        sizes: Sizes,
        seed: u64,
        round: u64,
    ) -> Result<ShapeSet, FilesError> {
        let set = self.read(&self.training[..self.count(config)], |entry, scene, i| {
            let mut rng = Rng::named("file", seed ^ ((round << 32 | i as u64) << 8));
            Sample::training(entry.category, scene, entry.sayings.clone(), config, sizes, &mut rng)
        });
        match set.samples.len() {
            0 | 1 => Err(FilesError::TooFew {
                path: config.path.clone().unwrap_or_default(),
                found: set.samples.len(),
                first: set.left_out.first().cloned(),
            }),
            _ => Ok(set),
        }
    }

    /// Shapes to measure on, seen by the cameras of `rig` where there is one.
    pub fn held_out(&self, rig: Option<&Rig>, sizes: Sizes) -> ShapeSet {
        self.read(&self.held_out, |entry, scene, i| {
            let mut rng = Rng::named("held-out file", i as u64);
            Sample::measured(entry.category, scene, entry.sayings.clone(), rig, sizes, &mut rng)
        })
    }

    fn read(&self, entries: &[Entry], make: impl Fn(&Entry, Scene, usize) -> Sample + Sync) -> ShapeSet {
        let made: Vec<Result<Sample, (PathBuf, String)>> = (entries.par_iter().enumerate())
            .map(|(i, entry)| {
                let scene =
                    lexiform_mesh_io::read(&entry.path).map_err(|e| (entry.path.clone(), e.to_string()))?;
                if scene.is_empty() {
                    return Err((entry.path.clone(), "no triangles and no points".to_owned()));
                }
                Ok(make(entry, scene, i))
            })
            .collect();
        let (categories, captioned) = (self.categories.clone(), self.captioned);
        let mut set = ShapeSet { categories, captioned, ..ShapeSet::default() };
        for result in made {
            match result {
                Ok(sample) => set.samples.push(sample),
                Err(left_out) => set.left_out.push(left_out),
            }
        }
        if self.captioned {
            // Captions are distinguished within what is learned, and within what is measured: neither knows the other's.
            let mut present: Vec<usize> = set.samples.iter().map(|sample| sample.category).collect();
            present.sort_unstable();
            present.dedup();
            set.categories = present.iter().map(|category| self.categories[*category].clone()).collect();
            for sample in &mut set.samples {
                sample.category = present.binary_search(&sample.category).unwrap_or(0);
            }
        }
        set
    }
}

/// Every label once, in alphabetical order.
fn labels_of(rows: &[Row]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().map(|row| row.label.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The first of the files by hash are measured on: a share of them, at least one of two, none of one.
fn parted(mut entries: Vec<Entry>, folder: &Path, share: f32) -> (Vec<Entry>, Vec<Entry>) {
    let place = |entry: &Entry| {
        let path = entry.path.strip_prefix(folder).unwrap_or(&entry.path);
        (fnv1a(&path.to_string_lossy()), entry.path.clone())
    };
    entries.sort_by_cached_key(place);
    let count = entries.len();
    let held_out = if share > 0.0 && count > 1 {
        ((count as f32 * share).round() as usize).clamp(1, count - 1)
    } else {
        0
    };
    let training = entries.split_off(held_out);
    (training, entries)
}

/// A row of the table: a file, its label, what else is said of it.
struct Row {
    path: PathBuf,
    label: String,
    captions: Vec<String>,
    /// Whether the label is the first of the captions.
    captioned: bool,
    /// Whether the table keeps it for measuring.
    held_out: bool,
}

impl Row {
    /// All that is said of the file: its label first, where it has one.
    fn sayings(&self, templates: &[String]) -> Vec<Saying> {
        let labels = if self.captioned { &[] } else { std::slice::from_ref(&self.label) };
        let of_label = labels.iter().flat_map(|label| {
            std::iter::once(Saying::new(label, Origin::Label)).chain(from_templates(templates, label))
        });
        let captions = self.captions.iter().map(|text| Saying::new(text, Origin::Machine));
        of_label.chain(captions).collect()
    }
}

/// From the table that the recipe names, or the folder's own; else from the folders' names.
fn rows_of(folder: &Path, config: &DataConfig) -> Result<Vec<Row>, FilesError> {
    let own = folder.join("labels.csv");
    match config.labels.clone().or_else(|| own.is_file().then_some(own)) {
        Some(table) => rows_of_table(&table, folder),
        None => rows_of_folders(folder),
    }
}

/// A label, or captions of which the first takes its place. A file may have several lines of captions.
fn rows_of_table(table: &Path, folder: &Path) -> Result<Vec<Row>, FilesError> {
    let listing = ShapeCsv::read(table)?;
    listing.require_any(&[CsvColumn::Shape])?;
    listing.require_any(&[CsvColumn::Label, CsvColumn::Caption])?;
    let mut rows: BTreeMap<PathBuf, Row> = BTreeMap::new();
    for CsvRow { shape, label, captions, split, .. } in listing.rows {
        let path = folder.join(shape);
        let captioned = label.is_none();
        let Some(label) = label.or_else(|| captions.first().cloned()) else { continue };
        if Format::from_path(&path).is_none() {
            continue;
        }
        let row = rows.entry(path.clone()).or_insert_with(|| Row {
            path,
            label,
            captions: Vec::new(),
            captioned,
            held_out: false,
        });
        row.held_out |= matches!(split, Some("val" | "test"));
        row.captions.extend(captions);
    }
    Ok(rows.into_values().collect())
}

/// A sum over paths, sizes of files, and all that is said of them.
fn sum_of(rows: &[Row], folder: &Path) -> String {
    let told = rows.iter().map(|row| {
        let bytes = row.path.metadata().map_or(0, |file| file.len());
        let path = row.path.strip_prefix(folder).unwrap_or(&row.path).to_string_lossy();
        format!("{path}\0{bytes}\0{}\0{}\0{}\n", row.label, row.captions.join("\0"), row.held_out)
    });
    format!("{:016x}", fnv1a(&told.collect::<String>()))
}

/// Each file's label is the name of the folder it is in, but for those in `folder` itself.
fn rows_of_folders(folder: &Path) -> Result<Vec<Row>, FilesError> {
    let mut rows = Vec::new();
    let mut left = vec![(folder.to_owned(), 0)];
    while let Some((inner, depth)) = left.pop() {
        for entry in fs_err::read_dir(&inner)? {
            let path = entry?.path();
            if path.is_dir() && depth < DEEPEST {
                left.push((path, depth + 1));
            } else if depth > 0 && Format::from_path(&path).is_some() {
                let label =
                    inner.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
                let (label, captions) = (label.replace(['_', '-'], " "), Vec::new());
                rows.push(Row { path, label, captions, captioned: false, held_out: false });
            }
        }
    }
    rows.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(rows)
}

/// The same on every machine and in every version.
fn fnv1a(text: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}
