//! Which network a recipe trains.

use lexiform_model::clip::{ClipConfig, TextConfig, VisionConfig, VisionStyle};
use lexiform_model::nn::Activation;
use lexiform_model::point::{PointPreprocess, PointTowerConfig};
use lexiform_model::preprocess::{PhotoCrop, Preprocess};
use lexiform_model::tokenizer::{Tokenizer, WordPieceTokenizer};
use lexiform_model::{ModelConfig, PairedClip, default_templates};
use serde::{Deserialize, Serialize};

/// The network that is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NetworkConfig {
    /// A new small CLIP whose image tower sees several views.
    Clip(ClipNetwork),
    /// A published CLIP whose later blocks see all views (Duoduo CLIP).
    Pretrained(PretrainedNetwork),
    /// An encoder of point clouds (ULIP, OpenShape), new or published, or a classifier of clouds.
    Points(PointNetwork),
}

/// Sizes of a small CLIP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipNetwork {
    /// Width of the joint space.
    pub dim: usize,
    /// Edge of a view in pixels.
    pub image_size: usize,
    /// Edge of a patch in pixels; divides `image_size`.
    pub patch: usize,
    /// Width of the image tower.
    pub width: usize,
    /// Blocks of the image tower.
    pub layers: usize,
    /// Width of one head of either tower; divides both widths.
    pub head_width: usize,
    /// First block in which views see each other.
    pub joint_from: usize,
    /// Width of the text tower.
    pub text_width: usize,
    /// Blocks of the text tower.
    pub text_layers: usize,
    /// Longest caption in tokens.
    pub context: usize,
    /// Hidden width of the MLPs over the tokens' width.
    pub mlp_ratio: f64,
    /// Nonlinearity of the MLPs.
    pub activation: Activation,
    /// Rig whose views the finished model is given.
    pub rig: String,
    /// How many views the finished model is given.
    pub n_views: usize,
}

/// A published CLIP to start from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainedNetwork {
    /// Name or path of the model.
    pub base: String,
    /// First block in which views see each other; the model's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint_from: Option<usize>,
    /// Edge of a view in pixels, to which the grid of positions is resized; the model's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// LoRA, https://arxiv.org/abs/2106.09685: low-rank updates that are trained instead of the matrices; groups name them `….lora`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora: Option<LowRankConfig>,
    /// Rig whose views the finished model is given.
    pub rig: String,
    /// How many views the finished model is given.
    pub n_views: usize,
}

/// Low-rank adaptation (arXiv 2106.09685) of the blocks of both towers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LowRankConfig {
    /// Rank of a matrix's change.
    pub rank: usize,
    /// First block that is changed.
    #[serde(default)]
    pub from: usize,
}

/// An encoder of point clouds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointNetwork {
    /// Sizes of a new network; one that is there has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tower: Option<PointTowerConfig>,
    /// Name or path of a point encoder to start from, instead of a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Groups that a cloud is cut into, which no weight depends on; as many as the encoder is used to where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// A new classification head over the shapes' categories, instead of the projection into the joint space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadConfig>,
    /// How clouds are prepared.
    pub input: PointPreprocess,
    /// Chance that a cloud skips a branch of the last block while training; in earlier blocks it is smaller.
    #[serde(default)]
    pub drop_path: f32,
    /// Learned tokens before every block of the teacher's image tower, which then sees the views of every step (CG3D);
    /// without any, its features are computed once.
    #[serde(default)]
    pub prompts: usize,
    /// The published model whose features it is trained towards, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired: Option<PairedClip>,
}

/// A head that names categories.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadConfig {
    /// Width of its hidden layer; a single linear map where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// Chance that a feature before the last map is left out while training.
    #[serde(default)]
    pub dropout: f32,
}

impl NetworkConfig {
    /// Rig and number of views that the finished model is measured with, if it looks at views.
    pub fn rig(&self) -> Option<(&str, usize)> {
        match self {
            Self::Clip(clip) => Some((&clip.rig, clip.n_views)),
            Self::Pretrained(pretrained) => Some((&pretrained.rig, pretrained.n_views)),
            Self::Points(_) => None,
        }
    }

    /// Learned tokens before every block of the teacher's image tower.
    pub fn prompts(&self) -> usize {
        match self {
            Self::Points(points) => points.prompts,
            _ => 0,
        }
    }

    /// The head that names categories, where there is one.
    pub fn head(&self) -> Option<HeadConfig> {
        match self {
            Self::Points(points) => points.head,
            _ => None,
        }
    }

    /// Points of a cloud, if it looks at clouds.
    pub fn n_points(&self) -> usize {
        match self {
            Self::Points(points) => points.input.n_points,
            _ => 0,
        }
    }
}

impl PointNetwork {
    /// Sizes of a new network, with the groups that are asked for.
    ///
    /// # Errors
    /// What is wrong with them.
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
    /// The model's configuration, with a vocabulary made of the words of `captions`.
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
            // Photos are nothing it learns from: they should look like views.
            preprocess: Preprocess { photo_crop: PhotoCrop::Object, ..Preprocess::clip(self.image_size) },
            tokenizer: Tokenizer::WordPiece(words),
            rig: self.rig.clone(),
            n_views: self.n_views,
            templates,
            points: None,
        }
    }
}
