//! Checkpoint formats of CLIP models: names of tensors, and the sizes that their shapes imply.

use std::path::Path;

use fs_err as fs;
use serde::Deserialize;

use super::config::{ClipConfig, SidecarConfig, TextConfig, VisionConfig, VisionStyle};
use crate::nn::Activation;
use crate::weights::{HUGGING_FACE_BLOCK, Layout, Renaming, TIMM_BLOCK, WeightFile, WeightsError};

/// Prefixes that wrappers and data-parallel training add to all names.
const PREFIXES: [&str; 4] = ["", "module.", "duoduoclip.", "module.duoduoclip."];
/// Heads that are not 64 wide: (width, layers) of the image tower and the width of a head. From open_clip's model
/// configurations ViT-H-14, ViT-g-14 and ViT-bigG-14.
const HEAD_WIDTHS: [([usize; 2], usize); 3] = [([1280, 32], 80), ([1408, 40], 88), ([1664, 48], 104)];

/// The implementation whose names a file's tensors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointFormat {
    /// OpenCLIP and OpenAI; the canonical names here.
    OpenClip,
    /// SLIP ([arXiv 2112.12750](https://arxiv.org/abs/2112.12750)): an image tower of timm, a text tower of CLIP.
    Slip,
    /// CLIP in Hugging Face's `transformers`.
    HuggingFace,
}

impl CheckpointFormat {
    /// Detects whose names a file has, and their prefix.
    pub fn of(file: &WeightFile) -> Option<(Self, &'static str)> {
        let has = |format: &Self, prefix: &str| {
            let layout = format.layout(prefix);
            file.contains(&layout.name("visual.conv1.weight"))
                && file.contains(&layout.name("token_embedding.weight"))
        };
        [Self::OpenClip, Self::Slip, Self::HuggingFace].into_iter().find_map(|format| {
            let prefix = PREFIXES.into_iter().find(|prefix| has(&format, prefix))?;
            Some((format, prefix))
        })
    }

    /// The names of the canonical tensors in such a file.
    pub fn layout(self, prefix: &str) -> Layout {
        let layout = Layout::prefixed(prefix);
        match self {
            Self::OpenClip => layout,
            Self::Slip => layout
                .within("visual.", TIMM_BLOCK)
                .rename("visual.class_embedding", "visual.cls_token")
                .rename("visual.positional_embedding", "visual.pos_embed")
                .rename("visual.conv1.", "visual.patch_embed.proj.")
                .rename("visual.ln_post.", "visual.norm.")
                .rename("visual.proj", "image_projection"),
            Self::HuggingFace => layout
                .within("visual.", HUGGING_FACE_BLOCK)
                .within("transformer.", HUGGING_FACE_BLOCK)
                .within("transformer.", &[("encoder.layers.", &["text_model.encoder.layers."])])
                .rename("visual.encoder.", "vision_model.encoder.")
                .rename("visual.class_embedding", "vision_model.embeddings.class_embedding")
                .rename("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight")
                .rename("visual.conv1.", "vision_model.embeddings.patch_embedding.")
                .rename("visual.ln_pre.", "vision_model.pre_layrnorm.")
                .rename("visual.ln_post.", "vision_model.post_layernorm.")
                .transpose("visual.proj", "visual_projection.weight")
                .rename("token_embedding.", "text_model.embeddings.token_embedding.")
                .within("positional_embedding", TEXT_POSITIONS)
                .rename("ln_final.", "text_model.final_layer_norm.")
                .transpose("text_projection", "text_projection.weight"),
        }
    }

    /// Whether a tensor that no tower uses is expected: buffers, sizes, and heads of other tasks.
    pub fn ignores(self, name: &str) -> bool {
        match self {
            Self::OpenClip => OPENAI_SCALARS.contains(&name),
            Self::Slip => SLIP_IGNORED.iter().any(|part| name.starts_with(part)),
            Self::HuggingFace => name.ends_with("embeddings.position_ids"),
        }
    }
}

/// Not a [`Layout::rename`], because the name of the image tower's positions contains this one.
const TEXT_POSITIONS: &[Renaming] =
    &[("positional_embedding", &["text_model.embeddings.position_embedding.weight"])];

/// SLIP's head for self-supervision, one that CG3D adds, and the point encoder in ULIP's files.
const SLIP_IGNORED: [&str; 4] = ["image_mlp.", "classification.", "point_encoder.", "pc_projection"];

/// Sizes that OpenAI's files store as tensors.
const OPENAI_SCALARS: [&str; 3] = ["input_resolution", "context_length", "vocab_size"];

impl ClipConfig {
    /// The configuration of a file's towers: from a file next to the weights or, without one, from the tensors.
    ///
    /// # Errors
    /// If tensors that determine sizes are missing, or a configuration file that the layout requires is.
    pub fn of(file: &WeightFile, format: CheckpointFormat, prefix: &str) -> Result<Self, WeightsError> {
        match format {
            CheckpointFormat::HuggingFace => {
                let mut config = Self::infer(file, format, prefix)?;
                HuggingFaceConfig::read_sidecar(file.path())?.complete(&mut config);
                Ok(config)
            }
            _ => match SidecarConfig::read(file.path()) {
                Some(sidecar) => Ok(sidecar.clip),
                None => Self::infer(file, format, prefix),
            },
        }
    }

    /// Infers sizes from the tensors. What shapes do not determine (heads, activation) is that of the published models.
    ///
    /// # Errors
    /// If tensors that determine sizes are missing or have unexpected shapes.
    pub fn infer(file: &WeightFile, format: CheckpointFormat, prefix: &str) -> Result<Self, WeightsError> {
        let layout = format.layout(prefix);
        let shape = |name: &str| file.shape(&layout.name(name));
        let layers = |stack: &str| {
            let first = |layer: usize| layout.name(&format!("{stack}.resblocks.{layer}.ln_1.weight"));
            (0..).take_while(|layer| file.contains(&first(*layer))).count()
        };
        let unrecognized = |name: &str, expected: &str| {
            let message = format!("{} is not {expected}", layout.name(name));
            WeightsError::Unrecognized { path: file.path().to_owned(), message }
        };
        let [width, _, patch, _] = *shape("visual.conv1.weight")? else {
            return Err(unrecognized("visual.conv1.weight", "[width, 3, patch, patch]"));
        };
        let [vocabulary, text_width] = *shape("token_embedding.weight")? else {
            return Err(unrecognized("token_embedding.weight", "[tokens, width]"));
        };
        let [rows, columns] = *shape("text_projection")? else {
            return Err(unrecognized("text_projection", "a matrix"));
        };
        let n_positions = shape("visual.positional_embedding")?.iter().rev().nth(1).copied().unwrap_or(0);
        let grid = (n_positions.saturating_sub(1) as f64).sqrt() as usize;
        let ratio = |block: &str, width: usize| -> Result<f64, WeightsError> {
            let hidden = shape(&format!("{block}.resblocks.0.mlp.c_fc.weight"))?.first().copied();
            Ok(hidden.unwrap_or(0) as f64 / width.max(1) as f64)
        };
        let image_layers = layers("visual.transformer");
        let openai = OPENAI_SCALARS.iter().all(|name| file.contains(&format!("{prefix}{name}")));
        let is_slip = format == CheckpointFormat::Slip;
        let prompts = shape("visual.prompt_embeddings").map_or(0, |shape| shape.get(1).copied().unwrap_or(0));
        Ok(Self {
            dim: if format == CheckpointFormat::HuggingFace { rows } else { columns },
            vision: VisionConfig {
                image_size: grid * patch,
                patch,
                width,
                layers: image_layers,
                head_width: head_width(width, image_layers),
                mlp_ratio: ratio("visual.transformer", width)?,
                style: if is_slip { VisionStyle::Timm } else { VisionStyle::Clip },
                prompts,
                activation: is_slip.then_some(Activation::Gelu),
                epsilon: None,
            },
            text: TextConfig {
                context: shape("positional_embedding")?.first().copied().unwrap_or(0),
                vocabulary,
                width: text_width,
                heads: (text_width / 64).max(1),
                layers: layers("transformer"),
                mlp_ratio: ratio("transformer", text_width)?,
            },
            // SLIP's text tower is OpenAI's, and only OpenAI's own files store sizes as tensors.
            activation: if is_slip || openai { Activation::QuickGelu } else { Activation::Gelu },
        })
    }
}

/// Width of one head in the published image tower with these sizes.
fn head_width(width: usize, layers: usize) -> usize {
    let own = HEAD_WIDTHS.iter().find(|(sizes, _)| *sizes == [width, layers]);
    own.map_or(64.min(width), |(_, head_width)| *head_width)
}

/// The part of the `config.json` of `transformers` that tensors do not imply. Absent fields have its defaults.
#[derive(Deserialize)]
struct HuggingFaceConfig {
    #[serde(default)]
    vision_config: HuggingFaceTower,
    #[serde(default)]
    text_config: HuggingFaceTower,
}

#[derive(Default, Deserialize)]
struct HuggingFaceTower {
    num_attention_heads: Option<usize>,
    hidden_act: Option<String>,
}

impl HuggingFaceConfig {
    fn read_sidecar(weights: &Path) -> Result<Self, WeightsError> {
        let path = weights.with_file_name("config.json");
        let unrecognized = |message: String| WeightsError::Unrecognized { path: weights.to_owned(), message };
        let text = fs::read_to_string(&path).map_err(|e| {
            unrecognized(format!(
                "its names are those of transformers, which requires a config.json in the same folder: {e}"
            ))
        })?;
        serde_json::from_str(&text).map_err(|e| unrecognized(format!("config.json in the same folder: {e}")))
    }

    fn complete(&self, config: &mut ClipConfig) {
        // Defaults of `CLIPVisionConfig` and `CLIPTextConfig`.
        let heads = self.vision_config.num_attention_heads.unwrap_or(12).max(1);
        config.vision.head_width = (config.vision.width / heads).max(1);
        config.text.heads = self.text_config.num_attention_heads.unwrap_or(8).max(1);
        config.activation = self.text_config.activation();
        config.vision.activation = Some(self.vision_config.activation());
    }
}

impl HuggingFaceTower {
    fn activation(&self) -> Activation {
        match self.hidden_act.as_deref() {
            None | Some("quick_gelu") => Activation::QuickGelu,
            Some(_) => Activation::Gelu,
        }
    }
}
