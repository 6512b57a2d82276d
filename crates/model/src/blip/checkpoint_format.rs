//! Checkpoint formats of BLIP and BLIP-2 captioners: names of tensors.

use crate::lm::{Architecture, check_tie};
use crate::weights::{BERT_LAYER, Layout, Renaming, TIMM_BLOCK, WeightFile, WeightsError};

/// The implementation whose names a file's tensors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointFormat {
    /// `BlipForConditionalGeneration` in Hugging Face's `transformers`.
    HuggingFace,
    /// The original project: an image tower of timm and a BERT.
    Salesforce,
    /// `Blip2ForConditionalGeneration` in Hugging Face's `transformers`, with OPT.
    Blip2,
}

/// The blocks of the image tower in `transformers`.
const TRANSFORMERS_BLOCK: &[Renaming] = &[
    ("transformer.resblocks.", &["encoder.layers."]),
    (".ln_1.", &[".layer_norm1."]),
    (".attn.in_proj_weight", &[".self_attn.qkv.weight"]),
    (".attn.in_proj_bias", &[".self_attn.qkv.bias"]),
    (".attn.out_proj.", &[".self_attn.projection."]),
    (".ln_2.", &[".layer_norm2."]),
    (".mlp.c_fc.", &[".mlp.fc1."]),
    (".mlp.c_proj.", &[".mlp.fc2."]),
];

/// The layers of BLIP-2's Q-Former: a BERT whose MLP for queries is apart from that for text.
const QFORMER_LAYER: &[Renaming] = &[
    ("qformer.layers.", &["qformer.encoder.layer."]),
    (".attn.query.", &[".attention.attention.query."]),
    (".attn.key_value.", &[".attention.attention.key.", ".attention.attention.value."]),
    (".attn.out.", &[".attention.output.dense."]),
    (".ln_1.", &[".attention.output.LayerNorm."]),
    (".cross.query.", &[".crossattention.attention.query."]),
    (".cross.key_value.", &[".crossattention.attention.key.", ".crossattention.attention.value."]),
    (".cross.out.", &[".crossattention.output.dense."]),
    (".ln_2.", &[".crossattention.output.LayerNorm."]),
    (".mlp.c_fc.", &[".intermediate_query.dense."]),
    (".mlp.c_proj.", &[".output_query.dense."]),
    (".ln_3.", &[".output_query.LayerNorm."]),
];

/// Copies of tied tensors that a file may have, and their canonical names: the output layer is the token embedding.
const TIED: [(&str, &str); 3] = [
    ("language_model.lm_head.weight", "text_decoder.token_embedding.weight"),
    ("text_decoder.cls.predictions.decoder.weight", "text_decoder.token_embedding.weight"),
    ("text_decoder.cls.predictions.decoder.bias", "text_decoder.head.bias"),
];

impl CheckpointFormat {
    /// Detects the format by the names of tensors; `None` if the file is not a BLIP or BLIP-2 captioner.
    pub fn of(file: &WeightFile) -> Option<Self> {
        [Self::HuggingFace, Self::Salesforce, Self::Blip2].into_iter().find(|format| {
            let layout = format.layout();
            ["visual.conv1.weight", "text_decoder.token_embedding.weight"]
                .iter()
                .all(|name| file.contains(&layout.name(name)))
        })
    }

    /// The names of the canonical tensors in such a file.
    pub fn layout(self) -> Layout {
        let layout = Layout::prefixed("");
        match self {
            Self::HuggingFace => bert(transformers_vision(layout)),
            Self::Salesforce => bert(
                layout
                    .within("visual.", TIMM_BLOCK)
                    .rename("visual.class_embedding", "visual.cls_token")
                    .rename("visual.positional_embedding", "visual.pos_embed")
                    .rename("visual.conv1.", "visual.patch_embed.proj.")
                    .rename("visual.ln_post.", "visual.norm.")
                    .rename("visual.", "visual_encoder."),
            ),
            Self::Blip2 => opt(qformer(transformers_vision(layout))),
        }
    }

    /// Whether a tensor that the network does not use is expected: position ids, and copies of tied tensors.
    pub fn ignores(self, name: &str) -> bool {
        name.ends_with("embeddings.position_ids") || TIED.iter().any(|(copy, _)| name == *copy)
    }

    /// Checks that copies of tied tensors equal their originals.
    ///
    /// # Errors
    /// If a copy differs from its original.
    pub fn check_ties(self, file: &WeightFile) -> Result<(), WeightsError> {
        for (copy, canonical) in TIED {
            check_tie(file, copy, &self.layout().name(canonical))?;
        }
        Ok(())
    }
}

/// The image tower in `transformers`.
fn transformers_vision(layout: Layout) -> Layout {
    layout
        .within("visual.", TRANSFORMERS_BLOCK)
        .rename("visual.encoder.", "vision_model.encoder.")
        .rename("visual.class_embedding", "vision_model.embeddings.class_embedding")
        .rename("visual.positional_embedding", "vision_model.embeddings.position_embedding")
        .rename("visual.conv1.", "vision_model.embeddings.patch_embedding.")
        .rename("visual.ln_post.", "vision_model.post_layernorm.")
}

/// BLIP's text decoder.
fn bert(layout: Layout) -> Layout {
    layout
        .within("text_decoder.layers.", BERT_LAYER)
        .rename("text_decoder.layers.", "text_decoder.bert.encoder.layer.")
        .rename("text_decoder.token_embedding.", "text_decoder.bert.embeddings.word_embeddings.")
        .rename(
            "text_decoder.positional_embedding",
            "text_decoder.bert.embeddings.position_embeddings.weight",
        )
        .rename("text_decoder.ln_pre.", "text_decoder.bert.embeddings.LayerNorm.")
        .rename("text_decoder.head.transform.", "text_decoder.cls.predictions.transform.dense.")
        .rename("text_decoder.ln_final.", "text_decoder.cls.predictions.transform.LayerNorm.")
        .rename("text_decoder.head.bias", "text_decoder.cls.predictions.bias")
}

fn qformer(layout: Layout) -> Layout {
    layout
        .within("qformer.", QFORMER_LAYER)
        .rename("qformer.queries", "query_tokens")
        .rename("qformer.norm.", "qformer.layernorm.")
        .rename("qformer.projection.", "language_projection.")
}

fn opt(layout: Layout) -> Layout {
    Architecture::Opt.layout(layout, "language_model.model.")
}
