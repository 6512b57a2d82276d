//! Captioners of whole shapes for data sets: of their embeddings, or language models that read their points.

use std::hash::Hasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fnv::FnvHasher;
use image::RgbaImage;
use lexiform_data::caption::{CaptionError, CaptionInput, CaptionOutput, Captioner};
use lexiform_data::{Caption, Member, POINTS, points_from_npy};
use lexiform_formats::view_format::decode_view;
use lexiform_geometry::PointCloud;
use lexiform_mesh_io::UpRule;
use lexiform_model::lm::{DecodingStrategy, TextOptions};
use lexiform_model::pointllm::{CAPTION_PROMPT, PointLlm};
use lexiform_model::{WeightPrecision, registry};
use lexiform_search::{Encoder, EncoderOptions, ShapePreprocessor};

use crate::embedding_captioner::EmbeddingCaptioner;
use crate::error::UsageError;
use crate::models::{DEFAULT_MODEL, DeviceArg};
use crate::point_language_model::PointLanguageModel;

/// A model in this process that describes a shape by all its views or points at once.
pub(crate) struct ShapeCaptioner {
    model: ShapeModel,
    settings: ShapeCaptionSettings,
    /// One shape at a time: the networks use all processors.
    mutex: Mutex<()>,
    sentences: AtomicU64,
    shapes: AtomicU64,
}

/// How captions of shapes are written.
pub(crate) struct ShapeCaptionSettings {
    /// Model of the embeddings; the built-in one if none is given.
    pub encoder: Option<String>,
    /// A question or an instruction, for captioners that take one.
    pub prompt: Option<String>,
    /// Instead of the captioner's usual decoding.
    pub decoding: Option<DecodingStrategy>,
    /// Seed of sampling.
    pub seed: u64,
    /// Precision of the language model's weights.
    pub precision: WeightPrecision,
}

#[expect(clippy::large_enum_variant, reason = "a run has one of it")]
enum ShapeModel {
    Embedding { encoder: Arc<dyn Encoder>, captioner: EmbeddingCaptioner, preprocessor: ShapePreprocessor },
    Points(PointLanguageModel),
}

impl ShapeCaptioner {
    /// Opens a captioner of embeddings or a PointLLM; the built-in captioner without a path.
    ///
    /// # Errors
    /// If it cannot be opened, or does not take a setting that is given.
    pub(super) fn open(
        path: Option<&str>,
        settings: ShapeCaptionSettings,
        DeviceArg { device }: &DeviceArg,
    ) -> anyhow::Result<Self> {
        let file = path.map(registry::open_weights).transpose()?;
        let of_points = match &file {
            Some(file) => PointLanguageModel::open(file, UpRule::Format, settings.precision, device)?,
            None => None,
        };
        let model = match of_points {
            Some(_) if settings.encoder.is_some() => {
                let text = "--caption-model is the model of embeddings: a PointLLM takes none".to_owned();
                return Err(UsageError(text).into());
            }
            Some(model) => ShapeModel::Points(model),
            None => {
                let name = settings.encoder.as_deref().unwrap_or(DEFAULT_MODEL);
                let options = EncoderOptions { device: device.clone(), ..EncoderOptions::default() };
                let encoder = options.open(name)?;
                let captioner = EmbeddingCaptioner::for_encoder(path, settings.precision, &*encoder, device)?;
                if settings.prompt.is_some() && !captioner.takes_questions() {
                    return Err(UsageError(format!("{} takes no --caption-prompt", captioner.id())).into());
                }
                let preprocessor = ShapePreprocessor::for_encoder(&*encoder);
                ShapeModel::Embedding { encoder, captioner, preprocessor }
            }
        };
        let (mutex, sentences, shapes) = Default::default();
        Ok(Self { model, settings, mutex, sentences, shapes })
    }

    /// Numbers of captions and shapes.
    pub(super) fn counts(&self) -> [u64; 2] {
        [&self.sentences, &self.shapes].map(|n| n.load(Ordering::Relaxed))
    }

    /// Id of the captioner.
    pub(super) fn id(&self) -> &str {
        match &self.model {
            ShapeModel::Embedding { captioner, .. } => captioner.id(),
            ShapeModel::Points(model) => model.id(),
        }
    }

    /// How captions are written, without the seed of a shape.
    fn options(&self) -> TextOptions {
        let usual = match &self.model {
            ShapeModel::Embedding { captioner, .. } => captioner.default_options(),
            ShapeModel::Points(_) => PointLlm::default_options(),
        };
        TextOptions {
            decoding: self.settings.decoding.unwrap_or(usual.decoding),
            seed: self.settings.seed,
            ..usual
        }
    }

    /// What the model says about a shape; a reason of the shape's own, or an error that ends the run.
    fn texts(
        &self,
        views: Vec<RgbaImage>,
        cloud: Option<PointCloud>,
        options: &TextOptions,
    ) -> anyhow::Result<Result<Vec<String>, String>> {
        let prompt = self.settings.prompt.as_deref();
        let (encoder, captioner, preprocessor) = match &self.model {
            ShapeModel::Points(model) => {
                let Some(cloud) = cloud else { return Ok(Err("no points to describe".to_owned())) };
                return model.answer_cloud(&cloud, prompt.unwrap_or(CAPTION_PROMPT), options).map(Ok);
            }
            ShapeModel::Embedding { encoder, captioner, preprocessor } => (encoder, captioner, preprocessor),
        };
        let Some(input) = preprocessor.process_stored(views, cloud) else {
            return Ok(Err("no views or points to describe".to_owned()));
        };
        let embedding = encoder.embed_shapes(vec![input]).map_err(anyhow::Error::from_boxed)?.remove(0);
        Ok(Ok(captioner.caption(&embedding, prompt, options)?))
    }
}

impl Captioner for ShapeCaptioner {
    fn name(&self) -> String {
        let TextOptions { decoding, seed, .. } = self.options();
        let mut name = self.source();
        if let ShapeModel::Embedding { encoder, .. } = &self.model {
            name.push_str(&format!(" of {}", encoder.id()));
        }
        name.push_str(&format!(" {decoding:?}"));
        if let Some(prompt) = &self.settings.prompt {
            name.push_str(&format!(" prompt={prompt:?}"));
        }
        if let DecodingStrategy::Sample { .. } = decoding {
            name.push_str(&format!(" seed={seed}"));
        }
        name
    }

    fn source(&self) -> String {
        match &self.model {
            ShapeModel::Embedding { captioner, .. } => format!("embedding:{}", captioner.id()),
            ShapeModel::Points(model) => format!("points:{}", model.id()),
        }
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn caption(&self, input: &CaptionInput) -> Result<CaptionOutput, CaptionError> {
        let is_view = |member: &&Member| Member::view_index(&member.name).is_some();
        let views = input.views.iter().filter(is_view).map(|member| decode_view(&member.bytes));
        let views = views.collect::<Result<Vec<_>, _>>().map_err(CaptionError::Shape)?;
        let points = input.views.iter().find(|member| member.name == POINTS);
        let cloud =
            points.map(|member| points_from_npy(&member.bytes)).transpose().map_err(CaptionError::Shape)?;
        // Every shape has its own seed, the same in every run and partition.
        let mut hasher = FnvHasher::default();
        hasher.write(input.name.as_bytes());
        let options = self.options();
        let options = TextOptions { seed: options.seed ^ hasher.finish(), ..options };
        let texts = {
            let _guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
            self.texts(views, cloud, &options)
        };
        let texts =
            texts.map_err(|error| CaptionError::Server { reason: format!("{error:#}"), hint: None })?;
        let source = self.source();
        let captions: Vec<Caption> = (texts.map_err(CaptionError::Shape)?.into_iter())
            .filter(|text| !text.is_empty())
            .map(|text| Caption::new(text, source.clone()))
            .collect();
        let errors = if captions.is_empty() { vec!["the caption is empty".to_owned()] } else { Vec::new() };
        self.sentences.fetch_add(captions.len() as u64, Ordering::Relaxed);
        self.shapes.fetch_add(1, Ordering::Relaxed);
        Ok(CaptionOutput { captions, requested: 1, errors })
    }
}
