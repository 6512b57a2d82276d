//! The interface to models: embeddings of texts, images and shapes in one space. A model specifies its input for
//! shapes: views, points or both.
//!
//! A trait, so that tests and other programs can implement it; the usual implementation is
//! [`JointModel`](lexiform_model::JointModel).

use std::sync::Arc;

use image::RgbaImage;
use lexiform_geometry::{PointCloud, RigKind};
use lexiform_model::language::Language;
use lexiform_model::preprocess::Crop;
use lexiform_model::{Embedding, JointModel, ModelError, TowerWork, ViewSubsetEmbeddings};

/// Any error of a model.
pub type EncodeError = Box<dyn std::error::Error + Send + Sync>;

/// A model's input for shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputSpec {
    /// Rendered views.
    Views {
        /// Camera rig of its training.
        rig: RigKind,
        /// Number of views.
        count: usize,
        /// Width and height of a view in pixels.
        size: u32,
    },
    /// Points on the surface.
    Points {
        /// Number of points.
        count: usize,
    },
}

/// A shape as input of a model.
#[derive(Clone, Debug)]
pub enum ModelInput {
    /// Square views on a white background.
    Views(Vec<RgbaImage>),
    /// Points on the surface, at any scale, with linear colors if the shape has colors.
    Points(PointCloud),
    /// Views and points of the same shape.
    Both {
        /// Square views on a white background.
        views: Vec<RgbaImage>,
        /// Points on the surface.
        cloud: PointCloud,
    },
}

impl ModelInput {
    /// The views, if there are any.
    pub fn views(&self) -> Option<&[RgbaImage]> {
        match self {
            Self::Views(views) | Self::Both { views, .. } => Some(views),
            Self::Points(_) => None,
        }
    }

    /// Selects views by index, in this order; points are unchanged. Invalid indices are ignored.
    pub fn with_views(&self, chosen: &[usize]) -> Self {
        let some = |views: &[RgbaImage]| chosen.iter().filter_map(|i| views.get(*i).cloned()).collect();
        match self {
            Self::Views(views) => Self::Views(some(views)),
            Self::Both { views, cloud } => Self::Both { views: some(views), cloud: cloud.clone() },
            Self::Points(_) => self.clone(),
        }
    }
}

/// A model that embeds texts, images and 3D shapes in one space.
pub trait Encoder: Send + Sync {
    /// Identifies the exact weights, such as `nano-1@1f2e3d4c`. Embeddings of different ids are never compared.
    fn id(&self) -> &str;
    /// Length of an embedding.
    fn dim(&self) -> usize;
    /// The input for shapes.
    fn input_spec(&self) -> InputSpec;
    /// The input for shapes that contain only points, such as scans.
    fn point_cloud_input_spec(&self) -> InputSpec {
        self.input_spec()
    }
    /// Number of surface points that a mesh is embedded with in addition to its views; 0 for views only. Its
    /// embedding is the normalized mean of both.
    fn points_with_views(&self) -> usize {
        0
    }
    /// A description of how pixels or points become tensors; stored in the library.
    fn preprocessing(&self) -> String;
    /// The same model with another crop of views; `None` for a model without views, or whose views the crop does not fit.
    fn with_crop(&self, crop: Crop) -> Option<Arc<dyn Encoder>> {
        let _ = crop;
        None
    }
    /// Templates for class sentences, with `{}` for the label.
    fn templates(&self) -> Vec<String>;
    /// Logarithm of the factor between cosine similarity and logit, as in [CLIP](https://arxiv.org/abs/2103.00020).
    fn logit_scale(&self) -> f32;
    /// One embedding per text.
    ///
    /// # Errors
    /// If the model has no text tower or fails.
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError>;
    /// As [`embed_texts`](Self::embed_texts), with what [`understands`](Self::understands) says of each text: models may compute both
    /// at once.
    ///
    /// # Errors
    /// As for [`embed_texts`](Self::embed_texts).
    fn embed_queries(&self, texts: &[&str]) -> Result<Vec<(Embedding, Option<bool>)>, EncodeError> {
        let embeddings = self.embed_texts(texts)?;
        let understood = texts.iter().map(|text| self.understands(text));
        Ok(embeddings.into_iter().zip(understood).collect())
    }
    /// Features of texts before normalization, one row per text: some protocols average these. By default, the
    /// embeddings.
    ///
    /// # Errors
    /// As for [`embed_texts`](Self::embed_texts).
    fn text_features(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        Ok(rows(&self.embed_texts(texts)?))
    }
    /// Whether the text tower has a token for a word in lower case; `None` if that cannot be said.
    fn knows_word(&self, word: &str) -> Option<bool> {
        let _ = word;
        None
    }
    /// Whether a text is about something that the model knows: not if it has no meaning or is in another language; `None` if that
    /// cannot be said.
    fn understands(&self, text: &str) -> Option<bool> {
        let _ = text;
        None
    }
    /// One embedding per shape; the number of views or points may differ between shapes.
    ///
    /// # Errors
    /// If an input is not as specified by [`input_spec`](Self::input_spec) or
    /// [`point_cloud_input_spec`](Self::point_cloud_input_spec), or the model fails.
    fn embed_shapes(&self, shapes: Vec<ModelInput>) -> Result<Vec<Embedding>, EncodeError>;
    /// Embeddings of several subsets of the views of each shape: `subsets[shape]` lists indices of its views, or `None` for the
    /// whole shape. Models that see one view at a time in their first blocks compute these once per view.
    ///
    /// # Errors
    /// As for [`embed_shapes`](Self::embed_shapes), or if a subset is empty.
    fn embed_view_subsets(
        &self,
        shapes: &[ModelInput],
        subsets: &[Vec<Option<Vec<usize>>>],
    ) -> Result<ViewSubsetEmbeddings, EncodeError> {
        embed_each_subset(self, shapes, subsets)
    }
    /// The embedding of a photo or drawing.
    ///
    /// # Errors
    /// If the model has no image tower or fails.
    fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, EncodeError>;
    /// One embedding of several photos of the same object. By default, the normalized mean of their embeddings.
    ///
    /// # Errors
    /// As for [`embed_image`](Self::embed_image), and if there are no photos.
    fn embed_photos(&self, photos: &[RgbaImage]) -> Result<Embedding, EncodeError> {
        let embeddings = photos.iter().map(|photo| self.embed_image(photo)).collect::<Result<Vec<_>, _>>()?;
        // The mean of one would differ from it in the last bits.
        if let [alone] = &embeddings[..] {
            return Ok(alone.clone());
        }
        Ok(Embedding::weighted_sum(&embeddings.iter().map(|e| (1.0, e)).collect::<Vec<_>>())?)
    }
}

impl Encoder for JointModel {
    fn id(&self) -> &str {
        self.id()
    }

    fn dim(&self) -> usize {
        self.dim() + self.language().map_or(0, Language::n_concepts)
    }

    fn input_spec(&self) -> InputSpec {
        // Models of other projects may name an unknown rig; most were trained on views like these.
        let rig = self.config().rig.parse().unwrap_or(RigKind::Zero123);
        InputSpec::Views { rig, count: self.n_views(), size: self.view_size() }
    }

    fn point_cloud_input_spec(&self) -> InputSpec {
        let points = self.point_branch().map(|part| InputSpec::Points { count: part.input.n_points });
        points.unwrap_or_else(|| Encoder::input_spec(self))
    }

    fn points_with_views(&self) -> usize {
        self.point_branch().map_or(0, |part| part.input.n_points)
    }

    fn preprocessing(&self) -> String {
        self.preprocessing()
    }

    fn with_crop(&self, crop: Crop) -> Option<Arc<dyn Encoder>> {
        let fits = crop.fits(self.view_size() as usize);
        fits.then(|| Arc::new(self.clone().with_crop(crop)) as Arc<dyn Encoder>)
    }

    fn templates(&self) -> Vec<String> {
        self.config().templates.clone()
    }

    fn logit_scale(&self) -> f32 {
        self.logit_scale()
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        let features = self.embed_texts(texts)?;
        match self.language() {
            Some(language) => Ok(language.extend_texts(texts, &features, &self.config().tokenizer)?),
            None => Ok(features),
        }
    }

    fn embed_queries(&self, texts: &[&str]) -> Result<Vec<(Embedding, Option<bool>)>, EncodeError> {
        let features = self.embed_texts(texts)?;
        let Some(language) = self.language() else {
            return Ok(features.into_iter().map(|embedding| (embedding, None)).collect());
        };
        let queries = language.extend_queries(texts, &features, &self.config().tokenizer)?;
        Ok(queries.into_iter().map(|(embedding, understood)| (embedding, Some(understood))).collect())
    }

    fn text_features(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        if self.language().is_none() {
            return Ok(self.text_features(texts)?);
        }
        Ok(rows(&Encoder::embed_texts(self, texts)?))
    }

    fn knows_word(&self, word: &str) -> Option<bool> {
        Some(self.knows_word(word))
    }

    fn understands(&self, text: &str) -> Option<bool> {
        self.language().map(|language| language.understands(text))
    }

    fn embed_shapes(&self, shapes: Vec<ModelInput>) -> Result<Vec<Embedding>, EncodeError> {
        // Views and clouds of all shapes go through each tower in one batch; `order` maps the results back to shapes.
        let (mut views, mut clouds, mut order) = (Vec::new(), Vec::new(), Vec::new());
        for shape in shapes {
            let (shape_views, cloud) = match shape {
                ModelInput::Views(views) => (Some(views), None),
                ModelInput::Points(cloud) => (None, Some(cloud)),
                ModelInput::Both { views, cloud } => (Some(views), Some(cloud)),
            };
            order.push([shape_views.is_some(), cloud.is_some()]);
            views.extend(shape_views);
            clouds.extend(cloud);
        }
        if !clouds.is_empty() && self.point_branch().is_none() {
            return Err(format!("{}: expected views, found points", self.id()).into());
        }
        let mut of_views = self.embed_views(&views)?.into_iter();
        // A model without a point tower fails for an empty batch too.
        let of_clouds = if clouds.is_empty() { Vec::new() } else { self.embed_clouds(&clouds)? };
        let mut of_clouds = of_clouds.into_iter();
        let next = |[has_views, has_cloud]: [bool; 2]| match (has_views, has_cloud) {
            (true, true) => Some(normalized_mean(&of_views.next()?, &of_clouds.next()?)),
            (true, false) => of_views.next().map(Ok),
            (false, _) => of_clouds.next().map(Ok),
        };
        order
            .into_iter()
            .filter_map(next)
            .map(|shape| extended(self, shape?, Language::extend_shape))
            .collect()
    }

    fn embed_view_subsets(
        &self,
        shapes: &[ModelInput],
        subsets: &[Vec<Option<Vec<usize>>>],
    ) -> Result<ViewSubsetEmbeddings, EncodeError> {
        let views: Option<Vec<&[RgbaImage]>> = shapes.iter().map(ModelInput::views).collect();
        // Shapes of points alone have nothing to share.
        let Some(views) = views else { return embed_each_subset(self, shapes, subsets) };
        let all = |views: &[RgbaImage]| (0..views.len()).collect();
        let explicit = |(views, subsets): (&&[RgbaImage], &Vec<Option<Vec<usize>>>)| {
            subsets.iter().map(|chosen| chosen.clone().unwrap_or_else(|| all(views))).collect()
        };
        let subsets: Vec<Vec<Vec<usize>>> = views.iter().zip(subsets).map(explicit).collect();
        let mut embedded = self.embed_view_subsets(&views, &subsets)?;
        for (shape, row) in shapes.iter().zip(&mut embedded.rows) {
            let of_cloud = match shape {
                ModelInput::Both { cloud, .. } => {
                    Some(self.embed_clouds(std::slice::from_ref(cloud))?.swap_remove(0))
                }
                ModelInput::Views(_) | ModelInput::Points(_) => None,
            };
            for embedding in row {
                if let Some(of_cloud) = &of_cloud {
                    *embedding = normalized_mean(embedding, of_cloud)?;
                }
                *embedding = extended(self, embedding.clone(), Language::extend_shape)?;
            }
        }
        Ok(embedded)
    }

    fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, EncodeError> {
        extended(self, self.embed_image(image)?, Language::extend_photo)
    }

    fn embed_photos(&self, photos: &[RgbaImage]) -> Result<Embedding, EncodeError> {
        extended(self, self.embed_photos(photos)?, Language::extend_photo)
    }
}

/// An embedding as long as those of texts: `extend`ed if the model has language.
fn extended(
    model: &JointModel,
    embedding: Embedding,
    extend: impl Fn(&Language, &Embedding) -> Result<Embedding, ModelError>,
) -> Result<Embedding, EncodeError> {
    match model.language() {
        Some(language) => Ok(extend(language, &embedding)?),
        None => Ok(embedding),
    }
}

/// The numbers of embeddings.
fn rows(embeddings: &[Embedding]) -> Vec<Vec<f32>> {
    embeddings.iter().map(|embedding| embedding.as_slice().to_vec()).collect()
}

/// Embeds every subset like a shape of its own.
fn embed_each_subset<E: Encoder + ?Sized>(
    encoder: &E,
    shapes: &[ModelInput],
    subsets: &[Vec<Option<Vec<usize>>>],
) -> Result<ViewSubsetEmbeddings, EncodeError> {
    let of_shape = |(shape, subsets): (&ModelInput, &Vec<Option<Vec<usize>>>)| {
        let subset = |chosen: &Option<Vec<usize>>| match chosen {
            Some(chosen) => shape.with_views(chosen),
            None => shape.clone(),
        };
        subsets.iter().map(subset).collect::<Vec<_>>()
    };
    let inputs: Vec<ModelInput> = shapes.iter().zip(subsets).flat_map(of_shape).collect();
    let mut embedded = encoder.embed_shapes(inputs)?.into_iter();
    let rows = subsets.iter().map(|subsets| embedded.by_ref().take(subsets.len()).collect()).collect();
    Ok(ViewSubsetEmbeddings { rows, work: TowerWork::default() })
}

/// The normalized mean of two embeddings.
fn normalized_mean(a: &Embedding, b: &Embedding) -> Result<Embedding, EncodeError> {
    Ok(Embedding::new(a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| a + b).collect())?)
}
