//! The table `network`: architecture of the trained network.

use std::path::PathBuf;

use lexiform_model::clip::{ClipConfig, TextConfig, VisionConfig, VisionStyle};
use lexiform_model::nn::Activation;
use lexiform_model::point::{PointPreprocess, PointTowerConfig};
use lexiform_model::preprocess::{PhotoCrop, Preprocess};
use lexiform_model::tokenizer::{Tokenizer, WordPieceTokenizer};
use lexiform_model::{ModelConfig, default_templates};
use serde::{Deserialize, Serialize};

/// Architecture of the trained network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NetworkConfig {
    /// A new, small multi-view CLIP.
    Clip(ClipNetwork),
    /// A pretrained CLIP whose later blocks attend across views ([Duoduo CLIP](https://arxiv.org/abs/2406.11579)).
    Pretrained(PretrainedNetwork),
    /// A point cloud encoder ([ULIP-2](https://arxiv.org/abs/2305.08275), [OpenShape](https://arxiv.org/abs/2305.10764)) or
    /// classifier, new or pretrained.
    Points(PointNetwork),
}

/// A new, small multi-view CLIP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipNetwork {
    /// Width of the joint space.
    pub dim: usize,
    /// Width and height of a view in pixels.
    pub image_size: usize,
    /// Width and height of a patch in pixels; divides `image_size`.
    pub patch: usize,
    /// Width of the image tower.
    pub width: usize,
    /// Transformer blocks of the image tower.
    pub layers: usize,
    /// Width of an attention head in both towers; divides `width` and `text_width`.
    pub head_width: usize,
    /// First block that attends across views.
    pub joint_from: usize,
    /// Width of the text tower.
    pub text_width: usize,
    /// Transformer blocks of the text tower.
    pub text_layers: usize,
    /// Context length of the text tower in tokens.
    pub context: usize,
    /// Hidden width of the MLPs as a multiple of `width`.
    pub mlp_ratio: f64,
    /// Activation function of the MLPs.
    pub activation: Activation,
    /// Camera rig of the finished model.
    pub rig: String,
    /// Number of views of the finished model.
    pub n_views: usize,
}

/// A pretrained CLIP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedNetwork {
    /// Name or path of the model.
    pub base: String,
    /// First block that attends across views, as the reference's `layers_threshold`; 0: all blocks, the number of blocks:
    /// none. Default: the model's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint_from: Option<usize>,
    /// Width and height of a view in pixels; position embeddings are interpolated. Default: the model's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// Low-rank adapters. Parameter groups select them by `….lora`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraConfig>,
    /// Camera rig of the finished model.
    pub rig: String,
    /// Number of views of the finished model.
    pub n_views: usize,
}

/// Low-rank adaptation ([LoRA](https://arxiv.org/abs/2106.09685)) of the transformer blocks of both towers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraConfig {
    /// Rank of the adapters.
    pub rank: usize,
    /// First block with adapters.
    #[serde(default)]
    pub first_layer: usize,
}

/// A point cloud encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointNetwork {
    /// Architecture of a new network; ignored if `base` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tower: Option<PointTowerConfig>,
    /// Name or path of a pretrained point encoder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Checkpoint of Point-BERT's pre-training, from which a new encoder of kind `point-bert` starts
    /// (`point_bert_pretrained.pt`, as in [ULIP](https://arxiv.org/abs/2212.05171)). Default: random weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
    /// Number of point groups (tokens), independent of the weights. Default: the encoder's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// A new classification head over the training labels, in place of the projection into the joint space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadConfig>,
    /// Preprocessing of point clouds.
    pub input: PointPreprocess,
    /// [Stochastic depth](https://arxiv.org/abs/1603.09382): drop probability of the last block; increases linearly from 0 in
    /// the first.
    #[serde(default)]
    pub drop_path: f32,
    /// Number of learned prompt tokens per block of the teacher's image tower
    /// ([deep visual prompt tuning](https://arxiv.org/abs/2203.12119), as in CG3D). If not 0, the image tower runs in every
    /// step; otherwise its features are computed once.
    #[serde(default)]
    pub prompts: usize,
}

/// A classification head.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadConfig {
    /// Width of the hidden layer. Default: a single linear layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_width: Option<usize>,
    /// Dropout probability before the last layer.
    #[serde(default)]
    pub dropout: f32,
}

impl NetworkConfig {
    /// Camera rig and number of views of the finished model; `None` for point encoders.
    pub fn rig(&self) -> Option<(&str, usize)> {
        match self {
            Self::Clip(clip) => Some((&clip.rig, clip.n_views)),
            Self::Pretrained(pretrained) => Some((&pretrained.rig, pretrained.n_views)),
            Self::Points(_) => None,
        }
    }

    /// Number of prompt tokens per block of the teacher's image tower.
    pub fn prompts(&self) -> usize {
        match self {
            Self::Points(points) => points.prompts,
            _ => 0,
        }
    }

    /// The classification head, if any.
    pub fn head(&self) -> Option<HeadConfig> {
        match self {
            Self::Points(points) => points.head,
            _ => None,
        }
    }

    /// Points per cloud; 0 without a point encoder.
    pub fn n_points(&self) -> usize {
        match self {
            Self::Points(points) => points.input.n_points,
            _ => 0,
        }
    }
}

impl PointNetwork {
    /// Architecture of a new network with `groups` applied; `None` if it is pretrained.
    ///
    /// # Errors
    /// If the sizes of the encoder conflict.
    pub fn new_tower(&self) -> Result<Option<PointTowerConfig>, String> {
        let Some(mut tower) = self.tower.clone().filter(|_| self.base.is_none()) else { return Ok(None) };
        match self.groups {
            Some(groups) => tower.encoder = tower.encoder.with_groups(groups)?,
            None => tower.encoder.check()?,
        }
        Ok(Some(tower))
    }
}

impl ClipNetwork {
    /// The model's configuration, with a vocabulary of the words in `captions`.
    pub fn model<'a>(&self, name: &str, captions: impl IntoIterator<Item = &'a str>) -> ModelConfig {
        let templates = default_templates();
        let sentences = templates.clone();
        let words = WordPieceTokenizer::from_texts(captions.into_iter().map(str::to_owned).chain(sentences));
        let clip = ClipConfig {
            dim: self.dim,
            vision: VisionConfig {
                image_size: self.image_size,
                patch: self.patch,
                width: self.width,
                layers: self.layers,
                head_width: self.head_width,
                mlp_ratio: self.mlp_ratio,
                style: VisionStyle::Clip,
                prompts: 0,
                activation: None,
                epsilon: None,
            },
            text: TextConfig {
                context: self.context,
                vocabulary: words.len(),
                width: self.text_width,
                heads: self.text_width / self.head_width,
                layers: self.text_layers,
                mlp_ratio: self.mlp_ratio,
            },
            activation: self.activation,
        };
        ModelConfig {
            name: name.to_owned(),
            clip,
            joint_from: self.joint_from,
            // It is trained on renderings only: photos are cropped to the object to resemble them.
            preprocess: Preprocess { photo_crop: PhotoCrop::Object, ..Preprocess::clip(self.image_size) },
            tokenizer: Tokenizer::WordPiece(words),
            rig: self.rig.clone(),
            n_views: self.n_views,
            templates,
            points: None,
            language: None,
            prompts_of: None,
        }
    }
}
