//! The language models of `transformers` that [`LanguageModel`](super::LanguageModel) computes: names of their tensors.

use crate::weights::{Layout, Renaming, WeightFile, WeightsError};

/// A kind of language model, by its `model_type` in `transformers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// GPT-2 ([Radford et al. 2019](https://cdn.openai.com/better-language-models/language_models.pdf)).
    Gpt2,
    /// OPT ([arXiv 2205.01068](https://arxiv.org/abs/2205.01068)).
    Opt,
    /// Llama ([arXiv 2302.13971](https://arxiv.org/abs/2302.13971)) and Mistral.
    Llama,
    /// Qwen2 ([arXiv 2407.10671](https://arxiv.org/abs/2407.10671)): Llama with biases of queries, keys and values.
    Qwen2,
    /// Qwen3 ([arXiv 2505.09388](https://arxiv.org/abs/2505.09388)): Llama with normalized queries and keys.
    Qwen3,
    /// Phi-1.5 and Phi-2.
    Phi,
}

impl Architecture {
    /// RMS norms, and gated MLPs without biases.
    pub fn is_llama_like(self) -> bool {
        matches!(self, Self::Llama | Self::Qwen2 | Self::Qwen3)
    }
}

/// The layers of Llama and Qwen.
const LLAMA_LAYER: &[Renaming] = &[
    (".attn.query_norm.", &[".self_attn.q_norm."]),
    (".attn.key_norm.", &[".self_attn.k_norm."]),
    (".attn.query.", &[".self_attn.q_proj."]),
    (".attn.key_value.", &[".self_attn.k_proj.", ".self_attn.v_proj."]),
    (".attn.out.", &[".self_attn.o_proj."]),
    (".ln_1.", &[".input_layernorm."]),
    (".ln_3.", &[".post_attention_layernorm."]),
    (".mlp.gate.", &[".mlp.gate_proj."]),
    (".mlp.c_fc.", &[".mlp.up_proj."]),
    (".mlp.c_proj.", &[".mlp.down_proj."]),
];

/// The layers of OPT.
const OPT_LAYER: &[Renaming] = &[
    (".attn.query.", &[".self_attn.q_proj."]),
    (".attn.key_value.", &[".self_attn.k_proj.", ".self_attn.v_proj."]),
    (".attn.out.", &[".self_attn.out_proj."]),
    (".ln_1.", &[".self_attn_layer_norm."]),
    (".mlp.c_fc.", &[".fc1."]),
    (".mlp.c_proj.", &[".fc2."]),
    (".ln_3.", &[".final_layer_norm."]),
];

/// The layers of Phi.
const PHI_LAYER: &[Renaming] = &[
    (".attn.query.", &[".self_attn.q_proj."]),
    (".attn.key_value.", &[".self_attn.k_proj.", ".self_attn.v_proj."]),
    (".attn.out.", &[".self_attn.dense."]),
    (".ln_1.", &[".input_layernorm."]),
    (".mlp.c_fc.", &[".mlp.fc1."]),
    (".mlp.c_proj.", &[".mlp.fc2."]),
];

/// Prefix of the canonical names of a language model.
pub(crate) const NAME: &str = "text_decoder";

impl Architecture {
    /// The kind with a `model_type` of `config.json`.
    pub fn of_model_type(name: &str) -> Option<Self> {
        Some(match name {
            "gpt2" => Self::Gpt2,
            "opt" => Self::Opt,
            // PointLLM is a Llama that reads tokens of points too.
            "llama" | "mistral" | "pointllm" => Self::Llama,
            "qwen2" => Self::Qwen2,
            "qwen3" => Self::Qwen3,
            "phi" => Self::Phi,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gpt2 => "GPT-2",
            Self::Opt => "OPT",
            Self::Llama => "Llama",
            Self::Qwen2 => "Qwen2",
            Self::Qwen3 => "Qwen3",
            Self::Phi => "Phi",
        }
    }

    /// The names of the tensors of the canonical `text_decoder.*` in a file whose names start with `prefix`, such as
    /// `transformer.` in GPT-2.
    pub fn layout(self, layout: Layout, prefix: &str) -> Layout {
        let (layout, embedding, positions, norm) = match self {
            Self::Gpt2 => (gpt2_layers(layout, prefix), "wte.", "wpe.weight", "ln_f."),
            Self::Opt => {
                let layers = format!("{prefix}decoder.layers.");
                let layout =
                    layout.within("text_decoder.layers.", OPT_LAYER).rename("text_decoder.layers.", &layers);
                (
                    layout,
                    "decoder.embed_tokens.",
                    "decoder.embed_positions.weight",
                    "decoder.final_layer_norm.",
                )
            }
            Self::Llama | Self::Qwen2 | Self::Qwen3 => {
                (layers(layout, prefix, LLAMA_LAYER), "embed_tokens.", "", "norm.")
            }
            Self::Phi => (layers(layout, prefix, PHI_LAYER), "embed_tokens.", "", "final_layernorm."),
        };
        layout
            .rename("text_decoder.token_embedding.", &format!("{prefix}{embedding}"))
            .rename("text_decoder.positional_embedding", &format!("{prefix}{positions}"))
            .rename("text_decoder.ln_final.", &format!("{prefix}{norm}"))
            .rename("text_decoder.head.", "lm_head.")
    }

    /// The prefix of a file's names; GPT-2 was released without one.
    pub(crate) fn prefix(self, file: &WeightFile) -> &'static str {
        match self {
            Self::Gpt2 if file.contains("wte.weight") => "",
            Self::Gpt2 => "transformer.",
            _ => "model.",
        }
    }

    /// Whether a tensor that the network does not use is expected: masks and angles that older versions stored.
    pub(crate) fn ignores(self, name: &str) -> bool {
        let ends = |end: &str| name.ends_with(end);
        match self {
            Self::Gpt2 => is_gpt2_mask(name),
            _ => ends(".rotary_emb.inv_freq"),
        }
    }
}

/// Whether a tensor is a causal mask, which older versions of `transformers` stored with GPT-2.
pub(crate) fn is_gpt2_mask(name: &str) -> bool {
    name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias")
}

/// The copy of a tied output layer that a file may have must equal the token embeddings.
///
/// # Errors
/// If it differs.
pub(crate) fn check_tie(file: &WeightFile, copy: &str, original: &str) -> Result<(), WeightsError> {
    if file.contains(copy) && file.read(copy)? != file.read(original)? {
        let message = format!("{copy} differs from {original}, to which it should be tied");
        return Err(WeightsError::Unrecognized { path: file.path().to_owned(), message });
    }
    Ok(())
}

fn layers(layout: Layout, prefix: &str, renamings: &[Renaming]) -> Layout {
    layout
        .within("text_decoder.layers.", renamings)
        .rename("text_decoder.layers.", &format!("{prefix}layers."))
}

/// GPT-2's layers: matrices are `[input, output]`, and queries, keys and values are one.
fn gpt2_layers(layout: Layout, prefix: &str) -> Layout {
    layout
        .transpose(".attn.in_proj.weight", ".attn.c_attn.weight")
        .rename(".attn.in_proj.bias", ".attn.c_attn.bias")
        .transpose(".attn.out.weight", ".attn.c_proj.weight")
        .rename(".attn.out.bias", ".attn.c_proj.bias")
        .rename(".ln_3.", ".ln_2.")
        .transpose(".mlp.c_fc.weight", ".mlp.c_fc.weight")
        .transpose(".mlp.c_proj.weight", ".mlp.c_proj.weight")
        .rename("text_decoder.layers.", &format!("{prefix}h."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_transformers() {
        let check = |architecture: Architecture, prefix: &str, canonical: &str, expected: &str| {
            let layout = architecture.layout(Layout::prefixed(""), prefix);
            assert_eq!(layout.name(&format!("{NAME}.{canonical}")), expected);
        };
        check(
            Architecture::Gpt2,
            "transformer.",
            "layers.3.attn.in_proj.weight",
            "transformer.h.3.attn.c_attn.weight",
        );
        check(Architecture::Gpt2, "", "layers.0.mlp.c_proj.bias", "h.0.mlp.c_proj.bias");
        check(Architecture::Opt, "model.", "positional_embedding", "model.decoder.embed_positions.weight");
        check(Architecture::Llama, "model.", "ln_final.weight", "model.norm.weight");
        check(
            Architecture::Qwen3,
            "model.",
            "layers.1.attn.key_norm.weight",
            "model.layers.1.self_attn.k_norm.weight",
        );
        check(Architecture::Phi, "model.", "head.bias", "lm_head.bias");
    }
}
