//! Reading names, shapes and `config.json` of a released point encoder.

use std::path::Path;

use fs_err as fs;
use serde::Deserialize;

use super::family::ModelFamily;
use super::{ClassHeadConfig, EncoderConfig, PointTowerConfig, ProjectionConfig};
use crate::nn::is_num_batches_tracked;
use crate::weights::{Layout, TIMM_BLOCK, WeightFile, WeightsError};

/// The network that was detected in a released file.
#[derive(Clone, Debug)]
pub struct DetectedEncoder {
    /// The system that released it.
    pub family: ModelFamily,
    /// Sizes of the network.
    pub config: PointTowerConfig,
    /// Names of its tensors.
    pub layout: Layout,
}

/// Prefixes in ULIP's files that are not part of the point encoder: the towers it was trained with.
const ULIP_CLIP_TENSORS: [&str; 9] = [
    "visual.",
    "transformer.",
    "token_embedding.",
    "positional_embedding",
    "ln_final.",
    "image_projection",
    "text_projection",
    "open_clip_model.",
    "image_mlp.",
];

/// Layers of CG3D's PointConv for classification, which its forward pass skips in favor of the projection.
const POINT_CONV_UNUSED: [&str; 5] = ["fc1.", "bn1.", "fc2.", "bn2.", "fc3."];

impl DetectedEncoder {
    /// Whether a tensor (without the layout's prefix) is not part of the encoder.
    pub fn ignores(&self, name: &str) -> bool {
        let frozen =
            self.family == ModelFamily::Ulip && ULIP_CLIP_TENSORS.iter().any(|part| name.starts_with(part));
        let unused = matches!(self.config.encoder, EncoderConfig::PointConv {})
            && POINT_CONV_UNUSED.iter().any(|part| name.starts_with(part));
        // What the vision transformer has for images.
        let image = self.family == ModelFamily::Uni3d
            && name.strip_prefix("point_encoder.visual.").is_some_and(|part| !part.starts_with("blocks."));
        let key_bias = self.family == ModelFamily::Uni3d && name.ends_with(".attn.k_bias");
        image || key_bias || is_num_batches_tracked(name) || frozen || unused || name == "logit_scale"
    }
}

/// The prefix of `name` in the file, the shortest if there are several.
pub(super) fn find_prefix<'a>(file: &'a WeightFile, name: &str) -> Option<&'a str> {
    let prefixes = file.names().filter_map(|found| found.strip_suffix(name));
    // A wrapped copy, such as an EMA, has a longer prefix.
    prefixes.filter(|prefix| prefix.is_empty() || prefix.ends_with('.')).min_by_key(|prefix| prefix.len())
}

/// Shapes of tensors with a common prefix.
pub(super) struct TensorShapes<'a> {
    pub file: &'a WeightFile,
    pub prefix: &'a str,
}

impl TensorShapes<'_> {
    pub fn contains(&self, name: &str) -> bool {
        self.file.contains(&format!("{}{name}", self.prefix))
    }

    pub fn size(&self, name: &str, axis: usize) -> Result<usize, WeightsError> {
        let full = format!("{}{name}", self.prefix);
        let shape = self.file.shape(&full)?;
        shape.get(axis).copied().filter(|&size| size > 0).ok_or_else(|| {
            unrecognized(self.file, format!("{full} has shape {shape:?}, expected a size at axis {axis}"))
        })
    }

    pub fn count(&self, name: impl Fn(usize) -> String) -> usize {
        (0..).take_while(|&i| self.contains(&name(i))).count()
    }
}

pub(super) fn unrecognized(file: &WeightFile, message: String) -> WeightsError {
    WeightsError::Unrecognized { path: file.path().to_owned(), message }
}

/// ULIP's format: `point_encoder.*` and a bare matrix `pc_projection`, after a prefix.
pub(super) fn ulip_file(
    file: &WeightFile,
    prefix: &str,
    encoder: EncoderConfig,
    blocks: impl Fn(Layout) -> Layout,
) -> Result<DetectedEncoder, WeightsError> {
    let shapes = TensorShapes { file, prefix };
    let projection = if shapes.contains("pc_projection") {
        Some(ProjectionConfig { dim: shapes.size("pc_projection", 1)?, bias: false })
    } else {
        None
    };
    let layout = blocks(Layout::prefixed(prefix)).transpose("projection.weight", "pc_projection");
    let config = PointTowerConfig { encoder, projection, classes: None };
    Ok(DetectedEncoder { family: ModelFamily::Ulip, config, layout })
}

/// CG3D's format: the encoder's tensors without a prefix, `projection.*`, and perhaps a classification head.
pub(super) fn cg3d_file(
    shapes: &TensorShapes,
    encoder: EncoderConfig,
    blocks: impl Fn(Layout) -> Layout,
) -> Result<DetectedEncoder, WeightsError> {
    let projection = match shapes.contains("projection.weight") {
        true => Some(ProjectionConfig { dim: shapes.size("projection.weight", 0)?, bias: true }),
        false => None,
    };
    let classes = match shapes.contains("cls_head_finetune.0.weight") {
        true => Some(ClassHeadConfig {
            hidden: Some(shapes.size("cls_head_finetune.0.weight", 0)?),
            classes: shapes.size("cls_head_finetune.3.weight", 0)?,
        }),
        false => None,
    };
    let layout = blocks(Layout::prefixed(shapes.prefix))
        .rename("point_encoder.", "")
        .rename("classifier.", "cls_head_finetune.");
    let config = PointTowerConfig { encoder, projection, classes };
    Ok(DetectedEncoder { family: ModelFamily::Cg3d, config, layout })
}

/// The names of Point-BERT's blocks, which are timm's inside a module of their own.
pub(crate) fn point_bert_blocks(layout: Layout) -> Layout {
    layout
        .within("point_encoder.", TIMM_BLOCK)
        .rename("point_encoder.blocks.", "point_encoder.blocks.blocks.")
}

/// A `config.json` next to the weights, with the keys of the papers' configurations.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct SidecarConfig {
    pub num_heads: Option<usize>,
    pub num_group: Option<usize>,
    pub group_size: Option<usize>,
    pub patches: Option<usize>,
    pub prad: Option<f32>,
    pub nsamp: Option<usize>,
    pub dim_head: Option<usize>,
    pub points: Option<usize>,
    k_neighbors: Option<Neighbors>,
}

/// PointMLP's neighbors: one number, or one per stage; all stages of the released models have the same.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Neighbors {
    All(usize),
    Two([usize; 2]),
    Four([usize; 4]),
}

impl SidecarConfig {
    pub fn neighbors(&self) -> Option<usize> {
        Some(match self.k_neighbors? {
            Neighbors::All(neighbors) | Neighbors::Two([neighbors, _]) | Neighbors::Four([neighbors, ..]) => {
                neighbors
            }
        })
    }

    /// Reads `config.json`, at its top level or under `config`. All fields are `None` if it is missing or of another format.
    pub fn read(weights: &Path) -> Self {
        #[derive(Deserialize)]
        struct Wrapped {
            config: SidecarConfig,
        }
        // Optional: without it, the published sizes are used.
        let Ok(text) = fs::read_to_string(weights.with_file_name("config.json")) else {
            return Self::default();
        };
        let wrapped = serde_json::from_str::<Wrapped>(&text).map(|wrapped| wrapped.config);
        wrapped.or_else(|_| serde_json::from_str(&text)).unwrap_or_default()
    }
}
