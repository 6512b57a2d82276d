//! A model that a library names, without its weights or with those of its text tower alone.

use image::RgbaImage;
use lexiform_model::{Embedding, TextModel};
use lexiform_store::EmbeddingSpace;

use crate::{EncodeError, Encoder, InputSpec, ModelInput};

/// Stands for the model of a library whose weights are not needed, except perhaps those of its text tower.
pub(crate) struct StoredEncoder {
    space: EmbeddingSpace,
    text: Option<TextModel>,
}

impl StoredEncoder {
    /// The model of a space, and its text tower.
    pub(crate) fn new(space: &EmbeddingSpace, text: Option<TextModel>) -> Self {
        Self { space: space.clone(), text }
    }

    fn unavailable<T>(&self) -> Result<T, EncodeError> {
        Err(format!("{}: the library was opened without the model", self.space.model).into())
    }
}

impl Encoder for StoredEncoder {
    fn id(&self) -> &str {
        &self.space.model
    }

    fn dim(&self) -> usize {
        self.space.dim
    }

    fn input_spec(&self) -> InputSpec {
        InputSpec::Points { count: 1 }
    }

    fn preprocessing(&self) -> String {
        self.space.preprocessing.clone()
    }

    fn templates(&self) -> Vec<String> {
        Vec::new()
    }

    fn logit_scale(&self) -> f32 {
        0.0
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        self.text.as_ref().map_or_else(|| self.unavailable(), |text| Ok(text.embed_texts(texts)?))
    }

    fn knows_word(&self, word: &str) -> Option<bool> {
        self.text.as_ref().map(|text| text.knows_word(word))
    }

    fn embed_shapes(&self, _shapes: Vec<ModelInput>) -> Result<Vec<Embedding>, EncodeError> {
        self.unavailable()
    }

    fn embed_image(&self, _image: &RgbaImage) -> Result<Embedding, EncodeError> {
        self.unavailable()
    }
}
