//! A folder of labeled 3D files: labels or captions from a table, or labels from folder names.

use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};

use fnv::FnvHasher;
use lexiform_data::annotations::AnnotationTable;
use lexiform_data::shape_csv::{CsvColumn, CsvRow, ShapeCsv};
use lexiform_geometry::{Rig, Scene};
use lexiform_mesh_io::{Format, ReadOptions, UpRule, read_with};
use lexiform_shapes::Rng;
use rayon::prelude::*;

use crate::data::caption::{Caption, CaptionSource};
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::{CategoryNames, Sample, SampleSize, ShapeSet, captions_from_templates};
use crate::error::FolderError;
use crate::recipe::DataConfig;

/// Maximum depth of nested folders.
const MAX_DEPTH: usize = 16;

/// A file with its label and captions.
#[derive(Clone, Debug, PartialEq)]
struct FileEntry {
    path: PathBuf,
    category: usize,
    captions: Vec<Caption>,
}

/// The labeled files of a folder, split into training and validation.
#[derive(Debug)]
pub(crate) struct FolderSource {
    categories: Vec<CategoryNames>,
    training: Vec<FileEntry>,
    validation: Vec<FileEntry>,
    /// Whether there are only captions, so that each file is a category of its own.
    labels_are_captions: bool,
    /// Checksum of the files, labels and captions.
    fingerprint: String,
    /// How the up axis of files is found.
    up: UpRule,
}

impl FolderSource {
    /// Finds files and labels. Files are split as the table says; without splits, per label by a hash of their path, so that
    /// the split is stable; without labels, over all files. Files without a label are skipped if `requirements.class_label`.
    ///
    /// # Errors
    /// If the folder or its table cannot be read, or there are fewer than two labeled files.
    pub fn open(
        folder: &Path,
        config: &DataConfig,
        requirements: DataRequirements,
    ) -> Result<Self, FolderError> {
        let mut rows = rows_of(folder, config)?;
        rows.retain(|row| !(requirements.class_label && row.caption_only));
        let fingerprint = fingerprint_of(&rows, folder);
        if rows.len() < 2 {
            return Err(FolderError::TooFew { path: folder.to_owned(), found: rows.len(), first: None });
        }
        let names = labels_of(&rows);
        let labels_are_captions = rows.iter().all(|row| row.caption_only);
        let has_splits = rows.iter().any(|row| row.validation);
        let mut by_category: BTreeMap<usize, Vec<FileEntry>> = BTreeMap::new();
        let (mut training, mut validation) = (Vec::new(), Vec::new());
        for row in rows {
            let category = names.binary_search(&row.label).unwrap_or(0);
            let captions = row.captions(&config.templates);
            // Without labels all files are split as one group.
            let part = if labels_are_captions { 0 } else { category };
            let entry = FileEntry { path: row.path, category, captions };
            match (has_splits, row.validation) {
                (true, true) => validation.push(entry),
                (true, false) => training.push(entry),
                (false, _) => by_category.entry(part).or_default().push(entry),
            }
        }
        for entries in by_category.into_values() {
            let (learned, measured) = split(entries, folder, config.val_fraction);
            training.extend(learned);
            validation.extend(measured);
        }
        let categories = names.into_iter().map(|name| CategoryNames { name, synonyms: Vec::new() }).collect();
        Ok(Self { categories, training, validation, labels_are_captions, fingerprint, up: config.up })
    }

    /// Checksum of the files, labels and captions.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Number of training shapes.
    pub fn count(&self, config: &DataConfig) -> usize {
        match config.shapes {
            0 => self.training.len(),
            most => self.training.len().min(most),
        }
    }

    /// Training shapes, with cameras and light that depend on `seed` and `refresh`.
    ///
    /// # Errors
    /// If fewer than two files can be read.
    pub fn training(
        &self,
        config: &DataConfig,
        size: SampleSize,
        seed: u64,
        refresh: u64,
    ) -> Result<ShapeSet, FolderError> {
        let set = self.read(&self.training[..self.count(config)], |entry, scene, i| {
            // The stream depends on the index and the refresh, not on other files.
            let mut rng = Rng::named("file", seed ^ ((refresh << 32 | i as u64) << 8));
            Sample::for_training(entry.category, scene, entry.captions.clone(), config, size, &mut rng)
        });
        match set.samples.len() {
            // A contrastive loss needs two shapes.
            0 | 1 => Err(FolderError::TooFew {
                path: config.path.clone().unwrap_or_default(),
                found: set.samples.len(),
                first: set.skipped.first().cloned(),
            }),
            _ => Ok(set),
        }
    }

    /// Validation shapes, with the cameras of `rig` if any.
    pub fn validation(&self, rig: Option<&Rig>, size: SampleSize) -> ShapeSet {
        self.read(&self.validation, |entry, scene, i| {
            let mut rng = Rng::named("held-out file", i as u64);
            Sample::for_validation(entry.category, scene, entry.captions.clone(), rig, size, &mut rng)
        })
    }

    fn read(
        &self,
        entries: &[FileEntry],
        make: impl Fn(&FileEntry, Scene, usize) -> Sample + Sync,
    ) -> ShapeSet {
        let made: Vec<Result<Sample, (PathBuf, String)>> = (entries.par_iter().enumerate())
            .map(|(i, entry)| {
                let options = ReadOptions { up: self.up };
                let scene =
                    read_with(&entry.path, &options).map_err(|e| (entry.path.clone(), e.to_string()))?;
                if scene.is_empty() {
                    return Err((entry.path.clone(), "no triangles and no points".to_owned()));
                }
                Ok(make(entry, scene, i))
            })
            .collect();
        let (categories, labels_are_captions) = (self.categories.clone(), self.labels_are_captions);
        let mut set = ShapeSet { categories, labels_are_captions, ..ShapeSet::default() };
        for result in made {
            match result {
                Ok(sample) => set.samples.push(sample),
                Err(skipped) => set.skipped.push(skipped),
            }
        }
        if self.labels_are_captions {
            // Each caption is a category, so training and validation have none in common: renumbered from 0 in each.
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

/// Sorted, unique labels.
fn labels_of(rows: &[Row]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().map(|row| row.label.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Splits files by hash: a fraction for validation, at least one of two and none of one.
fn split(mut entries: Vec<FileEntry>, folder: &Path, share: f32) -> (Vec<FileEntry>, Vec<FileEntry>) {
    let place = |entry: &FileEntry| {
        let path = entry.path.strip_prefix(folder).unwrap_or(&entry.path);
        (fnv1a(&path.to_string_lossy()), entry.path.clone())
    };
    entries.sort_by_cached_key(place);
    let count = entries.len();
    let validation = if share > 0.0 && count > 1 {
        ((count as f32 * share).round() as usize).clamp(1, count - 1)
    } else {
        0
    };
    let training = entries.split_off(validation);
    (training, entries)
}

/// A file in the table.
struct Row {
    path: PathBuf,
    label: String,
    captions: Vec<String>,
    /// Whether the label is the first caption, for lack of a label.
    caption_only: bool,
    /// Whether the table assigns it to the validation or test split.
    validation: bool,
}

impl Row {
    /// All captions: the label and its class sentences, if it has one, then the captions of the table.
    fn captions(&self, templates: &[String]) -> Vec<Caption> {
        let labels = if self.caption_only { &[] } else { std::slice::from_ref(&self.label) };
        let of_label = labels.iter().flat_map(|label| {
            std::iter::once(Caption::new(label, CaptionSource::Label))
                .chain(captions_from_templates(templates, label))
        });
        let captions = self.captions.iter().map(|text| Caption::new(text, CaptionSource::Generated));
        of_label.chain(captions).collect()
    }
}

/// Rows of the recipe's table, of the folder's `labels.csv`, or from folder names.
fn rows_of(folder: &Path, config: &DataConfig) -> Result<Vec<Row>, FolderError> {
    let own = folder.join("labels.csv");
    match config.label_table.clone().or_else(|| own.is_file().then_some(own)) {
        // An explicit table wins over the folder's own.
        Some(table) => match rows_of_table(&table, folder) {
            Ok(rows) if !rows.is_empty() => Ok(rows),
            // A published table, whose names are ids: those of files, without their extensions.
            by_path => match rows_of_ids(&table, folder)? {
                rows if rows.is_empty() => by_path,
                rows => Ok(rows),
            },
        },
        None => rows_of_folders(folder),
    }
}

/// Rows of a table. A file may have several rows, each with a caption; without a label, the first caption is the label.
fn rows_of_table(table: &Path, folder: &Path) -> Result<Vec<Row>, FolderError> {
    let listing = ShapeCsv::read(table)?;
    listing.require_any(&[CsvColumn::Shape])?;
    listing.require_any(&[CsvColumn::Label, CsvColumn::Caption])?;
    let mut rows: BTreeMap<PathBuf, Row> = BTreeMap::new();
    for CsvRow { shape, label, captions, split, .. } in listing.rows {
        let path = folder.join(shape);
        let caption_only = label.is_none();
        let Some(label) = label.or_else(|| captions.first().cloned()) else { continue };
        if Format::from_path(&path).is_none() {
            continue;
        }
        let row = rows.entry(path.clone()).or_insert_with(|| Row {
            path,
            label,
            captions: Vec::new(),
            caption_only,
            validation: false,
        });
        // A file may have several rows; one validation row is enough.
        row.validation |= matches!(split, Some("val" | "test"));
        row.captions.extend(captions);
    }
    Ok(rows.into_values().collect())
}

/// Rows of a table such as Cap3D's `id,caption`, for the files of the folder that it names; none if it is no such table.
fn rows_of_ids(table: &Path, folder: &Path) -> Result<Vec<Row>, FolderError> {
    let Ok(table) = AnnotationTable::read(table) else { return Ok(Vec::new()) };
    let row = |path: PathBuf| {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let annotation = table.find(&name)?;
        let captions: Vec<String> = annotation.captions.iter().map(|caption| caption.text.clone()).collect();
        let label = annotation.labels.first().or(captions.first())?.clone();
        let caption_only = annotation.labels.is_empty();
        let validation = matches!(annotation.split.as_deref(), Some("val" | "test"));
        Some(Row { path, label, captions, caption_only, validation })
    };
    Ok(files_of(folder)?.into_iter().filter_map(row).collect())
}

/// Checksum over paths, sizes, labels, captions and splits.
fn fingerprint_of(rows: &[Row], folder: &Path) -> String {
    let lines = rows.iter().map(|row| {
        let file = path_and_size(&row.path, folder);
        format!("{file}\0{}\0{}\0{}\n", row.label, row.captions.join("\0"), row.validation)
    });
    format!("{:016x}", fnv1a(&lines.collect::<String>()))
}

/// Labels from folder names; files directly in `folder` have none and are skipped.
fn rows_of_folders(folder: &Path) -> Result<Vec<Row>, FolderError> {
    let row = |path: PathBuf| {
        let inner = path.parent().filter(|inner| *inner != folder)?.file_name()?;
        // Folder names are usually identifiers: `office_chair`.
        let label = inner.to_string_lossy().replace(['_', '-'], " ");
        Some(Row { path, label, captions: Vec::new(), caption_only: false, validation: false })
    };
    Ok(files_of(folder)?.into_iter().filter_map(row).collect())
}

/// The 3D files of a folder and the folders in it, sorted.
pub(super) fn files_of(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let mut files = Vec::new();
    let mut left = vec![(folder.to_owned(), 0)];
    while let Some((inner, depth)) = left.pop() {
        for entry in fs_err::read_dir(&inner)? {
            let path = entry?.path();
            if path.is_dir() && depth < MAX_DEPTH {
                left.push((path, depth + 1));
            } else if Format::from_path(&path).is_some() {
                files.push(path);
            }
        }
    }
    // The order of directory entries depends on the file system.
    files.sort();
    Ok(files)
}

/// Checksum over paths and sizes.
pub(super) fn fingerprint_of_files<'a>(files: impl Iterator<Item = &'a Path>, folder: &Path) -> String {
    let lines = files.map(|path| format!("{}\n", path_and_size(path, folder)));
    format!("{:016x}", fnv1a(&lines.collect::<String>()))
}

fn path_and_size(path: &Path, folder: &Path) -> String {
    // The size stands for the content: reading all files would take too long.
    let bytes = path.metadata().map_or(0, |file| file.len());
    format!("{}\0{bytes}", path.strip_prefix(folder).unwrap_or(path).to_string_lossy())
}

/// FNV-1a: stable over machines and Rust versions, unlike the default hasher.
pub(super) fn fnv1a(text: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}
