//! Encoders of point clouds: one file an encoder, and the grouping of points that they share.
//!
//! PointBERT and `ppat` are the one transformer block over groups of points; what differs is how a group becomes a token,
//! where positions enter, and how tokens are pooled. A new encoder is one file, one variant of [`PointEncoder`] and one of
//! [`EncoderConfig`], and one entry in [`recognize`].

mod batch;
mod group;
mod head;
mod input;
mod point_bert;
mod ppat;
mod recognize;
mod tower;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub use batch::{Cloud, Clouds, CloudsError};
pub use group::{Grouping, Groups, Neighborhood, Start};
pub use head::ClassHead;
pub use input::{CloudInput, Resample, Up};
pub use point_bert::{PointBert, PointBertConfig};
pub use ppat::{Ppat, PpatConfig};
pub use recognize::{Recognized, System, recognize};
pub use tower::{Classes, PointTower, Projection, TowerConfig};

use crate::error::WeightsError;
use crate::weights::{Source, TensorList};

/// A network that turns clouds into features.
#[derive(Module, Debug)]
pub enum PointEncoder {
    /// Point-BERT's transformer (ULIP, ULIP-2, CG3D).
    PointBert(PointBert),
    /// OpenShape's transformer.
    Ppat(Ppat),
}

/// Sizes of an encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EncoderConfig {
    /// Sizes of [`PointBert`].
    PointBert(PointBertConfig),
    /// Sizes of [`Ppat`].
    Ppat(PpatConfig),
}

impl EncoderConfig {
    /// Width of the features.
    pub fn width(&self) -> usize {
        match self {
            Self::PointBert(config) => config.features(),
            Self::Ppat(config) => config.width,
        }
    }

    /// Whether the encoder looks at colors.
    pub fn colored(&self) -> bool {
        match self {
            Self::PointBert(config) => config.colored,
            Self::Ppat(config) => config.colored,
        }
    }

    /// Refuses sizes that no network has: a configuration may come from a file nobody here wrote.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::PointBert(config) => config.check(),
            Self::Ppat(config) => config.check(),
        }
    }

    /// What the encoder is called in its paper.
    pub fn about(&self) -> &'static str {
        match self {
            Self::PointBert(_) => "PointBERT",
            Self::Ppat(_) => "OpenShape PointBERT",
        }
    }
}

impl PointEncoder {
    /// Reads `point_encoder.*`.
    pub fn load(source: &Source, config: &EncoderConfig) -> Result<Self, WeightsError> {
        const NAME: &str = "point_encoder";
        Ok(match config {
            EncoderConfig::PointBert(config) => Self::PointBert(PointBert::load(source, NAME, config)?),
            EncoderConfig::Ppat(config) => Self::Ppat(Ppat::load(source, NAME, config)?),
        })
    }

    /// Clouds → features `[clouds, width]`; `start` says where farthest-point sampling begins in encoders whose reference
    /// begins at random.
    pub fn encode(&self, clouds: &Clouds, start: Start) -> Tensor<2> {
        match self {
            Self::PointBert(encoder) => encoder.encode(clouds),
            Self::Ppat(encoder) => encoder.encode(clouds, start),
        }
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, list: &mut TensorList) {
        const NAME: &str = "point_encoder";
        match self {
            Self::PointBert(encoder) => encoder.save(NAME, list),
            Self::Ppat(encoder) => encoder.save(NAME, list),
        }
    }
}
