//! The table `data`: training and validation shapes.

use std::path::PathBuf;

use lexiform_mesh_io::UpRule;
use serde::{Deserialize, Serialize};

use super::{BatchConfig, BatchSize, CaptionSampling, skip_if, templates};

/// Training and validation shapes: procedurally generated, the labeled files of a folder, or a data set written by
/// `lexiform data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Folder of 3D files, or a data set; shapes are generated if absent. Also set by `--set data=FOLDER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// CSV with the columns file, label, caption, split, or a table of captions by id, such as Cap3D's. Default: the folder's
    /// `labels.csv`; without one, the name of a file's folder is its label.
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
    /// Train on the shapes of this list only, one id per line, whatever their split, such as Duoduo CLIP's
    /// `four_no_lvis_model_ids.txt`; of a data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<PathBuf>,
    /// Files that are trained on together with generated shapes.
    #[serde(default, skip_serializing_if = "AssetsConfig::is_default")]
    pub assets: AssetsConfig,
    /// A second data set, some of whose shapes are in every batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<SecondSourceConfig>,
    /// Validation shapes of another data set, instead of some of the training data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationConfig>,
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
    /// Nearest neighbors of each shape for `batch.hard_negatives`, as OpenShape's `point_feat_knn.npy`; of a data set. Default: by
    /// the teacher's image features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbor_file: Option<PathBuf>,
}

/// A folder of 3D files that are trained on together with generated shapes. Without a table of labels, names are captions:
/// `Chair_Red_2.glb` is a red chair, `FishingRod.glb` a category of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssetsConfig {
    /// The folder; without it, only generated shapes are trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// CSV with the columns file and label: only these files are trained on, each as its label, with the adjectives of its name
    /// (`Sword_Golden.glb` with the label sword is a golden sword).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_table: Option<PathBuf>,
    /// Variations of each file among the shapes in memory: turned, stretched, recolored, gray, noisy, as points.
    pub copies: usize,
    /// Folders in it that are not trained on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

impl Default for AssetsConfig {
    fn default() -> Self {
        Self { path: None, label_table: None, copies: 4, exclude: Vec::new() }
    }
}

impl AssetsConfig {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A second data set in every batch, as MVImgNet in [Duoduo CLIP](https://arxiv.org/abs/2406.11579): its shapes follow those of
/// the first in the rows of the batch, with a number of views sampled for them alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondSourceConfig {
    /// The data set.
    pub path: PathBuf,
    /// Train on the shapes of this list only, as `data.ids`: Duoduo CLIP's `mvimgnet_model_ids.txt` or
    /// `mvpnet_train_model_ids.txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<PathBuf>,
    /// Shapes in a batch: `batch.size` divided by this, rounded down (`mvimgnet_fraction`).
    #[serde(default = "SecondSourceConfig::default_fraction")]
    pub fraction: usize,
    /// Which of a shape's captions to sample.
    #[serde(default = "SecondSourceConfig::default_sampling")]
    pub caption_sampling: CaptionSampling,
    /// As `data.trust_features`.
    #[serde(default, skip_serializing_if = "skip_if::is_false")]
    pub trust_features: bool,
}

impl SecondSourceConfig {
    fn default_fraction() -> usize {
        4
    }

    fn default_sampling() -> CaptionSampling {
        CaptionSampling::ViewMean
    }

    /// How its shapes are sampled: as the first source's, but fewer of them, and captions as this table says.
    pub(crate) fn batch(&self, first: &BatchConfig) -> BatchConfig {
        let size = match first.size {
            BatchSize::Shapes(shapes) => BatchSize::Shapes(shapes / self.fraction.max(1)),
            BatchSize::Images(images) => BatchSize::Images(images / self.fraction.max(1)),
        };
        let caption_sampling = self.caption_sampling;
        BatchConfig { size, caption_sampling, same_category: 1, hard_negatives: None, ..first.clone() }
    }
}

/// Validation shapes of a data set of their own, such as Objaverse-LVIS: its test or val split, or all shapes if it has no splits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationConfig {
    /// The data set.
    pub path: PathBuf,
    /// Up axis of its points, as in `data.up`.
    #[serde(default, skip_serializing_if = "skip_if::is_format_rule")]
    pub up: UpRule,
    /// Views per shape, evenly spaced over the stored ones. Default: as many as the finished model uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<usize>,
    /// Maximum number of shapes per label. 0: all.
    #[serde(default, skip_serializing_if = "skip_if::is_zero")]
    pub max_per_class: usize,
    /// The labels to choose from: CSV with class number and class name first, such as `lvis.csv`. Default: the labels of the
    /// data set, sorted; with a classification head, the training labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_list: Option<PathBuf>,
    /// Text features of the labels, `[classes, dim]` in the order of the class numbers (`.npy`), such as
    /// `lvis_class_label_embeddings.npy`. Default: computed from class sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_features: Option<PathBuf>,
}

impl DataConfig {
    /// The configuration of the second source alone.
    pub(crate) fn of_second(&self, second: &SecondSourceConfig) -> Self {
        Self {
            path: Some(second.path.clone()),
            ids: second.ids.clone(),
            trust_features: second.trust_features,
            label_table: None,
            val_fraction: 0.0,
            // They are the first source's, and would make the key of cached features depend on it.
            shapes: 0,
            refresh_every: 0,
            templates: Vec::new(),
            second: None,
            validation: None,
            feature_file: None,
            neighbor_file: None,
            ..self.clone()
        }
    }
}
