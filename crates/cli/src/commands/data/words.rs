//! Models as data sets know them: pictures and texts to features.

use std::sync::Arc;

use image::RgbaImage;
use lexiform_data::Featurizer;
use lexiform_search::{Encoder, Taken};

/// A model of views and words that gives features for a data set.
pub struct Frozen(pub Arc<dyn Encoder>);

impl Featurizer for Frozen {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String> {
        // Each view is a shape of its own: features of single views, as the teachers of the papers give them.
        let alone = images.iter().map(|image| Taken::Views(vec![image.clone()])).collect();
        let embeddings = self.0.embed_shapes(alone).map_err(|error| error.to_string())?;
        Ok(embeddings.iter().map(|embedding| embedding.as_slice().to_vec()).collect())
    }

    fn texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        let embeddings = self.0.embed_texts(texts).map_err(|error| error.to_string())?;
        Ok(embeddings.iter().map(|embedding| embedding.as_slice().to_vec()).collect())
    }
}
