//! `lexiform data import`, `export` and `formats`: the field's own files.

use std::path::PathBuf;

use clap::Args;
use lexiform_data::{Dataset, export, import, parse_split};
use lexiform_formats::view_format::ViewFormat;
use serde_json::json;

use super::prepare::{facts, share};
use super::telling::{FillArgs, here, warn};
use crate::failure::{Usage, Verdict};
use crate::indexing;
use crate::output::{self, Align};
use crate::progress::Progress;

/// Make a data set of files that other projects publish; traps in them are told
#[derive(Args)]
pub struct ImportArgs {
    /// Format, as `lexiform data formats` lists them
    format: String,
    /// File or folder to read
    from: PathBuf,
    /// Folder of the data set; a run that was cut off goes on there
    #[arg(short, long, value_name = "DATASET")]
    out: PathBuf,
    /// How raw pixels are compressed: png, qoi and webp without loss, jpeg with
    #[arg(long, default_value = "png")]
    pictures: ViewFormat,
    /// Share of shapes in the split `val` where the source names none
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    held_out: f64,
    /// Table of labels, captions or splits by id (.csv, .json, .gz): Cap3D's, Text2Shape's; may be given again
    #[arg(long, value_name = "FILE")]
    facts: Vec<PathBuf>,
    /// List of the only shapes that are wanted, one id a line: four_no_lvis_model_ids.txt
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Take over frozen features where the source has them
    #[arg(long)]
    features: bool,
    /// Edge to which photographs are resized; 0 leaves them as they are
    #[arg(long, value_name = "PIXELS", default_value_t = 224)]
    size: u32,
    #[command(flatten)]
    fill: FillArgs,
}

impl ImportArgs {
    /// Opens the source, tells its traps, and makes the data set.
    pub fn run(self) -> anyhow::Result<Verdict> {
        here(&self.out)?;
        let format = import::find(&self.format)
            .ok_or_else(|| unknown(&self.format, import::FORMATS.map(|f| f.name).as_slice()))?;
        let options = import::ImportOptions {
            view_format: self.pictures,
            val_fraction: self.held_out,
            annotations: facts(&self.facts)?,
            ids: self.ids.as_deref().map(import::IdFilter::read).transpose()?,
            features: self.features,
            size: self.size,
        };
        let source = (format.open)(&self.from, &options)?;
        for warning in source.warnings() {
            warn(warning, self.fill.json)?;
        }
        self.fill.fill(&source, &self.out)
    }
}

/// Write a data set as files that other projects read
#[derive(Args)]
pub struct ExportArgs {
    /// Format, as `lexiform data formats` lists them
    format: String,
    /// Folder of the data set, or its address in an object store
    dataset: PathBuf,
    /// Folder to write; made if it is not there, must be empty if it is
    #[arg(short, long, value_name = "FOLDER")]
    out: PathBuf,
    /// Only shapes of this split: train, val or test
    #[arg(long, value_name = "NAME", value_parser = parse_split)]
    split: Option<&'static str>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl ExportArgs {
    /// Writes.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let format = export::find(&self.format)
            .ok_or_else(|| unknown(&self.format, export::FORMATS.map(|f| f.name).as_slice()))?;
        let dataset = Dataset::open(&self.dataset)?;
        let shapes = export::shapes_of(&dataset, &self.dataset, self.split)?;
        let progress = Progress::new(shapes.len());
        let exported = format.write(&dataset, &shapes, &self.out, &mut || progress.step(""))?;
        drop(progress);
        if self.json {
            let left_out: Vec<_> =
                exported.skipped.iter().map(|(key, why)| json!({ "key": key, "error": why })).collect();
            output::json(&json!({ "format": format.name, "shapes": exported.shapes, "left_out": left_out }))?;
        } else {
            indexing::list_failed(&exported.skipped);
            output::note(format!(
                "wrote {} to {}",
                output::count(exported.shapes, "shape"),
                self.out.display()
            ));
        }
        Ok(Verdict::Done)
    }
}

/// List what can be imported and exported
#[derive(Args)]
pub struct FormatsArgs {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

impl FormatsArgs {
    /// Lists.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let imports = import::FORMATS.iter().map(|f| ("import", f.name, f.description));
        let all: Vec<_> =
            imports.chain(export::FORMATS.iter().map(|f| ("export", f.name, f.description))).collect();
        if self.json {
            let line = |(way, name, about): &(&str, &str, &str)| {
                output::json(&json!({ "way": way, "name": name, "about": about }))
            };
            all.iter().try_for_each(line)?;
        } else {
            let rows: Vec<Vec<String>> = all
                .iter()
                .map(|(way, name, about)| [way, name, about].map(|s| (*s).to_owned()).to_vec())
                .collect();
            output::line(output::table(
                &[("way", Align::Left), ("format", Align::Left), ("files", Align::Left)],
                &rows,
            ))?;
        }
        Ok(Verdict::Done)
    }
}

fn unknown(found: &str, known: &[&str]) -> Usage {
    Usage(format!("no format is called {found:?}, there are {}", known.join(", ")))
}
