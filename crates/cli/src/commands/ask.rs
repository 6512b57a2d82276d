//! `lexiform ask`: questions about a shape.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use image::RgbaImage;
use lexiform_data::Member;
use lexiform_data::caption::{CaptionError, CaptionInput, Captioner as _, VlmCaptioner, VlmConfig};
use lexiform_formats::view_format::ViewFormat;
use lexiform_geometry::RigKind;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_model::lm::TextOptions;
use lexiform_model::pointllm::PointLlm;
use lexiform_model::registry;
use lexiform_render::{RenderConfig, Renderer};
use lexiform_search::{EncoderOptions, ShapePreprocessor, SplitViews, read_views};
use serde::Serialize;

use crate::embed_inputs::{EmbedInput, has_views};
use crate::embedding_captioner::EmbeddingCaptioner;
use crate::error::{Outcome, UsageError, WithHint as _};
use crate::models::{DEFAULT_MODEL, DeviceArg, WeightPrecisionArg};
use crate::output;
use crate::point_language_model::PointLanguageModel;
use crate::scene_file::read_scene;
use crate::up_axis::UpArg;

/// Answer a question about a 3D file: what it is for, what it is made of, whether it is broken
///
/// A language model answers: PointLLM v1.2 in this process (--model), which reads points; a captioner that was trained on questions
/// (--captioner); or a vision-language model behind an OpenAI-compatible API (--caption-url and --caption-model), which gets rendered
/// views.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AskArgs {
    /// 3D file; for a model behind an API, also an image, a folder of views or a strip of views
    file: PathBuf,
    /// Question
    question: String,
    /// Folder with PointLLM v1.2: config.json, weights, and tokenizer.json or tokenizer.model
    #[arg(long, value_name = "NAME|PATH", conflicts_with = "caption_url")]
    model: Option<String>,
    /// Captioner that was trained on questions and answers, which `lexiform train` with such a recipe writes; --model is then the
    /// model whose embeddings it describes [default: nano]
    #[arg(long, value_name = "PATH", conflicts_with = "caption_url")]
    captioner: Option<String>,
    /// Base URL of an OpenAI-compatible vision-language model, up to /v1
    #[arg(long, value_name = "URL", requires = "caption_model")]
    caption_url: Option<String>,
    /// Model name for the API
    #[arg(long, value_name = "NAME", requires = "caption_url")]
    caption_model: Option<String>,
    /// API key
    #[arg(long, env = "LEXIFORM_CAPTION_API_KEY", hide_env_values = true, value_name = "KEY")]
    caption_api_key: Option<String>,
    /// Views of a 3D file for the API
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=64))]
    views: u32,
    /// Width and height of a view in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(16..=4096))]
    size: u32,
    /// Maximum tokens of the answer
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_tokens: u32,
    /// Timeout of a request in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    #[command(flatten)]
    precision_arg: WeightPrecisionArg,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    device_arg: DeviceArg,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  lexiform ask vase.glb \"Is it broken?\" --model PointLLM_7B_v1.2/
  lexiform ask vase.glb \"Is it broken?\" --caption-url http://localhost:8000/v1 --caption-model Qwen2.5-VL-7B-Instruct";

/// The answer as a line of JSON.
#[derive(Serialize)]
struct AnswerLine<'a> {
    path: &'a str,
    question: &'a str,
    answer: &'a str,
}

impl AskArgs {
    /// Answers the question.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if self.question.trim().is_empty() {
            return Err(UsageError("expected a question, found an empty text".to_owned()).into());
        }
        let answer = match (&self.model, &self.caption_url, &self.caption_model) {
            _ if self.captioner.is_some() => self.ask_captioner()?,
            (Some(model), ..) => self.ask_points(model)?,
            (None, Some(url), Some(model)) => self.ask_served(url, model)?,
            _ => {
                return Err(UsageError("no model to answer the question".to_owned())).hint(
                    "give --model FOLDER with PointLLM v1.2, or --caption-url and --caption-model of a vision-language model",
                );
            }
        };
        if self.json {
            let path = self.file.to_string_lossy();
            output::json(&AnswerLine { path: &path, question: &self.question, answer: &answer })?;
        } else {
            output::line(&answer)?;
        }
        Ok(Outcome::Done)
    }

    /// The answer of a language model that reads points.
    fn ask_points(&self, name: &str) -> anyhow::Result<String> {
        let file = registry::open_weights(name)?;
        let (up, precision) = (self.up_arg.rule(), self.precision_arg.weight_precision);
        let Some(model) = PointLanguageModel::open(&file, up, precision, &self.device_arg.device)? else {
            return Err(anyhow!("{name} cannot answer questions: expected the weights of PointLLM v1.2"))
                .hint("`lexiform caption` describes shapes with models of embeddings");
        };
        let options = TextOptions { max_tokens: self.max_tokens as usize, ..PointLlm::default_options() };
        let input = EmbedInput::File(self.file.clone());
        let answers = model.answer(&input, &self.question, &options)?;
        let answers = answers.map_err(|reason| anyhow!("{}: {reason}", self.file.display()))?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// The answer of a captioner of embeddings.
    fn ask_captioner(&self) -> anyhow::Result<String> {
        let device = self.device_arg.device.clone();
        let name = self.model.as_deref().unwrap_or(DEFAULT_MODEL);
        let encoder = EncoderOptions { device: device.clone(), ..EncoderOptions::default() }.open(name)?;
        let captioner = EmbeddingCaptioner::for_encoder(
            self.captioner.as_deref(),
            self.precision_arg.weight_precision,
            &*encoder,
            &device,
        )?;
        if !captioner.takes_questions() {
            let text = format!("{} describes shapes and answers no questions", captioner.id());
            return Err(UsageError(text)).hint("train one with recipes/xinstruct.toml");
        }
        let preprocessor = ShapePreprocessor::for_encoder(&*encoder).with_up(self.up_arg.rule());
        let embedding = EmbedInput::File(self.file.clone()).embed(&*encoder, &preprocessor)?;
        let embedding = embedding.map_err(|reason| anyhow!("{}: {reason}", self.file.display()))?;
        let options = TextOptions { max_tokens: self.max_tokens as usize, ..captioner.default_options() };
        let answers = captioner.caption(&embedding, Some(&self.question), &options)?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// The answer of a vision-language model behind an API, which gets all views in one request.
    fn ask_served(&self, url: &str, model: &str) -> anyhow::Result<String> {
        let views = self.members()?;
        let question = &self.question;
        let served = VlmCaptioner::new(VlmConfig {
            prompt: format!("These images show one 3D object from several sides. {question}"),
            per_view: false,
            max_retries: 2,
            max_tokens: self.max_tokens,
            timeout_s: self.timeout,
            api_key: self.caption_api_key.clone(),
            ..VlmConfig::new(url, model)
        });
        let name = self.file.to_string_lossy();
        match served.caption(&CaptionInput { name: &name, bytes: &[], views: &views }) {
            Ok(output) => match (output.captions.into_iter().next(), output.errors.into_iter().next()) {
                (Some(caption), _) => Ok(caption.text),
                (None, Some(reason)) => {
                    let hint = "the model must accept several images per request: try --views 1";
                    Err(anyhow!("the server did not answer: {reason}")).hint(hint)
                }
                (None, None) => Err(anyhow!("the server did not answer")),
            },
            Err(CaptionError::Server { reason, hint: Some(hint) }) => Err(anyhow!(reason)).hint(hint),
            Err(error) => Err(error.into()),
        }
    }

    /// The views that are sent.
    fn members(&self) -> anyhow::Result<Vec<Member>> {
        let member = |(i, view): (usize, RgbaImage)| {
            let bytes = ViewFormat::Png.encode(&view).map_err(|reason| anyhow!(reason))?;
            Ok(Member::view(i, ViewFormat::Png.extension(), bytes))
        };
        self.images()?.into_iter().enumerate().map(member).collect()
    }

    fn images(&self) -> anyhow::Result<Vec<RgbaImage>> {
        let path: &Path = &self.file;
        if has_views(path) {
            return Ok(read_views(&[path.to_owned()], SplitViews::default())?);
        }
        let scene = read_scene(path, self.up_arg.rule())?;
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        let config = RenderConfig { size: self.size, ..RenderConfig::default() };
        let rig = RigKind::Ring.rig(self.views as usize, 0);
        Ok(Renderer::new(&scene).render_views(&rig, &config).images)
    }
}
