//! PointLLM ([arXiv 2308.16911](https://arxiv.org/abs/2308.16911)), v1.2: a language model that reads the tokens of a point cloud.
//!
//! Every token of the point backbone, not a pooled vector, becomes a token of a Vicuna through a projector of three layers.

mod config;

use burn::tensor::{Device, Tensor};
use glam::Vec3;
use lexiform_geometry::PointCloud;
use lexiform_geometry::neighbors::FpsVariant;

use self::config::{PROJECTOR_LAYERS, PointLlmConfig, unrecognized};
use crate::error::ModelError;
use crate::lm::{self, DecodingStrategy, LanguageModel, TextGenerator, TextOptions};
use crate::nn::{Activation, Linear, is_num_batches_tracked};
use crate::point::{
    CloudBatch, FpsStart, PointBert, PointNormalization, PointPreprocess, PreparedCloud, Resample, UpAxis,
};
use crate::precision::WeightPrecision;
use crate::registry;
use crate::weights::{WeightFile, WeightSource, WeightsError};

/// The start of every conversation: FastChat's template `vicuna_v1_1`, with which the model was trained.
const SYSTEM: &str = "A chat between a curious user and an artificial intelligence assistant. \
    The assistant gives helpful, detailed, and polite answers to the user's questions.";
/// Points of a cloud in training.
const N_POINTS: usize = 8192;
/// Standard deviation of new weights, of which there are none: the model is read from files.
const DEVIATION: f32 = 0.02;
/// The authors' prompt for a description in their evaluation.
pub const CAPTION_PROMPT: &str = "Caption this 3D model in detail.";

/// A language model that answers questions about point clouds.
///
/// ```no_run
/// use glam::Vec3;
/// use lexiform_geometry::PointCloud;
/// use lexiform_model::Device;
/// use lexiform_model::pointllm::PointLlm;
///
/// let model = PointLlm::open("folder/with/PointLLM_7B_v1.2", &Device::flex())?;
/// let cloud = PointCloud::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y])?;
/// let answers = model.answer(&cloud, "What is this?", &PointLlm::default_options(), &mut |part| print!("{part}"))?;
/// assert_eq!(answers.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PointLlm {
    generator: TextGenerator,
    encoder: PointBert,
    colored: bool,
    projector: Vec<Linear>,
    config: PointLlmConfig,
    patch_id: u32,
    /// Tokens of a cloud.
    n_tokens: usize,
}

impl PointLlm {
    /// Opens the weights at a path (an index, or one file), or those in a folder, with `config.json` and `tokenizer.json` next to
    /// them.
    ///
    /// # Errors
    /// If there is no such file, it is no PointLLM v1.2, one of the other files is missing, or a tensor is missing, misshaped or
    /// unused.
    pub fn open(path: &str, device: &Device) -> Result<Self, ModelError> {
        Self::from_file(&registry::open_weights(path)?, device, WeightPrecision::F32)
    }

    /// Whether a file holds a PointLLM, of any version.
    pub fn matches_file(file: &WeightFile) -> bool {
        config::matches_file(file)
    }

    /// As [`open`](Self::open), from an open file, with the weights of the language model rounded to a precision.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_file(
        file: &WeightFile,
        device: &Device,
        precision: WeightPrecision,
    ) -> Result<Self, ModelError> {
        if !Self::matches_file(file) {
            return Err(
                unrecognized(file, "no point backbone and language model in the names of PointLLM").into()
            );
        }
        let config = PointLlmConfig::read(file)?;
        let backbone = config.backbone(file)?;
        let stated = lm::read_config(file)?;
        let tokenizer = lm::read_tokenizer(file, stated.config.vocabulary)?;
        let source = WeightSource::with_layout(file, config::layout(), device);
        let encoder = PointBert::load(&source, "point_encoder", &backbone)?;
        let width = stated.config.block.transformer.width;
        let projector = projector(&source, file, [backbone.width, width])?;
        let source = source.with_weight_precision(precision);
        let language = LanguageModel::load(&source, lm::NAME, &stated.config)?;
        let name = file.path().parent().and_then(|folder| folder.file_name());
        let name = name.map_or_else(|| "pointllm".to_owned(), |name| name.to_string_lossy().into_owned());
        let id = format!("{name}@{:08x}", source.fingerprint());
        let architecture = stated.architecture;
        source.finish(|name| is_num_batches_tracked(name) || architecture.ignores(name))?;
        let patch_id = match tokenizer.encode(&config.patch_token)[..] {
            [id] => id,
            _ => {
                let message = format!("it has no token {:?}", config.patch_token);
                return Err(lm::companion_error(file, lm::TOKENIZER_FILE, message).into());
            }
        };
        let generator = TextGenerator::from_parts(id, stated, language, tokenizer);
        let (colored, n_tokens) = (backbone.colored, backbone.groups + 1);
        Ok(Self { generator, encoder, colored, projector, config, patch_id, n_tokens })
    }

    /// Name and fingerprint of the weights.
    pub fn id(&self) -> &str {
        self.generator.id()
    }

    /// The language model, with its tokenizer.
    pub fn generator(&self) -> &TextGenerator {
        &self.generator
    }

    /// Points of a cloud in its training; larger ones are sampled.
    pub fn n_points(&self) -> usize {
        N_POINTS
    }

    /// Options of answers: greedy, so that the same question has the same answer. The authors' default samples (temperature 1,
    /// top-k 50, top-p 0.95).
    pub fn default_options() -> TextOptions {
        TextOptions { decoding: DecodingStrategy::Greedy, max_tokens: 256, ..TextOptions::default() }
    }

    /// Answers a question about a cloud with +Y up, of any scale: one answer, or as many as are sampled. `on_text` gets the first
    /// one piece by piece.
    ///
    /// # Errors
    /// [`ModelError::CloudBatch`] if the cloud has no points, [`ModelError::PromptTooLong`] if the question leaves no room for an
    /// answer.
    pub fn answer(
        &self,
        cloud: &PointCloud,
        question: &str,
        options: &TextOptions,
        on_text: &mut dyn FnMut(&str),
    ) -> Result<Vec<String>, ModelError> {
        let prompt = self.embed_prompt(&self.prepare(cloud), question)?;
        let texts = self.generator.generate_after(prompt, options, on_text)?;
        Ok(texts.into_iter().map(|text| text.trim().to_owned()).collect())
    }

    /// The cloud as the network reads it: 8192 farthest points in the unit sphere with +Z up, as the authors' demo shows them, and
    /// black where colors are absent, as there.
    fn prepare(&self, cloud: &PointCloud) -> PreparedCloud {
        let preprocess = PointPreprocess {
            n_points: N_POINTS,
            up: UpAxis::YUp,
            resample: Resample::Farthest,
            missing_color: self.colored.then_some(0.0),
            normalization: PointNormalization::UnitSphere,
            ignore_color: false,
        };
        let mut cloud = preprocess.prepare(cloud, FpsStart::default());
        // A rotation, unlike OpenShape's swap: left and right stay.
        cloud.positions.iter_mut().for_each(|p| *p = Vec3::new(p.x, -p.z, p.y));
        cloud
    }

    /// The states of the tokens of a cloud, `[1, tokens, backbone width]`.
    ///
    /// # Errors
    /// [`ModelError::CloudBatch`] if the cloud has no points.
    pub fn point_tokens(&self, cloud: &PreparedCloud) -> Result<Tensor<3>, ModelError> {
        let clouds = CloudBatch::new(std::slice::from_ref(cloud), self.colored)?;
        // The authors start at a random point.
        Ok(self.encoder.encode_tokens(&clouds, FpsVariant::LowestIndex { first: 0 }))
    }

    /// Tokens of the language model, `[1, tokens, width]`, of those of a cloud.
    pub fn project(&self, mut tokens: Tensor<3>) -> Tensor<3> {
        for (i, layer) in self.projector.iter().enumerate() {
            let is_last = i + 1 == self.projector.len();
            tokens = layer.forward_activated(tokens, (!is_last).then_some(Activation::Gelu));
        }
        tokens
    }

    /// The ids of a prompt; those of points are replaced by what [`project`](Self::project) returns.
    pub fn prompt_ids(&self, question: &str) -> Vec<u32> {
        // Text of the user that names a token of points must not become one.
        let question = question.replace(&self.config.patch_token, "");
        let points = self.config.point_text(self.n_tokens);
        self.generator.prompt_ids(&format!("{SYSTEM} USER: {points}\n{question} ASSISTANT:"))
    }

    /// The embedded prompt, `[1, tokens, width]`.
    ///
    /// # Errors
    /// [`ModelError::CloudBatch`] if the cloud has no points.
    pub fn embed_prompt(&self, cloud: &PreparedCloud, question: &str) -> Result<Tensor<3>, ModelError> {
        let points = self.project(self.point_tokens(cloud)?);
        let ids = self.prompt_ids(question);
        let words = self.generator.language_model().embed(&ids, 1);
        let [rows, tokens, width] = words.dims();
        let first = ids.iter().position(|id| *id == self.patch_id).unwrap_or(0);
        let before = words.clone().slice([0..rows, 0..first, 0..width]);
        let after = words.slice([0..rows, first + self.n_tokens..tokens, 0..width]);
        Ok(Tensor::cat(vec![before, points, after], 1))
    }
}

/// The layers from the states of the backbone to tokens of the language model.
fn projector(
    source: &WeightSource,
    file: &WeightFile,
    [from, to]: [usize; 2],
) -> Result<Vec<Linear>, WeightsError> {
    let mut input = from;
    let layer = |i: usize| {
        let (weight, bias) = (format!("point_proj.{i}.weight"), format!("point_proj.{i}.bias"));
        let stored = config::layout().name(&bias);
        let is_last = Some(&i) == PROJECTOR_LAYERS.last();
        let output = if is_last { to } else { file.shape(&stored)?.first().copied().unwrap_or(0) };
        let layer = Linear::load(source, &weight, Some(&bias), [input, output], DEVIATION);
        input = output;
        layer
    };
    PROJECTOR_LAYERS.into_iter().map(layer).collect()
}
