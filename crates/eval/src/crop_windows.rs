//! Crop windows of a seeded evaluation, sampled like Duoduo CLIP (<https://arxiv.org/abs/2406.11579>): one per batch.

use std::sync::Arc;

use lexiform_model::preprocess::Crop;
use lexiform_search::Encoder;

use crate::mt19937::Mt19937;

/// Batch size of the reference evaluation.
const BATCH: usize = 200;
/// Positions of the 208-pixel window in a 224-pixel view, along each axis.
const OFFSETS: u32 = 17;

/// The crop windows of one seed; without a seed, the model's own crop.
pub(crate) struct CropWindows {
    draws: Option<Mt19937>,
    cropped: Option<Arc<dyn Encoder>>,
}

impl CropWindows {
    /// The windows that torch's generator samples for a seed.
    pub(crate) fn new(seed: Option<u32>) -> Self {
        Self { draws: seed.map(Mt19937::torch), cropped: None }
    }

    /// The model with the crop window of a shape. Must be called for shapes 0, 1, 2 … in order.
    pub(crate) fn encoder_for<'a>(&'a mut self, shape: usize, encoder: &'a dyn Encoder) -> &'a dyn Encoder {
        // The reference samples one window per batch, not per shape.
        if let Some(draws) = self.draws.as_mut().filter(|_| shape.is_multiple_of(BATCH)) {
            self.cropped = encoder.with_crop(next(draws));
        }
        self.cropped.as_deref().unwrap_or(encoder)
    }
}

fn next(draws: &mut Mt19937) -> Crop {
    let [top, left] = [(); 2].map(|()| draws.torch_randint(OFFSETS) as usize);
    Crop::At { top, left }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lexiform_search::{Embedding, EncodeError, InputSpec, ModelInput};

    /// An encoder whose id is its crop window.
    struct Named(String);

    impl Encoder for Named {
        fn id(&self) -> &str {
            &self.0
        }
        fn dim(&self) -> usize {
            1
        }
        fn input_spec(&self) -> InputSpec {
            InputSpec::Points { count: 1 }
        }
        fn preprocessing(&self) -> String {
            String::new()
        }
        fn with_crop(&self, crop: Crop) -> Option<Arc<dyn Encoder>> {
            Some(Arc::new(Self(format!("{crop:?}"))))
        }
        fn templates(&self) -> Vec<String> {
            Vec::new()
        }
        fn logit_scale(&self) -> f32 {
            0.0
        }
        fn embed_texts(&self, _: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
            Ok(Vec::new())
        }
        fn embed_shapes(&self, _: Vec<ModelInput>) -> Result<Vec<Embedding>, EncodeError> {
            Ok(Vec::new())
        }
        fn embed_image(&self, _: &image::RgbaImage) -> Result<Embedding, EncodeError> {
            Err("no images".into())
        }
    }

    #[test]
    fn every_batch_of_200_has_a_window_of_its_own() {
        let whole = Named("whole".to_owned());
        let seen = |seed: Option<u32>| -> Vec<String> {
            let mut windows = CropWindows::new(seed);
            (0..601).map(|shape| windows.encoder_for(shape, &whole).id().to_owned()).collect()
        };
        // Corners sampled by torchvision: see `mt19937`.
        let corners = [[5, 11], [3, 9], [7, 6], [13, 12]];
        for (shape, found) in seen(Some(678)).iter().enumerate() {
            let [top, left] = corners[shape / 200];
            assert_eq!(*found, format!("{:?}", Crop::At { top, left }), "{shape}");
        }
        assert!(seen(None).iter().all(|found| found == "whole"));
    }
}
