//! Everything of a model but its weights.

use lexiform_model::clip::ClipText;
use lexiform_model::{ModelConfig, PointModelConfig};
use serde::{Deserialize, Serialize};

/// Everything of a finished model but its weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "a run has one of it")]
pub enum OutputConfig {
    /// Of words and views.
    Joint(ModelConfig),
    /// Of point clouds.
    Points(PointModelConfig),
}

/// What a finished model needs besides the towers.
pub struct ModelSpec {
    /// Everything but weights.
    pub config: OutputConfig,
    /// The text tower of a model whose text is frozen, in halves, as it will be written.
    pub(super) text: Option<ClipText>,
    /// The teacher's configuration, with prompts, where its image tower sees the views of every step.
    pub prompted_teacher: Option<ModelConfig>,
    /// Chance that a cloud skips a branch of the last block while training.
    pub(super) drop_path: f32,
    /// Chance that a feature before the head's last map is left out while training.
    pub(super) dropout: f32,
}

impl ModelSpec {
    pub(super) fn new(config: OutputConfig) -> Self {
        Self { config, text: None, prompted_teacher: None, drop_path: 0.0, dropout: 0.0 }
    }
}
