//! A data set made from 3D files: views, points, captions, features.

mod draw;
mod files;
mod lists;
mod names;
mod sources;

use std::path::PathBuf;

use lexiform_formats::array::Array;
use lexiform_formats::picture::{Picture, decode_picture};
use lexiform_geometry::RigKind;
use lexiform_render::Background;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::draw::Drawn;
pub use self::files::{Asset, Beside, Fetched, Listing, LocalFiles, Source};
pub use self::sources::Sources;
use crate::caption::{CaptionError, Captioner, Said, Subject, carried};
use crate::gate::Gate;
use crate::shape::split_of;
use crate::table::{Matched, Table};
use crate::{
    About, Caption, DataError, Featurizer, Job, Key, Member, Problem, Producer, Shape, TEXT_FEATURES,
    VIEW_FEATURES, rank,
};

/// Raised when shapes come out differently with the same settings. Since 2, features keep the length their tower gives;
/// since 3, PNG files are packed quickly rather than tightly; since 4, what is said twice takes one place among ranked captions.
const LOOK_VERSION: u32 = 4;
/// Most notes about a file that are kept.
const MOST_NOTES: usize = 8;

/// What is made of each file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrepareConfig {
    /// Where cameras stand.
    pub rig: RigKind,
    /// How many views there are.
    pub views: usize,
    /// Edge of a view in pixels.
    pub size: u32,
    /// What is seen where there is no shape.
    pub background: Background,
    /// How views are compressed.
    pub pictures: Picture,
    /// Whether each view has its depth beside it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub depth: bool,
    /// Whether each view has its normals beside it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub normals: bool,
    /// Points on the surface; 0 for none.
    pub points: usize,
    /// Chooses cameras and points, for each shape anew.
    pub seed: u64,
    /// Share of shapes in the split `val`.
    pub held_out: f64,
    /// Whether the name of a file's folder is its label.
    pub folder_labels: bool,
    /// Whether names of files and what glTF files say about themselves are captions.
    pub carried_captions: bool,
    /// Captions that are kept of each view and of the whole shape, best first by features; 0 for all.
    pub top_captions: usize,
}

impl Default for PrepareConfig {
    fn default() -> Self {
        Self {
            rig: RigKind::Zero123,
            views: 12,
            size: 224,
            background: Background::WHITE,
            pictures: Picture::default(),
            depth: false,
            normals: false,
            points: 10_000,
            seed: 0,
            held_out: 0.0,
            folder_labels: false,
            carried_captions: true,
            top_captions: 0,
        }
    }
}

/// Makes shapes of 3D files.
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
    /// Bounds the number of scenes in memory while threads wait for captions.
    drawing: Gate,
}

impl<'a> Prepare<'a> {
    /// Lists the source. `facts` gives labels, captions and splits by name.
    pub fn new(source: &'a dyn Source, config: PrepareConfig, facts: Table) -> Result<Self, DataError> {
        let mut listing = source.list()?;
        names::tell_apart(&mut listing.assets);
        let job = |asset: &Asset| Job { key: Key::of_path(&asset.name), source: asset.name.clone() };
        let jobs = listing.assets.iter().map(job).collect();
        let matched = facts.matched(listing.assets.iter().map(|asset| asset.name.as_str()));
        let mut facts = facts;
        facts.join(std::mem::take(&mut listing.facts));
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

    /// Captions by a model.
    pub fn with_captioner(mut self, captioner: &'a dyn Captioner) -> Self {
        self.captioner = Some(captioner);
        self
    }

    /// Features by a frozen model, and captions ranked by it.
    pub fn with_featurizer(mut self, featurizer: &'a dyn Featurizer) -> Self {
        self.featurizer = Some(featurizer);
        self
    }

    /// Bounds the scenes in memory at the same time; 0 is one for each processor.
    pub fn with_jobs(mut self, jobs: usize) -> Self {
        if jobs > 0 {
            self.drawing = Gate::new(jobs);
        }
        self
    }

    /// Folders and files that could not be looked into, with the reason.
    pub fn unreadable(&self) -> &[(PathBuf, String)] {
        &self.unreadable
    }

    /// What is known about a file before it is read.
    fn known(&self, asset: &Asset, key: &Key) -> About {
        let facts = self.facts.find(&asset.name);
        let mut about = About {
            id: asset.name.clone(),
            source: asset.location.display().to_string(),
            split: split_of(key, self.config.held_out).to_owned(),
            ..About::default()
        };
        if let Some(facts) = facts {
            about.labels.clone_from(&facts.labels);
            about.captions.clone_from(&facts.captions);
            if let Some(split) = &facts.split {
                about.split.clone_from(split);
            }
        }
        if self.config.folder_labels {
            if about.labels.is_empty() {
                about.labels.extend(carried::label_of_folder(&asset.name));
            }
            if facts.is_none_or(|facts| facts.split.is_none())
                && let Some(split) = carried::split_of_folder(&asset.name)
            {
                split.clone_into(&mut about.split);
            }
        }
        about
    }

    /// Captions of file and model, in this order.
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

    /// Features of views and captions; captions are ranked by them.
    fn featurize(&self, featurizer: &dyn Featurizer, shape: &mut Shape) -> Result<(), Problem> {
        let views = shape.members.iter().filter(|m| Member::view_index(&m.name).is_some());
        let views: Vec<_> =
            views.map(|m| decode_picture(&m.bytes)).collect::<Result<_, _>>().map_err(Problem::Shape)?;
        let stop = |reason| Problem::Stop { reason, hint: None };
        let of_views = featurizer.images(&views).map_err(stop)?;
        let captions = &mut shape.about.captions;
        let texts: Vec<&str> = captions.iter().map(|caption| caption.text.as_str()).collect();
        let of_texts = if texts.is_empty() { Vec::new() } else { featurizer.texts(&texts).map_err(stop)? };
        let ranked = rank(captions, &of_texts, &of_views, self.config.top_captions);
        let kept = |(i, score): &(usize, f32)| Caption { score: Some(*score), ..captions[*i].clone() };
        let kept: Vec<Caption> = ranked.iter().map(kept).collect();
        let of_texts: Vec<&Vec<f32>> = ranked.iter().map(|(i, _)| &of_texts[*i]).collect();
        *captions = kept;
        let of_views: Vec<&Vec<f32>> = of_views.iter().collect();
        shape.members.push(Member::new(VIEW_FEATURES, rows(&of_views)));
        shape.members.push(Member::new(TEXT_FEATURES, rows(&of_texts)));
        Ok(())
    }
}

/// Features as halves, `[rows, dim]`: their third digit is beyond what losses see, and Duoduo CLIP's are so too.
fn rows(rows: &[&Vec<f32>]) -> Vec<u8> {
    let columns = rows.first().map_or(0, |row| row.len());
    Array::halves(rows.len(), columns, rows.iter().flat_map(|row| row.iter().copied())).to_npy()
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
        // What waits for a network holds up nobody who draws.
        let early = if self.source.ahead() > 0 { Some(fetch()?) } else { None };
        let Drawn { members, bytes } = {
            let _turn = self.drawing.enter();
            let fetched = early.map_or_else(fetch, Ok)?;
            draw::draw(fetched, key, &self.config, &mut about).map_err(Problem::Shape)?
        };
        about.notes.truncate(MOST_NOTES);
        self.caption(&mut about, &Subject { name: &asset.name, bytes: &bytes, views: &members })?;
        // Before they are ranked: a sentence said twice takes one place among the best.
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

/// Drops sentences that were said before about the same thing.
fn dedup(captions: &mut Vec<Caption>) {
    let mut said = std::collections::HashSet::new();
    captions.retain(|caption| said.insert((caption.view, caption.text.to_lowercase())));
}
