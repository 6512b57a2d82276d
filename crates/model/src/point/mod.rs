//! Encoders of point clouds: one file per encoder, and the grouping of points that they share.
//!
//! PointBERT and `ppat` apply the shared transformer block to groups of points; they differ in how a group becomes a token,
//! where positions enter, and how tokens are pooled. PointMLP, PointNeXt, PointNet++ and PointConv are pointwise convolutions over
//! point sets that shrink from stage to stage. To add an encoder, write one file, add a variant to [`PointEncoder`] and to
//! [`EncoderConfig`], and an entry to [`detect_encoder()`].
//!
//! ```
//! use glam::Vec3;
//! use lexiform_model::Device;
//! use lexiform_model::nn::Activation;
//! use lexiform_model::point::{PreparedCloud, CloudBatch, EncoderConfig, PointEncoder, PpatConfig, FpsStart};
//! use lexiform_model::weights::WeightSource;
//!
//! let config = EncoderConfig::Ppat(PpatConfig {
//!     colored: false,
//!     patches: 8,
//!     radius: 0.5,
//!     samples: 16,
//!     group_width: 32,
//!     width: 64,
//!     layers: 2,
//!     heads: 2,
//!     head_width: 32,
//!     mlp_width: 128,
//!     activation: Activation::Gelu,
//! });
//! let encoder = PointEncoder::load(&WeightSource::random(0, &Device::flex()), &config)?;
//! let positions = (0..100).map(|i| Vec3::new((i as f32).cos(), (i as f32).sin(), i as f32 / 100.0)).collect();
//! let clouds = [PreparedCloud { positions, colors: Vec::new() }];
//! let features = encoder.encode(&CloudBatch::new(&clouds, false)?, FpsStart::default());
//! assert_eq!(features.dims(), [1, config.width()]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod detect;
mod detect_conv;
mod family;
mod group;
mod groups_ahead;
mod head;
mod host_kernels;
mod input;
mod mlp_head;
mod normalization;
mod point_bert;
mod point_bert_init;
mod point_conv;
mod point_mlp;
mod point_next;
mod pointnet2;
mod ppat;
mod prepared_cloud;
mod published_sizes;
mod released_file;
mod set_abstraction;
mod shared_mlp;
mod tower;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub use batch::{CloudBatch, CloudBatchError};
pub use detect::detect_encoder;
pub(crate) use detect::point_bert_config;
pub use family::ModelFamily;
pub use group::{FpsStart, Grouping, Groups, Neighborhood};
pub use groups_ahead::{GroupingPlan, GroupsAhead};
pub use head::{ClassHead, ClassHeadConfig};
pub use input::{PointPreprocess, PointPreprocessOverrides, Resample, UpAxis};
pub use normalization::PointNormalization;
pub use point_bert::{PointBert, PointBertConfig, Trunk};
pub use point_bert_init::read_point_bert;
pub use point_conv::PointConv;
pub use point_mlp::{Intermediate, PointMlp, PointMlpConfig, PointMlpStage};
pub use point_next::{PointNext, PointNextConfig};
pub use pointnet2::{GroupingScales, PointNet2, PointNet2Config};
pub use ppat::{Ppat, PpatConfig};
pub use prepared_cloud::PreparedCloud;
pub use released_file::DetectedEncoder;
pub(crate) use released_file::point_bert_blocks;
pub use set_abstraction::FpsKernel;
pub use tower::{PointTower, PointTowerConfig, ProjectionConfig};

use crate::nn::BlockOptions;
use crate::nn::DropPath;
use crate::weights::{TensorList, WeightSource, WeightsError};

/// An encoder of point clouds.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a model has one of these, and it is never moved about")]
pub enum PointEncoder {
    /// Point-BERT's transformer ([arXiv 2111.14819](https://arxiv.org/abs/2111.14819); ULIP, ULIP-2, CG3D).
    PointBert(PointBert),
    /// OpenShape's transformer ([arXiv 2305.10764](https://arxiv.org/abs/2305.10764)).
    Ppat(Ppat),
    /// PointMLP ([arXiv 2202.07123](https://arxiv.org/abs/2202.07123); ULIP, CG3D).
    PointMlp(PointMlp),
    /// PointNeXt-S ([arXiv 2206.04670](https://arxiv.org/abs/2206.04670); ULIP, ULIP-2).
    PointNext(PointNext),
    /// PointNet++ ([arXiv 1706.02413](https://arxiv.org/abs/1706.02413); ULIP).
    PointNet2(PointNet2),
    /// PointConv ([arXiv 1811.07246](https://arxiv.org/abs/1811.07246); CG3D).
    PointConv(PointConv),
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
    /// Sizes of [`PointNet2`].
    PointNet2(PointNet2Config),
    /// [`PointConv`] has one size. The braces make unknown keys an error.
    PointConv {},
}

impl EncoderConfig {
    /// Width of the features.
    pub fn width(&self) -> usize {
        match self {
            Self::PointBert(config) => config.features(),
            Self::Ppat(config) => config.width,
            Self::PointMlp(config) => config.features(),
            Self::PointNext(config) => config.features(),
            Self::PointNet2(_) => PointNet2::WIDTH,
            Self::PointConv {} => PointConv::WIDTH,
        }
    }

    /// Replaces the number of groups of a cloud, which no weight depends on.
    ///
    /// # Errors
    /// If the encoder has no such number, or it is out of range.
    pub fn with_groups(mut self, groups: usize) -> Result<Self, String> {
        match &mut self {
            Self::PointBert(config) => config.groups = groups,
            Self::Ppat(config) => config.patches = groups,
            Self::PointMlp(_) | Self::PointNext(_) | Self::PointNet2(_) | Self::PointConv {} => {
                return Err(
                    "only transformers of groups (PointBERT, ppat) have a number of groups".to_owned()
                );
            }
        }
        self.check()?;
        Ok(self)
    }

    /// Whether the encoder uses colors.
    pub fn colored(&self) -> bool {
        match self {
            Self::PointBert(config) => config.colored,
            Self::Ppat(config) => config.colored,
            Self::PointMlp(_) | Self::PointNext(_) | Self::PointNet2(_) | Self::PointConv {} => false,
        }
    }

    /// Validates sizes: a configuration may come from an untrusted file.
    ///
    /// # Errors
    /// Describes the size that is out of range.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::PointBert(config) => config.check(),
            Self::Ppat(config) => config.check(),
            Self::PointMlp(config) => config.check(),
            Self::PointNext(config) => config.check(),
            Self::PointNet2(_) | Self::PointConv {} => Ok(()),
        }
    }

    /// Name of the encoder in its paper.
    pub fn architecture(&self) -> &'static str {
        match self {
            Self::PointBert(_) => "PointBERT",
            Self::Ppat(_) => "OpenShape PointBERT",
            Self::PointMlp(_) => "PointMLP",
            Self::PointNext(_) => "PointNeXt-S",
            Self::PointNet2(config) => match config.scales {
                GroupingScales::Single => "PointNet++ SSG",
                GroupingScales::Multi => "PointNet++ MSG",
            },
            Self::PointConv {} => "PointConv",
        }
    }
}

impl PointEncoder {
    /// Reads `point_encoder.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, config: &EncoderConfig) -> Result<Self, WeightsError> {
        const NAME: &str = "point_encoder";
        Ok(match config {
            EncoderConfig::PointBert(config) => Self::PointBert(PointBert::load(source, NAME, config)?),
            EncoderConfig::Ppat(config) => Self::Ppat(Ppat::load(source, NAME, config)?),
            EncoderConfig::PointMlp(config) => Self::PointMlp(PointMlp::load(source, NAME, config)?),
            EncoderConfig::PointNext(config) => Self::PointNext(PointNext::load(source, NAME, config)?),
            EncoderConfig::PointNet2(config) => Self::PointNet2(PointNet2::load(source, NAME, config)?),
            EncoderConfig::PointConv {} => Self::PointConv(PointConv::load(source, NAME)?),
        })
    }

    /// Changes how transformer blocks are trained; encoders without blocks are unchanged.
    pub fn with_block_options(self, options: BlockOptions) -> Self {
        match self {
            Self::PointBert(encoder) => Self::PointBert(encoder.with_block_options(options)),
            Self::Ppat(encoder) => Self::Ppat(encoder.with_block_options(options)),
            other => other,
        }
    }

    /// Clouds → features `[clouds, width]`, not normalized. `start` sets the first point of farthest-point sampling in encoders
    /// whose reference starts at a random point.
    pub fn encode(&self, clouds: &CloudBatch, start: FpsStart) -> Tensor<2> {
        match self {
            Self::PointBert(encoder) => encoder.encode(clouds),
            Self::Ppat(encoder) => encoder.encode(clouds, start),
            Self::PointMlp(encoder) => encoder.encode(clouds, start),
            Self::PointNext(encoder) => encoder.encode(clouds),
            Self::PointNet2(encoder) => encoder.encode(clouds, start),
            Self::PointConv(encoder) => encoder.encode(clouds),
        }
    }

    /// As [`encode`](Self::encode) in training, with stochastic depth in encoders whose reference uses it.
    pub fn encode_with_drop_path(&self, clouds: &CloudBatch, start: FpsStart, drop: DropPath) -> Tensor<2> {
        match self {
            Self::PointBert(encoder) => encoder.encode_with_drop_path(clouds, drop),
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
            Self::PointConv(encoder) => encoder.save(NAME, list),
        }
    }
}
