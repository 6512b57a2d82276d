//! Configuration of the model that a run writes.

use std::sync::Arc;

use lexiform_model::clip::ClipText;
use lexiform_model::point::GroupingPlan;
use lexiform_model::{ModelConfig, PointModelConfig};
use serde::{Deserialize, Serialize};

/// Configuration of the model that a run writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "a run has one of it")]
pub enum OutputConfig {
    /// A CLIP of text and views.
    Joint(ModelConfig),
    /// A point cloud encoder or classifier.
    Points(PointModelConfig),
}

impl OutputConfig {
    /// First block of the image tower that attends across views; `None` for point encoders.
    pub fn joint_from(&self) -> Option<usize> {
        match self {
            Self::Joint(config) => Some(config.joint_from),
            Self::Points(_) => None,
        }
    }
}

/// What the forward pass and the saved model need besides the trained towers.
pub struct ModelSpec {
    /// Configuration of the model.
    pub config: OutputConfig,
    /// A frozen text tower in `f16`, only to be saved with the model.
    pub(super) text: Option<ClipText>,
    /// The prompted teacher's configuration, if its image tower runs in every step (CG3D).
    pub prompted_teacher: Option<ModelConfig>,
    /// How the point encoder groups points, which threads that load batches do ahead.
    pub grouping: Arc<GroupingPlan>,
    /// Stochastic depth: drop probability of the last block.
    pub(super) drop_path: f32,
    /// Dropout probability before the head's last layer.
    pub(super) dropout: f32,
}

impl ModelSpec {
    pub(super) fn new(config: OutputConfig) -> Self {
        Self {
            config,
            text: None,
            prompted_teacher: None,
            grouping: Arc::default(),
            drop_path: 0.0,
            dropout: 0.0,
        }
    }
}
