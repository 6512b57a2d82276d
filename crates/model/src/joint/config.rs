//! The configuration of a joint model, stored in the header of its file.

use serde::{Deserialize, Serialize};

use crate::clip::ClipConfig;
use crate::language::LanguageConfig;
use crate::point::{FpsStart, PointPreprocess, PointTower, PointTowerConfig};
use crate::preprocess::Preprocess;
use crate::tokenizer::Tokenizer;
use crate::weights::{WeightFile, WeightSource, WeightsError};

/// Everything but the weights of a joint model; stored in the header of our `.safetensors` files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Name of the model.
    pub name: String,
    /// Sizes of the towers.
    pub clip: ClipConfig,
    /// First block with attention across the views of a shape; the number of blocks if views are independent.
    pub joint_from: usize,
    /// Preprocessing of views and photos.
    pub preprocess: Preprocess,
    /// Tokenizer of the text tower.
    pub tokenizer: Tokenizer,
    /// Name of the camera rig of the model's training views.
    pub rig: String,
    /// Default number of views of a shape.
    pub n_views: usize,
    /// Sentences with `{}` for class names.
    pub templates: Vec<String>,
    /// The point tower, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<PointBranchConfig>,
    /// What it knows of everyday language, if that was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageConfig>,
    /// Id of the model that it is but for learned visual prompts: point models that were trained with these prompts name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts_of: Option<String>,
}

/// Sizes and preprocessing of the point tower of a joint model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointBranchConfig {
    /// Sizes of the network.
    pub tower: PointTowerConfig,
    /// Preprocessing of point clouds.
    pub input: PointPreprocess,
}

impl PointBranchConfig {
    /// Loads the tower; `dim` is the dimension of the joint space.
    pub(super) fn load(
        &self,
        source: &WeightSource,
        file: &WeightFile,
        dim: usize,
    ) -> Result<PointTower, WeightsError> {
        // The header of an untrusted file.
        let checked = self.tower.encoder.check().and_then(|()| match self.tower.dim() {
            found if found == dim => Ok(()),
            found => {
                Err(format!("a point tower with {found} dimensions, expected {dim} as in the other towers"))
            }
        });
        checked.map_err(|message| WeightsError::Unrecognized {
            path: file.path().to_owned(),
            message: format!("invalid header: {message}"),
        })?;
        PointTower::load(source, &self.tower)
    }

    /// Describes the preprocessing in one line.
    pub(super) fn describe(&self) -> String {
        self.input.describe(FpsStart::default())
    }
}
