//! A frozen model whose features are learned towards: the same features for a run, and for a data set that is prepared.

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbaImage;
use lexiform_data::Featurizer;
use lexiform_model::preprocess::{Crop, Preprocess};
use lexiform_model::{JointModel, ModelError, OpenOptions};

/// Images or texts that pass a tower at once.
pub(crate) const AT_ONCE: usize = 48;

/// A frozen model of words and pictures.
pub struct Teacher {
    model: JointModel,
    device: Device,
}

impl Teacher {
    /// Opens a model by name or path, to compute on a device.
    pub fn open(name_or_path: &str, device: &Device) -> Result<Self, ModelError> {
        let device = device.clone();
        let options = OpenOptions { device: device.clone(), ..OpenOptions::default() };
        Ok(Self { model: JointModel::open(name_or_path, &options)?, device })
    }

    /// What an opened model is without gradients.
    pub(crate) fn of(model: &JointModel, device: &Device) -> Self {
        Self { model: model.frozen(), device: device.clone().inner() }
    }

    /// The model.
    pub fn model(&self) -> &JointModel {
        &self.model
    }

    /// Width of the features.
    pub fn dim(&self) -> usize {
        self.model.dim()
    }

    /// Un-normalized features of single pictures, `[pictures, dim]`.
    pub fn images(&self, pictures: &[RgbaImage]) -> Vec<f32> {
        let config = self.model.config();
        // A teacher sees whole pictures: OpenCLIP's transform of a square one is the identity.
        let preprocess = Preprocess { crop: Crop::None, ..config.preprocess };
        let chunks = pictures.chunks(AT_ONCE).flat_map(|chunk| {
            let shape = [chunk.len(), 3, preprocess.size, preprocess.size];
            let pixels =
                Tensor::<4>::from_data(TensorData::new(preprocess.views(chunk), shape), &self.device);
            let features = self.model.vision().encode(pixels, 1, config.joint_from);
            features.into_data().iter::<f32>().collect::<Vec<f32>>()
        });
        chunks.collect()
    }

    /// Un-normalized features of texts, `[texts, dim]`.
    pub fn texts(&self, texts: &[&str]) -> Result<Vec<f32>, ModelError> {
        Ok(self.model.text_features(texts)?.concat())
    }

    fn rows(&self, values: &[f32]) -> Vec<Vec<f32>> {
        values.chunks(self.dim().max(1)).map(<[f32]>::to_vec).collect()
    }
}

impl Featurizer for Teacher {
    fn id(&self) -> &str {
        self.model.id()
    }

    fn images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String> {
        Ok(self.rows(&Self::images(self, images)))
    }

    fn texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        Self::texts(self, texts).map(|values| self.rows(&values)).map_err(|error| error.to_string())
    }
}
