//! `lexiform eval retrieval`: text-to-shape, shape-to-text and photo retrieval.

use std::path::PathBuf;

use clap::Args;
use lexiform_eval::protocol::PublishedMetrics;
use lexiform_eval::{CaptionSource, PhotoListing, RetrievalConfig, retrieval};

use super::models::ComparedModelsArgs;
use super::progress::{verdict, with_progress};
use super::protocol::{ProtocolArgs, note_protocol};
use super::resampling::ResamplingArgs;
use super::shapes::{OrientationArgs, SplitArg};
use super::show;
use crate::commands::classify::lines;
use crate::error::{Outcome, UsageError};
use crate::output;
use crate::output_file::ForceArg;

/// Evaluate retrieval of shapes by captions and photos, and of captions and photos by shapes
///
/// A query may have several relevant items: all files with the same caption are relevant to it.
#[derive(Args)]
pub(crate) struct RetrievalArgs {
    /// CSV file with the columns `file` and `caption`, or `file` and `label`. A file may have several lines; lines that do
    /// not name a 3D file are skipped
    #[arg(long, value_name = "CSV", group = "given")]
    captions: Option<PathBuf>,
    /// Data set made by `lexiform data prepare` or `import`, instead of files. Its labels are used if it has no captions
    #[arg(long, value_name = "DATASET", group = "given")]
    data: Option<PathBuf>,
    #[command(flatten)]
    split: SplitArg,
    #[command(flatten)]
    orientation: OrientationArgs,
    /// Number of views [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: Option<u32>,
    #[command(flatten)]
    protocol_args: ProtocolArgs,
    /// CSV file of photos: `image` and the `file` it shows, or `image` and a `label` from --captions. Without a column
    /// `image`, its lines that name images are the photos
    #[arg(long, value_name = "CSV")]
    photos: Option<PathBuf>,
    /// Folder the files are relative to [default: the folder of each CSV file]
    #[arg(long, value_name = "FOLDER")]
    assets: Option<PathBuf>,
    /// Precomputed shape features, one row per unique file: by row name (.safetensors), else in the order of the CSV file
    #[arg(long, value_name = "FILE[#TENSOR]")]
    features: Option<String>,
    /// Precomputed caption features, one row per unique caption: by row name (.safetensors), else in the order of the CSV
    /// file
    #[arg(long, value_name = "FILE[#TENSOR]")]
    text_features: Option<String>,
    /// File with one prompt template per line, `{}` for the caption; their features are averaged [default: the caption
    /// alone; for labels the model's templates]
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    /// Write ranks and top results of every query to a CSV file
    #[arg(long, value_name = "FILE")]
    per_query_csv: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
    #[command(flatten)]
    models: ComparedModelsArgs,
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
    /// Evaluates every direction with every model and prints the results.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = self.config()?;
        // Before the evaluation, which can take hours.
        if let Some(path) = &self.per_query_csv {
            let inputs =
                [&self.captions, &self.photos, &self.templates].into_iter().flatten().map(PathBuf::as_path);
            self.force.file(path, &["csv"], &inputs.collect::<Vec<_>>())?.replaceable()?;
        }
        let models = self.models.models();
        let report = with_progress(|events| retrieval(&config, &models, events))?;
        if !report.is_complete() {
            return Ok(Outcome::Failed);
        }
        if let Some(protocol) = config.protocol {
            note_protocol(protocol, report.shapes(), PublishedMetrics::is_retrieval);
        }
        if let Some(path) = &self.per_query_csv {
            report.write_queries(path)?;
        }
        if self.json {
            report.results.iter().try_for_each(output::json)?
        } else {
            show::directions(&report.results)?
        }
        Ok(verdict(self.strict, &report.unusable))
    }

    fn config(&self) -> anyhow::Result<RetrievalConfig> {
        let assets = || self.assets.clone();
        let captions = match (&self.captions, &self.data) {
            (Some(file), _) => CaptionSource::Listing { file: file.clone(), assets: assets() },
            (None, Some(path)) => CaptionSource::DataSet { path: path.clone() },
            (None, None) => return Err(UsageError("expected --captions or --data".to_owned()).into()),
        };
        Ok(RetrievalConfig {
            captions,
            split: self.split.name(),
            orientation: self.orientation.orientation(),
            views: self.views.map(|n| n as usize),
            protocol: self.protocol_args.selected()?,
            photos: self.photos.clone().map(|file| PhotoListing { file, assets: assets() }),
            features: self.features.clone(),
            text_features: self.text_features.clone(),
            templates: self.templates.as_deref().map(lines).transpose()?,
            resampling: self.resampling.resampling(),
        })
    }
}
