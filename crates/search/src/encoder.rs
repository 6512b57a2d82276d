//! The one thing search asks of a model: words, pictures and shapes into one space. A model says how it takes shapes,
//! as views or as points, and gets them so.
//!
//! A trait, so that tests and other programs may bring their own; [`JointModel`](lexiform_model::JointModel) is the usual one.

use image::RgbaImage;
use lexiform_geometry::{PointCloud, RigKind};
use lexiform_model::{Embedding, JointModel};

/// Whatever went wrong inside a model.
pub type EncodeError = Box<dyn std::error::Error + Send + Sync>;

/// How a model takes shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// As pictures.
    Views {
        /// The rig whose views it is used to.
        rig: RigKind,
        /// How many views of a shape it likes to see.
        count: usize,
        /// Edge of a view in pixels.
        size: u32,
    },
    /// As points on the surface.
    Points {
        /// How many it likes to see.
        count: usize,
    },
}

/// A shape as a model takes it.
#[derive(Clone, Debug)]
pub enum Taken {
    /// Square views on white.
    Views(Vec<RgbaImage>),
    /// Points on its surface, at any scale, with linear colors where it has any.
    Points(PointCloud),
}

/// A model that places words, pictures and 3D shapes in one space.
pub trait Encoder: Send + Sync {
    /// Names the exact weights, such as `nano-1@1f2e3d4c`. Embeddings of two ids are never compared.
    fn id(&self) -> &str;
    /// Length of an embedding.
    fn dim(&self) -> usize;
    /// How it takes shapes.
    fn intake(&self) -> Intake;
    /// How it takes shapes that are only points, such as scans: as all others, unless it knows better.
    fn intake_of_clouds(&self) -> Intake {
        self.intake()
    }
    /// How pixels or points become numbers, in words; recorded with a library.
    fn preprocessing(&self) -> String;
    /// Sentences that suit the model's labels, with `{}` for the label.
    fn templates(&self) -> Vec<String>;
    /// Logarithm of the factor between cosine similarity and logit.
    fn logit_scale(&self) -> f32;
    /// One embedding a text.
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError>;
    /// Features of texts at the length the text tower gives them, one row a text: some protocols average these. A model
    /// that keeps no lengths gives its embeddings.
    fn text_features(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        Ok(self.embed_texts(texts)?.iter().map(|embedding| embedding.as_slice().to_vec()).collect())
    }
    /// One embedding a shape; numbers of views or points may differ.
    ///
    /// # Errors
    /// If a shape is taken another way than [`intake`](Self::intake) or [`intake_of_clouds`](Self::intake_of_clouds)
    /// says, or the model fails.
    fn embed_shapes(&self, shapes: Vec<Taken>) -> Result<Vec<Embedding>, EncodeError>;
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

    fn intake(&self) -> Intake {
        // A model from elsewhere may name a rig that is not known here; most were trained on views like these.
        let rig = self.config().rig.parse().unwrap_or(RigKind::Zero123);
        Intake::Views { rig, count: self.n_views(), size: self.view_size() }
    }

    fn intake_of_clouds(&self) -> Intake {
        let points = self.point_part().map(|part| Intake::Points { count: part.input.n_points });
        points.unwrap_or_else(|| Encoder::intake(self))
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

    fn text_features(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        Ok(self.text_features(texts)?)
    }

    fn embed_shapes(&self, shapes: Vec<Taken>) -> Result<Vec<Embedding>, EncodeError> {
        let (mut views, mut clouds, mut order) = (Vec::new(), Vec::new(), Vec::new());
        for shape in shapes {
            order.push(matches!(shape, Taken::Points(_)));
            match shape {
                Taken::Views(seen) => views.push(seen),
                Taken::Points(cloud) => clouds.push(cloud),
            }
        }
        if !clouds.is_empty() && self.point_part().is_none() {
            return Err(format!("{} takes views, it was given points", self.id()).into());
        }
        let mut of_views = self.embed_views(&views)?.into_iter();
        let mut of_clouds = match clouds.is_empty() {
            true => Vec::new().into_iter(),
            false => self.embed_clouds(&clouds)?.into_iter(),
        };
        let next = |is_cloud| if is_cloud { of_clouds.next() } else { of_views.next() };
        Ok(order.into_iter().filter_map(next).collect())
    }

    fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, EncodeError> {
        Ok(self.embed_image(image)?)
    }
}
