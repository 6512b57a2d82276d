//! The one thing search asks of a model: words, pictures and shapes into one space. A model says how it takes shapes,
//! as views or as points, and gets them so.
//!
//! A trait, so that tests and other programs may bring their own; [`JointModel`](lexiform_model::JointModel) is the usual one.

use std::sync::Arc;

use image::RgbaImage;
use lexiform_geometry::{PointCloud, RigKind};
use lexiform_model::preprocess::Crop;
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
    /// Views, and points of the same shape.
    Both {
        /// Square views on white.
        views: Vec<RgbaImage>,
        /// Points on its surface.
        cloud: PointCloud,
    },
}

impl Taken {
    /// Its views, if it was seen in any.
    pub fn views(&self) -> Option<&[RgbaImage]> {
        match self {
            Self::Views(views) | Self::Both { views, .. } => Some(views),
            Self::Points(_) => None,
        }
    }

    /// The same with some of the views only, in this order; points stay. Numbers without a view are passed over.
    pub fn with_views(&self, chosen: &[usize]) -> Self {
        let some = |views: &[RgbaImage]| chosen.iter().filter_map(|i| views.get(*i).cloned()).collect();
        match self {
            Self::Views(views) => Self::Views(some(views)),
            Self::Both { views, cloud } => Self::Both { views: some(views), cloud: cloud.clone() },
            Self::Points(_) => self.clone(),
        }
    }
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
    /// Points that it takes of a shape with faces beside its views, which then count as much as the views; 0 for none.
    fn points_beside_views(&self) -> usize {
        0
    }
    /// How pixels or points become numbers, in words; recorded with a library.
    fn preprocessing(&self) -> String;
    /// The same model with another window cut out of views; `None` if it looks at no views.
    fn with_crop(&self, crop: Crop) -> Option<Arc<dyn Encoder>> {
        let _ = crop;
        None
    }
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

    fn points_beside_views(&self) -> usize {
        self.point_part().map_or(0, |part| part.input.n_points)
    }

    fn preprocessing(&self) -> String {
        self.preprocessing()
    }

    fn with_crop(&self, crop: Crop) -> Option<Arc<dyn Encoder>> {
        Some(Arc::new(self.clone().with_crop(crop)))
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
            let (seen, cloud) = match shape {
                Taken::Views(views) => (Some(views), None),
                Taken::Points(cloud) => (None, Some(cloud)),
                Taken::Both { views, cloud } => (Some(views), Some(cloud)),
            };
            order.push([seen.is_some(), cloud.is_some()]);
            views.extend(seen);
            clouds.extend(cloud);
        }
        if !clouds.is_empty() && self.point_part().is_none() {
            return Err(format!("{} takes views, it was given points", self.id()).into());
        }
        let mut of_views = self.embed_views(&views)?.into_iter();
        let mut of_clouds = match clouds.is_empty() {
            true => Vec::new().into_iter(),
            false => self.embed_clouds(&clouds)?.into_iter(),
        };
        let next = |[seen, cloud]: [bool; 2]| match (seen, cloud) {
            (true, true) => Some(between(&of_views.next()?, &of_clouds.next()?)),
            (true, false) => of_views.next().map(Ok),
            (false, _) => of_clouds.next().map(Ok),
        };
        order.into_iter().filter_map(next).collect()
    }

    fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, EncodeError> {
        Ok(self.embed_image(image)?)
    }
}

/// The direction in the middle of two.
fn between(a: &Embedding, b: &Embedding) -> Result<Embedding, EncodeError> {
    Ok(Embedding::new(a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| a + b).collect())?)
}
