//! Saving the model.

use lexiform_model::weights::Precision;
use lexiform_model::{JointTowers, ModelError};

use crate::network::{ModelSpec, OutputConfig, Towers};

impl Towers {
    /// Saves the model; a prompted image tower is saved next to it, with its text tower, as `….images.safetensors`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn save(
        &self,
        path: &std::path::Path,
        spec: &ModelSpec,
        precision: Precision,
    ) -> Result<(), ModelError> {
        let scale = self.logit_scale.val().into_scalar::<f32>();
        let text = self.text.as_ref().or(spec.text.as_ref());
        let towers =
            |text, vision| JointTowers { text, vision, points: None, language: None, logit_scale: scale };
        match (&spec.config, text, &self.vision, &self.points) {
            (OutputConfig::Joint(config), Some(text), Some(vision), _) => {
                lexiform_model::save_joint_model(path, config, towers(text, vision), precision)
            }
            (OutputConfig::Points(config), text, vision, Some(points)) => {
                if let (Some(images), Some(text), Some(vision)) = (&spec.prompted_teacher, text, vision) {
                    let path = path.with_extension("images.safetensors");
                    lexiform_model::save_joint_model(&path, images, towers(text, vision), precision)?;
                }
                lexiform_model::save_point_model(path, config, points, Some(scale), precision)
            }
            _ => Ok(()),
        }
    }
}
