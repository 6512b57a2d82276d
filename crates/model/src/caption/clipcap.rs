//! Checkpoints of ClipCap (`rmokady/CLIP_prefix_caption`): `clip_project.model.{0,2}`, and a GPT-2 below `gpt.`.

use serde::Deserialize;

use super::config::{DECODER, MAPPER, PrefixSizes, gpt2};
use crate::lm::{self, Architecture, is_gpt2_mask};
use crate::weights::{Layout, WeightFile, WeightsError};

/// The first layer of the mapping, and the second, behind a tanh, if there are two.
const LAYERS: [&str; 2] = ["clip_project.model.0", "clip_project.model.2"];
/// The table of token embeddings, and the copy of it as the output layer.
const TABLE: &str = "gpt.transformer.wte.weight";
const HEAD: &str = "gpt.lm_head.weight";
/// Width of a head in the released sizes of GPT-2.
const GPT2_HEAD_WIDTH: usize = 64;
/// The configuration of GPT-2 in `transformers`.
const CONFIG_FILE: &str = "config.json";

/// The part of GPT-2's configuration that tensors do not imply.
#[derive(Deserialize)]
struct HeadCount {
    n_head: usize,
}

/// Whether a file is one, by the names of tensors.
pub(super) fn matches_file(file: &WeightFile) -> bool {
    file.contains(&format!("{}.weight", LAYERS[0])) && file.contains(TABLE)
}

/// Names of the canonical tensors.
pub(super) fn layout() -> Layout {
    let layout = Layout::prefixed("")
        .rename(&format!("{MAPPER}.0."), &format!("{}.", LAYERS[0]))
        .rename(&format!("{MAPPER}.1."), &format!("{}.", LAYERS[1]));
    Architecture::Gpt2.layout(layout, "gpt.transformer.")
}

/// Sizes by the shapes of tensors.
///
/// # Errors
/// If a tensor is missing or of an impossible shape.
pub(super) fn sizes(file: &WeightFile) -> Result<PrefixSizes, WeightsError> {
    let layout = layout();
    let shape = |name: &str| matrix(file, &layout.name(name));
    let [vocabulary, width] = shape(&format!("{DECODER}.token_embedding.weight"))?;
    let [context, _] = shape(&format!("{DECODER}.positional_embedding"))?;
    let [first, dim] = shape(&format!("{MAPPER}.0.weight"))?;
    let hidden = file.contains(&format!("{}.weight", LAYERS[1])).then_some(first);
    let out = if hidden.is_some() { shape(&format!("{MAPPER}.1.weight"))?[0] } else { first };
    let block = |i: &usize| file.contains(&layout.name(&format!("{DECODER}.layers.{i}.ln_1.weight")));
    let layers = (0..).take_while(block).count();
    let heads = stated_heads(file)?.unwrap_or(width / GPT2_HEAD_WIDTH);
    let tokens = out / width;
    if layers == 0 || heads == 0 || !width.is_multiple_of(heads) || tokens * width != out || tokens == 0 {
        let message = format!("{layers} layers, {heads} heads, {out} numbers of a prefix, width {width}");
        return Err(unrecognized(file, message));
    }
    if tokens >= context {
        return Err(unrecognized(file, format!("a prefix of {tokens} tokens, and a context of {context}")));
    }
    Ok(PrefixSizes { dim, hidden, tokens, language: gpt2(vocabulary, context, [width, layers, heads], true) })
}

/// Checks the copy of the token embeddings.
///
/// # Errors
/// If it differs.
pub(super) fn check_tie(file: &WeightFile) -> Result<(), WeightsError> {
    lm::check_tie(file, HEAD, TABLE)
}

/// Whether a tensor that the network does not use is expected.
pub(super) fn ignores(name: &str) -> bool {
    name == HEAD || is_gpt2_mask(name)
}

/// The number of heads in `config.json` next to the weights, if the file exists.
fn stated_heads(file: &WeightFile) -> Result<Option<usize>, WeightsError> {
    let path = file.path().with_file_name(CONFIG_FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let failed = |message: String| WeightsError::CompanionFile {
        path: file.path().to_owned(),
        file: CONFIG_FILE.to_owned(),
        message,
    };
    let text = fs_err::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    let HeadCount { n_head } = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    Ok(Some(n_head))
}

fn matrix(file: &WeightFile, name: &str) -> Result<[usize; 2], WeightsError> {
    match file.shape(name)? {
        &[rows, columns] if rows > 0 && columns > 0 => Ok([rows, columns]),
        other => Err(unrecognized(file, format!("{name} has shape {other:?}, expected two axes"))),
    }
}

fn unrecognized(file: &WeightFile, message: String) -> WeightsError {
    WeightsError::Unrecognized { path: file.path().to_owned(), message }
}
