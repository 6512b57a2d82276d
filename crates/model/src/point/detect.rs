//! Detecting the network of a released point encoder from the names and shapes of its tensors.
//!
//! What shapes do not determine (heads, groups, radii) is that of the published models, unless a `config.json` next to the
//! weights states it.

use super::detect_conv::{point_conv, point_mlp, point_next, pointnet2};
use super::family::ModelFamily;
use super::released_file::{
    DetectedEncoder, SidecarConfig, TensorShapes, cg3d_file, find_prefix, point_bert_blocks, ulip_file,
    unrecognized,
};
use super::{EncoderConfig, PointBertConfig, PointTowerConfig, PpatConfig, ProjectionConfig, Trunk};
use crate::nn::Activation;
use crate::weights::{EVA_BLOCK, EVA_SPLIT_BLOCK, Layout, PPAT_BLOCK, WeightFile, WeightsError};

/// Detects the point encoder in a file; `None` if there is no known one.
///
/// # Errors
/// If the file looks like a known encoder but its sizes cannot be determined.
pub fn detect_encoder(file: &WeightFile) -> Result<Option<DetectedEncoder>, WeightsError> {
    for detect in [point_bert, ppat, point_mlp, point_next, point_conv, pointnet2] {
        if let Some(found) = detect(file)? {
            // Sizes come from an untrusted file.
            found.config.encoder.check().map_err(|message| unrecognized(file, message))?;
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether points have colors, from the number of channels after `before` others.
fn colored(file: &WeightFile, channels: usize, before: usize) -> Result<bool, WeightsError> {
    match channels.checked_sub(before) {
        Some(3) => Ok(false),
        Some(6) => Ok(true),
        _ => {
            Err(unrecognized(file, format!("{channels} channels per point are neither xyz nor xyz and rgb")))
        }
    }
}

fn point_bert(file: &WeightFile) -> Result<Option<DetectedEncoder>, WeightsError> {
    let Some(prefix) = find_prefix(file, "encoder.first_conv.0.weight") else { return Ok(None) };
    let sidecar = SidecarConfig::read(file.path());
    if file.contains(&format!("{prefix}encoder2trans.weight")) {
        return uni3d(file, prefix, &sidecar).map(Some);
    }
    let ulip = prefix.strip_suffix("point_encoder.");
    let config = point_bert_config(file, prefix, |width| {
        [
            // ULIP-2's models have 512 groups, CG3D's 64; no tensor has that size.
            sidecar.num_group.unwrap_or(if ulip.is_some() { 512 } else { 64 }),
            sidecar.group_size.unwrap_or(32),
            // Heads do not show in shapes; both papers' have 64 channels each.
            sidecar.num_heads.unwrap_or((width / 64).max(1)),
        ]
    })?;
    let encoder = EncoderConfig::PointBert(config);
    Ok(Some(match ulip {
        Some(prefix) => ulip_file(file, prefix, encoder, point_bert_blocks)?,
        None => cg3d_file(&TensorShapes { file, prefix }, encoder, point_bert_blocks)?,
    }))
}

/// Sizes of the PointBERT whose names start with `prefix`; `stated` are groups, points of a group and heads for a width.
pub(crate) fn point_bert_config(
    file: &WeightFile,
    prefix: &str,
    stated: impl Fn(usize) -> [usize; 3],
) -> Result<PointBertConfig, WeightsError> {
    let shapes = TensorShapes { file, prefix };
    let width = shapes.size("norm.weight", 0)?;
    let [groups, group_size, heads] = stated(width);
    Ok(PointBertConfig {
        colored: colored(file, shapes.size("encoder.first_conv.0.weight", 1)?, 0)?,
        groups,
        group_size,
        group_width: shapes.size("encoder.second_conv.3.weight", 0)?,
        width,
        layers: shapes.count(|l| format!("blocks.blocks.{l}.norm1.weight")),
        heads,
        mlp_width: shapes.size("blocks.blocks.0.mlp.fc1.weight", 0)?,
        trunk: Trunk::PointBert,
    })
}

/// Width of EVA's giant transformer, the only one here whose heads are not 64 wide.
const EVA_GIANT_WIDTH: usize = 1408;
/// Its number of heads.
const EVA_GIANT_HEADS: usize = 16;

/// Uni3D: the tokens of Point-BERT in one of four vision transformers, which the names and shapes of its MLP tell apart.
fn uni3d(file: &WeightFile, prefix: &str, sidecar: &SidecarConfig) -> Result<DetectedEncoder, WeightsError> {
    let shapes = TensorShapes { file, prefix };
    let width = shapes.size("cls_token", 2)?;
    let first = "visual.blocks.0.mlp";
    let is_split = shapes.contains(&format!("{first}.fc1_g.weight"));
    let mlp_width = shapes.size(&format!("{first}.fc2.weight"), 1)?;
    // Gate and first layer are one matrix.
    let is_packed = !is_split && shapes.size(&format!("{first}.fc1.weight"), 0)? == 2 * mlp_width;
    let trunk = match (is_split, is_packed) {
        (true, _) => Trunk::Eva02Norm,
        (_, true) => Trunk::Eva02,
        _ => Trunk::Eva,
    };
    let published_heads = if width == EVA_GIANT_WIDTH { EVA_GIANT_HEADS } else { (width / 64).max(1) };
    let config = PointBertConfig {
        colored: colored(file, shapes.size("encoder.first_conv.0.weight", 1)?, 0)?,
        groups: sidecar.num_group.unwrap_or(512),
        group_size: sidecar.group_size.unwrap_or(64),
        group_width: shapes.size("encoder.second_conv.3.weight", 0)?,
        width,
        layers: shapes.count(|l| format!("visual.blocks.{l}.norm1.weight")),
        heads: sidecar.num_heads.unwrap_or(published_heads),
        mlp_width,
        trunk,
    };
    let dim = shapes.size("trans2embed.weight", 0)?;
    let tower = PointTowerConfig {
        encoder: EncoderConfig::PointBert(config),
        projection: Some(ProjectionConfig { dim, bias: true }),
        classes: None,
    };
    let layout = uni3d_layout(prefix.strip_suffix("point_encoder.").unwrap_or(prefix), trunk);
    Ok(DetectedEncoder { family: ModelFamily::Uni3d, config: tower, layout })
}

fn uni3d_layout(prefix: &str, trunk: Trunk) -> Layout {
    let block = if trunk == Trunk::Eva02Norm { EVA_SPLIT_BLOCK } else { EVA_BLOCK };
    let layout = Layout::prefixed(prefix)
        .within("point_encoder.transformer.", block)
        .rename("point_encoder.blocks.", "point_encoder.visual.blocks.")
        .rename("point_encoder.norm.", "point_encoder.visual.fc_norm.")
        .rename("point_encoder.reduce_dim.", "point_encoder.encoder2trans.")
        .rename("projection.", "point_encoder.trans2embed.");
    match trunk {
        Trunk::Eva02 => layout.half(".mlp.gate.", ".mlp.fc1.", 0).half(".mlp.c_fc.", ".mlp.fc1.", 1),
        Trunk::Eva => layout.rename(".mlp.c_fc.", ".mlp.fc1."),
        Trunk::Eva02Norm | Trunk::PointBert => layout,
    }
}

/// Width of `ppat`'s heads, independent of the token's width.
const PPAT_HEAD_WIDTH: usize = 64;

fn ppat(file: &WeightFile) -> Result<Option<DetectedEncoder>, WeightsError> {
    let Some(prefix) = find_prefix(file, "sa.mlp_convs.0.weight") else { return Ok(None) };
    let shapes = TensorShapes { file, prefix };
    let sidecar = SidecarConfig::read(file.path());
    let first = "transformer.layers.0";
    let inner = shapes.size(&format!("{first}.0.fn.to_qkv.weight"), 0)? / 3;
    let head_width = sidecar.dim_head.unwrap_or(PPAT_HEAD_WIDTH).max(1);
    // Files for OpenAI's CLIP are flat, with the prefix `pc_encoder.`; the others are training checkpoints.
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
    let stated = sidecar.patches.zip(sidecar.prad).zip(sidecar.nsamp).map(|((p, r), n)| (p, r, n));
    let Some((patches, radius, samples)) = stated.or(published) else {
        let message = "its sizes are not among OpenShape's, and no config.json in the same folder states patches, prad, nsamp";
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
) -> Result<DetectedEncoder, WeightsError> {
    // The encoder is called `ppat` in files that have a projection too.
    let (prefix, name) = match prefix.strip_suffix("ppat.") {
        Some(prefix) => (prefix, "ppat."),
        None => (prefix, ""),
    };
    let shapes = TensorShapes { file, prefix };
    let projection = match shapes.contains("proj.weight") {
        true => Some(ProjectionConfig { dim: shapes.size("proj.weight", 0)?, bias: true }),
        false => None,
    };
    let layout = Layout::prefixed(prefix)
        .within("point_encoder.", PPAT_BLOCK)
        .rename("point_encoder.", name)
        .rename("projection.", "proj.");
    let family = if flat { ModelFamily::OpenShapeYUp } else { ModelFamily::OpenShapeZUp };
    let config = PointTowerConfig { encoder: EncoderConfig::Ppat(config), projection, classes: None };
    Ok(DetectedEncoder { family, config, layout })
}
