//! A frozen model whose features are training targets: the same for a training run and for a data set that is prepared.

use burn::tensor::Device;
use image::RgbaImage;

use crate::preprocess::{Crop, Preprocess};
use crate::{JointModel, ModelError, OpenOptions};

/// A frozen CLIP model.
pub struct Teacher {
    model: JointModel,
    device: Device,
}

impl Teacher {
    /// Images or texts that pass a tower at once.
    pub const BATCH: usize = 48;

    /// Opens a model by name or path, to compute on a device.
    ///
    /// # Errors
    /// If the model cannot be found or opened.
    pub fn open(name_or_path: &str, device: &Device) -> Result<Self, ModelError> {
        let device = device.clone();
        let options = OpenOptions { device: device.clone(), ..OpenOptions::default() };
        Ok(Self { model: JointModel::open(name_or_path, &options)?, device })
    }

    /// A copy of an opened model, without gradients.
    pub fn of(model: &JointModel, device: &Device) -> Self {
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
        let chunks = pictures.chunks(Self::BATCH).flat_map(|chunk| {
            let pixels = preprocess.tensor(chunk, &self.device);
            let features = self.model.vision().encode(pixels, 1, config.joint_from);
            features.into_data().iter::<f32>().collect::<Vec<f32>>()
        });
        chunks.collect()
    }

    /// Un-normalized features of texts, `[texts, dim]`.
    ///
    /// # Errors
    /// If the tokenizer knows more tokens than the text tower.
    pub fn texts(&self, texts: &[&str]) -> Result<Vec<f32>, ModelError> {
        Ok(self.model.text_features(texts)?.concat())
    }
}
