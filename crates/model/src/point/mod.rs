//! Encoders of point clouds: one file an encoder, and the grouping of points that they share.
//!
//! PointBERT and `ppat` are the one transformer block over groups of points; what differs is how a group becomes a token,
//! where positions enter, and how tokens are pooled. PointMLP, PointNeXt and PointNet++ are pointwise convolutions over sets
//! that shrink (`sets`). A new encoder is one file, one variant of [`PointEncoder`] and one of
//! [`EncoderConfig`], and one entry in [`recognize`].

mod batch;
mod dense;
mod group;
mod head;
mod input;
mod on_host;
mod placing;
mod point_bert;
mod point_mlp;
mod point_next;
mod pointnet2;
mod ppat;
mod recognize;
mod recognize_conv;
mod released_file;
mod sets;
mod system;
mod tower;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub use batch::{Cloud, Clouds, CloudsError};
pub use group::{Grouping, Groups, Neighborhood, Start};
pub use head::{ClassHead, Classes};
pub use input::{CloudInput, CloudOptions, Resample, Up};
pub use placing::Placing;
pub use point_bert::{PointBert, PointBertConfig};
pub use point_mlp::{PointMlp, PointMlpConfig, PointMlpStage, Watched};
pub use point_next::{PointNext, PointNextConfig};
pub use pointnet2::PointNet2;
pub use ppat::{Ppat, PpatConfig};
pub use recognize::recognize;
pub use released_file::Recognized;
pub use sets::Sampler;
pub use system::System;
pub use tower::{PointTower, Projection, TowerConfig};

use crate::nn::DropPath;
use crate::weights::{Source, TensorList, WeightsError};

/// A network that turns clouds into features.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a model has one of these, and it is never moved about")]
pub enum PointEncoder {
    /// Point-BERT's transformer (ULIP, ULIP-2, CG3D).
    PointBert(PointBert),
    /// OpenShape's transformer.
    Ppat(Ppat),
    /// PointMLP (ULIP, CG3D).
    PointMlp(PointMlp),
    /// PointNeXt-S (ULIP, ULIP-2).
    PointNext(PointNext),
    /// PointNet++ (ULIP).
    PointNet2(PointNet2),
}

/// Sizes of an encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum EncoderConfig {
    /// Sizes of [`PointBert`].
    PointBert(PointBertConfig),
    /// Sizes of [`Ppat`].
    Ppat(PpatConfig),
    /// Sizes of [`PointMlp`].
    PointMlp(PointMlpConfig),
    /// Sizes of [`PointNext`].
    PointNext(PointNextConfig),
    /// [`PointNet2`] has one size. The braces let unknown keys be errors.
    PointNet2 {},
}

impl EncoderConfig {
    /// Width of the features.
    pub fn width(&self) -> usize {
        match self {
            Self::PointBert(config) => config.features(),
            Self::Ppat(config) => config.width,
            Self::PointMlp(config) => config.features(),
            Self::PointNext(config) => config.features(),
            Self::PointNet2 {} => PointNet2::WIDTH,
        }
    }

    /// The same with clouds cut into another number of groups, which no weight depends on.
    ///
    /// # Errors
    /// If the encoder does not cut clouds so, or not into so many.
    pub fn with_groups(mut self, groups: usize) -> Result<Self, String> {
        match &mut self {
            Self::PointBert(config) => config.groups = groups,
            Self::Ppat(config) => config.patches = groups,
            Self::PointMlp(_) | Self::PointNext(_) | Self::PointNet2 {} => {
                return Err(
                    "only transformers of groups (PointBERT, ppat) have a number of groups to change"
                        .to_owned(),
                );
            }
        }
        self.check()?;
        Ok(self)
    }

    /// Whether the encoder looks at colors.
    pub fn colored(&self) -> bool {
        match self {
            Self::PointBert(config) => config.colored,
            Self::Ppat(config) => config.colored,
            Self::PointMlp(_) | Self::PointNext(_) | Self::PointNet2 {} => false,
        }
    }

    /// Refuses sizes that no network has: a configuration may come from a file nobody here wrote.
    ///
    /// # Errors
    /// Describes the size that is out of range.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::PointBert(config) => config.check(),
            Self::Ppat(config) => config.check(),
            Self::PointMlp(config) => config.check(),
            Self::PointNext(config) => config.check(),
            Self::PointNet2 {} => Ok(()),
        }
    }

    /// What the encoder is called in its paper.
    pub fn about(&self) -> &'static str {
        match self {
            Self::PointBert(_) => "PointBERT",
            Self::Ppat(_) => "OpenShape PointBERT",
            Self::PointMlp(_) => "PointMLP",
            Self::PointNext(_) => "PointNeXt-S",
            Self::PointNet2 {} => "PointNet++ SSG",
        }
    }
}

impl PointEncoder {
    /// Reads `point_encoder.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &Source, config: &EncoderConfig) -> Result<Self, WeightsError> {
        const NAME: &str = "point_encoder";
        Ok(match config {
            EncoderConfig::PointBert(config) => Self::PointBert(PointBert::load(source, NAME, config)?),
            EncoderConfig::Ppat(config) => Self::Ppat(Ppat::load(source, NAME, config)?),
            EncoderConfig::PointMlp(config) => Self::PointMlp(PointMlp::load(source, NAME, config)?),
            EncoderConfig::PointNext(config) => Self::PointNext(PointNext::load(source, NAME, config)?),
            EncoderConfig::PointNet2 {} => Self::PointNet2(PointNet2::load(source, NAME)?),
        })
    }

    /// Clouds → features `[clouds, width]`; `start` says where farthest-point sampling begins in encoders whose reference
    /// begins at random.
    pub fn encode(&self, clouds: &Clouds, start: Start) -> Tensor<2> {
        match self {
            Self::PointBert(encoder) => encoder.encode(clouds),
            Self::Ppat(encoder) => encoder.encode(clouds, start),
            Self::PointMlp(encoder) => encoder.encode(clouds, start),
            Self::PointNext(encoder) => encoder.encode(clouds),
            Self::PointNet2(encoder) => encoder.encode(clouds, start),
        }
    }

    /// As [`encode`](Self::encode) while training; transformers whose references drop paths do so.
    pub fn encode_dropping(&self, clouds: &Clouds, start: Start, drop: DropPath) -> Tensor<2> {
        match self {
            Self::PointBert(encoder) => encoder.encode_dropping(clouds, drop),
            _ => self.encode(clouds, start),
        }
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, list: &mut TensorList) {
        const NAME: &str = "point_encoder";
        match self {
            Self::PointBert(encoder) => encoder.save(NAME, list),
            Self::Ppat(encoder) => encoder.save(NAME, list),
            Self::PointMlp(encoder) => encoder.save(NAME, list),
            Self::PointNext(encoder) => encoder.save(NAME, list),
            Self::PointNet2(encoder) => encoder.save(NAME, list),
        }
    }
}
