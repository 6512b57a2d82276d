//! `lexiform data import`, `export` and `formats`: the formats of other projects.

use std::path::PathBuf;

use clap::Args;
use lexiform_data::{Dataset, export, import, parse_split};
use lexiform_formats::view_format::ViewFormat;
use lexiform_mesh_io::UpRule;
use serde_json::json;

use super::annotations::{parse_fraction, read_annotations};
use super::reporting::{MakeArgs, warn};
use crate::error::{Outcome, UsageError};
use crate::indexing;
use crate::output::{self, Align};
use crate::progress::Progress;

/// Import a data set published by another project; known pitfalls are reported
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// Format, from `lexiform data formats`
    format: String,
    /// File or folder to read
    from: PathBuf,
    /// Folder of the data set; an interrupted run is resumed
    #[arg(short, long, value_name = "DATASET")]
    out: PathBuf,
    /// Image format of views that the source has as raw pixels: png, qoi, webp (lossless) or jpeg
    #[arg(long, default_value = "png")]
    image_format: ViewFormat,
    /// Fraction of shapes in the split `val`, if the source has no splits
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = parse_fraction)]
    val_fraction: f64,
    /// Table of labels, captions or splits by id (.csv, .json, .gz), such as Cap3D's or Text2Shape's; may be given more than
    /// once
    #[arg(long, value_name = "FILE")]
    annotations: Vec<PathBuf>,
    /// Import only the shapes in this list, one id per line, such as four_no_lvis_model_ids.txt
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Import the frozen features of the source, if it has any
    #[arg(long)]
    keep_features: bool,
    /// Add five photos of its class to each shape, as CG3D's --real does half of the time; for the format cg3d
    #[arg(long)]
    class_photos: bool,
    /// Add captions of its class to each shape, as CG3D's --real_caption; for the format cg3d
    #[arg(long)]
    class_captions: bool,
    /// Size to which photos are resized; 0 keeps theirs
    #[arg(long, value_name = "PIXELS", default_value_t = 224)]
    size: u32,
    /// Up axis of the points, which are turned to y: y, z, x, or auto to decide from each shape [default: unchanged]
    #[arg(long, value_name = "AXIS", default_value = "format", hide_default_value = true)]
    up: UpRule,
    #[command(flatten)]
    make: MakeArgs,
}

impl ImportArgs {
    /// Opens the source, reports its pitfalls, and builds the data set.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        self.make.check_folder(&self.out)?;
        let format = import::find(&self.format)
            .ok_or_else(|| unknown(&self.format, import::FORMATS.map(|f| f.name).as_slice()))?;
        if (self.class_photos || self.class_captions) && format.name != "cg3d" {
            let text =
                "--class-photos, --class-captions: only the format cg3d has photos and captions by class";
            return Err(UsageError(text.to_owned()).into());
        }
        let options = import::ImportOptions {
            view_format: self.image_format,
            val_fraction: self.val_fraction,
            annotations: read_annotations(&self.annotations)?,
            ids: self.ids.as_deref().map(import::IdFilter::read).transpose()?,
            features: self.keep_features,
            class_photos: self.class_photos,
            class_captions: self.class_captions,
            size: self.size,
            up: self.up,
        };
        let source = (format.open)(&self.from, &options)?;
        for warning in source.warnings() {
            warn(warning, self.make.json)?;
        }
        self.make.make(&source, &self.out)
    }
}

/// Export a data set to the format of another project
#[derive(Args)]
pub(crate) struct ExportArgs {
    /// Format, as `lexiform data formats` lists them
    format: String,
    /// Folder of the data set, or its address in an object store
    dataset: PathBuf,
    /// New or empty folder to write to
    #[arg(short, long, value_name = "FOLDER")]
    out: PathBuf,
    /// Export only this split: train, val or test
    #[arg(long, value_name = "NAME", value_parser = parse_split)]
    split: Option<&'static str>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl ExportArgs {
    /// Exports the data set.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let format = export::find(&self.format)
            .ok_or_else(|| unknown(&self.format, export::FORMATS.map(|f| f.name).as_slice()))?;
        let dataset = Dataset::open(&self.dataset)?;
        let shapes = export::shapes_of(&dataset, &self.dataset, self.split)?;
        let progress = Progress::new(shapes.len());
        let exported = format.write(&dataset, &shapes, &self.out, &mut || progress.step(""))?;
        drop(progress);
        if self.json {
            let skipped: Vec<_> =
                exported.skipped.iter().map(|(key, why)| json!({ "key": key, "error": why })).collect();
            output::json(&json!({ "format": format.name, "shapes": exported.shapes, "skipped": skipped }))?;
        } else {
            indexing::list_failed(&exported.skipped);
            output::note(format!(
                "wrote {} to {}",
                output::quantity(exported.shapes, "shape"),
                self.out.display()
            ));
        }
        Ok(Outcome::Done)
    }
}

/// List the formats of import and export
#[derive(Args)]
pub(crate) struct FormatsArgs {
    /// Print one JSON object per format
    #[arg(long)]
    json: bool,
}

impl FormatsArgs {
    /// Lists the formats.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let imports = import::FORMATS.iter().map(|f| ("import", f.name, f.description));
        let all: Vec<_> =
            imports.chain(export::FORMATS.iter().map(|f| ("export", f.name, f.description))).collect();
        if self.json {
            let line = |(operation, name, description): &(&str, &str, &str)| {
                output::json(&json!({ "operation": operation, "name": name, "description": description }))
            };
            all.iter().try_for_each(line)?;
        } else {
            let rows: Vec<Vec<String>> = all
                .iter()
                .map(|(operation, name, description)| {
                    [operation, name, description].map(|s| (*s).to_owned()).to_vec()
                })
                .collect();
            output::line(output::table(
                &[("operation", Align::Left), ("format", Align::Left), ("files", Align::Left)],
                &rows,
            ))?;
        }
        Ok(Outcome::Done)
    }
}

fn unknown(found: &str, known: &[&str]) -> UsageError {
    UsageError(format!("unknown format {found:?}: expected one of {}", known.join(", ")))
}
