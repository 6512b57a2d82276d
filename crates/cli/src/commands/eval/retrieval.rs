//! `lexiform eval retrieval`: whether captions and photos find the right shapes, and shapes the right captions.

use std::path::PathBuf;

use clap::Args;
use lexiform_eval::protocol::Values;
use lexiform_eval::{CaptionSource, PhotoListing, RetrievalConfig, retrieval};

use super::models::ModelsArgs;
use super::protocol::{ProtocolArgs, note_protocol};
use super::resampling::ResamplingArgs;
use super::shapes::SplitArg;
use super::show;
use super::watch::{verdict, watched};
use crate::commands::classify::lines;
use crate::error::{Outcome, UsageError};
use crate::output;
use crate::output_file::ForceArg;

/// Whether words and photos bring the right shapes first, and shapes the right words and photos. A query may have
/// several right answers: files with the same words are all right for them.
#[derive(Args)]
pub(crate) struct RetrievalArgs {
    /// CSV file of the shapes: the columns `file` and `caption`, or `file` and `label`; a file may stand in several lines.
    /// Lines of other than 3D files are left out
    #[arg(long, value_name = "CSV", group = "given")]
    captions: Option<PathBuf>,
    /// Data set, as `lexiform data prepare` and `import` make it, in the files' stead: its captions, or its labels if it has none
    #[arg(long, value_name = "SET", group = "given")]
    data: Option<PathBuf>,
    #[command(flatten)]
    split: SplitArg,
    /// Number of views [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: Option<u32>,
    #[command(flatten)]
    by: ProtocolArgs,
    /// CSV file of photos: `image` and the `file` it shows, or `image` and a `label` that shapes of --captions have; without
    /// a column `image`, its lines of pictures are the photos
    #[arg(long, value_name = "CSV")]
    photos: Option<PathBuf>,
    /// Folder the files are relative to [default: the folder of each CSV file]
    #[arg(long, value_name = "DIR")]
    assets: Option<PathBuf>,
    /// Features of the shapes instead of the shapes, a row for each different file: found by the names inside .safetensors, in the
    /// order of the CSV file without names
    #[arg(long, value_name = "FILE[#TENSOR]")]
    features: Option<String>,
    /// Features of the words instead of the words, a row for each different caption: found by the words inside .safetensors, in
    /// the order of the CSV file without names
    #[arg(long, value_name = "FILE[#TENSOR]")]
    text_features: Option<String>,
    /// File with one sentence a line, `{}` where the words go; their mean is searched for [default: the words alone;
    /// for labels the model's sentences]
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    /// Write every query's places and first answers to a CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
    #[command(flatten)]
    models: ModelsArgs,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print a JSON object for each direction and model
    #[arg(long)]
    json: bool,
}

impl RetrievalArgs {
    /// Measures every direction with every model and shows it.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = self.config()?;
        if let Some(path) = &self.csv {
            let inputs =
                [&self.captions, &self.photos, &self.templates].into_iter().flatten().map(PathBuf::as_path);
            self.force.file(path, &["csv"], &inputs.collect::<Vec<_>>())?.replaceable()?;
        }
        let models = self.models.models();
        let report = watched(|events| retrieval(&config, &models, events))?;
        if !report.is_complete() {
            return Ok(Outcome::Failed);
        }
        if let Some(protocol) = config.protocol {
            note_protocol(protocol, report.shapes(), Values::is_retrieval);
        }
        if let Some(path) = &self.csv {
            report.write_queries(path)?;
        }
        match self.json {
            true => report.results.iter().try_for_each(output::json)?,
            false => show::directions(&report.results)?,
        }
        Ok(verdict(self.strict, &report.unusable))
    }

    fn config(&self) -> anyhow::Result<RetrievalConfig> {
        let assets = || self.assets.clone();
        let captions = match (&self.captions, &self.data) {
            (Some(file), _) => CaptionSource::Listing { file: file.clone(), assets: assets() },
            (None, Some(place)) => CaptionSource::DataSet { place: place.clone() },
            (None, None) => return Err(UsageError("give --captions or --data".to_owned()).into()),
        };
        Ok(RetrievalConfig {
            captions,
            split: self.split.name(),
            views: self.views.map(|n| n as usize),
            protocol: self.by.chosen()?,
            photos: self.photos.clone().map(|file| PhotoListing { file, assets: assets() }),
            features: self.features.clone(),
            text_features: self.text_features.clone(),
            templates: self.templates.as_deref().map(lines).transpose()?,
            resampling: self.resampling.resampling(),
        })
    }
}
