//! The table `data`: shapes to learn from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{omit, templates};

/// Shapes to learn from: procedurally generated, the labelled files of a folder, or a data set that `lexiform data` made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Folder of 3D files, or a data set; without one, shapes are generated. `--set data=FOLDER` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Table with columns file, label, caption; the folder's `labels.csv` where it has one, else files are labelled by
    /// the folder they are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// Share of each label's files that are only measured on; of a data set that names no splits, the share of its keys.
    #[serde(default)]
    pub hold_out: f32,
    /// Shapes in memory at a time, spread evenly over the categories; of a folder, at most this many; 0 for all.
    #[serde(default)]
    pub shapes: usize,
    /// Views rendered of each shape; of a data set, at most this many of those it has, spread evenly.
    pub views: usize,
    /// Points kept of each shape's surface, where a network of clouds is to see others of them each time; as many as it
    /// is used to where that is more.
    #[serde(default, skip_serializing_if = "omit::is_zero")]
    pub points: usize,
    /// Generated shapes of each category that are only measured on; of a data set's held-out shapes, at most this many of each
    /// label; 0 for all.
    #[serde(default)]
    pub held_out: usize,
    /// Shapes of a data set that are learned from at most; all at 0.
    #[serde(default, skip_serializing_if = "omit::is_zero")]
    pub limit: usize,
    /// Whether the features in a data set are taken for the teacher's, though it does not say so: as of an imported one.
    #[serde(default, skip_serializing_if = "omit::is_false")]
    pub trust_features: bool,
    /// Lowest camera elevation in degrees.
    pub elevation_low: f32,
    /// Highest camera elevation in degrees.
    pub elevation_high: f32,
    /// Sentences with `{}` for the shape's name that are its captions, or the name of a published list of them, `"ulip"` or
    /// `"cg3d"`; without any, captions describe the shape.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "templates::sentences")]
    pub templates: Vec<String>,
    /// Share of all pairs of a color and a category of generated shapes that are never shown, so that one can ask for them
    /// (`lexiform eval attributes --unseen-fraction`).
    #[serde(default, skip_serializing_if = "omit::is_zero_share")]
    pub unseen: f32,
    /// Steps after which a fresh set of shapes is generated; 0 keeps the first.
    #[serde(default)]
    pub refresh_every: usize,
    /// File of the teacher's features; they are computed into the run's folder where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<PathBuf>,
}
