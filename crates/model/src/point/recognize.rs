//! What a released file of a point encoder is: told from the names and shapes of its tensors.
//!
//! What shapes cannot tell (heads, groups, radii) is as published, unless a `config.json` beside the weights states it.

use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::recognize_conv::{point_mlp, point_next, pointnet2};
use super::{Classes, EncoderConfig, PointBertConfig, PpatConfig, Projection, TowerConfig};
use crate::error::WeightsError;
use crate::nn::{Activation, is_counter};
use crate::weights::{Layout, PPAT_BLOCK, TIMM_BLOCK, WeightFile};

/// Whose training a file comes from; its habits decide how clouds are prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// ULIP and ULIP-2.
    Ulip,
    /// OpenShape, networks that want +Z up (the grouped checkpoints).
    OpenShapeZUp,
    /// OpenShape, networks that want +Y up (the flat checkpoints, for OpenAI's CLIP).
    OpenShapeYUp,
    /// CG3D.
    Cg3d,
}

impl System {
    /// Class sentences of its evaluation, with its full stops: the first and plainest of ULIP's 64, and CG3D's one. OpenShape
    /// averages over many that it does not list.
    pub fn templates(self) -> Vec<String> {
        let list: &[&str] = match self {
            Self::Ulip => &[
                "a point cloud model of {}.",
                "There is a {} in the scene.",
                "a photo of a {}.",
                "a toy {}.",
            ],
            Self::Cg3d => &["This is a {}"],
            Self::OpenShapeZUp | Self::OpenShapeYUp => return crate::usual_templates(),
        };
        list.iter().map(|&template| template.to_owned()).collect()
    }
}

/// A released file.
#[derive(Clone, Debug)]
pub struct Recognized {
    /// Whose it is.
    pub system: System,
    /// The network in it.
    pub config: TowerConfig,
    /// How it names the tensors.
    pub layout: Layout,
}

/// Parts of ULIP's files that are no part of the point encoder: the towers it was trained beside.
const FROZEN: [&str; 9] = [
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

impl Recognized {
    /// Whether a tensor (without the layout's prefix) is there for another purpose than encoding clouds.
    pub fn ignores(&self, name: &str) -> bool {
        let frozen = self.system == System::Ulip && FROZEN.iter().any(|part| name.starts_with(part));
        is_counter(name) || frozen || name == "logit_scale"
    }
}

/// Tells which network a file holds; none if it is no point encoder's.
pub fn recognize(file: &WeightFile) -> Result<Option<Recognized>, WeightsError> {
    for look in [point_bert, ppat, point_mlp, point_next, pointnet2] {
        if let Some(found) = look(file)? {
            found.config.encoder.check().map_err(|message| unrecognized(file, message))?;
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What stands before `name` in the file.
pub(super) fn prefix_of<'a>(file: &'a WeightFile, name: &str) -> Option<&'a str> {
    let prefixes = file.names().filter_map(|found| found.strip_suffix(name));
    prefixes.filter(|prefix| prefix.is_empty() || prefix.ends_with('.')).min_by_key(|prefix| prefix.len())
}

/// Sizes of tensors that share a prefix.
pub(super) struct Shapes<'a> {
    pub file: &'a WeightFile,
    pub prefix: &'a str,
}

impl Shapes<'_> {
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

fn unrecognized(file: &WeightFile, message: String) -> WeightsError {
    WeightsError::Unrecognized { path: file.path().to_owned(), message }
}

/// `positions`, or positions and colors, behind `before` other numbers.
fn colored(file: &WeightFile, channels: usize, before: usize) -> Result<bool, WeightsError> {
    match channels.checked_sub(before) {
        Some(3) => Ok(false),
        Some(6) => Ok(true),
        _ => Err(unrecognized(file, format!("{channels} numbers a point are neither xyz nor xyz and rgb"))),
    }
}

fn point_bert(file: &WeightFile) -> Result<Option<Recognized>, WeightsError> {
    let Some(prefix) = prefix_of(file, "encoder.first_conv.0.weight") else { return Ok(None) };
    let shapes = Shapes { file, prefix };
    let beside = Beside::read(file.path());
    let ulip = prefix.strip_suffix("point_encoder.");
    let width = shapes.size("norm.weight", 0)?;
    let config = PointBertConfig {
        colored: colored(file, shapes.size("encoder.first_conv.0.weight", 1)?, 0)?,
        groups: beside.num_group.unwrap_or(if ulip.is_some() { 512 } else { 64 }),
        group_size: beside.group_size.unwrap_or(32),
        group_width: shapes.size("encoder.second_conv.3.weight", 0)?,
        width,
        layers: shapes.count(|l| format!("blocks.blocks.{l}.norm1.weight")),
        heads: beside.num_heads.unwrap_or((width / 64).max(1)),
        mlp_width: shapes.size("blocks.blocks.0.mlp.fc1.weight", 0)?,
    };
    let blocks = |layout: Layout| {
        layout
            .within("point_encoder.", TIMM_BLOCK)
            .rename("point_encoder.blocks.", "point_encoder.blocks.blocks.")
    };
    let encoder = EncoderConfig::PointBert(config);
    Ok(Some(match ulip {
        Some(prefix) => ulip_file(file, prefix, encoder, blocks)?,
        None => cg3d_file(&shapes, encoder, blocks)?,
    }))
}

/// `point_encoder.*` and a bare matrix `pc_projection`, behind a prefix.
pub(super) fn ulip_file(
    file: &WeightFile,
    prefix: &str,
    encoder: EncoderConfig,
    blocks: impl Fn(Layout) -> Layout,
) -> Result<Recognized, WeightsError> {
    let shapes = Shapes { file, prefix };
    let projection = match shapes.contains("pc_projection") {
        true => Some(Projection { dim: shapes.size("pc_projection", 1)?, bias: false }),
        false => None,
    };
    let layout = blocks(Layout::prefixed(prefix)).transpose("projection.weight", "pc_projection");
    let config = TowerConfig { encoder, projection, classes: None };
    Ok(Recognized { system: System::Ulip, config, layout })
}

/// The encoder's tensors without a name before them, `projection.*`, and perhaps a head that names classes.
fn cg3d_file(
    shapes: &Shapes,
    encoder: EncoderConfig,
    blocks: impl Fn(Layout) -> Layout,
) -> Result<Recognized, WeightsError> {
    let projection = match shapes.contains("projection.weight") {
        true => Some(Projection { dim: shapes.size("projection.weight", 0)?, bias: true }),
        false => None,
    };
    let classes = match shapes.contains("cls_head_finetune.0.weight") {
        true => Some(Classes {
            hidden: Some(shapes.size("cls_head_finetune.0.weight", 0)?),
            classes: shapes.size("cls_head_finetune.3.weight", 0)?,
        }),
        false => None,
    };
    let layout = blocks(Layout::prefixed(shapes.prefix))
        .rename("point_encoder.", "")
        .rename("classifier.", "cls_head_finetune.");
    let config = TowerConfig { encoder, projection, classes };
    Ok(Recognized { system: System::Cg3d, config, layout })
}

/// Width of `ppat`'s heads, whatever the token's width.
const PPAT_HEAD_WIDTH: usize = 64;

fn ppat(file: &WeightFile) -> Result<Option<Recognized>, WeightsError> {
    let Some(prefix) = prefix_of(file, "sa.mlp_convs.0.weight") else { return Ok(None) };
    let shapes = Shapes { file, prefix };
    let beside = Beside::read(file.path());
    let first = "transformer.layers.0";
    let inner = shapes.size(&format!("{first}.0.fn.to_qkv.weight"), 0)? / 3;
    let head_width = beside.dim_head.unwrap_or(PPAT_HEAD_WIDTH).max(1);
    // Files for OpenAI's CLIP are flat and begin with `pc_encoder.`; the others are checkpoints of training.
    let flat = prefix.starts_with("pc_encoder.");
    let width = shapes.size("cls_token", 0)?;
    let mut config = PpatConfig {
        colored: colored(file, shapes.size("sa.mlp_convs.0.weight", 1)?, 3)?,
        patches: 0,
        radius: 0.0,
        samples: 0,
        group_width: shapes.size("sa.mlp_convs.2.weight", 0)?,
        width,
        layers: shapes.count(|l| format!("transformer.layers.{l}.0.norm.weight")),
        heads: inner / head_width,
        head_width,
        mlp_width: shapes.size(&format!("{first}.1.fn.net.0.weight"), 0)?,
        activation: Activation::Gelu,
    };
    let published = published_groups(&config, flat);
    let stated = beside.patches.zip(beside.prad).zip(beside.nsamp).map(|((p, r), n)| (p, r, n));
    let Some((patches, radius, samples)) = stated.or(published) else {
        let message =
            "its sizes are none of OpenShape's, and no config.json beside it states patches, prad, nsamp";
        return Err(unrecognized(file, message.to_owned()));
    };
    (config.patches, config.radius, config.samples) = (patches, radius, samples);
    ppat_file(file, prefix, config, flat).map(Some)
}

/// Number, radius and points of groups in OpenShape's released models (its configurations `pointbert_scaling_*`).
fn published_groups(config: &PpatConfig, flat: bool) -> Option<(usize, f32, usize)> {
    match (config.width, config.layers, config.group_width) {
        (512, 12, 128) if flat => Some((64, 0.4, 256)),
        (256, 6, 96) | (512, 6, 128) => Some((64, 0.4, 256)),
        (512, 12, 128) => Some((128, 0.35, 128)),
        (512, 12, 256) => Some((384, 0.2, 64)),
        (768, 12 | 24, 256) => Some((512, 0.2, 64)),
        _ => None,
    }
}

fn ppat_file(
    file: &WeightFile,
    prefix: &str,
    config: PpatConfig,
    flat: bool,
) -> Result<Recognized, WeightsError> {
    // The encoder is called `ppat` where a projection stands beside it.
    let (prefix, name) = match prefix.strip_suffix("ppat.") {
        Some(prefix) => (prefix, "ppat."),
        None => (prefix, ""),
    };
    let shapes = Shapes { file, prefix };
    let projection = match shapes.contains("proj.weight") {
        true => Some(Projection { dim: shapes.size("proj.weight", 0)?, bias: true }),
        false => None,
    };
    let layout = Layout::prefixed(prefix)
        .within("point_encoder.", PPAT_BLOCK)
        .rename("point_encoder.", name)
        .rename("projection.", "proj.");
    let system = if flat { System::OpenShapeYUp } else { System::OpenShapeZUp };
    let config = TowerConfig { encoder: EncoderConfig::Ppat(config), projection, classes: None };
    Ok(Recognized { system, config, layout })
}

/// What a `config.json` beside the weights may say, in the words of the papers' configurations.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Beside {
    num_heads: Option<usize>,
    num_group: Option<usize>,
    group_size: Option<usize>,
    patches: Option<usize>,
    prad: Option<f32>,
    nsamp: Option<usize>,
    dim_head: Option<usize>,
    pub points: Option<usize>,
    k_neighbors: Option<Neighbors>,
}

/// PointMLP's neighbors: one number, or one a stage, which no model varies.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Neighbors {
    All(usize),
    Two([usize; 2]),
    Four([usize; 4]),
}

impl Beside {
    pub fn neighbors(&self) -> Option<usize> {
        Some(match self.k_neighbors? {
            Neighbors::All(neighbors) | Neighbors::Two([neighbors, _]) | Neighbors::Four([neighbors, ..]) => {
                neighbors
            }
        })
    }

    /// Reads `config.json`, at its top or under `config`. Nothing is known where it is absent or about something else.
    pub fn read(weights: &Path) -> Self {
        #[derive(Deserialize)]
        struct Wrapped {
            config: Beside,
        }
        let Ok(text) = fs::read_to_string(weights.with_file_name("config.json")) else {
            return Self::default();
        };
        let wrapped = serde_json::from_str::<Wrapped>(&text).map(|wrapped| wrapped.config);
        wrapped.or_else(|_| serde_json::from_str(&text)).unwrap_or_default()
    }
}
