//! Sizes of the towers: given, or read from a configuration file next to the weights.

use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::nn::{Activation, MlpStyle, TransformerConfig};

/// Added to the variance in every layer norm of OpenCLIP.
const EPSILON: f64 = 1e-5;

/// Sizes of both towers of a CLIP model ([arXiv 2103.00020](https://arxiv.org/abs/2103.00020)).
///
/// ```
/// use lexiform_model::clip::ClipConfig;
///
/// let config = ClipConfig::vit_b_32();
/// assert_eq!(config.dim, 512);
/// assert_eq!(config.vision.n_tokens(), 1 + 7 * 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipConfig {
    /// Width of the joint space.
    #[serde(alias = "embed_dim")]
    pub dim: usize,
    /// The image tower.
    #[serde(alias = "vision_cfg")]
    pub vision: VisionConfig,
    /// The text tower.
    #[serde(alias = "text_cfg")]
    pub text: TextConfig,
    /// Activation of both towers. OpenCLIP's configurations state it as a flag, `"quick_gelu"`.
    #[serde(default, alias = "quick_gelu", deserialize_with = "activation_or_flag")]
    pub activation: Activation,
}

/// A configuration file next to the weights.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct SidecarConfig {
    /// Sizes of the towers.
    #[serde(alias = "model_cfg", alias = "model")]
    pub clip: ClipConfig,
    /// First block with attention across views (Duoduo CLIP).
    #[serde(default, rename = "layers_threshold")]
    pub joint_from: Option<usize>,
}

impl SidecarConfig {
    /// Reads `open_clip_config.json` or `config.json` next to the weights, if either exists and describes a CLIP model in
    /// OpenCLIP's format.
    pub fn read(weights: &Path) -> Option<Self> {
        ["open_clip_config.json", "config.json"].iter().find_map(|name| {
            let text = fs::read_to_string(weights.with_file_name(name)).ok()?;
            // OpenCLIP nests the sizes under `model_cfg`; other files have them at the top level.
            let bare = || serde_json::from_str(&text).map(|clip| Self { clip, joint_from: None });
            serde_json::from_str(&text).or_else(|_| bare()).ok()
        })
    }
}

/// Sizes of a vision transformer ([arXiv 2010.11929](https://arxiv.org/abs/2010.11929)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisionConfig {
    /// Edge of the square image in pixels.
    pub image_size: usize,
    /// Edge of a square patch in pixels.
    #[serde(alias = "patch_size")]
    pub patch: usize,
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Width of one head.
    #[serde(default = "VisionConfig::default_head_width")]
    pub head_width: usize,
    /// Hidden width of the MLP divided by the token's width.
    #[serde(default = "default_mlp_ratio")]
    pub mlp_ratio: f64,
    /// Layers before and after the blocks.
    #[serde(default)]
    pub style: VisionStyle,
    /// Learned tokens that are inserted before each block (CG3D's deep visual prompts); usually 0.
    #[serde(default)]
    pub prompts: usize,
    /// Activation of this tower, if it is not the model's: SLIP's towers have one each.
    #[serde(default)]
    pub activation: Option<Activation>,
    /// Added to the variance in all norms, if not the style's default (BLIP in `transformers`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
}

/// Details in which implementations of vision transformers differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisionStyle {
    /// A norm before the blocks, patch embedding without bias (CLIP).
    #[default]
    Clip,
    /// No norm before the blocks, patch embedding with bias, and 1e-6 in all norms (timm; the image towers of SLIP and BLIP).
    Timm,
}

/// Sizes of a causal text transformer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextConfig {
    /// Longest sequence in tokens.
    #[serde(alias = "context_length", default = "TextConfig::default_context")]
    pub context: usize,
    /// Number of tokens in the vocabulary.
    #[serde(alias = "vocab_size", default = "TextConfig::default_vocabulary")]
    pub vocabulary: usize,
    /// Width of a token.
    pub width: usize,
    /// Number of heads.
    pub heads: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Hidden width of the MLP divided by the token's width.
    #[serde(default = "default_mlp_ratio")]
    pub mlp_ratio: f64,
}

/// Our own files name the activation; OpenCLIP's have a flag.
fn activation_or_flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Activation, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Flag(bool),
        Name(Activation),
    }
    Ok(match Either::deserialize(deserializer)? {
        // OpenCLIP has a flag where we have a name.
        Either::Flag(true) => Activation::QuickGelu,
        Either::Flag(false) => Activation::Gelu,
        Either::Name(activation) => activation,
    })
}

fn default_mlp_ratio() -> f64 {
    4.0
}

impl ClipConfig {
    /// OpenCLIP's model configuration `ViT-B-32`.
    pub fn vit_b_32() -> Self {
        Self {
            dim: 512,
            vision: VisionConfig {
                image_size: 224,
                patch: 32,
                width: 768,
                layers: 12,
                head_width: 64,
                mlp_ratio: 4.0,
                style: VisionStyle::Clip,
                prompts: 0,
                activation: None,
                epsilon: None,
            },
            text: TextConfig {
                context: 77,
                vocabulary: 49408,
                width: 512,
                heads: 8,
                layers: 12,
                mlp_ratio: 4.0,
            },
            activation: Activation::Gelu,
        }
    }
}

impl VisionConfig {
    fn default_head_width() -> usize {
        64
    }

    /// Patches along one edge.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch
    }

    /// Tokens of one image: patches and the class token.
    pub fn n_tokens(&self) -> usize {
        self.grid().pow(2) + 1
    }

    pub(crate) fn transformer(&self, activation: Activation) -> TransformerConfig {
        TransformerConfig {
            width: self.width,
            layers: self.layers,
            heads: self.width / self.head_width,
            head_width: self.head_width,
            qkv_bias: true,
            mlp_width: (self.width as f64 * self.mlp_ratio).round() as usize,
            activation: self.activation.unwrap_or(activation),
            epsilon: self.epsilon(),
            mlp: MlpStyle::default(),
        }
    }

    /// Added to the variance in all norms of the tower.
    pub(super) fn epsilon(&self) -> f64 {
        self.epsilon.unwrap_or(match self.style {
            VisionStyle::Clip => EPSILON,
            // timm's default, where OpenAI's towers have PyTorch's.
            VisionStyle::Timm => 1e-6,
        })
    }
}

impl TextConfig {
    fn default_context() -> usize {
        77
    }

    fn default_vocabulary() -> usize {
        49408
    }

    pub(super) fn transformer(&self, activation: Activation) -> TransformerConfig {
        TransformerConfig {
            width: self.width,
            layers: self.layers,
            heads: self.heads,
            head_width: self.width / self.heads,
            qkv_bias: true,
            mlp_width: (self.width as f64 * self.mlp_ratio).round() as usize,
            activation,
            epsilon: EPSILON,
            mlp: MlpStyle::default(),
        }
    }
}

/// Epsilon of norms outside the blocks.
pub(super) const NORM_EPSILON: f64 = EPSILON;
