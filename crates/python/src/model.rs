//! `lexiform._lexiform.Model`: a model that embeds texts, pictures and shapes in one space.

use std::path::PathBuf;
use std::sync::Arc;

use lexiform_model::registry::MODELS;
use lexiform_model::{ComputePrecision, Embedding, device};
use lexiform_search::{
    EncodeError, Encoder, EncoderOptions, Error as SearchError, InputSpec, ModelInput, ShapePreprocessor,
    ZeroShotClassifier, embed_file,
};
use numpy::{PyArray2, PyReadonlyArray2, PyReadonlyArray3, PyReadonlyArray4};
use pyo3::prelude::*;
use rayon::prelude::*;

use crate::arrays::{embeddings_array, embeddings_of, picture, pictures, point_cloud};
use crate::error::{PyError, Result, invalid};
use crate::options::{parse_crop, parse_up};
use crate::shape::Shape;
use crate::threads::compute;

/// A model.
#[pyclass(frozen, module = "lexiform._lexiform")]
pub struct Model {
    pub encoder: Arc<dyn Encoder>,
    /// Name or path that it was opened by.
    name: String,
}

type Rows<'py> = Bound<'py, PyArray2<f32>>;

#[pymethods]
impl Model {
    /// Opens a model by name or path.
    #[new]
    #[pyo3(signature = (name, *, device, precision, text_model=None, visual_prompts=None, image_size=None, crop=None))]
    fn new(
        py: Python<'_>,
        name: String,
        device: &str,
        precision: &str,
        text_model: Option<String>,
        visual_prompts: Option<PathBuf>,
        image_size: Option<usize>,
        crop: Option<&str>,
    ) -> Result<Self> {
        let options = EncoderOptions {
            crop: crop.map(parse_crop).transpose()?,
            image_size,
            visual_prompts,
            text_model,
            device: self::device(device).map_err(|e| invalid(format!("device {device:?}: {e}")))?,
            precision: precision
                .parse::<ComputePrecision>()
                .map_err(|e| invalid(format!("precision: {e}, found {precision:?}")))?,
            ..EncoderOptions::default()
        };
        let encoder = compute(py, || options.open(&name))?;
        Ok(Self { encoder, name })
    }

    /// The same model with another crop of views: `none`, `center`, or the seed of a torch generator.
    fn with_crop(&self, crop: &str) -> Result<Self> {
        let fitting = self.encoder.with_crop(parse_crop(crop)?);
        let encoder = fitting.ok_or_else(|| invalid(format!("crop: {} does not crop views", self.name)))?;
        Ok(Self { encoder, name: self.name.clone() })
    }

    /// Name or path that it was opened by.
    #[getter]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[getter]
    fn id(&self) -> &str {
        self.encoder.id()
    }

    #[getter]
    fn dim(&self) -> usize {
        self.encoder.dim()
    }

    /// `views`, `points` or `views and points`.
    #[getter]
    fn input(&self) -> &'static str {
        match (self.encoder.input_spec(), self.encoder.points_with_views()) {
            (InputSpec::Points { .. }, _) => "points",
            (InputSpec::Views { .. }, 0) => "views",
            (InputSpec::Views { .. }, _) => "views and points",
        }
    }

    /// Number, width and height of rendered views.
    #[getter]
    fn views(&self) -> Option<(usize, u32)> {
        match self.encoder.input_spec() {
            InputSpec::Views { count, size, .. } => Some((count, size)),
            InputSpec::Points { .. } => None,
        }
    }

    /// Number of points of a point cloud.
    #[getter]
    fn points(&self) -> Option<usize> {
        match self.encoder.point_cloud_input_spec() {
            InputSpec::Points { count } => Some(count),
            InputSpec::Views { .. } => None,
        }
    }

    #[getter]
    fn templates(&self) -> Vec<String> {
        self.encoder.templates()
    }

    #[getter]
    fn logit_scale(&self) -> f32 {
        self.encoder.logit_scale()
    }

    /// Whether a text is about something that the model knows; `None` if that cannot be said.
    fn understands(&self, py: Python<'_>, text: &str) -> Option<bool> {
        compute(py, || self.encoder.understands(text))
    }

    fn encode_texts<'py>(&self, py: Python<'py>, texts: Vec<String>) -> Result<Rows<'py>> {
        self.rows(py, || {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            self.encoder.embed_texts(&texts)
        })
    }

    /// One row for each picture `[height, width, 3 or 4]`.
    fn encode_photos<'py>(
        &self,
        py: Python<'py>,
        photos: Vec<PyReadonlyArray3<'py, u8>>,
    ) -> Result<Rows<'py>> {
        let photos = photos.iter().map(picture).collect::<Result<Vec<_>>>()?;
        self.rows(py, || photos.iter().map(|photo| self.encoder.embed_image(photo)).collect())
    }

    /// One row for several photos of one object.
    fn encode_photo_set<'py>(
        &self,
        py: Python<'py>,
        photos: Vec<PyReadonlyArray3<'py, u8>>,
    ) -> Result<Rows<'py>> {
        let photos = photos.iter().map(picture).collect::<Result<Vec<_>>>()?;
        self.rows(py, || Ok(vec![self.encoder.embed_photos(&photos)?]))
    }

    /// One row for each set of views `[n, height, width, 3 or 4]`.
    fn encode_views<'py>(&self, py: Python<'py>, sets: Vec<PyReadonlyArray4<'py, u8>>) -> Result<Rows<'py>> {
        let inputs: Vec<ModelInput> =
            sets.iter().map(|views| Ok(ModelInput::Views(pictures(views)?))).collect::<Result<_>>()?;
        self.rows(py, || self.encoder.embed_shapes(inputs))
    }

    /// One row for each point cloud `[n, 3 or 6]`.
    fn encode_points<'py>(
        &self,
        py: Python<'py>,
        clouds: Vec<PyReadonlyArray2<'py, f32>>,
    ) -> Result<Rows<'py>> {
        let inputs: Vec<ModelInput> =
            clouds.iter().map(|cloud| Ok(ModelInput::Points(point_cloud(cloud)?))).collect::<Result<_>>()?;
        self.rows(py, || self.encoder.embed_shapes(inputs))
    }

    /// One row for each shape, rendered or sampled as the model needs it.
    fn encode_shapes<'py>(&self, py: Python<'py>, shapes: Vec<PyRef<'py, Shape>>) -> Result<Rows<'py>> {
        let scenes: Vec<_> = shapes.iter().map(|shape| shape.scene.clone()).collect();
        self.rows(py, || {
            let preprocessor = ShapePreprocessor::for_encoder(&*self.encoder);
            let input = |scene: &Arc<lexiform_geometry::Scene>| match scene.is_empty() {
                true => Err("expected a shape, found no triangles and no points".to_owned()),
                false => Ok(preprocessor.process_scene((**scene).clone())),
            };
            // Views of one shape are rendered in parallel too: small shapes are too few tiles for all cores.
            let inputs = scenes.par_iter().map(input).collect::<std::result::Result<Vec<_>, _>>()?;
            self.encoder.embed_shapes(inputs)
        })
    }

    /// The row of a 3D file, a folder or strip of views, or a photo.
    fn encode_file<'py>(&self, py: Python<'py>, path: PathBuf, up: &str) -> Result<Rows<'py>> {
        let up = parse_up(up)?;
        let preprocessor = ShapePreprocessor::for_encoder(&*self.encoder).with_up(up);
        let embedding = compute(py, || embed_file(&*self.encoder, &preprocessor, &path))?;
        embeddings_array(py, &[embedding], self.encoder.dim())
    }

    /// Probabilities of labels for each feature: rows of `(label, probability)`, best first.
    #[pyo3(signature = (features, labels, templates=None))]
    fn classify(
        &self,
        py: Python<'_>,
        features: PyReadonlyArray2<'_, f32>,
        labels: Vec<String>,
        templates: Option<Vec<String>>,
    ) -> Result<Vec<Vec<(String, f32)>>> {
        let features = embeddings_of(&features, self.encoder.dim())?;
        compute(py, || {
            let templates = templates.unwrap_or_else(|| self.encoder.templates());
            let classifier = ZeroShotClassifier::new(&*self.encoder, &labels, &templates)?;
            let scores = features.iter().map(|row| classifier.classify(row).into_iter());
            Ok(scores.map(|row| row.map(|score| (score.label, score.score)).collect()).collect())
        })
    }
}

impl Model {
    /// Runs the model without the interpreter's lock.
    fn rows<'py>(
        &self,
        py: Python<'py>,
        encode: impl FnOnce() -> std::result::Result<Vec<Embedding>, EncodeError> + Send,
    ) -> Result<Rows<'py>> {
        let rows = compute(py, encode).map_err(|source| self.failed(source))?;
        embeddings_array(py, &rows, self.encoder.dim())
    }

    fn failed(&self, source: EncodeError) -> PyError {
        SearchError::Encode { model: self.encoder.id().to_owned(), source }.into()
    }
}

/// The models that can be opened by name, as rows of name, input, dimension, license and description.
#[pyfunction]
pub fn registered_models() -> Vec<(&'static str, &'static str, usize, &'static str, &'static str)> {
    let row = |model: &lexiform_model::registry::NamedModel| {
        (model.name, model.modality.name(), model.dim, model.license, model.description)
    };
    MODELS.iter().map(row).collect()
}
