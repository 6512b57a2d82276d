//! A frozen CLIP model as `data prepare` asks for it: data sets know no models.

use image::RgbaImage;
use lexiform_data::Featurizer;
use lexiform_model::Teacher;

/// The features that training computes with the same model, so that prepared and computed ones are equal.
pub struct TeacherFeatures(pub Teacher);

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
