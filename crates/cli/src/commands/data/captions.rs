//! Captioners of `data prepare` and `data caption`: a model behind an API, BLIP and BLIP-2 in this process, or the built-in one.

use std::hash::Hasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use fnv::FnvHasher;
use lexiform_data::caption::{
    CaptionError, CaptionInput, CaptionOutput, Captioner, VlmCaptioner, VlmConfig, VlmStats,
};
use lexiform_data::{Caption, Member};
use lexiform_formats::view_format::decode_view;
use lexiform_model::blip::{self, DecodingStrategy, GenerationConfig, Sampling};
use serde_json::{Value, json};

use super::nano_captioner::NanoCaptioner;
use crate::error::UsageError;
use crate::models::DeviceArg;
use crate::output;

/// The default model of the captioner `blip`.
const DEFAULT_BLIP: &str = "blip";
/// Probability mass of nucleus sampling in the reference captioners.
const TOP_P: f32 = 0.9;

#[derive(Args)]
pub(crate) struct CaptionArgs {
    /// Captioner: blip (BLIP or BLIP-2 in this process, one view at a time), nano (the built-in one, all views of a shape at once)
    /// or api (a model at --caption-url)
    #[arg(long, value_name = "CAPTIONER")]
    captioner: Option<CaptionerKind>,
    /// Base URL of an OpenAI-compatible vision-language model, up to /v1; implies --captioner api
    #[arg(long, value_name = "URL")]
    caption_url: Option<String>,
    /// Model name for the API; for BLIP: blip, blip-large, blip2-opt-2.7b, blip2-opt-6.7b, or a file or folder with weights
    /// [default: blip]
    #[arg(long, value_name = "NAME|PATH")]
    caption_model: Option<String>,
    /// Instruction for the API; for BLIP: the beginning of each caption [default: "a picture of ", none for BLIP-2]
    #[arg(long, value_name = "TEXT")]
    caption_prompt: Option<String>,
    /// Captions per request; for BLIP: per view; for nano: per shape
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    caption_count: u32,
    /// Decoding strategy of BLIP and nano: beam search with three beams (BLIP-2: five), greedy, or nucleus sampling with p = 0.9
    /// [default: beam; nucleus for several captions]
    #[arg(long, value_name = "STRATEGY")]
    caption_decoding: Option<DecodingArg>,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CaptionerKind {
    Blip,
    Nano,
    Api,
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
    /// The built-in captioner.
    Nano(Box<NanoCaptioner>),
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
        let kind = self.captioner.or(self.caption_url.as_ref().map(|_| CaptionerKind::Api));
        match (kind, &self.caption_url, &self.caption_model) {
            (None, _, None) => Ok(None),
            (None, _, Some(_)) => usage("--caption-model needs --captioner blip or --caption-url"),
            (Some(CaptionerKind::Api), Some(url), Some(model)) => {
                Ok(Some(CaptionBackend::Served(Box::new(self.served(url, model)), self.served.caption_price)))
            }
            (Some(CaptionerKind::Api), _, _) => {
                usage("--captioner api needs --caption-url and --caption-model")
            }
            (Some(CaptionerKind::Blip | CaptionerKind::Nano), Some(_), _) => {
                usage("--captioner blip and nano take no --caption-url")
            }
            (Some(CaptionerKind::Nano), None, Some(_)) => usage("--captioner nano takes no --caption-model"),
            (Some(CaptionerKind::Nano), None, None) => {
                if self.caption_prompt.is_some() {
                    return usage("--captioner nano takes no --caption-prompt");
                }
                let open = NanoCaptioner::open(self.decoding()?, seed, device)?;
                Ok(Some(CaptionBackend::Nano(Box::new(open))))
            }
            (Some(CaptionerKind::Blip), None, _) => {
                self.open_blip(ViewSettings { size, seed }, device).map(Some)
            }
        }
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
            Self::Nano(captioner) => captioner.as_ref(),
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
                let [sentences, views] = [&blip.sentences, &blip.views].map(|n| n.load(Ordering::Relaxed));
                let text = format!("by {}", blip.captioner.id());
                (json!({ "captions": sentences, "requests": views }), [sentences, views], text)
            }
            Self::Nano(captioner) => {
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

/// BLIP as a captioner of data sets. It captions one shape at a time: the network uses all processors.
pub(crate) struct Blip {
    captioner: blip::Captioner,
    generation: GenerationConfig,
    seed: u64,
    mutex: Mutex<()>,
    sentences: AtomicU64,
    views: AtomicU64,
}

/// What BLIP has to know about the views of a data set.
struct ViewSettings {
    /// Width and height in pixels, if they will be rendered.
    size: Option<u32>,
    /// Seed of nucleus sampling.
    seed: u64,
}

impl Blip {
    fn new(
        name: &str,
        captioner: blip::Captioner,
        generation: GenerationConfig,
        views: ViewSettings,
    ) -> Self {
        let best = captioner.config().vision.image_size;
        let ViewSettings { size, seed } = views;
        if size.is_some_and(|size| (size as usize) < best) {
            output::note(format!(
                "note: {name} resizes views to {best} pixels; --size {best} renders them at that size"
            ));
        }
        let (sentences, views) = Default::default();
        Self { captioner, generation, seed, mutex: Mutex::new(()), sentences, views }
    }
}

/// FNV-1a of a shape's name: its seed does not depend on the order in which shapes are captioned.
fn fnv1a(name: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(name.as_bytes());
    hasher.finish()
}

impl Captioner for Blip {
    fn name(&self) -> String {
        let GenerationConfig { prompt, decoding, min_length, max_length, .. } = &self.generation;
        let chance = match decoding {
            DecodingStrategy::Sample { .. } => format!(" seed={}", self.seed),
            _ => String::new(),
        };
        let id = self.captioner.id();
        format!("blip:{id} {decoding:?} shortest={min_length} longest={max_length} prompt={prompt:?}{chance}")
    }

    fn source(&self) -> String {
        format!("blip:{}", self.captioner.id())
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn caption(&self, input: &CaptionInput) -> Result<CaptionOutput, CaptionError> {
        let mut views = Vec::new();
        for member in input.views {
            if let Some(view) = Member::view_index(&member.name) {
                views.push((view, decode_view(&member.bytes).map_err(CaptionError::Shape)?));
            }
        }
        let (indices, pictures): (Vec<usize>, Vec<_>) = views.into_iter().unzip();
        // Every shape has its own seed, the same in every run and partition.
        let seed = fnv1a(input.name) ^ self.seed;
        let said = {
            let _guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
            self.captioner.caption(&pictures, &self.generation, seed)
        };
        let said =
            said.map_err(|error| CaptionError::Server { reason: error.to_string(), hint: error.hint() })?;
        let from = self.source();
        let mut all = CaptionOutput { requested: indices.len(), ..CaptionOutput::default() };
        for (view, sentences) in indices.into_iter().zip(said) {
            let before = all.captions.len();
            let about = |text: String| Caption { view: Some(view), ..Caption::new(text, from.clone()) };
            all.captions.extend(sentences.into_iter().filter(|text| !text.is_empty()).map(about));
            if all.captions.len() == before {
                all.errors.push(format!("view {view}: the caption is empty"));
            }
        }
        self.sentences.fetch_add(all.captions.len() as u64, Ordering::Relaxed);
        self.views.fetch_add(all.requested as u64, Ordering::Relaxed);
        Ok(all)
    }
}
