//! Sizes of the towers: given, read from a file beside the weights, or told from the tensors' shapes.

use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::error::WeightsError;
use crate::nn::{Activation, TransformerConfig};
use crate::weights::WeightFile;

/// Added to the variance in every layer norm of OpenCLIP.
const EPSILON: f64 = 1e-5;

/// Both towers.
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
    /// Nonlinearity of both towers. OpenCLIP's files say `"quick_gelu": true` for OpenAI's weights.
    #[serde(default, alias = "quick_gelu", deserialize_with = "activation_or_flag")]
    pub activation: Activation,
}

/// What a file beside the weights says of them.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Beside {
    /// Sizes of the towers.
    #[serde(alias = "model_cfg", alias = "model")]
    pub clip: ClipConfig,
    /// First block in which views see each other (Duoduo CLIP).
    #[serde(default, rename = "layers_threshold")]
    pub joint_from: Option<usize>,
}

impl Beside {
    /// Reads `open_clip_config.json` or `config.json` beside the weights, if either is there and describes a CLIP
    /// model in OpenCLIP's words.
    pub fn read(weights: &Path) -> Option<Self> {
        ["open_clip_config.json", "config.json"].iter().find_map(|name| {
            let text = fs::read_to_string(weights.with_file_name(name)).ok()?;
            let bare = || serde_json::from_str(&text).map(|clip| Self { clip, joint_from: None });
            serde_json::from_str(&text).or_else(|_| bare()).ok()
        })
    }
}

/// A vision transformer.
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
    #[serde(default = "VisionConfig::usual_head_width")]
    pub head_width: usize,
    /// Hidden width of the MLP over the token's width.
    #[serde(default = "usual_mlp_ratio")]
    pub mlp_ratio: f64,
}

/// A causal text transformer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextConfig {
    /// Longest sequence in tokens.
    #[serde(alias = "context_length", default = "TextConfig::usual_context")]
    pub context: usize,
    /// Number of different tokens.
    #[serde(alias = "vocab_size", default = "TextConfig::usual_vocabulary")]
    pub vocabulary: usize,
    /// Width of a token.
    pub width: usize,
    /// Number of heads.
    pub heads: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Hidden width of the MLP over the token's width.
    #[serde(default = "usual_mlp_ratio")]
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
        Either::Flag(true) => Activation::QuickGelu,
        Either::Flag(false) => Activation::Gelu,
        Either::Name(activation) => activation,
    })
}

fn usual_mlp_ratio() -> f64 {
    4.0
}

impl ClipConfig {
    /// OpenCLIP `ViT-B-32` (its model configuration of that name).
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

    /// The sizes that the tensors under `prefix` imply. What shapes cannot tell (heads, activation) is as in
    /// OpenCLIP's published models.
    pub fn infer(file: &WeightFile, prefix: &str) -> Result<Self, WeightsError> {
        let shape = |name: &str| file.shape(&format!("{prefix}{name}"));
        let layers = |stack: &str| {
            (0..).take_while(|l| file.contains(&format!("{prefix}{stack}.resblocks.{l}.ln_1.weight"))).count()
        };
        let conv = shape("visual.conv1.weight")?;
        let (Some(&width), Some(&patch)) = (conv.first(), conv.get(2)) else {
            return Err(WeightsError::Unrecognized {
                path: file.path().to_owned(),
                message: format!("visual.conv1.weight has shape {conv:?}, expected [width, 3, patch, patch]"),
            });
        };
        let grid = (shape("visual.positional_embedding")?[0].saturating_sub(1) as f64).sqrt() as usize;
        let hidden = shape("visual.transformer.resblocks.0.mlp.c_fc.weight")?[0];
        let embedding = shape("token_embedding.weight")?.to_vec();
        let text_hidden = shape("transformer.resblocks.0.mlp.c_fc.weight")?[0];
        Ok(Self {
            dim: *shape("visual.proj")?.last().unwrap_or(&0),
            vision: VisionConfig {
                image_size: grid * patch,
                patch,
                width,
                layers: layers("visual.transformer"),
                head_width: VisionConfig::head_width_of(width),
                mlp_ratio: hidden as f64 / width as f64,
            },
            text: TextConfig {
                context: shape("positional_embedding")?[0],
                vocabulary: embedding[0],
                width: embedding[1],
                heads: (embedding[1] / 64).max(1),
                layers: layers("transformer"),
                mlp_ratio: text_hidden as f64 / embedding[1] as f64,
            },
            activation: Activation::Gelu,
        })
    }
}

impl VisionConfig {
    fn usual_head_width() -> usize {
        64
    }

    /// H/14, g/14 and bigG/14 have heads of their own width.
    fn head_width_of(width: usize) -> usize {
        match width {
            1280 => 80,
            1408 => 88,
            1664 => 104,
            _ => 64.min(width),
        }
    }

    /// Patches along one edge.
    pub fn grid(&self) -> usize {
        self.image_size / self.patch
    }

    /// Tokens of one image: its patches and the class token.
    pub fn n_tokens(&self) -> usize {
        self.grid().pow(2) + 1
    }

    pub(super) fn transformer(&self, activation: Activation) -> TransformerConfig {
        TransformerConfig {
            width: self.width,
            layers: self.layers,
            heads: self.width / self.head_width,
            head_width: self.head_width,
            qkv_bias: true,
            mlp_width: (self.width as f64 * self.mlp_ratio).round() as usize,
            activation,
            epsilon: EPSILON,
        }
    }
}

impl TextConfig {
    fn usual_context() -> usize {
        77
    }

    fn usual_vocabulary() -> usize {
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
        }
    }
}

/// Epsilon of the norms outside the blocks.
pub(super) const NORM_EPSILON: f64 = EPSILON;
