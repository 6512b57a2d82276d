//! What a joint model is besides its weights: the configuration in the header of its file.

use serde::{Deserialize, Serialize};

use crate::clip::ClipConfig;
use crate::point::{CloudInput, PointTower, Start, TowerConfig};
use crate::preprocess::Preprocess;
use crate::tokenizer::Tokenizer;
use crate::weights::{Source, WeightFile, WeightsError};

/// Everything but the weights. Stands in the header of our own `.safetensors` files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelConfig {
    /// What the model is called.
    pub name: String,
    /// Sizes of the towers.
    pub clip: ClipConfig,
    /// First block in which the views of a shape see each other; the depth means never.
    pub joint_from: usize,
    /// How views become pixels.
    pub preprocess: Preprocess,
    /// How text becomes tokens.
    pub tokenizer: Tokenizer,
    /// Name of the rig whose views the model is used to.
    pub rig: String,
    /// How many views of a shape it is given by default.
    pub n_views: usize,
    /// Sentences with `{}` for class names.
    pub templates: Vec<String>,
    /// Its point tower, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<PointPart>,
}

/// Sizes of a point tower and how it is fed. Stands in the header beside those of the other towers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointPart {
    /// Sizes of the network.
    pub tower: TowerConfig,
    /// How clouds are prepared.
    pub input: CloudInput,
}

impl PointPart {
    /// Reads the tower; `dim` is the width of the joint space.
    pub(super) fn load(
        &self,
        source: &Source,
        file: &WeightFile,
        dim: usize,
    ) -> Result<PointTower, WeightsError> {
        // A header may come from anywhere.
        let checked = self.tower.encoder.check().and_then(|()| match self.tower.dim() {
            found if found == dim => Ok(()),
            found => Err(format!("a point tower of {found} numbers beside others of {dim}")),
        });
        checked.map_err(|message| WeightsError::Unrecognized {
            path: file.path().to_owned(),
            message: format!("its header: {message}"),
        })?;
        PointTower::load(source, &self.tower)
    }

    /// How clouds are prepared, in one line.
    pub(super) fn describe(&self) -> String {
        self.input.describe(Start::default())
    }
}
