//! An encoder of clouds with what stands behind it: the way into the joint space, a head that names classes.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::head::{ClassHead, Classes};
use super::point_bert::save_linear;
use super::{Clouds, EncoderConfig, PointEncoder, Start};
use crate::nn::Linear;
use crate::weights::{Source, TensorList, WeightsError};

/// Sizes of all parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TowerConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// The map into the joint space; without one the features are in it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<Projection>,
    /// A head that names classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Classes>,
}

/// A linear map into the joint space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projection {
    /// Width of the joint space.
    pub dim: usize,
    /// Whether it adds something of its own (CG3D and OpenShape do, ULIP does not).
    pub bias: bool,
}

impl TowerConfig {
    /// Width of what [`PointTower::encode`] gives.
    pub fn dim(&self) -> usize {
        self.projection.map_or(self.encoder.width(), |projection| projection.dim)
    }
}

/// Clouds → the joint space.
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
    pub fn load(source: &Source, config: &TowerConfig) -> Result<Self, WeightsError> {
        let width = config.encoder.width();
        let encoder = PointEncoder::load(source, &config.encoder)?;
        let projection = config.projection.map(|Projection { dim, bias }| {
            // ULIP starts its projection so; the others do not train one from here.
            let deviation = (dim as f32).powf(-0.5);
            let bias = bias.then_some("projection.bias");
            Linear::load(source, "projection.weight", bias, [width, dim], deviation)
        });
        let classifier = config.classes.map(|classes| ClassHead::load(source, width, &classes));
        Ok(Self { encoder, projection: projection.transpose()?, classifier: classifier.transpose()? })
    }

    /// The same encoder under a new head that names classes, its weights made up by `source`, and without a way into the joint
    /// space. `config` is the tower's, and becomes that of the new one.
    ///
    /// # Errors
    /// If `source` is a file without such a head.
    pub fn with_new_head(
        self,
        source: &Source,
        config: &mut TowerConfig,
        classes: Classes,
    ) -> Result<Self, WeightsError> {
        let classifier = Some(ClassHead::load(source, config.encoder.width(), &classes)?);
        (config.projection, config.classes) = (None, Some(classes));
        Ok(Self { projection: None, classifier, ..self })
    }

    /// The same without a head that names classes.
    pub fn without_head(self, config: &mut TowerConfig) -> Self {
        config.classes = None;
        Self { classifier: None, ..self }
    }

    /// Clouds → features in the joint space, `[clouds, dim]`.
    pub fn encode(&self, clouds: &Clouds, start: Start) -> Tensor<2> {
        self.project(self.encoder.encode(clouds, start))
    }

    /// The encoder's features → the joint space.
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

    /// The head that names classes: it takes the encoder's features, not the projected ones.
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
