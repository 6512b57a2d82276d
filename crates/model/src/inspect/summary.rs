//! Contents of a file of weights, by names and shapes, whether or not it is a known model.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::joint::detect_config;
use crate::precision::ComputePrecision;
use crate::registry::Modality;
use crate::weights::WeightFile;
use crate::{PointModelConfig, config_key};

/// Contents of a file of weights.
#[derive(Clone, Debug, Serialize)]
pub struct WeightFileSummary {
    /// Name of the network.
    pub kind: String,
    /// `safetensors` or `PyTorch`.
    pub format: &'static str,
    /// Size of the file.
    pub bytes: u64,
    /// The container of the tensors below, if the file has containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Other containers with tensors.
    pub other_containers: Vec<String>,
    /// Number of values of all tensors.
    pub parameters: usize,
    /// Tensors by the first parts of their names, the largest group first.
    pub groups: Vec<TensorGroup>,
    /// Values other than tensors: epoch, scores, arguments.
    pub values: Vec<(String, String)>,
    /// What the model needs that the file does not have.
    pub missing: Vec<String>,
    /// What multiplies on this machine's CPU with [`ComputePrecision::Auto`], such as `bf16 (AMX-BF16)`.
    pub auto_precision: String,
}

/// Tensors with a common prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TensorGroup {
    /// The prefix.
    pub name: String,
    /// Number of tensors.
    pub tensors: usize,
    /// Number of values.
    pub parameters: usize,
    /// Data types, such as `f32`.
    pub types: Vec<String>,
}

/// Tensors that identify a network. The first match counts.
struct ArchitectureSignature {
    kind: &'static str,
    /// Suffixes of names that must all exist.
    has: &'static [&'static str],
    modality: Modality,
    /// Files that are required next to the weights.
    sidecar_files: &'static [&'static str],
}

const fn points(kind: &'static str, has: &'static [&'static str]) -> ArchitectureSignature {
    ArchitectureSignature { kind, has, modality: Modality::Points, sidecar_files: &[] }
}

const fn towers(kind: &'static str, has: &'static [&'static str]) -> ArchitectureSignature {
    ArchitectureSignature { kind, has, modality: Modality::Views, sidecar_files: &[] }
}

const fn captioner(
    kind: &'static str,
    has: &'static [&'static str],
    sidecar_files: &'static [&'static str],
) -> ArchitectureSignature {
    ArchitectureSignature { kind, has, modality: Modality::Captioner, sidecar_files }
}

const SIGNATURES: [ArchitectureSignature; 21] = [
    captioner(
        "PointLLM",
        &["model.point_backbone.cls_token", "model.point_proj.4.weight", "lm_head.weight"],
        // The tokenizer is one of two files.
        &["config.json"],
    ),
    captioner(
        "BLIP-2 captioner with OPT in transformers' layout",
        &["query_tokens", "language_projection.weight", "language_model.model.decoder.embed_tokens.weight"],
        &["config.json", "tokenizer.json"],
    ),
    captioner(
        "BLIP captioner in transformers' layout",
        &[
            "vision_model.embeddings.patch_embedding.weight",
            "text_decoder.bert.embeddings.word_embeddings.weight",
        ],
        &["config.json", "vocab.txt"],
    ),
    captioner(
        "BLIP captioner in its own layout",
        &["visual_encoder.patch_embed.proj.weight", "text_decoder.bert.embeddings.word_embeddings.weight"],
        &["vocab.txt"],
    ),
    towers("Duoduo CLIP", &["duoduoclip.visual.conv1.weight"]),
    points("ULIP PointBERT", &["point_encoder.encoder.first_conv.0.weight", "pc_projection"]),
    points("ULIP PointMLP", &["point_encoder.embedding.net.0.weight", "pc_projection"]),
    points("ULIP PointNeXt", &["point_encoder.encoder.encoder.0.0.convs.0.0.weight", "pc_projection"]),
    points("ULIP PointNet++", &["point_encoder.sa1.mlp_convs.0.weight", "pc_projection"]),
    points("ULIP PointNet++ MSG", &["point_encoder.sa1.conv_blocks.0.0.weight", "pc_projection"]),
    points("OpenShape PointBERT", &["sa.mlp_convs.0.weight"]),
    points("CG3D PointTransformer", &["encoder.first_conv.0.weight", "projection.weight"]),
    points(
        "CG3D PointTransformer, fine-tuned",
        &["encoder.first_conv.0.weight", "cls_head_finetune.0.weight"],
    ),
    points("CG3D PointMLP", &["embedding.net.0.weight", "projection.weight"]),
    points("CG3D PointMLP, fine-tuned", &["embedding.net.0.weight", "classifier.0.weight"]),
    points("CG3D PointConv", &["sa1.densitynet.mlp_convs.0.weight", "projection.weight"]),
    towers("CLIP in OpenCLIP's layout", &["visual.conv1.weight", "token_embedding.weight"]),
    towers(
        "CLIP in transformers' layout",
        &["vision_model.embeddings.patch_embedding.weight", "text_model.embeddings.token_embedding.weight"],
    ),
    towers("SLIP", &["visual.patch_embed.proj.weight", "token_embedding.weight"]),
    towers("image tower with learned prompts", &["patch_embed.proj.weight", "prompt_embeddings"]),
    towers("image tower", &["patch_embed.proj.weight"]),
];

/// Suffixes of names, one of which exists if the file has a text tower.
const TEXT_TOWER: [&str; 2] = ["token_embedding.weight", "text_model.embeddings.token_embedding.weight"];
/// Prefix of the tensors of a point tower.
const POINT_TOWER: &str = "point_encoder.";
/// Parts of a name that form its group.
const GROUP_PARTS: usize = 2;
/// Prefixes of wrapper modules, which are ignored.
const WRAPPERS: [&str; 3] = ["module.", "duoduoclip.", "pc_encoder."];

/// Describes the contents of a file. `paired` is the model with its text tower, if known.
pub fn summarize(file: &WeightFile, paired: Option<&str>) -> WeightFileSummary {
    // Our joint models may have a point tower, which must not be mistaken for a point model.
    let is_joint = file.metadata(config_key::JOINT).is_some();
    let fits = |signature: &&ArchitectureSignature| !(is_joint && signature.modality == Modality::Points);
    // The first match wins: special layouts are listed before the general ones they contain.
    let mut signatures = SIGNATURES.iter().filter(fits);
    let signature = signatures.find(|signature| signature.has.iter().all(|end| has_suffix(file, end)));
    let own = is_joint || file.metadata(config_key::POINTS).is_some();
    let more = if is_joint && file.n_elements(POINT_TOWER) > 0 { " with a point tower" } else { "" };
    let own_points = own_point_model(file);
    let kind = match signature {
        _ if let Some(config) = &own_points => kind_of_own(config),
        Some(signature) if own => format!("{}{more}, written by lexiform", signature.kind),
        Some(signature) => signature.kind.to_owned(),
        None => "unknown".to_owned(),
    };
    let is_classifier = own_points.is_some_and(|config| config.tower.is_classifier())
        || signature.is_some_and(|signature| signature.kind.ends_with("fine-tuned"));
    let container = file.container_name().map(str::to_owned);
    let others = file.containers().into_iter().filter(|name| Some(*name) != container.as_deref());
    WeightFileSummary {
        kind,
        format: file.format(),
        bytes: file.bytes(),
        other_containers: others.map(str::to_owned).collect(),
        container,
        parameters: file.n_elements(""),
        groups: groups(file),
        values: file.values().into_iter().map(|(path, value)| (path, value.to_string())).collect(),
        missing: missing_parts(file, signature, is_classifier, paired),
        auto_precision: auto_precision(file),
    }
}

/// What multiplies by the largest weight of the blocks.
fn auto_precision(file: &WeightFile) -> String {
    let of_block = |name: &str| match file.shape(name) {
        Ok(&[rows, columns]) if name.contains("attn") => Some([rows, columns]),
        _ => None,
    };
    let largest = file.names().filter_map(of_block).max_by_key(|shape| shape[0] * shape[1]);
    let has_language = detect_config(file).is_ok_and(|config| config.language.is_some());
    ComputePrecision::Auto.with_language(has_language).describe(largest.unwrap_or_default())
}

/// What the model needs that the file does not have.
fn missing_parts(
    file: &WeightFile,
    signature: Option<&ArchitectureSignature>,
    is_classifier: bool,
    paired: Option<&str>,
) -> Vec<String> {
    let mut missing = Vec::new();
    let modality = signature.map(|signature| signature.modality);
    let absent = |name: &&str| !file.path().with_file_name(name).is_file();
    let sidecar_files = signature.map_or(&[][..], |signature| signature.sidecar_files);
    missing.extend(
        sidecar_files.iter().copied().filter(absent).map(|name| format!("{name} in the same folder")),
    );
    let has_text =
        modality == Some(Modality::Captioner) || TEXT_TOWER.iter().any(|end| has_suffix(file, end));
    if is_classifier {
        missing.push("a joint space: it was trained to classify".to_owned());
    } else if !has_text && signature.is_some() {
        missing.push(match (paired, modality == Some(Modality::Points)) {
            (Some(paired), _) => format!("text tower: pairs with {paired}; pass it by --text-model"),
            (None, true) => "text tower: pass the one it was trained with by --text-model".to_owned(),
            (None, false) => "text tower".to_owned(),
        });
    }
    missing
}

/// The configuration of a point model of ours.
fn own_point_model(file: &WeightFile) -> Option<PointModelConfig> {
    serde_json::from_str(file.metadata(config_key::POINTS)?).ok()
}

/// What a point model of ours is: its tensors are named as in the encoder's reference, whatever it was trained as.
fn kind_of_own(config: &PointModelConfig) -> String {
    let what = if config.tower.classes.is_some() { "classifier" } else { "point encoder" };
    format!("{} {what} {:?}, written by lexiform", config.tower.encoder.architecture(), config.name)
}

fn has_suffix(file: &WeightFile, end: &str) -> bool {
    file.names().any(|name| is_name_suffix(name, end))
}

/// Whether a name is `end`, or ends with it after a dot.
fn is_name_suffix(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|start| start.is_empty() || start.ends_with('.'))
}

fn groups(file: &WeightFile) -> Vec<TensorGroup> {
    let mut groups: BTreeMap<String, TensorGroup> = BTreeMap::new();
    for name in file.names() {
        let key = group_of(name);
        let group = groups.entry(key.clone()).or_insert_with(|| TensorGroup {
            name: key,
            tensors: 0,
            parameters: 0,
            types: Vec::new(),
        });
        group.tensors += 1;
        group.parameters += file.shape(name).map_or(0, |shape| shape.iter().product());
        let dtype = file.dtype(name).unwrap_or_default();
        if !group.types.contains(&dtype) {
            group.types.push(dtype);
        }
    }
    let mut groups: Vec<TensorGroup> = groups.into_values().collect();
    // Largest first; names break ties, so that the order is stable.
    groups.sort_by(|a, b| b.parameters.cmp(&a.parameters).then(a.name.cmp(&b.name)));
    groups
}

/// The first parts of a name, without wrappers, indices and the last part.
fn group_of(name: &str) -> String {
    let mut rest = name;
    // Wrappers may be nested.
    while let Some(inner) = WRAPPERS.iter().find_map(|wrapper| rest.strip_prefix(wrapper)) {
        rest = inner;
    }
    let mut parts: Vec<&str> = rest.split('.').collect();
    parts.pop();
    let parts: Vec<&str> =
        parts.into_iter().take_while(|part| part.parse::<u32>().is_err()).take(GROUP_PARTS).collect();
    if parts.is_empty() { rest.to_owned() } else { parts.join(".") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_grouped_by_their_first_parts() {
        let cases = [
            ("module.visual.transformer.resblocks.0.ln_1.weight", "visual.transformer"),
            ("logit_scale", "logit_scale"),
            ("module.pc_projection", "pc_projection"),
            ("duoduoclip.token_embedding.weight", "token_embedding"),
            ("blocks.0.norm.weight", "blocks"),
            ("0.weight", "0.weight"),
        ];
        for (name, group) in cases {
            assert_eq!(group_of(name), group, "{name}");
        }
    }

    /// It is opened in `f32` everywhere, although its sentence encoder has large weights.
    #[test]
    fn the_built_in_model_computes_in_f32() {
        let file = crate::registry::open_weights("nano").unwrap();
        assert_eq!(summarize(&file, None).auto_precision, "f32");
    }

    #[test]
    fn suffixes_match_whole_name_parts() {
        assert!(is_name_suffix("module.visual.conv1.weight", "visual.conv1.weight"));
        assert!(is_name_suffix("pc_projection", "pc_projection"));
        assert!(!is_name_suffix("cross_visual.conv1.weight", "visual.conv1.weight"));
    }
}
