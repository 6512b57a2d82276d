//! Checkpoint formats of BLIP captioners: names of tensors.

use crate::weights::{Layout, Renaming, TIMM_BLOCK, WeightFile, WeightsError};

/// The implementation whose names a file's tensors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointFormat {
    /// `BlipForConditionalGeneration` in Hugging Face's `transformers`.
    HuggingFace,
    /// The original project: an image tower of timm and a BERT.
    Salesforce,
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

/// The decoder's layers, BERT's in both formats.
const BERT_LAYER: &[Renaming] = &[
    ("text_decoder.layers.", &["text_decoder.bert.encoder.layer."]),
    (".attn.query.", &[".attention.self.query."]),
    (".attn.key_value.", &[".attention.self.key.", ".attention.self.value."]),
    (".attn.out.", &[".attention.output.dense."]),
    (".ln_1.", &[".attention.output.LayerNorm."]),
    (".cross.query.", &[".crossattention.self.query."]),
    (".cross.key_value.", &[".crossattention.self.key.", ".crossattention.self.value."]),
    (".cross.out.", &[".crossattention.output.dense."]),
    (".ln_2.", &[".crossattention.output.LayerNorm."]),
    (".mlp.c_fc.", &[".intermediate.dense."]),
    (".mlp.c_proj.", &[".output.dense."]),
    (".ln_3.", &[".output.LayerNorm."]),
];

/// Copies of tied tensors that a file may have, and their canonical names: BERT's output layer is its token embedding.
const TIED: [(&str, &str); 2] = [
    ("text_decoder.cls.predictions.decoder.weight", "text_decoder.token_embedding.weight"),
    ("text_decoder.cls.predictions.decoder.bias", "text_decoder.head.bias"),
];

impl CheckpointFormat {
    /// Detects the format by the names of tensors; `None` if the file is not a BLIP captioner.
    pub fn of(file: &WeightFile) -> Option<Self> {
        [Self::HuggingFace, Self::Salesforce].into_iter().find(|format| {
            let layout = format.layout();
            ["visual.conv1.weight", "text_decoder.token_embedding.weight"]
                .iter()
                .all(|name| file.contains(&layout.name(name)))
        })
    }

    /// The names of the canonical tensors in such a file.
    pub fn layout(self) -> Layout {
        let layout = match self {
            Self::HuggingFace => Layout::prefixed("")
                .within("visual.", TRANSFORMERS_BLOCK)
                .rename("visual.encoder.", "vision_model.encoder.")
                .rename("visual.class_embedding", "vision_model.embeddings.class_embedding")
                .rename("visual.positional_embedding", "vision_model.embeddings.position_embedding")
                .rename("visual.conv1.", "vision_model.embeddings.patch_embedding.")
                .rename("visual.ln_post.", "vision_model.post_layernorm."),
            Self::Salesforce => Layout::prefixed("")
                .within("visual.", TIMM_BLOCK)
                .rename("visual.class_embedding", "visual.cls_token")
                .rename("visual.positional_embedding", "visual.pos_embed")
                .rename("visual.conv1.", "visual.patch_embed.proj.")
                .rename("visual.ln_post.", "visual.norm.")
                .rename("visual.", "visual_encoder."),
        };
        layout
            .within("text_decoder.", BERT_LAYER)
            .rename("text_decoder.token_embedding.", "text_decoder.bert.embeddings.word_embeddings.")
            .rename(
                "text_decoder.positional_embedding",
                "text_decoder.bert.embeddings.position_embeddings.weight",
            )
            .rename("text_decoder.ln_pre.", "text_decoder.bert.embeddings.LayerNorm.")
            .rename("text_decoder.head.transform.", "text_decoder.cls.predictions.transform.dense.")
            .rename("text_decoder.head.norm.", "text_decoder.cls.predictions.transform.LayerNorm.")
            .rename("text_decoder.head.bias", "text_decoder.cls.predictions.bias")
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
            let original = self.layout().name(canonical);
            if file.contains(copy) && file.read(copy)? != file.read(&original)? {
                let message = format!("{copy} differs from {original}, to which it should be tied");
                return Err(WeightsError::Unrecognized { path: file.path().to_owned(), message });
            }
        }
        Ok(())
    }
}
