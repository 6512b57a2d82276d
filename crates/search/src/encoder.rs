//! The one thing search asks of a model: words, pictures and views of shapes into one space.
//!
//! A trait, so that tests and other programs may bring their own; [`JointModel`](lexiform_model::JointModel) is the usual one.

use image::RgbaImage;
use lexiform_geometry::RigKind;
use lexiform_model::{Embedding, JointModel};

/// Whatever went wrong inside a model.
pub type EncodeError = Box<dyn std::error::Error + Send + Sync>;

/// A model that places words, pictures and 3D shapes in one space.
pub trait Encoder: Send + Sync {
    /// Names the exact weights, such as `nano-1@1f2e3d4c`. Embeddings of two ids are never compared.
    fn id(&self) -> &str;
    /// Length of an embedding.
    fn dim(&self) -> usize;
    /// Edge of a view in pixels.
    fn view_size(&self) -> u32;
    /// How many views of a shape the model likes to see.
    fn n_views(&self) -> usize;
    /// The rig whose views it is used to.
    fn rig(&self) -> RigKind;
    /// How pixels become numbers, in words; recorded with a library.
    fn preprocessing(&self) -> String;
    /// Sentences that suit the model's labels, with `{}` for the label.
    fn templates(&self) -> Vec<String>;
    /// Logarithm of the factor between cosine similarity and logit.
    fn logit_scale(&self) -> f32;
    /// One embedding a text.
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError>;
    /// One embedding a shape; each shape is its views, whose number may differ.
    fn embed_views(&self, shapes: &[Vec<RgbaImage>]) -> Result<Vec<Embedding>, EncodeError>;
    /// The embedding of a photo or drawing.
    fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, EncodeError>;
}

impl Encoder for JointModel {
    fn id(&self) -> &str {
        self.id()
    }

    fn dim(&self) -> usize {
        self.dim()
    }

    fn view_size(&self) -> u32 {
        self.view_size()
    }

    fn n_views(&self) -> usize {
        self.n_views()
    }

    fn rig(&self) -> RigKind {
        // A model from elsewhere may name a rig that is not known here; most were trained on views like these.
        self.config().rig.parse().unwrap_or(RigKind::Zero123)
    }

    fn preprocessing(&self) -> String {
        self.preprocessing()
    }

    fn templates(&self) -> Vec<String> {
        self.config().templates.clone()
    }

    fn logit_scale(&self) -> f32 {
        self.logit_scale()
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        Ok(self.embed_texts(texts)?)
    }

    fn embed_views(&self, shapes: &[Vec<RgbaImage>]) -> Result<Vec<Embedding>, EncodeError> {
        Ok(self.embed_views(shapes)?)
    }

    fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, EncodeError> {
        Ok(self.embed_image(image)?)
    }
}
