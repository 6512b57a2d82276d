//! Sizes of a BLIP captioner, from its tensors and the `config.json` next to the weights.

use std::path::Path;

use fs_err as fs;
use serde::Deserialize;

use super::checkpoint_format::CheckpointFormat;
use crate::clip::{VisionConfig, VisionStyle};
use crate::nn::{Activation, TransformerConfig};
use crate::weights::{Layout, WeightFile, WeightsError};

/// The configuration file of `transformers`.
pub(super) const CONFIG_FILE: &str = "config.json";
/// Largest size of any kind; above it, the file is damaged.
const MAX_SIZE: usize = 1 << 20;

/// Sizes of a BLIP captioner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlipConfig {
    /// The image tower.
    pub vision: VisionConfig,
    /// The text decoder.
    pub decoder: DecoderConfig,
    /// Special tokens.
    pub special_tokens: SpecialTokens,
}

/// Sizes of the text decoder, a BERT with cross-attention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecoderConfig {
    /// Size of the vocabulary.
    pub vocabulary: usize,
    /// Longest sequence in tokens.
    pub context: usize,
    /// Width, layers and heads.
    pub transformer: TransformerConfig,
}

/// Ids of special tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Start of a caption: `[DEC]`.
    pub start: u32,
    /// End of a caption: `[SEP]`.
    pub end: u32,
    /// Padding of finished captions.
    pub padding: u32,
}

/// The part of `config.json` that tensors do not imply. Absent fields have the defaults of `transformers`.
#[derive(Default, Deserialize)]
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
    layer_norm_eps: Option<f64>,
    bos_token_id: Option<u32>,
    sep_token_id: Option<u32>,
    pad_token_id: Option<u32>,
}

impl BlipConfig {
    /// The configuration of a file's network.
    pub(super) fn of(file: &WeightFile, format: CheckpointFormat) -> Result<Self, WeightsError> {
        let stated = HuggingFaceConfig::read_sidecar(file.path(), format)?;
        let sizes = TensorShapes { file, layout: format.layout() };
        let config = Self {
            vision: sizes.vision(format, stated.as_ref().map(|stated| &stated.vision_config))?,
            decoder: sizes.decoder(stated.as_ref().map(|stated| &stated.text_config))?,
            special_tokens: stated
                .map_or(HuggingFaceTower::default(), |stated| stated.text_config)
                .special_tokens(),
        };
        let SpecialTokens { start, end, padding } = config.special_tokens;
        match [start, end, padding].into_iter().find(|id| *id as usize >= config.decoder.vocabulary) {
            Some(id) => {
                Err(sizes
                    .unrecognized(format!("a token of id {id}, and it knows {}", config.decoder.vocabulary)))
            }
            None => Ok(config),
        }
    }
}

impl HuggingFaceConfig {
    /// Reads the file. The original project released none; its sizes are those in its code.
    fn read_sidecar(weights: &Path, format: CheckpointFormat) -> Result<Option<Self>, WeightsError> {
        let path = weights.with_file_name(CONFIG_FILE);
        if format == CheckpointFormat::Salesforce && !path.is_file() {
            return Ok(None);
        }
        let failed = |message: String| WeightsError::CompanionFile {
            path: weights.to_owned(),
            file: CONFIG_FILE.to_owned(),
            message,
        };
        let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
        serde_json::from_str(&text).map(Some).map_err(|error| failed(error.to_string()))
    }
}

impl HuggingFaceTower {
    fn special_tokens(&self) -> SpecialTokens {
        SpecialTokens {
            start: self.bos_token_id.unwrap_or(30_522),
            end: self.sep_token_id.unwrap_or(102),
            padding: self.pad_token_id.unwrap_or(0),
        }
    }

    fn activation(&self) -> Result<Activation, String> {
        match self.hidden_act.as_deref() {
            None | Some("gelu") => Ok(Activation::Gelu),
            Some("quick_gelu") => Ok(Activation::QuickGelu),
            Some("relu") => Ok(Activation::Relu),
            Some(other) => Err(format!("{CONFIG_FILE}: expected gelu, quick_gelu or relu, found {other:?}")),
        }
    }
}

/// Infers sizes from the shapes of tensors.
struct TensorShapes<'a> {
    file: &'a WeightFile,
    layout: Layout,
}

impl TensorShapes<'_> {
    fn unrecognized(&self, message: String) -> WeightsError {
        WeightsError::Unrecognized { path: self.file.path().to_owned(), message }
    }

    /// The shape of a tensor, with all sizes in range.
    fn shape<const D: usize>(&self, name: &str) -> Result<[usize; D], WeightsError> {
        let shape = self.file.shape(&self.layout.name(name))?;
        let sane = shape.iter().all(|size| (1..=MAX_SIZE).contains(size));
        match <[usize; D]>::try_from(shape) {
            Ok(shape) if sane => Ok(shape),
            _ => Err(self
                .unrecognized(format!("{} has shape {shape:?}, expected {D} axes", self.layout.name(name)))),
        }
    }

    /// Number of blocks `{name}.{0…}.{part}` in the file.
    fn layers(&self, name: &str, part: &str) -> usize {
        let at = |layer: usize| self.layout.name(&format!("{name}.{layer}.{part}"));
        (0..).take_while(|layer| self.file.contains(&at(*layer))).count()
    }

    /// Number of heads of a tower, which must divide its width.
    fn heads(&self, width: usize, stated: Option<usize>) -> Result<usize, WeightsError> {
        // Heads of the published models are 64 wide.
        let heads = stated.unwrap_or(width / 64);
        match heads > 0 && width.is_multiple_of(heads) {
            true => Ok(heads),
            false => Err(self.unrecognized(format!("{heads} heads for a width of {width}"))),
        }
    }

    fn activation(&self, stated: Option<&HuggingFaceTower>) -> Result<Activation, WeightsError> {
        let activation = stated.map_or(Ok(Activation::Gelu), HuggingFaceTower::activation);
        activation.map_err(|message| self.unrecognized(message))
    }

    fn vision(
        &self,
        format: CheckpointFormat,
        stated: Option<&HuggingFaceTower>,
    ) -> Result<VisionConfig, WeightsError> {
        let [width, _, patch, _] = self.shape("visual.conv1.weight")?;
        let [hidden, _] = self.shape("visual.transformer.resblocks.0.mlp.c_fc.weight")?;
        let [_, positions, _] = self.shape("visual.positional_embedding")?;
        let grid = ((positions - 1) as f64).sqrt().round() as usize;
        if grid == 0 || grid * grid + 1 != positions {
            return Err(self.unrecognized(format!(
                "expected a square number of positions and a class token, found {positions}"
            )));
        }
        // Defaults of `BlipVisionConfig`: 12 heads and an epsilon of 1e-5; the original code uses 1e-6.
        let heads = stated.map(|stated| stated.num_attention_heads.unwrap_or(12));
        let stated_epsilon = stated.map(|stated| stated.layer_norm_eps.unwrap_or(1e-5));
        let epsilon = stated_epsilon.unwrap_or(match format {
            CheckpointFormat::HuggingFace => 1e-5,
            CheckpointFormat::Salesforce => 1e-6,
        });
        Ok(VisionConfig {
            image_size: grid * patch,
            patch,
            width,
            layers: self.layers("visual.transformer.resblocks", "ln_1.weight"),
            head_width: width / self.heads(width, heads)?,
            mlp_ratio: hidden as f64 / width as f64,
            style: VisionStyle::Timm,
            prompts: 0,
            activation: Some(self.activation(stated)?),
            epsilon: Some(epsilon),
        })
    }

    fn decoder(&self, stated: Option<&HuggingFaceTower>) -> Result<DecoderConfig, WeightsError> {
        let [vocabulary, width] = self.shape("text_decoder.token_embedding.weight")?;
        let [context, _] = self.shape("text_decoder.positional_embedding")?;
        let [mlp_width, _] = self.shape("text_decoder.layers.0.mlp.c_fc.weight")?;
        // Default of `BlipTextConfig`: 8 heads.
        let heads = self.heads(width, stated.map(|stated| stated.num_attention_heads.unwrap_or(8)))?;
        let transformer = TransformerConfig {
            width,
            layers: self.layers("text_decoder.layers", "ln_1.weight"),
            heads,
            head_width: width / heads,
            qkv_bias: true,
            mlp_width,
            activation: self.activation(stated)?,
            epsilon: stated.and_then(|stated| stated.layer_norm_eps).unwrap_or(1e-12),
        };
        Ok(DecoderConfig { vocabulary, context, transformer })
    }
}
