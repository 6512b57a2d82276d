//! The `config.json` of language models in `transformers`.

use std::path::Path;

use fs_err as fs;
use serde::Deserialize;

use super::architecture::Architecture;
use super::generation::EndTokens;
use super::{LanguageModelConfig, OutputConfig, Positions};
use crate::nn::{
    Activation, DecoderBlockConfig, MlpStyle, NormKind, NormPlacement, RotaryConfig, RotaryScaling,
    TransformerConfig,
};
use crate::weights::{WeightFile, WeightsError};

/// Name of the file.
pub(crate) const CONFIG_FILE: &str = "config.json";
/// Largest size of any kind; above it, the file is damaged.
const MAX_SIZE: usize = 1 << 24;
/// Rows of OPT's table of positions before that of the first token.
const OPT_POSITION_OFFSET: usize = 2;
/// PyTorch's default, which OPT has in all norms.
const OPT_EPSILON: f64 = 1e-5;

/// The fields that differ between models of an architecture. Absent ones have the defaults of `transformers`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ConfigFile {
    model_type: Option<String>,
    vocab_size: Option<usize>,
    #[serde(alias = "n_embd")]
    hidden_size: Option<usize>,
    #[serde(alias = "n_layer")]
    num_hidden_layers: Option<usize>,
    #[serde(alias = "n_head")]
    num_attention_heads: Option<usize>,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    #[serde(alias = "n_inner", alias = "ffn_dim")]
    intermediate_size: Option<usize>,
    #[serde(alias = "n_positions")]
    max_position_embeddings: Option<usize>,
    #[serde(alias = "hidden_act")]
    activation_function: Option<String>,
    #[serde(alias = "layer_norm_epsilon", alias = "rms_norm_eps")]
    layer_norm_eps: Option<f64>,
    tie_word_embeddings: Option<bool>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    partial_rotary_factor: Option<f32>,
    rope_theta: Option<f32>,
    rope_scaling: Option<RopeParameters>,
    rope_parameters: Option<RopeParameters>,
    bos_token_id: Option<u32>,
    eos_token_id: Option<TokenIds>,
    pad_token_id: Option<u32>,
    sliding_window: Option<usize>,
    // What would change the network in ways that it does not have.
    word_embed_proj_dim: Option<usize>,
    do_layer_norm_before: Option<bool>,
    #[serde(rename = "_remove_final_layer_norm")]
    remove_final_layer_norm: Option<bool>,
    enable_bias: Option<bool>,
    layer_norm_elementwise_affine: Option<bool>,
    scale_attn_weights: Option<bool>,
    scale_attn_by_inverse_layer_idx: Option<bool>,
    reorder_and_upcast_attn: Option<bool>,
    add_cross_attention: Option<bool>,
    use_sliding_window: Option<bool>,
    qk_layernorm: Option<bool>,
}

/// Rotary positions: `rope_parameters`, or `rope_scaling` of older versions.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RopeParameters {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f32>,
    partial_rotary_factor: Option<f32>,
    factor: Option<f32>,
    low_freq_factor: Option<f32>,
    high_freq_factor: Option<f32>,
    original_max_position_embeddings: Option<f32>,
}

/// One token, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum TokenIds {
    One(u32),
    Several(Vec<u32>),
}

/// What `config.json` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StatedModel {
    pub architecture: Architecture,
    pub config: LanguageModelConfig,
    /// The start of every text, if the tokenizer states none.
    pub start: Option<u32>,
    pub ends: EndTokens,
    pub padding: u32,
}

/// The language model that `config.json` in the folder of the weights describes.
///
/// # Errors
/// If the file is missing, or describes a model that the network does not compute.
pub(crate) fn read_config(weights: &WeightFile) -> Result<StatedModel, WeightsError> {
    let model = ConfigFile::read(weights.path()).and_then(|config| config.model());
    model.map_err(|message| companion_error(weights, CONFIG_FILE, message))
}

/// The error that a file in the folder of the weights is missing or not as expected.
pub(crate) fn companion_error(weights: &WeightFile, file: &str, message: String) -> WeightsError {
    WeightsError::CompanionFile { path: weights.path().to_owned(), file: file.to_owned(), message }
}

impl ConfigFile {
    /// Reads the file in the folder of the weights.
    ///
    /// # Errors
    /// Describes what is wrong with the file.
    pub fn read(weights: &Path) -> Result<Self, String> {
        let text =
            fs::read_to_string(weights.with_file_name(CONFIG_FILE)).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// The model.
    ///
    /// # Errors
    /// If it is of an unknown architecture, has options that change the network in ways that ours does not have, or sizes that do
    /// not fit each other.
    pub fn model(&self) -> Result<StatedModel, String> {
        let kind = self.model_type.as_deref().unwrap_or("none");
        let architecture = Architecture::of_model_type(kind).ok_or_else(|| {
            format!("model type {kind:?}, expected gpt2, opt, llama, mistral, qwen2, qwen3 or phi")
        })?;
        self.check_options()?;
        let config = LanguageModelConfig {
            vocabulary: size("vocab_size", self.vocab_size)?,
            context: self.context()?,
            block: self.block(architecture)?,
            positions: self.positions(architecture)?,
            output: self.output(architecture),
        };
        let ends = match &self.eos_token_id {
            Some(TokenIds::One(id)) => EndTokens::new(&[*id]),
            Some(TokenIds::Several(ids)) => EndTokens::new(ids),
            None => EndTokens::default(),
        };
        let padding = self.pad_token_id.or_else(|| ends.ids().next()).unwrap_or(0);
        let start = self.bos_token_id;
        let ids = ends.ids().chain([padding]).chain(start);
        match ids.into_iter().find(|id| *id as usize >= config.vocabulary) {
            Some(id) => Err(format!("a token of id {id}, and a vocabulary of {}", config.vocabulary)),
            None => Ok(StatedModel { architecture, config, start, ends, padding }),
        }
    }

    /// Refuses what the network does not have.
    fn check_options(&self) -> Result<(), String> {
        let is_true = |option: Option<bool>| option == Some(true);
        let is_false = |option: Option<bool>| option == Some(false);
        let refused = [
            ("do_layer_norm_before = false, as in OPT-350m", is_false(self.do_layer_norm_before)),
            ("_remove_final_layer_norm", is_true(self.remove_final_layer_norm)),
            ("enable_bias = false", is_false(self.enable_bias)),
            ("layer_norm_elementwise_affine = false", is_false(self.layer_norm_elementwise_affine)),
            ("scale_attn_weights = false", is_false(self.scale_attn_weights)),
            ("scale_attn_by_inverse_layer_idx", is_true(self.scale_attn_by_inverse_layer_idx)),
            ("reorder_and_upcast_attn", is_true(self.reorder_and_upcast_attn)),
            ("add_cross_attention", is_true(self.add_cross_attention)),
            ("use_sliding_window", is_true(self.use_sliding_window)),
            ("qk_layernorm", is_true(self.qk_layernorm)),
            (
                "word_embed_proj_dim",
                self.word_embed_proj_dim.is_some_and(|dim| Some(dim) != self.hidden_size),
            ),
        ];
        match refused.iter().find(|(_, is_refused)| *is_refused) {
            Some((option, _)) => Err(format!("the option {option} is not supported")),
            None => Ok(()),
        }
    }

    fn context(&self) -> Result<usize, String> {
        let context = size("max_position_embeddings", self.max_position_embeddings)?;
        // Up to the width of the window, attention is the same as without one.
        let window = self.sliding_window.filter(|_| self.use_sliding_window.is_none());
        Ok(window.map_or(context, |window| context.min(window.max(1))))
    }

    fn block(&self, architecture: Architecture) -> Result<DecoderBlockConfig, String> {
        let transformer = self.transformer(architecture)?;
        let norm_kind = if architecture.is_llama_like() { NormKind::Rms } else { NormKind::Layer };
        let norms =
            if architecture == Architecture::Phi { NormPlacement::Parallel } else { NormPlacement::Pre };
        let kv_heads = self.num_key_value_heads.unwrap_or(transformer.heads);
        if kv_heads == 0 || !transformer.heads.is_multiple_of(kv_heads) {
            return Err(format!("{kv_heads} heads of keys and values for {} of queries", transformer.heads));
        }
        let stated_bias = self.attention_bias.unwrap_or(false);
        Ok(DecoderBlockConfig {
            norm_kind,
            kv_heads,
            out_bias: match architecture {
                Architecture::Llama | Architecture::Qwen3 => stated_bias,
                Architecture::Qwen2 => false,
                _ => true,
            },
            query_key_norm: architecture == Architecture::Qwen3,
            is_packed: architecture == Architecture::Gpt2,
            ..DecoderBlockConfig::usual(transformer, norms, None)
        })
    }

    fn transformer(&self, architecture: Architecture) -> Result<TransformerConfig, String> {
        let width = size("hidden_size", self.hidden_size)?;
        let heads = size("num_attention_heads", self.num_attention_heads)?;
        let head_width = match self.head_dim {
            Some(head_width) => size("head_dim", Some(head_width))?,
            None if width.is_multiple_of(heads) => width / heads,
            None => return Err(format!("{heads} heads for a width of {width}")),
        };
        let is_gpt2 = architecture == Architecture::Gpt2;
        let mlp_width = self.intermediate_size.or(is_gpt2.then_some(4 * width));
        let qkv_bias = match architecture {
            Architecture::Llama | Architecture::Qwen3 => self.attention_bias.unwrap_or(false),
            _ => true,
        };
        let usual_epsilon = match architecture {
            Architecture::Opt | Architecture::Gpt2 | Architecture::Phi => OPT_EPSILON,
            _ => 1e-6,
        };
        Ok(TransformerConfig {
            width,
            layers: size("num_hidden_layers", self.num_hidden_layers)?,
            heads,
            head_width,
            qkv_bias,
            mlp_width: size("intermediate_size", mlp_width)?,
            activation: self.activation(architecture)?,
            epsilon: self.layer_norm_eps.unwrap_or(usual_epsilon),
            mlp: MlpStyle {
                gated: architecture.is_llama_like(),
                biases: !architecture.is_llama_like() || self.mlp_bias.unwrap_or(false),
                norm: false,
            },
        })
    }

    fn activation(&self, architecture: Architecture) -> Result<Activation, String> {
        let usual = match architecture {
            Architecture::Gpt2 | Architecture::Phi => "gelu_new",
            Architecture::Opt => "relu",
            _ => "silu",
        };
        match self.activation_function.as_deref().unwrap_or(usual) {
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
            "gelu" => Ok(Activation::Gelu),
            "quick_gelu" => Ok(Activation::QuickGelu),
            "relu" => Ok(Activation::Relu),
            "silu" | "swish" => Ok(Activation::Silu),
            other => Err(format!(
                "expected the activation gelu, gelu_new, quick_gelu, relu or silu, found {other:?}"
            )),
        }
    }

    fn positions(&self, architecture: Architecture) -> Result<Positions, String> {
        match architecture {
            Architecture::Gpt2 => return Ok(Positions::Learned { offset: 0 }),
            Architecture::Opt => return Ok(Positions::Learned { offset: OPT_POSITION_OFFSET }),
            _ => {}
        }
        let stated = self.rope_parameters.as_ref().or(self.rope_scaling.as_ref());
        let head_width = self.transformer(architecture)?.head_width;
        let usual_factor = if architecture == Architecture::Phi { 0.5 } else { 1.0 };
        let factor = stated.and_then(|stated| stated.partial_rotary_factor).or(self.partial_rotary_factor);
        let factor = factor.unwrap_or(usual_factor);
        let width = (head_width as f32 * factor) as usize;
        let base = stated.and_then(|stated| stated.rope_theta).or(self.rope_theta).unwrap_or(10_000.0);
        let is_sane = (2..=head_width).contains(&width) && width.is_multiple_of(2) && base > 0.0;
        if !is_sane || !base.is_finite() {
            return Err(format!("{width} rotary numbers of heads of {head_width}, with base {base}"));
        }
        let scaling = stated.map(RopeParameters::scaling).transpose()?.unwrap_or_default();
        Ok(Positions::Rotary(RotaryConfig { width, base, scaling }))
    }

    fn output(&self, architecture: Architecture) -> OutputConfig {
        let is_tied = matches!(architecture, Architecture::Gpt2 | Architecture::Opt);
        OutputConfig {
            is_tied: self.tie_word_embeddings.unwrap_or(is_tied),
            has_bias: architecture == Architecture::Phi,
            is_transformed: false,
        }
    }
}

impl RopeParameters {
    fn scaling(&self) -> Result<RotaryScaling, String> {
        let number = |name: &str, value: Option<f32>| {
            value.filter(|value| value.is_finite() && *value > 0.0).ok_or_else(|| {
                format!("expected a positive number as {name} of rotary positions, found {value:?}")
            })
        };
        match self.rope_type.as_deref() {
            None | Some("default") => Ok(RotaryScaling::None),
            Some("linear") => Ok(RotaryScaling::Linear(number("factor", self.factor)?)),
            Some("llama3") => Ok(RotaryScaling::Llama3 {
                factor: number("factor", self.factor)?,
                low_frequency: number("low_freq_factor", self.low_freq_factor)?,
                high_frequency: number("high_freq_factor", self.high_freq_factor)?,
                context: number("original_max_position_embeddings", self.original_max_position_embeddings)?,
            }),
            Some(other) => {
                Err(format!("expected rotary positions of type default, linear or llama3, found {other:?}"))
            }
        }
    }
}

/// A size that must be stated and in range.
fn size(name: &str, stated: Option<usize>) -> Result<usize, String> {
    match stated {
        Some(size) if (1..=MAX_SIZE).contains(&size) => Ok(size),
        Some(size) => Err(format!("{name} of {size}, expected 1 to {MAX_SIZE}")),
        None => Err(format!("{name} is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(text: &str) -> Result<StatedModel, String> {
        serde_json::from_str::<ConfigFile>(text).unwrap().model()
    }

    #[test]
    fn llama_3_is_read_with_its_heads_ends_and_rotations() {
        let found = model(
            r#"{"model_type": "llama", "vocab_size": 128256, "hidden_size": 2048, "num_hidden_layers": 16,
                "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "intermediate_size": 8192,
                "max_position_embeddings": 131072, "rms_norm_eps": 1e-05, "rope_theta": 500000.0, "hidden_act": "silu",
                "tie_word_embeddings": true, "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009],
                "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                                 "original_max_position_embeddings": 8192, "rope_type": "llama3"}}"#,
        )
        .unwrap();
        assert_eq!(found.config.block.kv_heads, 8);
        assert!(found.ends.contains(128_009) && !found.ends.contains(0));
        let Positions::Rotary(rotary) = found.config.positions else { panic!("{found:?}") };
        assert_eq!((rotary.width, rotary.base), (64, 500_000.0));
        assert!(matches!(rotary.scaling, RotaryScaling::Llama3 { .. }) && found.config.output.is_tied);
    }

    #[test]
    fn what_the_network_does_not_have_is_refused() {
        let check = |change: &str, expected: &str| {
            let text = format!(
                r#"{{"model_type": "opt", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1,
                     "num_attention_heads": 2, "ffn_dim": 8, "max_position_embeddings": 9{change}}}"#
            );
            match model(&text) {
                Ok(found) => assert_eq!(expected, "", "{found:?}"),
                Err(error) => assert!(!expected.is_empty() && error.contains(expected), "{error}"),
            }
        };
        check("", "");
        check(r#", "do_layer_norm_before": false"#, "OPT-350m");
        check(r#", "word_embed_proj_dim": 4"#, "word_embed_proj_dim");
        check(r#", "eos_token_id": 9"#, "a token of id 9");
        check(r#", "num_key_value_heads": 0"#, "0 heads of keys");
        check(r#", "head_dim": 0"#, "head_dim of 0");
        check(r#", "activation_function": "tanh""#, "found \"tanh\"");
        assert!(model(r#"{"model_type": "t5"}"#).unwrap_err().contains("\"t5\""));
        let yarn = r#"{"model_type": "llama", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 8, "max_position_embeddings": 9,
            "rope_scaling": {"type": "yarn"}}"#;
        assert!(model(yarn).unwrap_err().contains("found \"yarn\""));
    }
}
