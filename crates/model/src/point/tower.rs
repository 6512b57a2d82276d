//! A point tower: an encoder with a projection into the joint space or a classification head.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::head::{ClassHead, ClassHeadConfig};
use super::point_bert::save_linear;
use super::{CloudBatch, EncoderConfig, FpsStart, PointEncoder};
use crate::nn::BlockOptions;
use crate::nn::Linear;
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Sizes of a point tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointTowerConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// The projection into the joint space; without one, the encoder's features are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<ProjectionConfig>,
    /// The classification head, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<ClassHeadConfig>,
}

/// A linear projection into the joint space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectionConfig {
    /// Dimension of the joint space.
    pub dim: usize,
    /// Whether it has a bias (true in CG3D and OpenShape, false in ULIP).
    pub bias: bool,
}

impl PointTowerConfig {
    /// Dimension of the output of [`PointTower::encode`].
    pub fn dim(&self) -> usize {
        self.projection.map_or(self.encoder.width(), |projection| projection.dim)
    }

    /// Whether it only classifies: without a projection, features of a network with a head are in no joint space.
    pub fn is_classifier(&self) -> bool {
        self.classes.is_some() && self.projection.is_none()
    }
}

/// An encoder of point clouds with its projection into the joint space.
#[derive(Module, Debug)]
pub struct PointTower {
    encoder: PointEncoder,
    projection: Option<Linear>,
    classifier: Option<ClassHead>,
}

impl PointTower {
    /// Reads `point_encoder.*`, `projection.*` and `classifier.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, config: &PointTowerConfig) -> Result<Self, WeightsError> {
        let width = config.encoder.width();
        let encoder = PointEncoder::load(source, &config.encoder)?;
        let projection = config.projection.map(|ProjectionConfig { dim, bias }| {
            // ULIP's initialization; the others' projections are not trained from scratch here.
            let deviation = (dim as f32).powf(-0.5);
            let bias = bias.then_some("projection.bias");
            Linear::load(source, "projection.weight", bias, [width, dim], deviation)
        });
        let classifier = config.classes.map(|classes| ClassHead::load(source, width, &classes));
        Ok(Self { encoder, projection: projection.transpose()?, classifier: classifier.transpose()? })
    }

    /// Replaces the projection by a classification head from `source`, and updates `config` accordingly.
    ///
    /// # Errors
    /// If `source` is a file without such a head.
    pub fn with_new_head(
        self,
        source: &WeightSource,
        config: &mut PointTowerConfig,
        classes: ClassHeadConfig,
    ) -> Result<Self, WeightsError> {
        let classifier = Some(ClassHead::load(source, config.encoder.width(), &classes)?);
        (config.projection, config.classes) = (None, Some(classes));
        Ok(Self { projection: None, classifier, ..self })
    }

    /// Replaces the encoder by one of the same sizes.
    pub fn with_encoder(self, encoder: PointEncoder) -> Self {
        Self { encoder, ..self }
    }

    /// Removes the classification head, and updates `config` accordingly.
    pub fn without_head(self, config: &mut PointTowerConfig) -> Self {
        config.classes = None;
        Self { classifier: None, ..self }
    }

    /// Changes how transformer blocks are trained; encoders without blocks are unchanged.
    pub fn with_block_options(self, options: BlockOptions) -> Self {
        Self { encoder: self.encoder.with_block_options(options), ..self }
    }

    /// Clouds → features in the joint space, `[clouds, dim]`.
    pub fn encode(&self, clouds: &CloudBatch, start: FpsStart) -> Tensor<2> {
        self.project(self.encoder.encode(clouds, start))
    }

    /// Projects the encoder's features into the joint space: `[clouds, width]` → `[clouds, dim]`.
    pub fn project(&self, features: Tensor<2>) -> Tensor<2> {
        match &self.projection {
            Some(projection) => projection.forward(features),
            None => features,
        }
    }

    /// The encoder.
    pub fn encoder(&self) -> &PointEncoder {
        &self.encoder
    }

    /// The classification head, if any. Its input is the encoder's features, not the projected ones.
    pub fn classifier(&self) -> Option<&ClassHead> {
        self.classifier.as_ref()
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, list: &mut TensorList) {
        self.encoder.save(list);
        if let Some(projection) = &self.projection {
            save_linear(projection, "projection", list);
        }
        if let Some(classifier) = &self.classifier {
            classifier.save(list);
        }
    }
}
