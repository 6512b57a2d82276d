//! A frozen CLIP model as the featurizer of data sets: the crate of data sets links no models.

use image::RgbaImage;
use lexiform_data::Featurizer;
use lexiform_model::{PointModel, Teacher, registry};

use crate::error::UsageError;
use crate::models::DeviceArg;

/// Features from the model that training uses as its teacher, so that prepared features equal those that training computes.
pub(crate) struct TeacherFeatures(pub(crate) Teacher);

impl TeacherFeatures {
    fn rows(&self, values: &[f32]) -> Vec<Vec<f32>> {
        values.chunks(self.0.dim().max(1)).map(<[f32]>::to_vec).collect()
    }
}

impl Featurizer for TeacherFeatures {
    fn id(&self) -> &str {
        self.0.model().id()
    }

    fn encode_images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String> {
        Ok(self.rows(&self.0.images(images)))
    }

    fn encode_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        self.0.texts(texts).map(|values| self.rows(&values)).map_err(|error| error.to_string())
    }
}

/// Opens a CLIP model for features.
pub(crate) fn open_feature_model(name: &str, device: &DeviceArg) -> anyhow::Result<TeacherFeatures> {
    if PointModel::matches_file(&registry::open_weights(name)?) {
        return Err(UsageError(format!(
            "{name} is a point model: --feature-model needs a model with text and image towers"
        ))
        .into());
    }
    Ok(TeacherFeatures(Teacher::open(name, &device.device)?))
}
