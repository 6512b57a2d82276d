//! Captioners of `data prepare` and `data caption`: a model behind an API, BLIP and BLIP-2 in this process, captioners of embeddings, or
//! language models that read points.

use clap::{Args, ValueEnum};
use lexiform_data::caption::{Captioner, VlmCaptioner, VlmConfig, VlmStats};
use lexiform_model::blip::{self, DecodingStrategy, GenerationConfig, Sampling};
use serde_json::{Value, json};

use super::blip_captioner::{Blip, ViewSettings};
use super::shape_captioner::{ShapeCaptionSettings, ShapeCaptioner};
use crate::error::UsageError;
use crate::models::{DeviceArg, WeightPrecisionArg};
use crate::output;

/// The default model of the captioner `blip`.
const DEFAULT_BLIP: &str = "blip";
/// Probability mass of nucleus sampling in the reference captioners.
const TOP_P: f32 = 0.9;

#[derive(Args)]
pub(crate) struct CaptionArgs {
    /// Captioner: blip (BLIP or BLIP-2 in this process, one view at a time), nano (the built-in one, all views of a shape at once),
    /// api (a model at --caption-url), a captioner of embeddings as `lexiform caption --captioner` takes, or the folder of a PointLLM
    #[arg(long, value_name = "CAPTIONER")]
    captioner: Option<CaptionerKind>,
    /// Base URL of an OpenAI-compatible vision-language model, up to /v1; implies --captioner api
    #[arg(long, value_name = "URL")]
    caption_url: Option<String>,
    /// Model name for the API; for BLIP: blip, blip-large, blip2-opt-2.7b, blip2-opt-6.7b, or a file or folder with weights
    /// [default: blip]; for a captioner of embeddings: the model of these [default: nano]
    #[arg(long, value_name = "NAME|PATH")]
    caption_model: Option<String>,
    /// Instruction for the API; for BLIP: the beginning of each caption [default: "a picture of ", none for BLIP-2]; a question for a
    /// PointLLM or a captioner that was trained on questions
    #[arg(long, value_name = "TEXT")]
    caption_prompt: Option<String>,
    /// Captions per request; for BLIP: per view; for captioners of embeddings or points: per shape
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    caption_count: u32,
    /// Decoding strategy of captioners in this process: beam search with three beams (BLIP-2: five), greedy, or nucleus sampling with
    /// p = 0.9 [default: beam, greedy for a PointLLM; nucleus for several captions]
    #[arg(long, value_name = "STRATEGY")]
    caption_decoding: Option<DecodingArg>,
    #[command(flatten)]
    precision_arg: WeightPrecisionArg,
    #[command(flatten)]
    served: ServedArgs,
}

#[derive(Args)]
struct ServedArgs {
    /// Send all views of a shape in one request, for captions of the whole shape
    #[arg(long, requires = "caption_url")]
    caption_per_shape: bool,
    /// Maximum concurrent requests
    #[arg(long, value_name = "N", default_value_t = 8)]
    caption_concurrency: usize,
    /// Retries per request; refused requests are not retried
    #[arg(long, value_name = "N", default_value_t = 5, requires = "caption_url")]
    caption_retries: u32,
    /// Timeout of a request in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, requires = "caption_url", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    caption_timeout: u64,
    /// Maximum tokens per response
    #[arg(long, value_name = "N", default_value_t = 96, requires = "caption_url", value_parser = clap::value_parser!(u32).range(1..))]
    caption_max_tokens: u32,
    /// Price of a million prompt and completion tokens, to report the cost
    #[arg(long, value_name = "IN,OUT", requires = "caption_url")]
    caption_price: Option<TokenPrice>,
    /// API key
    #[arg(long, env = "LEXIFORM_CAPTION_API_KEY", hide_env_values = true, value_name = "KEY")]
    caption_api_key: Option<String>,
}

/// Prices of a million prompt tokens and of a million completion tokens, in any currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TokenPrice([f64; 2]);

impl std::str::FromStr for TokenPrice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let price =
            |text: &str| text.trim().parse::<f64>().ok().filter(|price| price.is_finite() && *price >= 0.0);
        let both = text.split_once(',').and_then(|(asked, answered)| Some([price(asked)?, price(answered)?]));
        both.map(Self).ok_or_else(|| format!("expected two prices such as 0.15,0.6, found {text:?}"))
    }
}

impl TokenPrice {
    fn cost(self, counts: &VlmStats) -> f64 {
        let Self([asked, answered]) = self;
        (counts.prompt_tokens as f64 * asked + counts.completion_tokens as f64 * answered) / 1e6
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum CaptionerKind {
    Blip,
    Nano,
    Api,
    /// Weights of a captioner of embeddings, or of a PointLLM.
    Weights(String),
}

impl From<&str> for CaptionerKind {
    fn from(name: &str) -> Self {
        match name {
            "blip" => Self::Blip,
            "nano" => Self::Nano,
            "api" => Self::Api,
            path => Self::Weights(path.to_owned()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DecodingArg {
    Beam,
    Greedy,
    Nucleus,
}

/// An open captioner.
pub(crate) enum CaptionBackend {
    /// A model behind an API, and the price of its tokens.
    Served(Box<VlmCaptioner>, Option<TokenPrice>),
    /// BLIP in this process.
    Blip(Box<Blip>),
    /// A model in this process that describes whole shapes.
    Shape(Box<ShapeCaptioner>),
}

impl CaptionArgs {
    /// Opens the captioner, BLIP if none is given. `size` is that of views in pixels, if known, `seed` that of nucleus sampling.
    pub(crate) fn open_or_default(
        &self,
        size: Option<u32>,
        seed: u64,
        device: &DeviceArg,
    ) -> anyhow::Result<CaptionBackend> {
        if self.captioner.is_none() && self.caption_url.is_none() {
            return self.open_blip(ViewSettings { size, seed }, device);
        }
        let opened = self.open(size, seed, device)?;
        opened.ok_or_else(|| {
            UsageError("expected a captioner: --captioner blip or nano, or --caption-url".to_owned()).into()
        })
    }

    /// Opens the captioner, if one is given.
    pub(crate) fn open(
        &self,
        size: Option<u32>,
        seed: u64,
        device: &DeviceArg,
    ) -> anyhow::Result<Option<CaptionBackend>> {
        let usage = |text: &str| Err(UsageError(text.to_owned()).into());
        let served = self.caption_url.as_ref().map(|_| CaptionerKind::Api);
        let kind = self.captioner.clone().or(served);
        match (kind, &self.caption_url, &self.caption_model) {
            (None, _, None) => Ok(None),
            (None, _, Some(_)) => usage("--caption-model needs --captioner or --caption-url"),
            (Some(CaptionerKind::Api), Some(url), Some(model)) => {
                Ok(Some(CaptionBackend::Served(Box::new(self.served(url, model)), self.served.caption_price)))
            }
            (Some(CaptionerKind::Api), _, _) => {
                usage("--captioner api needs --caption-url and --caption-model")
            }
            (Some(_), Some(_), _) => usage("--caption-url is for --captioner api"),
            (Some(CaptionerKind::Nano), None, Some(_)) => usage("--captioner nano takes no --caption-model"),
            (Some(CaptionerKind::Nano), None, None) => self.open_shapes(None, seed, device).map(Some),
            (Some(CaptionerKind::Weights(path)), None, _) => {
                self.open_shapes(Some(&path), seed, device).map(Some)
            }
            (Some(CaptionerKind::Blip), None, _) => {
                self.open_blip(ViewSettings { size, seed }, device).map(Some)
            }
        }
    }

    /// Opens a captioner of embeddings or points: the built-in one without a path.
    fn open_shapes(
        &self,
        path: Option<&str>,
        seed: u64,
        device: &DeviceArg,
    ) -> anyhow::Result<CaptionBackend> {
        let settings = ShapeCaptionSettings {
            encoder: self.caption_model.clone(),
            prompt: self.caption_prompt.clone(),
            decoding: self.decoding()?,
            seed,
            precision: self.precision_arg.weight_precision,
        };
        Ok(CaptionBackend::Shape(Box::new(ShapeCaptioner::open(path, settings, device)?)))
    }

    fn open_blip(&self, views: ViewSettings, device: &DeviceArg) -> anyhow::Result<CaptionBackend> {
        // Before minutes are spent on loading weights.
        self.generation(GenerationConfig::blip())?;
        let name = self.caption_model.as_deref().unwrap_or(DEFAULT_BLIP);
        let captioner = blip::Captioner::open(name, &device.device)?;
        let generation = self.generation(captioner.default_generation())?;
        Ok(CaptionBackend::Blip(Box::new(Blip::new(name, captioner, generation, views))))
    }

    fn served(&self, url: &str, model: &str) -> VlmCaptioner {
        let usual = VlmConfig::new(url, model);
        VlmCaptioner::new(VlmConfig {
            prompt: self.caption_prompt.clone().unwrap_or_else(|| usual.prompt.clone()),
            captions_per_request: self.caption_count,
            per_view: !self.served.caption_per_shape,
            concurrency: self.served.caption_concurrency,
            max_retries: self.served.caption_retries,
            timeout_s: self.served.caption_timeout,
            max_tokens: self.served.caption_max_tokens,
            api_key: self.served.caption_api_key.clone(),
            ..usual
        })
    }

    /// How a captioner writes, given what is usual for it.
    fn generation(&self, usual: GenerationConfig) -> anyhow::Result<GenerationConfig> {
        Ok(GenerationConfig {
            prompt: self.caption_prompt.clone().unwrap_or(usual.prompt),
            decoding: self.decoding()?.unwrap_or(usual.decoding),
            ..usual
        })
    }

    /// The decoding strategy; `None` for the captioner's own beam search.
    fn decoding(&self) -> anyhow::Result<Option<DecodingStrategy>> {
        let sentences = self.caption_count as usize;
        let nucleus = DecodingStrategy::Sample { sampling: Sampling::nucleus(TOP_P), sentences };
        Ok(match self.caption_decoding {
            Some(DecodingArg::Nucleus) => Some(nucleus),
            None if sentences > 1 => Some(nucleus),
            _ if sentences > 1 => {
                let text = "beam search and greedy decoding give one caption: --caption-count above 1 needs --caption-decoding nucleus";
                return Err(UsageError(text.to_owned()).into());
            }
            Some(DecodingArg::Greedy) => Some(DecodingStrategy::Greedy),
            Some(DecodingArg::Beam) | None => None,
        })
    }
}

impl CaptionBackend {
    /// The captioner for [`lexiform_data::prepare`].
    pub(crate) fn captioner(&self) -> &dyn Captioner {
        match self {
            Self::Served(served, _) => served.as_ref(),
            Self::Blip(blip) => blip.as_ref(),
            Self::Shape(captioner) => captioner.as_ref(),
        }
    }

    /// Prints what it did in `seconds`.
    pub(crate) fn report(&self, seconds: f64, json: bool) -> anyhow::Result<()> {
        let (counts, answers, text) = match self {
            Self::Served(served, price) => {
                let counts = served.counts();
                let mut value = serde_json::to_value(counts)?;
                let mut text = format!(
                    "{} refused, {} failed attempts, {} + {} tokens",
                    counts.missing, counts.failed_requests, counts.prompt_tokens, counts.completion_tokens
                );
                if let Some(cost) = price.map(|price| price.cost(&counts)) {
                    value["cost"] = cost.into();
                    text.push_str(&format!(" for {cost:.4}"));
                }
                (value, [counts.captions, counts.requests], text)
            }
            Self::Blip(blip) => {
                let [sentences, views] = blip.counts();
                let text = format!("by {}", blip.id());
                (json!({ "captions": sentences, "requests": views }), [sentences, views], text)
            }
            Self::Shape(captioner) => {
                let [sentences, shapes] = captioner.counts();
                let counts = json!({ "captions": sentences, "requests": shapes });
                (counts, [sentences, shapes], format!("by {}", captioner.id()))
            }
        };
        print_stats(counts, answers, seconds, (json, text))
    }
}

/// Prints counts and rate as JSON, or as a line that ends with `text`.
fn print_stats(
    counts: Value,
    [sentences, answered]: [u64; 2],
    seconds: f64,
    (json, text): (bool, String),
) -> anyhow::Result<()> {
    let per_minute = answered as f64 * 60.0 / seconds.max(1e-3);
    if json {
        let line = json!({ "event": "captioned", "counts": counts, "requests_per_minute": per_minute });
        return output::json(&line);
    }
    output::note(format!(
        "{sentences} captions from {answered} requests ({per_minute:.0} per minute), {text}"
    ));
    Ok(())
}
