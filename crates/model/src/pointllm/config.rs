//! `config.json` of PointLLM, and the names of its tensors.

use fs_err as fs;
use serde::Deserialize;

use crate::lm::{self, Architecture, CONFIG_FILE};
use crate::point::{PointBertConfig, point_bert_blocks, point_bert_config};
use crate::weights::{Layout, WeightFile, WeightsError};

/// Prefix of the tensors of the point backbone.
const BACKBONE: &str = "model.point_backbone.";
/// Prefix of the layers of the projector; those of v1.1 have no number.
const PROJECTOR: &str = "model.point_proj";
/// The backbone's configuration in v1.1 (1152 wide, groups of 48).
const BACKBONE_OF_V1_1: &str = "PointTransformer_base_8192point";
/// Layers of v1.2's projector in its `Sequential`, with activations in between.
pub(super) const PROJECTOR_LAYERS: [usize; 3] = [0, 2, 4];
/// Width of a head of the backbone.
const HEAD_WIDTH: usize = 64;

/// What `config.json` says about points.
#[derive(Debug, Deserialize)]
pub(super) struct PointLlmConfig {
    #[serde(default)]
    point_backbone: Option<String>,
    #[serde(default)]
    point_backbone_config_name: Option<String>,
    /// Sizes that differ from those of v1.2, and that no tensor shows.
    #[serde(default)]
    point_backbone_config: BackboneSizes,
    /// Whether the tokens of points are enclosed by a start and an end token.
    #[serde(default = "always")]
    pub mm_use_point_start_end: bool,
    #[serde(default = "patch_token", rename = "DEFAULT_POINT_PATCH_TOKEN")]
    pub patch_token: String,
    #[serde(default = "start_token", rename = "DEFAULT_POINT_START_TOKEN")]
    pub start_token: String,
    #[serde(default = "end_token", rename = "DEFAULT_POINT_END_TOKEN")]
    pub end_token: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BackboneSizes {
    num_group: Option<usize>,
    group_size: Option<usize>,
    num_heads: Option<usize>,
}

fn always() -> bool {
    true
}

fn patch_token() -> String {
    "<point_patch>".to_owned()
}

fn start_token() -> String {
    "<point_start>".to_owned()
}

fn end_token() -> String {
    "<point_end>".to_owned()
}

/// Whether a file holds a PointLLM, of any version.
pub(super) fn matches_file(file: &WeightFile) -> bool {
    file.contains(&format!("{BACKBONE}cls_token")) && file.contains("lm_head.weight")
}

impl PointLlmConfig {
    /// Reads the file in the folder of the weights, and refuses other versions.
    ///
    /// # Errors
    /// If the file is missing or invalid, or describes v1.1 or another backbone.
    pub fn read(file: &WeightFile) -> Result<Self, WeightsError> {
        let failed = |message: String| lm::companion_error(file, CONFIG_FILE, message);
        let path = file.path().with_file_name(CONFIG_FILE);
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let config: Self = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        let is_v1_1 = config.point_backbone_config_name.as_deref() == Some(BACKBONE_OF_V1_1);
        if is_v1_1 || file.contains(&format!("{PROJECTOR}.weight")) {
            return Err(unrecognized(
                file,
                "PointLLM v1.1, whose point backbone and projector have other sizes; expected v1.2, such as \
                 RunsenXu/PointLLM_7B_v1.2",
            ));
        }
        match config.point_backbone.as_deref() {
            None | Some("PointBERT") => Ok(config),
            Some(other) => Err(failed(format!("expected the point backbone PointBERT, found {other:?}"))),
        }
    }

    /// Sizes of the point backbone.
    ///
    /// # Errors
    /// If a tensor is missing, or sizes do not fit each other.
    pub fn backbone(&self, file: &WeightFile) -> Result<PointBertConfig, WeightsError> {
        let BackboneSizes { num_group, group_size, num_heads } = self.point_backbone_config;
        let config = point_bert_config(file, BACKBONE, |width| {
            [
                num_group.unwrap_or(512),
                group_size.unwrap_or(32),
                num_heads.unwrap_or((width / HEAD_WIDTH).max(1)),
            ]
        })?;
        config.check().map_err(|message| unrecognized(file, &message))?;
        Ok(config)
    }

    /// Text of the tokens that are replaced by those of the points.
    pub fn point_text(&self, tokens: usize) -> String {
        let patches = self.patch_token.repeat(tokens);
        if self.mm_use_point_start_end {
            format!("{}{patches}{}", self.start_token, self.end_token)
        } else {
            patches
        }
    }
}

/// The names of the tensors of the canonical `point_encoder.*`, `point_proj.*` and `text_decoder.*`.
pub(super) fn layout() -> Layout {
    let layout = point_bert_blocks(Layout::prefixed("")).rename("point_encoder.", BACKBONE);
    Architecture::Llama.layout(layout.rename("point_proj.", &format!("{PROJECTOR}.")), "model.")
}

pub(super) fn unrecognized(file: &WeightFile, message: &str) -> WeightsError {
    WeightsError::Unrecognized { path: file.path().to_owned(), message: message.to_owned() }
}
