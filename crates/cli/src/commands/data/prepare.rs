//! `lexiform data prepare`: build a data set from 3D files.

use std::path::PathBuf;

use clap::Args;
use lexiform_data::prepare::{CombinedSource, Prepare, PrepareConfig};
use lexiform_formats::view_format::ViewFormat;
use lexiform_geometry::RigKind;
use lexiform_render::Background;

use super::annotations::{parse_fraction, read_annotations};
use super::captions::CaptionArgs;
use super::featurizer::open_feature_model;
use super::reporting::MakeArgs;
use crate::error::{Outcome, UsageError};
use crate::models::DeviceArg;
use crate::output;
use crate::up_axis::UpArg;

/// Build a data set from 3D files: views, points, captions, features; resumable, broken files are reported and skipped
#[derive(Args)]
pub(crate) struct PrepareArgs {
    /// Folders, files, lists of files (.list, .txt, .csv), or addresses: file://, s3://, gs://, az://
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,
    /// Folder of the data set; an interrupted run is resumed
    #[arg(short, long, value_name = "DATASET")]
    out: PathBuf,
    #[command(flatten)]
    view: ViewArgs,
    #[command(flatten)]
    labels: LabelArgs,
    #[command(flatten)]
    make: MakeArgs,
}

#[derive(Args)]
struct ViewArgs {
    #[command(flatten)]
    up_arg: UpArg,
    /// Camera positions: zero123 (random, all around), openshape (three rings) or ring (one ring)
    #[arg(long, default_value = "zero123")]
    rig: RigKind,
    /// Views per shape
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: u32,
    /// Width and height of a view in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 224, value_parser = clap::value_parser!(u32).range(1..=4096))]
    size: u32,
    /// Image format of views: png, qoi, webp (lossless) or jpeg
    #[arg(long, default_value = "png")]
    image_format: ViewFormat,
    /// Make the background transparent instead of white
    #[arg(long)]
    transparent: bool,
    /// Add a depth map of each view: dNN.png, 16 bits, in 1/10000 of the unit sphere's radius, 0 for the background
    #[arg(long)]
    depth: bool,
    /// Add a normal map of each view: nNN.png, RGB of the camera's +X right, +Y up, +Z towards it
    #[arg(long)]
    normals: bool,
    /// Points sampled on each surface
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    points: u32,
    /// Seed of cameras and points
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Fraction of shapes in the split `val`, chosen by their keys
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = parse_fraction)]
    val_fraction: f64,
}

#[derive(Args)]
struct LabelArgs {
    /// Take labels from folder names, and splits from `CLASS/train/x` and `CLASS/test/x`
    #[arg(long)]
    folder_labels: bool,
    /// Table of labels, captions or splits by file or id (.csv, .json, .gz); may be given more than once
    #[arg(long, value_name = "FILE")]
    annotations: Vec<PathBuf>,
    /// Do not take captions from file names and glTF metadata
    #[arg(long)]
    no_source_captions: bool,
    /// Model that computes features of views and captions, and ranks captions
    #[arg(long, value_name = "NAME|PATH")]
    feature_model: Option<String>,
    /// Captions kept per view and for the whole shape, best first [default: all]
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        requires = "feature_model"
    )]
    top_captions: usize,
    #[command(flatten)]
    captions: CaptionArgs,
    #[command(flatten)]
    device_arg: DeviceArg,
}

impl PrepareArgs {
    /// Builds the data set.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        self.make.check_folder(&self.out)?;
        let source = CombinedSource::open(&self.sources)?;
        let annotations = read_annotations(&self.labels.annotations)?;
        let device = &self.labels.device_arg;
        let captioner = self.labels.captions.open(Some(self.view.size), self.view.seed, device)?;
        if self.view.transparent && self.labels.feature_model.is_some() {
            output::note("note: features are computed from the views on a white background");
        }
        let open = |name| open_feature_model(name, device);
        let featurizer = self.labels.feature_model.as_deref().map(open).transpose()?;
        let mut producer =
            Prepare::new(&source, self.config()?, annotations)?.with_jobs(self.make.jobs.count());
        if let Some(captioner) = &captioner {
            producer = producer.with_captioner(captioner.captioner());
        }
        if let Some(featurizer) = &featurizer {
            producer = producer.with_featurizer(featurizer);
        }
        for (path, reason) in producer.unreadable() {
            let text = format!("note: {}: {reason}", path.display());
            output::note(output::single_line(&text));
        }
        let started = std::time::Instant::now();
        let made = self.make.make(&producer, &self.out);
        // Captions cost money: what was used is reported even if the run failed.
        if let Some(captioner) = &captioner {
            captioner.report(started.elapsed().as_secs_f64(), self.make.json)?;
        }
        made
    }

    fn config(&self) -> anyhow::Result<PrepareConfig> {
        let ViewArgs {
            up_arg,
            rig,
            views,
            size,
            image_format: pictures,
            transparent,
            depth,
            normals,
            points,
            seed,
            val_fraction,
        } = self.view;
        if transparent && pictures == ViewFormat::Jpeg {
            return Err(
                UsageError("jpeg cannot be transparent: use --image-format webp or png".to_owned()).into()
            );
        }
        Ok(PrepareConfig {
            up: up_arg.rule(),
            rig,
            views: views as usize,
            size,
            background: if transparent { Background::Transparent } else { Background::WHITE },
            view_format: pictures,
            depth,
            normals,
            points: points as usize,
            seed,
            val_fraction,
            folder_labels: self.labels.folder_labels,
            file_captions: !self.labels.no_source_captions,
            top_k_captions: self.labels.top_captions,
        })
    }
}
