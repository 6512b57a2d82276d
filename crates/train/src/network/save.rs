//! Writes the finished model.

use lexiform_model::weights::Precision;
use lexiform_model::{JointTowers, ModelError};

use crate::network::{Blueprint, Design, Towers};

impl Towers {
    /// Writes the finished model, in half precision; a prompted image tower is written next to it with its text tower, as
    /// `….images.safetensors`.
    pub(crate) fn save(&self, path: &std::path::Path, blueprint: &Blueprint) -> Result<(), ModelError> {
        let scale = self.logit_scale.val().into_scalar::<f32>();
        let text = self.text.as_ref().or(blueprint.text.as_ref());
        let towers = |text, vision| JointTowers { text, vision, points: None, logit_scale: scale };
        match (&blueprint.design, text, &self.vision, &self.points) {
            (Design::Joint(config), Some(text), Some(vision), _) => {
                lexiform_model::save_joint_model(path, config, towers(text, vision), Precision::Half)
            }
            (Design::Points(config), text, vision, Some(points)) => {
                if let (Some(images), Some(text), Some(vision)) = (&blueprint.images, text, vision) {
                    let path = path.with_extension("images.safetensors");
                    lexiform_model::save_joint_model(&path, images, towers(text, vision), Precision::Half)?;
                }
                lexiform_model::save_point_model(path, config, points, Some(scale), Precision::Half)
            }
            _ => Ok(()),
        }
    }
}
