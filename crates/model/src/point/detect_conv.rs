//! Detecting released convolutional encoders from the names and shapes of their tensors.

use super::family::ModelFamily;
use super::released_file::{DetectedEncoder, SidecarConfig, TensorShapes, cg3d_file, find_prefix, ulip_file};
use super::{
    ClassHeadConfig, EncoderConfig, FpsKernel, GroupingScales, PointMlpConfig, PointMlpStage,
    PointNet2Config, PointNextConfig, PointTowerConfig, ProjectionConfig,
};
use crate::weights::{Layout, Renaming, WeightFile, WeightsError};

/// Neighbors of an anchor in every released PointMLP.
const NEIGHBORS: usize = 24;
/// The number of anchors of each stage is derived from this number of points, whatever the size of the cloud.
const POINTS: usize = 1024;
/// The classification head of a fine-tuned PointMLP is the last layer of the encoder's list.
const LAST_OF_CLASSIFIER: &[Renaming] = &[("classifier.3.", &["classifier.8."])];

/// PointMLP: ULIP's encoder ends in 256 features and chooses anchors with a loop; CG3D's ends in the pooled features or in
/// class logits and chooses with `pointnet2_ops`.
pub(super) fn point_mlp(file: &WeightFile) -> Result<Option<DetectedEncoder>, WeightsError> {
    let Some(prefix) = find_prefix(file, "embedding.net.0.weight") else { return Ok(None) };
    let shapes = TensorShapes { file, prefix };
    let sidecar = SidecarConfig::read(file.path());
    let ulip = prefix.strip_suffix("point_encoder.");
    let first = |name: &str| shapes.size(name, 0);
    let dense = match shapes.contains("classifier.0.weight") {
        true => Some([first("classifier.0.weight")?, first("classifier.4.weight")?]),
        false => None,
    };
    let n_stages = shapes.count(|stage| format!("local_grouper_list.{stage}.affine_alpha"));
    let config = PointMlpConfig {
        width: first("embedding.net.0.weight")?,
        stages: (0..n_stages).map(|index| stage(&shapes, index)).collect::<Result<_, _>>()?,
        neighbors: sidecar.neighbors().unwrap_or(NEIGHBORS),
        points: sidecar.points.unwrap_or(POINTS),
        sampler: if ulip.is_some() { FpsKernel::Loop } else { FpsKernel::Pointnet2 },
        dense,
    };
    let encoder = EncoderConfig::PointMlp(config);
    if let Some(prefix) = ulip {
        return ulip_file(file, prefix, encoder, |layout| layout).map(Some);
    }
    let projection = match shapes.contains("projection.weight") {
        true => Some(ProjectionConfig { dim: first("projection.weight")?, bias: true }),
        false => None,
    };
    let classes = match shapes.contains("classifier.8.weight") {
        true => Some(ClassHeadConfig { hidden: None, classes: first("classifier.8.weight")? }),
        false => None,
    };
    let layout =
        Layout::prefixed(prefix).within("classifier.", LAST_OF_CLASSIFIER).rename("point_encoder.", "");
    let config = PointTowerConfig { encoder, projection, classes };
    Ok(Some(DetectedEncoder { family: ModelFamily::Cg3d, config, layout }))
}

fn stage(shapes: &TensorShapes, index: usize) -> Result<PointMlpStage, WeightsError> {
    let (before, after) = (format!("pre_blocks_list.{index}"), format!("pos_blocks_list.{index}"));
    let width = shapes.size(&format!("{before}.transfer.net.0.weight"), 0)?;
    let blocks = |list: &str| shapes.count(|block| format!("{list}.operation.{block}.net1.0.weight"));
    let counts = [blocks(&before), blocks(&after)];
    let list = if counts[0] > 0 { &before } else { &after };
    let inner = match counts {
        [0, 0] => width,
        _ => shapes.size(&format!("{list}.operation.0.net1.0.weight"), 0)?,
    };
    Ok(PointMlpStage { width, inner, before: counts[0], after: counts[1] })
}

/// PointNeXt-S: ULIP's and ULIP-2's files.
pub(super) fn point_next(file: &WeightFile) -> Result<Option<DetectedEncoder>, WeightsError> {
    let Some(prefix) = find_prefix(file, "encoder.encoder.0.0.convs.0.0.weight") else { return Ok(None) };
    let shapes = TensorShapes { file, prefix };
    let embedding = "encoder.encoder.0.0.convs.0.0.weight";
    let dense = |layer: usize| shapes.size(&format!("prediction.head.{layer}.0.weight"), 0);
    let config = PointNextConfig {
        height: shapes.size(embedding, 1)? == 4,
        width: shapes.size(embedding, 0)?,
        dense: [dense(0)?, dense(2)?],
    };
    let prefix = prefix.strip_suffix("point_encoder.").unwrap_or(prefix);
    ulip_file(file, prefix, EncoderConfig::PointNext(config), |layout| layout).map(Some)
}

/// PointNet++ with single-scale or multi-scale grouping: ULIP's files.
pub(super) fn pointnet2(file: &WeightFile) -> Result<Option<DetectedEncoder>, WeightsError> {
    let of = |scales: GroupingScales, first: &str| find_prefix(file, first).map(|prefix| (scales, prefix));
    let found = of(GroupingScales::Single, "sa1.mlp_convs.0.weight")
        .or_else(|| of(GroupingScales::Multi, "sa1.conv_blocks.0.0.weight"));
    let Some((scales, prefix)) = found else { return Ok(None) };
    let prefix = prefix.strip_suffix("point_encoder.").unwrap_or(prefix);
    let encoder = EncoderConfig::PointNet2(PointNet2Config { scales });
    ulip_file(file, prefix, encoder, |layout| layout).map(Some)
}

/// PointConv in CG3D's format.
pub(super) fn point_conv(file: &WeightFile) -> Result<Option<DetectedEncoder>, WeightsError> {
    let Some(prefix) = find_prefix(file, "sa1.densitynet.mlp_convs.0.weight") else { return Ok(None) };
    let shapes = TensorShapes { file, prefix };
    cg3d_file(&shapes, EncoderConfig::PointConv {}, |layout| layout).map(Some)
}
