//! Data sets made from 3D files: views, points, captions, features.

mod combined_source;
mod config;
mod disambiguate;
mod render;

use std::path::PathBuf;

use serde_json::{Value, json};

pub use self::combined_source::CombinedSource;
pub use self::config::PrepareConfig;
use self::render::RenderedShape;
use crate::annotations::{AnnotationTable, MatchCounts};
use crate::caption::{CaptionInput, Captioner, add_captions, drop_duplicates, from_file};
use crate::featurizer::add_features;
use crate::semaphore::Semaphore;
use crate::shape::assign_split;
pub use crate::source::{Asset, AssetSource, Companions, FetchedAsset, LocalFiles, SourceListing};
use crate::{DataError, Featurizer, Key, Metadata, ProduceError, Producer, Shape, ShapeJob};

/// Version of the output: raised when the same settings give other shapes. 2: features are not normalized. 3: PNG files are
/// compressed for speed rather than size. 4: duplicate captions are dropped before captions are ranked. 5: rows of numbers, arrays and OFF files are not
/// turned.
const PREPARE_VERSION: u32 = 5;
/// Maximum number of notes kept per file.
const MAX_NOTES: usize = 8;

/// Makes shapes from 3D files, as a [`Producer`] for [`build_dataset`](crate::build_dataset).
///
/// ```
/// use lexiform_data::annotations::AnnotationTable;
/// use lexiform_data::prepare::{CombinedSource, Prepare, PrepareConfig};
/// use lexiform_data::{BuildOptions, Dataset, build_dataset, merge_partitions};
///
/// let folder = tempfile::tempdir()?;
/// let models = folder.path().join("models");
/// std::fs::create_dir(&models)?;
/// std::fs::write(models.join("red_triangle.obj"), "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")?;
///
/// let source = CombinedSource::open(&[models.display().to_string()])?;
/// let config = PrepareConfig { views: 2, size: 32, points: 64, ..PrepareConfig::default() };
/// let prepare = Prepare::new(&source, config, AnnotationTable::default())?;
/// let set = folder.path().join("set");
/// build_dataset(&prepare, &set, &BuildOptions::default(), &mut |_| {})?;
/// merge_partitions(&set)?;
///
/// let dataset = Dataset::open(&set)?;
/// assert_eq!((dataset.len(), dataset.n_views(0)), (1, 2));
/// assert_eq!(dataset.metadata(0)?.captions[0].text, "red triangle");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Prepare<'a> {
    source: &'a dyn AssetSource,
    config: PrepareConfig,
    captioner: Option<&'a dyn Captioner>,
    featurizer: Option<&'a dyn Featurizer>,
    annotations: AnnotationTable,
    match_counts: MatchCounts,
    assets: Vec<Asset>,
    jobs: Vec<ShapeJob>,
    unreadable: Vec<(PathBuf, String)>,
    /// Bounds the number of scenes in memory while other threads wait for captions.
    render_slots: Semaphore,
}

impl<'a> Prepare<'a> {
    /// Lists the source. `annotations` are labels, captions and splits by name.
    ///
    /// # Errors
    /// If the source cannot be listed.
    pub fn new(
        source: &'a dyn AssetSource,
        config: PrepareConfig,
        mut annotations: AnnotationTable,
    ) -> Result<Self, DataError> {
        let mut listing = source.list()?;
        disambiguate::disambiguate(&mut listing.assets);
        let job = |asset: &Asset| ShapeJob { key: Key::from_path(&asset.name), source: asset.name.clone() };
        let jobs = listing.assets.iter().map(job).collect();
        let match_counts = annotations.matched(listing.assets.iter().map(|asset| asset.name.as_str()));
        annotations.extend(listing.annotations);
        Ok(Self {
            source,
            config,
            captioner: None,
            featurizer: None,
            annotations,
            match_counts,
            assets: listing.assets,
            jobs,
            unreadable: listing.unreadable,
            render_slots: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
        })
    }

    /// Adds captions by a model.
    pub fn with_captioner(mut self, captioner: &'a dyn Captioner) -> Self {
        self.captioner = Some(captioner);
        self
    }

    /// Adds features by a frozen model, and ranks captions by them.
    pub fn with_featurizer(mut self, featurizer: &'a dyn Featurizer) -> Self {
        self.featurizer = Some(featurizer);
        self
    }

    /// Bounds the number of scenes in memory at the same time; 0 for one per processor.
    pub fn with_jobs(mut self, jobs: usize) -> Self {
        if jobs > 0 {
            self.render_slots = Semaphore::new(jobs);
        }
        self
    }

    /// Folders and files that cannot be read, with the reason.
    pub fn unreadable(&self) -> &[(PathBuf, String)] {
        &self.unreadable
    }

    /// The metadata of a file before it is read.
    fn initial_metadata(&self, asset: &Asset, key: &Key) -> Metadata {
        let annotation = self.annotations.find(&asset.name).cloned().unwrap_or_default();
        let mut metadata = Metadata {
            id: asset.name.clone(),
            source: asset.location.display().to_string(),
            labels: annotation.labels,
            captions: annotation.captions,
            ..Metadata::default()
        };
        let folders = self.config.folder_labels.then_some(asset.name.as_str());
        if metadata.labels.is_empty() {
            metadata.labels.extend(folders.and_then(from_file::label_from_folder));
        }
        let split =
            annotation.split.or_else(|| folders.and_then(from_file::split_from_folder).map(str::to_owned));
        // Explicit splits first, then folder names, then the hash of the key.
        metadata.split = split.unwrap_or_else(|| assign_split(key, self.config.val_fraction).to_owned());
        metadata
    }

    /// Adds captions of the file, then of the model.
    fn caption(&self, metadata: &mut Metadata, input: &CaptionInput) -> Result<(), ProduceError> {
        if self.config.file_captions {
            metadata.captions.extend(from_file::captions(input.name, input.bytes));
        }
        self.captioner.map_or(Ok(()), |captioner| add_captions(captioner, metadata, input))
    }
}

impl Producer for Prepare<'_> {
    fn jobs(&self) -> &[ShapeJob] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        json!({
            "made_by": "prepare",
            "version": PREPARE_VERSION,
            "prepare": self.config,
            "captioner": self.captioner.map(|captioner| captioner.name()),
            "features": self.featurizer.map(|featurizer| featurizer.id().to_owned()),
            "annotations": self.annotations.digest(),
        })
    }

    fn match_counts(&self) -> MatchCounts {
        self.match_counts
    }

    fn produce(&self, index: usize) -> Result<Shape, ProduceError> {
        let (asset, key) = (&self.assets[index], &self.jobs[index].key);
        let mut metadata = self.initial_metadata(asset, key);
        let fetch = || self.source.fetch(asset).map_err(ProduceError::Shape);
        // Waiting for a network must not occupy a place in which others could render.
        let early = if self.source.prefetch() > 0 { Some(fetch()?) } else { None };
        let RenderedShape { members, bytes } = {
            let _permit = self.render_slots.acquire();
            let fetched = early.map_or_else(fetch, Ok)?;
            render::render_shape(fetched, key, &self.config, &mut metadata).map_err(ProduceError::Shape)?
        };
        metadata.notes.truncate(MAX_NOTES);
        self.caption(&mut metadata, &CaptionInput { name: &asset.name, bytes: &bytes, views: &members })?;
        // Before ranking, so that a duplicate does not take a second place among the best.
        drop_duplicates(&mut metadata.captions);
        let mut shape = Shape { key: key.clone(), members, metadata };
        if let Some(featurizer) = self.featurizer {
            add_features(featurizer, &mut shape, Some(self.config.top_k_captions))?;
        }
        Ok(shape)
    }

    fn extra_workers(&self) -> usize {
        self.captioner.map_or(0, Captioner::concurrency) + self.source.prefetch()
    }
}
