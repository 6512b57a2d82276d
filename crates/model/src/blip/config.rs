//! Sizes of a BLIP or BLIP-2 captioner, from its tensors and the `config.json` next to the weights.

use std::path::Path;

use fs_err as fs;
use serde::Deserialize;

use super::checkpoint_format::CheckpointFormat;
use super::qformer::QFormerConfig;
use crate::clip::{VisionConfig, VisionStyle};
use crate::lm::{LanguageModelConfig, OutputConfig, Positions, SpecialTokens};
use crate::nn::{Activation, DecoderBlockConfig, NormPlacement, TransformerConfig};
use crate::weights::{Layout, WeightFile, WeightsError};

/// The configuration file of `transformers`.
pub(super) const CONFIG_FILE: &str = "config.json";
/// Largest size of any kind; above it, the file is damaged.
const MAX_SIZE: usize = 1 << 20;
/// Rows of OPT's table of positions before that of the first token.
const OPT_POSITION_OFFSET: usize = 2;
/// PyTorch's default, which OPT has in all norms.
const OPT_EPSILON: f64 = 1e-5;

/// Sizes of a captioner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlipConfig {
    /// The image tower.
    pub vision: VisionConfig,
    /// The language model.
    pub language: LanguageModelConfig,
    /// What turns an image into embeddings in front of the text (BLIP-2). Without it, the language model attends to the image.
    pub qformer: Option<QFormerConfig>,
    /// Special tokens.
    pub special_tokens: SpecialTokens,
}

/// The part of `config.json` that tensors do not imply. Absent fields have the defaults of `transformers`.
#[derive(Default, Deserialize)]
struct HuggingFaceConfig {
    #[serde(default)]
    vision_config: HuggingFaceTower,
    #[serde(default)]
    text_config: HuggingFaceTower,
    #[serde(default)]
    qformer_config: HuggingFaceTower,
}

#[derive(Default, Deserialize)]
struct HuggingFaceTower {
    model_type: Option<String>,
    num_attention_heads: Option<usize>,
    #[serde(alias = "activation_function")]
    hidden_act: Option<String>,
    layer_norm_eps: Option<f64>,
    bos_token_id: Option<u32>,
    sep_token_id: Option<u32>,
    pad_token_id: Option<u32>,
    eos_token_id: Option<u32>,
    cross_attention_frequency: Option<usize>,
    do_layer_norm_before: Option<bool>,
    #[serde(rename = "_remove_final_layer_norm")]
    remove_final_layer_norm: Option<bool>,
}

impl BlipConfig {
    /// The configuration of a file's network.
    pub(super) fn of(file: &WeightFile, format: CheckpointFormat) -> Result<Self, WeightsError> {
        let stated = HuggingFaceConfig::read_sidecar(file.path(), format)?;
        let sizes = TensorShapes { file, layout: format.layout() };
        let config = match (format, stated) {
            (CheckpointFormat::Blip2, stated) => sizes.blip_2(&stated.unwrap_or_default())?,
            (_, stated) => {
                let vision = sizes.vision(format, stated.as_ref().map(|stated| &stated.vision_config))?;
                Self {
                    vision,
                    language: sizes.bert(stated.as_ref().map(|stated| &stated.text_config), vision.width)?,
                    qformer: None,
                    special_tokens: stated.unwrap_or_default().text_config.bert_tokens(),
                }
            }
        };
        let (SpecialTokens { start, end, padding }, vocabulary) =
            (config.special_tokens, config.language.vocabulary);
        match [start, end, padding].into_iter().find(|id| *id as usize >= vocabulary) {
            Some(id) => Err(sizes.unrecognized(format!("a token of id {id}, and it knows {vocabulary}"))),
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
    fn bert_tokens(&self) -> SpecialTokens {
        SpecialTokens {
            start: self.bos_token_id.unwrap_or(30_522),
            end: self.sep_token_id.unwrap_or(102),
            padding: self.pad_token_id.unwrap_or(0),
        }
    }

    /// OPT's. In BLIP-2 captions end at a line break, which the file states.
    fn opt_tokens(&self) -> SpecialTokens {
        SpecialTokens {
            start: self.bos_token_id.unwrap_or(2),
            end: self.eos_token_id.unwrap_or(2),
            padding: self.pad_token_id.unwrap_or(1),
        }
    }

    fn activation(&self) -> Result<Option<Activation>, String> {
        match self.hidden_act.as_deref() {
            None => Ok(None),
            Some("gelu") => Ok(Some(Activation::Gelu)),
            Some("quick_gelu") => Ok(Some(Activation::QuickGelu)),
            Some("relu") => Ok(Some(Activation::Relu)),
            Some(other) => Err(format!("{CONFIG_FILE}: expected gelu, quick_gelu or relu, found {other:?}")),
        }
    }

    /// Checks that the language model of a BLIP-2 is an OPT with pre-norm blocks, as in all released ones.
    fn check_opt(&self) -> Result<(), String> {
        let kind = self.model_type.as_deref().unwrap_or("opt");
        if kind != "opt" {
            return Err(format!("its language model is {kind:?}; BLIP-2 is supported with OPT"));
        }
        if self.do_layer_norm_before == Some(false) || self.remove_final_layer_norm == Some(true) {
            return Err(
                "expected an OPT with pre-norm blocks and a final norm, found one like OPT-350m".to_owned()
            );
        }
        Ok(())
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

    fn activation(
        &self,
        stated: Option<&HuggingFaceTower>,
        usual: Activation,
    ) -> Result<Activation, WeightsError> {
        let activation = stated.map_or(Ok(None), HuggingFaceTower::activation);
        activation.map(|stated| stated.unwrap_or(usual)).map_err(|message| self.unrecognized(message))
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
        // Defaults of `Blip2VisionConfig` and `BlipVisionConfig`; the original code has heads of 64 and an epsilon of 1e-6.
        let (usual_heads, usual_epsilon) = match (format, stated) {
            (CheckpointFormat::Blip2, _) => (Some(16), 1e-6),
            (_, Some(_)) => (Some(12), 1e-5),
            (_, None) => (None, 1e-6),
        };
        let heads = stated.and_then(|stated| stated.num_attention_heads).or(usual_heads);
        Ok(VisionConfig {
            image_size: grid * patch,
            patch,
            width,
            layers: self.layers("visual.transformer.resblocks", "ln_1.weight"),
            head_width: width / self.heads(width, heads)?,
            mlp_ratio: hidden as f64 / width as f64,
            style: VisionStyle::Timm,
            prompts: 0,
            activation: Some(self.activation(stated, Activation::Gelu)?),
            epsilon: Some(stated.and_then(|stated| stated.layer_norm_eps).unwrap_or(usual_epsilon)),
        })
    }

    /// A stack of decoder blocks, `{name}.layers.*`.
    fn blocks(
        &self,
        name: &str,
        stated: Option<&HuggingFaceTower>,
        usual: TransformerConfig,
    ) -> Result<TransformerConfig, WeightsError> {
        let [mlp_width, width] = self.shape(&format!("{name}.layers.0.mlp.c_fc.weight"))?;
        let heads =
            self.heads(width, stated.map(|stated| stated.num_attention_heads.unwrap_or(usual.heads)))?;
        Ok(TransformerConfig {
            width,
            layers: self.layers(&format!("{name}.layers"), "ln_1.weight"),
            heads,
            head_width: width / heads,
            mlp_width,
            activation: self.activation(stated, usual.activation)?,
            epsilon: stated.and_then(|stated| stated.layer_norm_eps).unwrap_or(usual.epsilon),
            ..usual
        })
    }

    /// BLIP's text decoder, which attends to an image of tokens `image_width` wide.
    fn bert(
        &self,
        stated: Option<&HuggingFaceTower>,
        image_width: usize,
    ) -> Result<LanguageModelConfig, WeightsError> {
        let [vocabulary, _] = self.shape("text_decoder.token_embedding.weight")?;
        let [context, _] = self.shape("text_decoder.positional_embedding")?;
        // Defaults of `BlipTextConfig`.
        let usual = TransformerConfig { heads: 8, epsilon: 1e-12, ..TransformerConfig::usual() };
        Ok(LanguageModelConfig {
            vocabulary,
            context,
            block: DecoderBlockConfig::usual(
                self.blocks("text_decoder", stated, usual)?,
                NormPlacement::Post,
                Some(image_width),
            ),
            positions: Positions::Learned { offset: 0 },
            output: OutputConfig { is_tied: true, has_bias: true, is_transformed: true },
        })
    }

    /// An image tower, a Q-Former and an OPT.
    fn blip_2(&self, stated: &HuggingFaceConfig) -> Result<BlipConfig, WeightsError> {
        stated.text_config.check_opt().map_err(|message| self.unrecognized(message))?;
        Ok(BlipConfig {
            vision: self.vision(CheckpointFormat::Blip2, Some(&stated.vision_config))?,
            language: self.opt(&stated.text_config)?,
            qformer: Some(self.qformer(&stated.qformer_config)?),
            special_tokens: stated.text_config.opt_tokens(),
        })
    }

    fn opt(&self, stated: &HuggingFaceTower) -> Result<LanguageModelConfig, WeightsError> {
        let [vocabulary, _] = self.shape("text_decoder.token_embedding.weight")?;
        let [positions, _] = self.shape("text_decoder.positional_embedding")?;
        let usual = TransformerConfig {
            heads: 12,
            epsilon: OPT_EPSILON,
            activation: Activation::Relu,
            ..TransformerConfig::usual()
        };
        Ok(LanguageModelConfig {
            vocabulary,
            context: positions.saturating_sub(OPT_POSITION_OFFSET).max(1),
            block: DecoderBlockConfig::usual(
                self.blocks("text_decoder", Some(stated), usual)?,
                NormPlacement::Pre,
                None,
            ),
            positions: Positions::Learned { offset: OPT_POSITION_OFFSET },
            output: OutputConfig::TIED,
        })
    }

    fn qformer(&self, stated: &HuggingFaceTower) -> Result<QFormerConfig, WeightsError> {
        let [_, queries, _] = self.shape("qformer.queries")?;
        let usual = TransformerConfig { heads: 12, epsilon: 1e-12, ..TransformerConfig::usual() };
        let cross_frequency = stated.cross_attention_frequency.unwrap_or(2);
        if cross_frequency == 0 {
            return Err(self.unrecognized(format!("{CONFIG_FILE}: a cross-attention frequency of 0")));
        }
        Ok(QFormerConfig {
            queries,
            transformer: self.blocks("qformer", Some(stated), usual)?,
            cross_frequency,
        })
    }
}
