//! Data sets made from 3D files: views, points, captions, features.

mod config;
mod draw;
mod names;
mod sources;

use std::collections::HashSet;
use std::path::PathBuf;

use lexiform_formats::array::Array;
use lexiform_formats::view_format::decode_view;
use serde_json::{Value, json};

pub use self::config::PrepareConfig;
use self::draw::Drawn;
pub use self::sources::Sources;
use crate::caption::{CaptionError, Captioner, Said, Subject, carried};
use crate::gate::Gate;
use crate::shape::split_of;
pub use crate::source::{Asset, Beside, Fetched, Listing, LocalFiles, Source};
use crate::table::{Matched, Table};
use crate::{
    About, Caption, DataError, Featurizer, Job, Key, Member, Problem, Producer, Shape, TEXT_FEATURES,
    VIEW_FEATURES, rank,
};

/// Version of the output: raised when the same settings give other shapes. 2: features are not normalized. 3: PNG files are
/// compressed for speed rather than size. 4: duplicate captions are dropped before captions are ranked.
const LOOK_VERSION: u32 = 4;
/// Maximum number of notes kept per file.
const MOST_NOTES: usize = 8;

/// Makes shapes from 3D files, as a [`Producer`] for [`make`](crate::make).
///
/// ```
/// use lexiform_data::prepare::{Prepare, PrepareConfig, Sources};
/// use lexiform_data::table::Table;
/// use lexiform_data::{Dataset, MakeOptions, make, merge};
///
/// let folder = tempfile::tempdir()?;
/// let models = folder.path().join("models");
/// std::fs::create_dir(&models)?;
/// std::fs::write(models.join("red_triangle.obj"), "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")?;
///
/// let source = Sources::open(&[models.display().to_string()])?;
/// let config = PrepareConfig { views: 2, size: 32, points: 64, ..PrepareConfig::default() };
/// let prepare = Prepare::new(&source, config, Table::default())?;
/// let set = folder.path().join("set");
/// make(&prepare, &set, &MakeOptions::default(), &mut |_| {})?;
/// merge(&set)?;
///
/// let dataset = Dataset::open(&set)?;
/// assert_eq!((dataset.len(), dataset.n_views(0)), (1, 2));
/// assert_eq!(dataset.about(0)?.captions[0].text, "red triangle");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Prepare<'a> {
    source: &'a dyn Source,
    config: PrepareConfig,
    captioner: Option<&'a dyn Captioner>,
    featurizer: Option<&'a dyn Featurizer>,
    facts: Table,
    matched: Matched,
    assets: Vec<Asset>,
    jobs: Vec<Job>,
    unreadable: Vec<(PathBuf, String)>,
    /// Bounds the number of scenes in memory while other threads wait for captions.
    drawing: Gate,
}

impl<'a> Prepare<'a> {
    /// Lists the source. `facts` are labels, captions and splits by name.
    ///
    /// # Errors
    /// If the source cannot be listed.
    pub fn new(source: &'a dyn Source, config: PrepareConfig, mut facts: Table) -> Result<Self, DataError> {
        let mut listing = source.list()?;
        names::tell_apart(&mut listing.assets);
        let job = |asset: &Asset| Job { key: Key::of_path(&asset.name), source: asset.name.clone() };
        let jobs = listing.assets.iter().map(job).collect();
        let matched = facts.matched(listing.assets.iter().map(|asset| asset.name.as_str()));
        facts.join(listing.facts);
        Ok(Self {
            source,
            config,
            captioner: None,
            featurizer: None,
            facts,
            matched,
            assets: listing.assets,
            jobs,
            unreadable: listing.unreadable,
            drawing: Gate::new(std::thread::available_parallelism().map_or(1, usize::from)),
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
            self.drawing = Gate::new(jobs);
        }
        self
    }

    /// Folders and files that cannot be read, with the reason.
    pub fn unreadable(&self) -> &[(PathBuf, String)] {
        &self.unreadable
    }

    /// The metadata of a file before it is read.
    fn known(&self, asset: &Asset, key: &Key) -> About {
        let facts = self.facts.find(&asset.name).cloned().unwrap_or_default();
        let mut about = About {
            id: asset.name.clone(),
            source: asset.location.display().to_string(),
            labels: facts.labels,
            captions: facts.captions,
            ..About::default()
        };
        let folders = self.config.folder_labels.then_some(asset.name.as_str());
        if about.labels.is_empty() {
            about.labels.extend(folders.and_then(carried::label_of_folder));
        }
        let split = facts.split.or_else(|| folders.and_then(carried::split_of_folder).map(str::to_owned));
        about.split = split.unwrap_or_else(|| split_of(key, self.config.held_out).to_owned());
        about
    }

    /// Adds captions of the file, then of the model.
    fn caption(&self, about: &mut About, subject: &Subject) -> Result<(), Problem> {
        if self.config.carried_captions {
            about.captions.extend(carried::captions(subject.name, subject.bytes));
        }
        let Some(captioner) = self.captioner else { return Ok(()) };
        let said = match captioner.caption(subject) {
            Ok(said) => said,
            Err(CaptionError::Shape(reason)) => Said { asked: 1, refused: vec![reason], ..Said::default() },
            Err(CaptionError::Server { reason, hint }) => return Err(Problem::Stop { reason, hint }),
        };
        about.refused = said.refused();
        about.captions.extend(said.captions);
        Ok(())
    }

    /// Adds features of views and captions, and ranks captions by them.
    fn featurize(&self, featurizer: &dyn Featurizer, shape: &mut Shape) -> Result<(), Problem> {
        let views = shape.members.iter().filter(|m| Member::view_index(&m.name).is_some());
        let views: Vec<_> =
            views.map(|m| decode_view(&m.bytes)).collect::<Result<_, _>>().map_err(Problem::Shape)?;
        let stop = |reason| Problem::Stop { reason, hint: None };
        let of_views = featurizer.images(&views).map_err(stop)?;
        let captions = &mut shape.about.captions;
        let texts: Vec<&str> = captions.iter().map(|caption| caption.text.as_str()).collect();
        let of_texts = if texts.is_empty() { Vec::new() } else { featurizer.texts(&texts).map_err(stop)? };
        let ranked = rank(captions, &of_texts, &of_views, self.config.top_captions);
        let scored = |(i, score): &(usize, f32)| Caption { score: Some(*score), ..captions[*i].clone() };
        *captions = ranked.iter().map(scored).collect();
        let of_ranked: Vec<&Vec<f32>> = ranked.iter().map(|(i, _)| &of_texts[*i]).collect();
        let of_views: Vec<&Vec<f32>> = of_views.iter().collect();
        shape.members.push(Member::new(VIEW_FEATURES, rows(&of_views)));
        shape.members.push(Member::new(TEXT_FEATURES, rows(&of_ranked)));
        Ok(())
    }
}

/// Features as `float16`, `[rows, dim]`. The rounding is below what losses resolve; Duoduo CLIP stores its features in this type too.
fn rows(rows: &[&Vec<f32>]) -> Vec<u8> {
    let columns = rows.first().map_or(0, |row| row.len());
    Array::from_f16(rows.len(), columns, rows.iter().flat_map(|row| row.iter().copied())).to_npy()
}

impl Producer for Prepare<'_> {
    fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        json!({
            "made_by": "prepare",
            "look": LOOK_VERSION,
            "prepare": self.config,
            "captioner": self.captioner.map(|captioner| captioner.name()),
            "features": self.featurizer.map(|featurizer| featurizer.id().to_owned()),
            "facts": self.facts.digest(),
        })
    }

    fn matched(&self) -> Matched {
        self.matched
    }

    fn produce(&self, index: usize) -> Result<Shape, Problem> {
        let (asset, key) = (&self.assets[index], &self.jobs[index].key);
        let mut about = self.known(asset, key);
        let fetch = || self.source.fetch(asset).map_err(Problem::Shape);
        // Waiting for a network must not occupy a place in which others could render.
        let early = if self.source.ahead() > 0 { Some(fetch()?) } else { None };
        let Drawn { members, bytes } = {
            let _turn = self.drawing.enter();
            let fetched = early.map_or_else(fetch, Ok)?;
            draw::draw(fetched, key, &self.config, &mut about).map_err(Problem::Shape)?
        };
        about.notes.truncate(MOST_NOTES);
        self.caption(&mut about, &Subject { name: &asset.name, bytes: &bytes, views: &members })?;
        // Before ranking, so that a duplicate does not take a second place among the best.
        dedup(&mut about.captions);
        let mut shape = Shape { key: key.clone(), members, about };
        if let Some(featurizer) = self.featurizer {
            self.featurize(featurizer, &mut shape)?;
        }
        Ok(shape)
    }

    fn waiting(&self) -> usize {
        self.captioner.map_or(0, Captioner::concurrency) + self.source.ahead()
    }
}

/// Drops captions that repeat an earlier one of the same view.
fn dedup(captions: &mut Vec<Caption>) {
    let mut seen = HashSet::new();
    captions.retain(|caption| seen.insert((caption.view, caption.text.to_lowercase())));
}
