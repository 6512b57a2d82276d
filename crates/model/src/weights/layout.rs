//! Mapping of canonical tensor names to those of a file.
//!
//! Networks load tensors by canonical names, which are OpenCLIP's if it has the tensor
//! (`transformer.resblocks.0.ln_1.weight`). A [`Layout`] maps them to the names in a released file.

/// A prefix and a list of renamings, applied in order.
///
/// ```
/// use lexiform_model::weights::{Layout, TIMM_BLOCK};
///
/// let slip = Layout::prefixed("module.").within("visual.", TIMM_BLOCK);
/// assert_eq!(slip.name("visual.transformer.resblocks.3.ln_1.bias"), "module.visual.blocks.3.norm1.bias");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    prefix: String,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    /// Prefix of canonical names that the rule applies to.
    within: String,
    canonical: String,
    /// One name, or several tensors that are concatenated.
    file: Vec<String>,
    transposed: bool,
    half: Option<usize>,
}

/// A tensor's names in a file.
pub(super) struct TensorLocation {
    /// Full names; several are concatenated along the first axis.
    pub names: Vec<String>,
    /// Whether the file stores the tensor with its axes reversed.
    pub transposed: bool,
    /// Which half of the file's tensor it is, 0 or 1, along the first axis.
    pub half: Option<usize>,
}

/// In place of a name among several that are concatenated: zeros, for keys without a bias.
pub(super) const ZEROS: &str = "(zeros)";

/// A part of a canonical name, and its replacement in the file: one, or three for separate queries, keys and values.
pub type Renaming = (&'static str, &'static [&'static str]);

/// The transformer block of timm's vision transformers, and of Point-BERT, whose code is based on timm.
pub const TIMM_BLOCK: &[Renaming] = &[
    ("transformer.resblocks.", &["blocks."]),
    (".ln_1.", &[".norm1."]),
    (".attn.in_proj_weight", &[".attn.qkv.weight"]),
    (".attn.in_proj_bias", &[".attn.qkv.bias"]),
    (".attn.out_proj.", &[".attn.proj."]),
    (".ln_2.", &[".norm2."]),
    (".mlp.c_fc.", &[".mlp.fc1."]),
    (".mlp.c_proj.", &[".mlp.fc2."]),
];

/// The block of CLIP in Hugging Face's `transformers`, with separate queries, keys and values.
pub const HUGGING_FACE_BLOCK: &[Renaming] = &[
    ("transformer.resblocks.", &["encoder.layers."]),
    (".ln_1.", &[".layer_norm1."]),
    (
        ".attn.in_proj_weight",
        &[".self_attn.q_proj.weight", ".self_attn.k_proj.weight", ".self_attn.v_proj.weight"],
    ),
    (".attn.in_proj_bias", &[".self_attn.q_proj.bias", ".self_attn.k_proj.bias", ".self_attn.v_proj.bias"]),
    (".attn.out_proj.", &[".self_attn.out_proj."]),
    (".ln_2.", &[".layer_norm2."]),
    (".mlp.c_fc.", &[".mlp.fc1."]),
    (".mlp.c_proj.", &[".mlp.fc2."]),
];

/// The layer of a BERT in Hugging Face's `transformers`, with cross-attention if it has that.
pub const BERT_LAYER: &[Renaming] = &[
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

/// The block of OpenShape's `ppat`: attention and MLP of a layer are numbered 0 and 1.
pub const PPAT_BLOCK: &[Renaming] = &[
    ("transformer.resblocks.", &["transformer.layers."]),
    (".ln_1.", &[".0.norm."]),
    (".attn.in_proj_weight", &[".0.fn.to_qkv.weight"]),
    (".attn.out_proj.", &[".0.fn.to_out.0."]),
    (".ln_2.", &[".1.norm."]),
    (".mlp.c_fc.", &[".1.fn.net.0."]),
    (".mlp.c_proj.", &[".1.fn.net.3."]),
];

/// The block of EVA-02's and EVA's vision transformers in timm, except for the MLP: keys have no bias.
pub const EVA_BLOCK: &[Renaming] = &[
    ("transformer.resblocks.", &["blocks."]),
    (".ln_1.", &[".norm1."]),
    (".attn.in_proj_weight", &[".attn.qkv.weight"]),
    (".attn.in_proj_bias", &[".attn.q_bias", ZEROS, ".attn.v_bias"]),
    (".attn.out_proj.", &[".attn.proj."]),
    (".ln_2.", &[".norm2."]),
    (".mlp.c_proj.", &[".mlp.fc2."]),
];

/// The same with separate queries, keys and values, and a gated MLP in separate layers: EVA-02 base and large.
pub const EVA_SPLIT_BLOCK: &[Renaming] = &[
    ("transformer.resblocks.", &["blocks."]),
    (".ln_1.", &[".norm1."]),
    (".attn.in_proj_weight", &[".attn.q_proj.weight", ".attn.k_proj.weight", ".attn.v_proj.weight"]),
    (".attn.in_proj_bias", &[".attn.q_proj.bias", ZEROS, ".attn.v_proj.bias"]),
    (".attn.out_proj.", &[".attn.proj."]),
    (".ln_2.", &[".norm2."]),
    (".mlp.gate.", &[".mlp.fc1_g."]),
    (".mlp.c_fc.", &[".mlp.fc1_x."]),
    (".mlp.c_proj.", &[".mlp.fc2."]),
];

impl Layout {
    /// Canonical names with a prefix.
    pub fn prefixed(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), rules: Vec::new() }
    }

    /// Adds renamings of canonical names that start with `within`. Each replaces its first match.
    pub fn within(mut self, within: &str, renamings: &[Renaming]) -> Self {
        self.rules.extend(renamings.iter().map(|(canonical, file)| Rule {
            within: within.to_owned(),
            canonical: (*canonical).to_owned(),
            file: file.iter().map(|&part| part.to_owned()).collect(),
            transposed: false,
            half: None,
        }));
        self
    }

    /// Adds one renaming, of a whole name or a part of it.
    pub fn rename(self, canonical: &str, file: &str) -> Self {
        self.rule(canonical, file, false, None)
    }

    /// Adds one renaming of a matrix that is `[output, input]` in the file and `[input, output]` in the network, or vice versa.
    pub fn transpose(self, canonical: &str, file: &str) -> Self {
        self.rule(canonical, file, true, None)
    }

    /// Adds one renaming of a tensor that is the first (0) or the second (1) half of a tensor in the file.
    pub fn half(self, canonical: &str, file: &str, half: usize) -> Self {
        self.rule(canonical, file, false, Some(half))
    }

    fn rule(mut self, canonical: &str, file: &str, transposed: bool, half: Option<usize>) -> Self {
        let (canonical, file) = (canonical.to_owned(), vec![file.to_owned()]);
        self.rules.push(Rule { within: String::new(), canonical, file, transposed, half });
        self
    }

    /// The prefix of all names in the file.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The full name of a tensor in the file; the first one if several are concatenated.
    pub fn name(&self, canonical: &str) -> String {
        self.locate(canonical).names.swap_remove(0)
    }

    pub(super) fn locate(&self, canonical: &str) -> TensorLocation {
        let mut location =
            TensorLocation { names: vec![canonical.to_owned()], transposed: false, half: None };
        // Rules apply in order, each to the result of those before.
        for rule in self.rules.iter().filter(|rule| canonical.starts_with(&rule.within)) {
            if location.names.iter().any(|name| name.contains(&rule.canonical)) {
                let renamed = |name: &String| -> Vec<String> {
                    rule.file.iter().map(|part| name.replacen(&rule.canonical, part, 1)).collect()
                };
                // A rule with several parts splits a packed tensor, such as queries, keys and values.
                location.names = location.names.iter().flat_map(renamed).collect();
                location.transposed |= rule.transposed;
                location.half = location.half.or(rule.half);
            }
        }
        for name in &mut location.names {
            name.insert_str(0, &self.prefix);
        }
        location
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_files() {
        let slip = Layout::prefixed("module.").within("visual.", TIMM_BLOCK);
        assert_eq!(
            slip.name("visual.transformer.resblocks.3.ln_1.bias"),
            "module.visual.blocks.3.norm1.bias"
        );
        assert_eq!(
            slip.name("transformer.resblocks.3.ln_1.bias"),
            "module.transformer.resblocks.3.ln_1.bias"
        );
        let ppat = Layout::prefixed("").within("", PPAT_BLOCK);
        let name = ppat.name("transformer.resblocks.1.mlp.c_proj.weight");
        assert_eq!(name, "transformer.layers.1.1.fn.net.3.weight");
    }

    #[test]
    fn split_queries_keys_and_values_keep_their_order() {
        let layout = Layout::prefixed("vision_model.").within("", HUGGING_FACE_BLOCK);
        let location = layout.locate("transformer.resblocks.0.attn.in_proj_bias");
        let name = |part: &str| format!("vision_model.encoder.layers.0.self_attn.{part}_proj.bias");
        assert_eq!(location.names, [name("q"), name("k"), name("v")]);
        assert!(!location.transposed);
        assert!(layout.transpose("visual.proj", "p").locate("visual.proj").transposed);
    }
}
