//! Options that choose the shapes to evaluate on: files, folders, data sets, features.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{ArgGroup, Args};
use lexiform_data::parse_split;
use lexiform_eval::{DataConfig, LabelSource, ShapeOrientation, ShapeSource, Turn};
use lexiform_formats::file_exists;

use crate::error::UsageError;
use crate::up_axis::UpArg;

/// Value of `--labels` that takes labels from folder names.
const FOLDERS: &str = "folders";

/// Shapes and their labels.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("given").multiple(true)))]
pub(crate) struct ShapesArgs {
    /// CSV file with the columns `file` (or `path`) and `label`, a released list such as lvis.csv, or `folders` to label each
    /// file in --assets by its top-level folder
    #[arg(long, value_name = "CSV|folders", group = "given")]
    labels: Option<String>,
    /// Data set made by `lexiform data prepare` or `import`, instead of files. With --labels, its shapes that the CSV file
    /// lists, in the order of the file; then also Duoduo CLIP's images (lvis_images.h5 with its index)
    #[arg(long, value_name = "DATASET|H5", group = "given")]
    data: Option<PathBuf>,
    #[command(flatten)]
    split: SplitArg,
    /// Folder the files are relative to [default: the folder of the CSV file]
    #[arg(long, value_name = "FOLDER", requires = "labels", conflicts_with = "data")]
    assets: Option<PathBuf>,
    #[command(flatten)]
    orientation: OrientationArgs,
}

/// How files and stored points are turned upright.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct OrientationArgs {
    #[command(flatten)]
    up_arg: UpArg,
    /// Turn files to +Z up before --up is applied, as if their format stated nothing: all of them, or a random half chosen by a seed
    #[arg(long, value_name = "z|random:SEED", requires = "given", conflicts_with = "data")]
    turn: Option<Turn>,
}

impl OrientationArgs {
    /// How shapes are turned upright.
    pub(crate) fn orientation(self) -> ShapeOrientation {
        ShapeOrientation { up: self.up_arg.rule(), turn: self.turn }
    }
}

/// The split to evaluate on.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SplitArg {
    /// Evaluate only this split: train, val or test, from the data set or the column `split` of the CSV file
    #[arg(long, value_name = "NAME", requires = "given", value_parser = parse_split)]
    split: Option<&'static str>,
}

/// Shapes, their labels, and features that replace them.
#[derive(Args, Clone, Debug)]
pub(crate) struct DataArgs {
    #[command(flatten)]
    shapes: ShapesArgs,
    /// Precomputed features: .npy with one row per line of the CSV file, or .safetensors with named rows
    #[arg(long, value_name = "FILE[#TENSOR]", requires = "given")]
    features: Option<String>,
}

impl SplitArg {
    /// The chosen split.
    pub(crate) fn name(self) -> Option<String> {
        self.split.map(str::to_owned)
    }
}

impl ShapesArgs {
    /// Whether any files or a data set were given.
    pub(crate) fn is_given(&self) -> bool {
        self.labels.is_some() || self.data.is_some()
    }

    /// The source of shapes and labels.
    ///
    /// # Errors
    /// If options contradict each other.
    pub(crate) fn source(&self) -> anyhow::Result<ShapeSource> {
        let labels = match (&self.labels, &self.data) {
            (Some(labels), Some(_)) if labels == FOLDERS => {
                let text = "--labels folders cannot be used with --data, which has labels of its own";
                return Err(UsageError(text.to_owned()).into());
            }
            (Some(file), Some(path)) => {
                LabelSource::Listing { file: file.into(), assets: Some(existing(path)?) }
            }
            (None, Some(path)) => LabelSource::DataSet { path: path.clone() },
            (Some(labels), None) if labels == FOLDERS => {
                let missing =
                    || UsageError("--labels folders: expected --assets with one folder per label".to_owned());
                LabelSource::Folders { root: self.assets.clone().ok_or_else(missing)? }
            }
            (Some(file), None) => LabelSource::Listing { file: file.into(), assets: self.assets.clone() },
            (None, None) => return Err(UsageError("expected --labels or --data".to_owned()).into()),
        };
        let orientation = self.orientation.orientation();
        Ok(ShapeSource { labels, split: self.split.name(), orientation })
    }
}

impl DataArgs {
    /// Whether the up axis of files was given.
    pub(crate) fn has_up(&self) -> bool {
        self.shapes.orientation.up_arg.up.is_some()
    }

    /// Whether any files or a data set were given.
    pub(crate) fn is_given(&self) -> bool {
        self.shapes.is_given()
    }

    /// The shapes, with precomputed features if given.
    ///
    /// # Errors
    /// If options contradict each other.
    pub(crate) fn config(&self) -> anyhow::Result<DataConfig> {
        Ok(DataConfig { shapes: self.shapes.source()?, features: self.features.clone() })
    }
}

/// A data set or images that exist: a misspelled path would be treated as an empty folder of files.
fn existing(path: &Path) -> anyhow::Result<PathBuf> {
    if path.exists() || file_exists(path) {
        Ok(path.to_owned())
    } else {
        Err(anyhow!("{}: no such data set or file", path.display()))
    }
}
