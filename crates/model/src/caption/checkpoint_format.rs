//! Checkpoints of ClipCap and DeCap: `clip_project.model.{0,2}` and a GPT-2 below `gpt.` or `decoder.`.

use serde::Deserialize;

use super::config::{PrefixSizes, gpt2};
use super::{DECODER, MAPPER};
use crate::lm::{Architecture, check_tie, is_gpt2_mask};
use crate::weights::{Layout, WeightFile, WeightsError};

/// The first layer of the mapping, and the second, behind a tanh, if there are two.
const LAYERS: [&str; 2] = ["clip_project.model.0", "clip_project.model.2"];
/// Width of a head in the released sizes of GPT-2.
const GPT2_HEAD_WIDTH: usize = 64;
/// The configuration of GPT-2 in `transformers`.
const CONFIG_FILE: &str = "config.json";

/// Whose names the tensors of a file have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckpointFormat {
    /// ClipCap.
    ClipCap,
    /// DeCap.
    DeCap,
}

/// The part of GPT-2's configuration that tensors do not imply.
#[derive(Deserialize)]
struct HeadCount {
    n_head: usize,
}

impl CheckpointFormat {
    /// The format by the names of tensors.
    pub fn of(file: &WeightFile) -> Option<Self> {
        let is_mapped = file.contains(&format!("{}.weight", LAYERS[0]));
        [Self::ClipCap, Self::DeCap].into_iter().find(|format| is_mapped && file.contains(&format.table()))
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::ClipCap => "gpt.",
            Self::DeCap => "decoder.",
        }
    }

    /// The table of token embeddings.
    fn table(self) -> String {
        format!("{}transformer.wte.weight", self.prefix())
    }

    /// Names of the canonical tensors.
    pub fn layout(self) -> Layout {
        let layout = Layout::prefixed("")
            .rename(&format!("{MAPPER}.0."), &format!("{}.", LAYERS[0]))
            .rename(&format!("{MAPPER}.1."), &format!("{}.", LAYERS[1]));
        Architecture::Gpt2.layout(layout, &format!("{}transformer.", self.prefix()))
    }

    /// Sizes by the shapes of tensors.
    ///
    /// # Errors
    /// If a tensor is missing or of an impossible shape.
    pub fn sizes(self, file: &WeightFile) -> Result<PrefixSizes, WeightsError> {
        let layout = self.layout();
        let shape = |name: &str| matrix(file, &layout.name(name));
        let [vocabulary, width] = shape(&format!("{DECODER}.token_embedding.weight"))?;
        let [context, _] = shape(&format!("{DECODER}.positional_embedding"))?;
        let [first, dim] = shape(&format!("{MAPPER}.0.weight"))?;
        let hidden = file.contains(&format!("{}.weight", LAYERS[1])).then_some(first);
        let out = if hidden.is_some() { shape(&format!("{MAPPER}.1.weight"))?[0] } else { first };
        let block = |i: &usize| file.contains(&layout.name(&format!("{DECODER}.layers.{i}.ln_1.weight")));
        let layers = (0..).take_while(block).count();
        let heads = heads(file)?.unwrap_or(width / GPT2_HEAD_WIDTH);
        let tokens = out / width;
        if layers == 0 || heads == 0 || !width.is_multiple_of(heads) || tokens * width != out || tokens == 0 {
            return Err(unrecognized(
                file,
                format!("{layers} layers, {heads} heads, {out} numbers of a prefix, width {width}"),
            ));
        }
        Ok(PrefixSizes {
            dim,
            hidden,
            tokens,
            language: gpt2(vocabulary, context, [width, layers, heads], true),
        })
    }

    /// Checks the copy of the token embeddings that checkpoints have as the output layer.
    ///
    /// # Errors
    /// If it differs.
    pub fn check_tie(self, file: &WeightFile) -> Result<(), WeightsError> {
        check_tie(file, &self.head(), &self.table())
    }

    /// Whether a tensor that the network does not use is expected.
    pub fn ignores(self, name: &str) -> bool {
        name == self.head() || is_gpt2_mask(name)
    }

    fn head(self) -> String {
        format!("{}lm_head.weight", self.prefix())
    }
}

/// The number of heads in `config.json` next to the weights, if that is there.
fn heads(file: &WeightFile) -> Result<Option<usize>, WeightsError> {
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
