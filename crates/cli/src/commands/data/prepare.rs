//! `lexiform data prepare`: a data set from 3D files.

use std::path::PathBuf;

use clap::Args;
use lexiform_data::annotations::AnnotationTable;
use lexiform_data::prepare::{CombinedSource, Prepare, PrepareConfig};
use lexiform_formats::view_format::ViewFormat;
use lexiform_geometry::RigKind;
use lexiform_model::{PointModel, Teacher, registry};
use lexiform_render::Background;

use super::captions::CaptionArgs;
use super::featurizer::TeacherFeatures;
use super::telling::{FillArgs, here};
use crate::failure::{Usage, Verdict};
use crate::models::DeviceArg;
use crate::output;

/// Make a data set of 3D files: views, points, captions, features; resumable, broken files are listed and passed over
#[derive(Args)]
pub struct PrepareArgs {
    /// Folders, files, lists of files (.list, .txt, .csv), addresses: file://, s3://, gs://, az://
    #[arg(required = true, value_name = "SRC")]
    sources: Vec<String>,
    /// Folder of the data set; a run that was cut off goes on there
    #[arg(short, long, value_name = "DATASET")]
    out: PathBuf,
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten)]
    words: WordArgs,
    #[command(flatten)]
    fill: FillArgs,
}

#[derive(Args)]
struct LookArgs {
    /// Where the cameras stand: zero123 (by chance, all around), openshape (three rings) or ring (one ring)
    #[arg(long, default_value = "zero123")]
    rig: RigKind,
    /// Views of a shape
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: u32,
    /// Edge of a view in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 224, value_parser = clap::value_parser!(u32).range(1..=4096))]
    size: u32,
    /// How views are compressed: png, qoi and webp without loss, jpeg with
    #[arg(long, default_value = "png")]
    pictures: ViewFormat,
    /// Leave the background transparent instead of white
    #[arg(long)]
    transparent: bool,
    /// Put each view's depth beside it: dNN.png, 16 bit, ten-thousandths of the unit sphere's radius, 0 where nothing is
    #[arg(long)]
    depth: bool,
    /// Put each view's normals beside it: nNN.png, RGB of the camera's +X right, +Y up, +Z towards it
    #[arg(long)]
    normals: bool,
    /// Points on the surface
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    points: u32,
    /// Chooses cameras and points
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Share of shapes in the split `val`, chosen by their keys
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    held_out: f64,
}

#[derive(Args)]
struct WordArgs {
    /// The nearest folder that says something is the label; of <class>/train/x and <class>/test/x also the split
    #[arg(long)]
    folder_labels: bool,
    /// Table of labels, captions or splits by file or id (.csv, .json, .gz); may be given again
    #[arg(long, value_name = "FILE")]
    facts: Vec<PathBuf>,
    /// No captions from names and glTF notes
    #[arg(long)]
    no_carried: bool,
    /// Model for features of views and captions, and for ranking captions
    #[arg(long, value_name = "NAME|PATH")]
    features: Option<String>,
    /// Captions kept of each view and of the whole shape, best first [default: all]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, requires = "features")]
    top_captions: usize,
    #[command(flatten)]
    captions: CaptionArgs,
    #[command(flatten)]
    on: DeviceArg,
}

impl PrepareArgs {
    /// Makes the data set.
    pub fn run(self) -> anyhow::Result<Verdict> {
        here(&self.out)?;
        let source = CombinedSource::open(&self.sources)?;
        let facts = facts(&self.words.facts)?;
        let writer = self.words.captions.open(self.look.size, self.look.seed, &self.words.on)?;
        let frozen = |name| frozen(name, self.look.transparent, &self.words.on);
        let frozen = self.words.features.as_deref().map(frozen).transpose()?;
        let mut producer = Prepare::new(&source, self.config()?, facts)?.with_jobs(self.fill.jobs.count());
        if let Some(writer) = &writer {
            producer = producer.with_captioner(writer.captioner());
        }
        if let Some(frozen) = &frozen {
            producer = producer.with_featurizer(frozen);
        }
        for (path, reason) in producer.unreadable() {
            output::note(format!("note: {}: {reason}", path.display()));
        }
        let started = std::time::Instant::now();
        let filled = self.fill.fill(&producer, &self.out);
        if let Some(writer) = &writer {
            writer.report(started.elapsed().as_secs_f64(), self.fill.json)?;
        }
        filled
    }

    fn config(&self) -> anyhow::Result<PrepareConfig> {
        let LookArgs { rig, views, size, pictures, transparent, depth, normals, points, seed, held_out } =
            self.look;
        if transparent && pictures == ViewFormat::Jpeg {
            return Err(Usage("jpeg cannot be transparent: use --pictures webp or png".to_owned()).into());
        }
        Ok(PrepareConfig {
            rig,
            views: views as usize,
            size,
            background: if transparent { Background::Transparent } else { Background::WHITE },
            view_format: pictures,
            depth,
            normals,
            points: points as usize,
            seed,
            val_fraction: held_out,
            folder_labels: self.words.folder_labels,
            file_captions: !self.words.no_carried,
            top_k_captions: self.words.top_captions,
        })
    }
}

/// A part of a whole, as clap reads it.
pub fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("expected a share from 0 to 1, found {text:?}"))
}

/// All tables as one.
pub fn facts(files: &[PathBuf]) -> anyhow::Result<AnnotationTable> {
    let mut all = AnnotationTable::default();
    for file in files {
        all.extend(AnnotationTable::read(file)?);
    }
    Ok(all)
}

/// A model of pictures and words.
fn frozen(name: &str, transparent: bool, on: &DeviceArg) -> anyhow::Result<TeacherFeatures> {
    if PointModel::matches_file(&registry::open_weights(name)?) {
        return Err(
            Usage(format!("{name} takes points: --features needs a model of pictures and words")).into()
        );
    }
    if transparent {
        output::note("note: features are of the views on white");
    }
    Ok(TeacherFeatures(Teacher::open(name, &on.device)?))
}
