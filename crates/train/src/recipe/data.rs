//! The table `data`: training and validation shapes.

use std::path::PathBuf;

use lexiform_mesh_io::UpRule;
use serde::{Deserialize, Serialize};

use super::{skip_if, templates};

/// Training and validation shapes: procedurally generated, the labeled files of a folder, or a data set written by
/// `lexiform data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Folder of 3D files, or a data set; shapes are generated if absent. Also set by `--set data=FOLDER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// CSV with the columns file, label, caption, split. Default: the folder's `labels.csv`; without one, the name of a
    /// file's folder is its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_table: Option<PathBuf>,
    /// Up axis of the folder's files and of a data set's points: `"y"`, `"z"`, `"x"`, `"auto"` to decide from each shape, or
    /// `"format"` for what files state.
    #[serde(default, skip_serializing_if = "skip_if::is_format_rule")]
    pub up: UpRule,
    /// Validation fraction, 0–1: of each label's files in a folder, or of a data set without splits.
    #[serde(default)]
    pub val_fraction: f32,
    /// Number of shapes in memory, balanced over the categories; of a folder, at most this many. 0: all.
    #[serde(default)]
    pub shapes: usize,
    /// Views rendered per shape; of a data set, at most this many of the stored views, evenly spaced.
    pub views: usize,
    /// Points sampled per surface, from which each step resamples; at least the network's own number.
    #[serde(default, skip_serializing_if = "skip_if::is_zero")]
    pub points: usize,
    /// Validation shapes per category: generated ones, or at most this many from a data set's validation split. 0: all.
    #[serde(default)]
    pub val_per_class: usize,
    /// Maximum number of training shapes from a data set. 0: all.
    #[serde(default, skip_serializing_if = "skip_if::is_zero")]
    pub max_shapes: usize,
    /// Use the features stored in a data set even if the data set does not name the teacher as their model, as imported
    /// data sets do not.
    #[serde(default, skip_serializing_if = "skip_if::is_false")]
    pub trust_features: bool,
    /// Lowest camera elevation in degrees.
    pub elevation_low: f32,
    /// Highest camera elevation in degrees.
    pub elevation_high: f32,
    /// Class sentences with `{}` for the label, used as captions; or the name of a published list, `"ulip"` or `"cg3d"`.
    /// Generated shapes are described in detail if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "templates::sentences")]
    pub templates: Vec<String>,
    /// Fraction of the color–category pairs of generated shapes that are excluded from training, 0–1, for
    /// `lexiform eval attributes --unseen`.
    #[serde(default, skip_serializing_if = "skip_if::is_zero_fraction")]
    pub unseen_fraction: f32,
    /// Steps after which new shapes are generated or rendered. 0: never.
    #[serde(default)]
    pub refresh_every: usize,
    /// Cache file of the teacher's features. Default: a file in the output folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_file: Option<PathBuf>,
}
