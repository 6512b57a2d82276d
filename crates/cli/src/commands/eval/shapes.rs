//! Options that say what is measured on: files, folders, data sets, features.

use std::path::PathBuf;

use clap::Args;
use lexiform_data::split_called;
use lexiform_eval::{DataConfig, LabelSource, ShapeSource};

use crate::error::UsageError;

/// Value of `--labels` that takes labels from folder names.
const FOLDERS: &str = "folders";

/// Shapes and their labels.
#[derive(Args, Clone, Debug)]
pub(crate) struct ShapesArgs {
    /// CSV file with the columns `file` (or `path`) and `label`, or the word `folders`: each file's label is the
    /// folder below --assets it is in
    #[arg(long, value_name = "CSV|folders", group = "given")]
    labels: Option<String>,
    /// Data set made by `lexiform data prepare` or `import`, instead of files: its views, its points and its labels
    #[arg(long, value_name = "SET", group = "given")]
    data: Option<PathBuf>,
    #[command(flatten)]
    split: SplitArg,
    /// Folder the files are relative to [default: the folder of the CSV file]
    #[arg(long, value_name = "DIR", requires = "labels")]
    assets: Option<PathBuf>,
}

/// Which of the shapes.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SplitArg {
    /// Only what belongs to this split: train, val or test, as the column `split` of the CSV file or the data set says
    #[arg(long, value_name = "NAME", requires = "given", value_parser = split_called)]
    split: Option<&'static str>,
}

/// Shapes, their labels, and features that replace them.
#[derive(Args, Clone, Debug)]
pub(crate) struct DataArgs {
    #[command(flatten)]
    shapes: ShapesArgs,
    /// Features of the files instead of the files: .npy with a row for each line of the CSV file, or .safetensors, whose
    /// rows are found by the names inside
    #[arg(long, value_name = "FILE[#TENSOR]", requires = "given")]
    features: Option<String>,
}

impl SplitArg {
    /// The split that was asked for.
    pub(crate) fn name(self) -> Option<String> {
        self.split.map(str::to_owned)
    }
}

impl ShapesArgs {
    /// Whether any files or shapes were named.
    pub(crate) fn is_given(&self) -> bool {
        self.labels.is_some() || self.data.is_some()
    }

    /// Where the shapes are.
    pub(crate) fn source(&self) -> anyhow::Result<ShapeSource> {
        let labels = match (&self.labels, &self.data) {
            (_, Some(place)) => LabelSource::DataSet { place: place.clone() },
            (Some(labels), None) if labels == FOLDERS => {
                let missing =
                    || UsageError("--labels folders: give the folder of folders by --assets".to_owned());
                LabelSource::Folders { root: self.assets.clone().ok_or_else(missing)? }
            }
            (Some(file), None) => LabelSource::Listing { file: file.into(), assets: self.assets.clone() },
            (None, None) => return Err(UsageError("give --labels or --data".to_owned()).into()),
        };
        Ok(ShapeSource { labels, split: self.split.name() })
    }
}

impl DataArgs {
    /// Whether any files or shapes were named.
    pub(crate) fn is_given(&self) -> bool {
        self.shapes.is_given()
    }

    /// The shapes, or the features that replace them.
    pub(crate) fn config(&self) -> anyhow::Result<DataConfig> {
        Ok(DataConfig { shapes: self.shapes.source()?, features: self.features.clone() })
    }
}
