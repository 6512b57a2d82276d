//! Shapes with their embeddings by a frozen encoder, and what is said about them.

use std::hash::Hasher as _;

use fnv::FnvHasher;
use lexiform_geometry::{PointCloud, RigKind};
use lexiform_model::caption::QFormerCaptioner;
use lexiform_model::{
    Device, Embedding, JointModel, ModelError, OpenOptions, PointModel, PointModelOptions, registry,
};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::data::caption::{Caption, CaptionSource};
use crate::data::loaded_shape::LoadFields;
use crate::data::pool::ShapePool;
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::SampleSize;
use crate::data::source::DataSource;
use crate::error::FitError;
use crate::recipe::CaptionRecipe;

/// Separates a question from its answer in a caption of a data set.
const QUESTION_END: char = '\t';
/// Shapes that are encoded at a time.
const BATCH: usize = 16;

/// A frozen encoder of shapes.
pub(super) enum FrozenEncoder {
    Views(Box<JointModel>),
    Points(Box<PointModel>),
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QuestionAnswer {
    pub question: String,
    pub answer: String,
}

/// A shape.
#[derive(Clone, Debug)]
pub(super) struct CaptionedShape {
    /// Features of unit length.
    pub features: Vec<f32>,
    pub captions: Vec<String>,
    pub questions: Vec<QuestionAnswer>,
}

/// Training and validation shapes.
pub(super) struct CaptionData {
    pub training: Vec<CaptionedShape>,
    pub validation: Vec<CaptionedShape>,
}

/// Rows of a batch.
pub(super) struct CaptionRows {
    /// Row by row.
    pub features: Vec<f32>,
    /// Row by row, padded to `tokens`.
    pub ids: Vec<u32>,
    /// Whether a token is part of an answer.
    pub is_answer: Vec<bool>,
    pub rows: usize,
    pub tokens: usize,
}

impl FrozenEncoder {
    /// Opens a model by name or path.
    pub fn open(name: &str, device: &Device) -> Result<Self, ModelError> {
        let device = device.clone().inner();
        let file = registry::open_weights(name)?;
        if PointModel::matches_file(&file) {
            let options = PointModelOptions { device, ..PointModelOptions::default() };
            return Ok(Self::Points(Box::new(PointModel::from_file(&file, &options)?)));
        }
        let options = OpenOptions { device, ..OpenOptions::default() };
        Ok(Self::Views(Box::new(JointModel::open(name, &options)?)))
    }

    pub fn id(&self) -> &str {
        match self {
            Self::Views(model) => model.id(),
            Self::Points(model) => model.id(),
        }
    }

    pub fn dim(&self) -> usize {
        match self {
            Self::Views(model) => model.dim(),
            Self::Points(model) => model.dim(),
        }
    }

    /// Size of views, 0 for none, and points.
    fn sample_size(&self, points: usize) -> SampleSize {
        match self {
            Self::Views(model) => SampleSize { view: model.view_size() as usize, points: 0 },
            Self::Points(model) => SampleSize { view: 0, points: points.max(model.n_points()) },
        }
    }

    fn encode(&self, pool: &ShapePool, range: std::ops::Range<usize>) -> Result<Vec<Embedding>, FitError> {
        let fields = LoadFields {
            images: matches!(self, Self::Views(_)),
            cloud: matches!(self, Self::Points(_)),
            thumbnail: false,
        };
        let load = |at: usize| pool.load(at, &(0..pool.n_views(at)).collect::<Vec<_>>(), fields);
        let shapes = range.map(load).collect::<Result<Vec<_>, _>>()?;
        Ok(match self {
            Self::Views(model) => {
                let views = shapes
                    .into_iter()
                    .map(|shape| shape.views.into_iter().map(std::borrow::Cow::into_owned).collect());
                model.embed_views(&views.collect::<Vec<_>>())?
            }
            Self::Points(model) => {
                let clouds: Vec<PointCloud> =
                    shapes.iter().map(|shape| shape.cloud.clone().into_owned()).collect();
                model.embed_clouds(&clouds)?
            }
        })
    }
}

impl CaptionData {
    /// Opens the data of a recipe and encodes all shapes. `on_shapes` gets the number of shapes before that.
    ///
    /// # Errors
    /// If the data cannot be read, or no shape has a caption.
    pub fn load(
        recipe: &CaptionRecipe,
        encoder: &FrozenEncoder,
        on_shapes: &mut dyn FnMut(usize),
    ) -> Result<Self, FitError> {
        let size = encoder.sample_size(recipe.data.points);
        let has_views = size.view > 0;
        let requirements = DataRequirements {
            images: has_views,
            image_features: false,
            text_features: false,
            captions: true,
            label: false,
            class_label: false,
            label_captions: false,
            points: !has_views,
            views: if has_views { recipe.data.views } else { 0 },
        };
        let source = DataSource::open(&recipe.data, requirements, None)?;
        on_shapes(source.count(&recipe.data));
        let pool = source.training(&recipe.data, size, recipe.seed, 0)?;
        let rig = match encoder {
            FrozenEncoder::Views(model) => {
                let kind = model.config().rig.parse().unwrap_or(RigKind::Zero123);
                Some(kind.rig(model.n_views(), 0))
            }
            FrozenEncoder::Points(_) => None,
        };
        let validation = source.validation(&recipe.data, rig.as_ref(), size);
        let training = shapes(&pool, encoder)?;
        if training.iter().all(|shape| shape.captions.is_empty() && shape.questions.is_empty()) {
            let path = recipe.data.path.clone().unwrap_or_default();
            let message = "no shape has a caption, or a question with an answer".to_owned();
            return Err(FitError::Dataset { path, message });
        }
        Ok(Self { training, validation: shapes(&validation, encoder)? })
    }

    /// A checksum of features and texts.
    pub fn fingerprint(&self) -> String {
        let mut hasher = FnvHasher::default();
        for shape in self.training.iter().chain(&self.validation) {
            shape.features.iter().for_each(|value| hasher.write_u32(value.to_bits()));
            for text in
                shape.captions.iter().chain(shape.questions.iter().flat_map(|q| [&q.question, &q.answer]))
            {
                hasher.write(text.as_bytes());
                hasher.write_u8(0);
            }
        }
        format!("{:016x}", hasher.finish())
    }

    /// All texts of training, for a vocabulary.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.training.iter().flat_map(|shape| {
            let questions = shape.questions.iter().flat_map(|q| [q.question.as_str(), q.answer.as_str()]);
            shape.captions.iter().map(String::as_str).chain(questions)
        })
    }
}

/// The shapes of a pool with their features.
fn shapes(pool: &ShapePool, encoder: &FrozenEncoder) -> Result<Vec<CaptionedShape>, FitError> {
    let mut shapes = Vec::with_capacity(pool.len());
    for first in (0..pool.len()).step_by(BATCH) {
        let range = first..pool.len().min(first + BATCH);
        let embeddings = encoder.encode(pool, range.clone())?;
        for (at, embedding) in range.zip(embeddings) {
            let loaded = pool.load(at, &[], LoadFields::default())?;
            let (captions, questions) = texts_of(&loaded.captions);
            // Relevances of kinds of objects may follow the features.
            let features = Embedding::new(embedding.as_slice()[..encoder.dim()].to_vec())?;
            shapes.push(CaptionedShape { features: features.as_slice().to_vec(), captions, questions });
        }
    }
    Ok(shapes)
}

/// Captions, without labels where there are others, and questions with answers.
fn texts_of(captions: &[Caption]) -> (Vec<String>, Vec<QuestionAnswer>) {
    let (mut described, mut questions, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for Caption { text, source, .. } in captions.iter().filter(|caption| !caption.text.trim().is_empty()) {
        match text.split_once(QUESTION_END) {
            Some((question, answer)) => questions.push(QuestionAnswer {
                question: question.trim().to_owned(),
                answer: answer.trim().to_owned(),
            }),
            None if *source == CaptionSource::Label => labels.push(text.clone()),
            None => described.push(text.clone()),
        }
    }
    let only_labels = described.is_empty() && questions.is_empty();
    (if only_labels { labels } else { described }, questions)
}

/// Samples the batches of a run: each follows from the seed and the step.
pub(super) struct CaptionSampler<'a> {
    shapes: &'a [CaptionedShape],
    /// Shapes with captions.
    captioned: Vec<usize>,
    /// Questions by shape.
    asked: Vec<(usize, usize)>,
    question_fraction: f64,
    seed: u64,
    size: usize,
}

impl<'a> CaptionSampler<'a> {
    pub fn new(shapes: &'a [CaptionedShape], recipe: &CaptionRecipe) -> Self {
        let captioned: Vec<usize> = (0..shapes.len()).filter(|i| !shapes[*i].captions.is_empty()).collect();
        let questions =
            |(i, shape): (usize, &CaptionedShape)| (0..shape.questions.len()).map(move |q| (i, q));
        let asked: Vec<(usize, usize)> = shapes.iter().enumerate().flat_map(questions).collect();
        let by_number = asked.len() as f64 / (asked.len() + captioned.len()).max(1) as f64;
        let question_fraction = match (captioned.is_empty(), asked.is_empty()) {
            (_, true) => 0.0,
            (true, false) => 1.0,
            _ => recipe.batch.question_fraction.unwrap_or(by_number),
        };
        Self { shapes, captioned, asked, question_fraction, seed: recipe.seed, size: recipe.batch.size }
    }

    /// Steps in which as many texts are sampled as there are shapes with captions, and questions.
    pub fn steps_per_epoch(&self) -> usize {
        (self.captioned.len() + self.asked.len()).div_ceil(self.size).max(1)
    }

    /// The batch of a step.
    pub fn batch(&self, step: usize, captioner: &QFormerCaptioner) -> CaptionRows {
        // As SplitMix64 does: neighboring steps have unrelated generators.
        let mut rng =
            SmallRng::seed_from_u64(self.seed ^ (step as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (mut features, mut texts) = (Vec::new(), Vec::new());
        for _ in 0..self.size {
            let is_question = rng.random::<f64>() < self.question_fraction;
            let (shape, question, answer) = if is_question {
                let (shape, question) = self.asked[rng.random_range(0..self.asked.len())];
                let QuestionAnswer { question, answer } = &self.shapes[shape].questions[question];
                (shape, Some(question.as_str()), answer)
            } else {
                let shape = self.captioned[rng.random_range(0..self.captioned.len())];
                let captions = &self.shapes[shape].captions;
                (shape, None, &captions[rng.random_range(0..captions.len())])
            };
            features.extend_from_slice(&self.shapes[shape].features);
            texts.push(captioner.tokens(question, answer));
        }
        let length =
            |text: &lexiform_model::caption::InstructionTokens| text.instruction.len() + text.answer.len();
        let tokens = texts.iter().map(length).max().unwrap_or(1);
        let (mut ids, mut is_answer) = (Vec::new(), Vec::new());
        for text in &texts {
            let padding = tokens - length(text);
            ids.extend(
                text.instruction.iter().chain(&text.answer).copied().chain(std::iter::repeat_n(0, padding)),
            );
            is_answer.extend(std::iter::repeat_n(false, text.instruction.len()));
            is_answer.extend(std::iter::repeat_n(true, text.answer.len()));
            is_answer.extend(std::iter::repeat_n(false, padding));
        }
        CaptionRows { features, ids, is_answer, rows: self.size, tokens }
    }
}
