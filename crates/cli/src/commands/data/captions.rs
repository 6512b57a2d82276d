//! Who writes the captions of `data prepare`: a served model, or BLIP in this process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use lexiform_data::caption::{
    CaptionError, CaptionInput, CaptionOutput, Captioner, VlmCaptioner, VlmConfig, VlmStats,
};
use lexiform_data::{Caption, Member};
use lexiform_formats::view_format::decode_view;
use lexiform_model::blip::{self, DecodingStrategy, GenerationConfig};
use serde_json::{Value, json};

use crate::failure::Usage;
use crate::models::DeviceArg;
use crate::output;

/// The captioner that is opened where none is named.
const USUAL_BLIP: &str = "blip";
/// Beams of the original captioner.
const BEAMS: usize = 3;
/// Share of probability that the original captioner draws words from.
const TOP_P: f32 = 0.9;

#[derive(Args)]
pub struct CaptionArgs {
    /// Who writes captions: blip (in this process, about every view) or served (a model at --caption-url)
    #[arg(long, value_name = "WHO")]
    captions: Option<Who>,
    /// Address of a vision-language model, OpenAI-compatible, up to /v1: captions by it
    #[arg(long, value_name = "URL")]
    caption_url: Option<String>,
    /// Its name there; of BLIP blip, blip-large or a file of weights [default: blip]
    #[arg(long, value_name = "NAME|PATH")]
    caption_model: Option<String>,
    /// What a served model is asked about each picture; what BLIP's sentences begin with [default: "a picture of "]
    #[arg(long, value_name = "TEXT")]
    caption_prompt: Option<String>,
    /// Sentences for each question; of BLIP for each view
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    sentences: u32,
    /// How BLIP chooses words: the best of three beams, the likeliest, or by chance among the likeliest
    /// [default: beams; nucleus for several sentences]
    #[arg(long, value_name = "HOW")]
    decoding: Option<DecodingArg>,
    #[command(flatten)]
    served: ServedArgs,
}

#[derive(Args)]
struct ServedArgs {
    /// Ask a served model about all views in one request, for sentences about the whole shape, instead of about every view
    #[arg(long, requires = "caption_url")]
    views_together: bool,
    /// Questions to a served model under way at the same time
    #[arg(long, value_name = "N", default_value_t = 8)]
    concurrency: usize,
    /// Tries after the first of a question that a served model does not answer; a view that it refuses is not tried again
    #[arg(long, value_name = "N", default_value_t = 5, requires = "caption_url")]
    caption_retries: u32,
    /// Time for one try, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, requires = "caption_url", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    caption_timeout: u64,
    /// Longest answer of a served model, in tokens
    #[arg(long, value_name = "N", default_value_t = 96, requires = "caption_url", value_parser = clap::value_parser!(u32).range(1..))]
    caption_max_tokens: u32,
    /// What a million tokens of questions and of answers cost: the cost is told beside them
    #[arg(long, value_name = "IN,OUT", requires = "caption_url")]
    caption_price: Option<Price>,
    /// Key sent to it
    #[arg(long, env = "LEXIFORM_CAPTION_KEY", hide_env_values = true, value_name = "KEY")]
    caption_key: Option<String>,
}

/// Prices of a million tokens of questions and of answers, in whatever currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price([f64; 2]);

impl std::str::FromStr for Price {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let price =
            |text: &str| text.trim().parse::<f64>().ok().filter(|price| price.is_finite() && *price >= 0.0);
        let both = text.split_once(',').and_then(|(asked, answered)| Some([price(asked)?, price(answered)?]));
        both.map(Self).ok_or_else(|| format!("expected two prices such as 0.15,0.6, found {text:?}"))
    }
}

impl Price {
    fn cost(self, counts: &VlmStats) -> f64 {
        let Self([asked, answered]) = self;
        (counts.prompt_tokens as f64 * asked + counts.completion_tokens as f64 * answered) / 1e6
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Who {
    Blip,
    Served,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DecodingArg {
    Beams,
    Greedy,
    Nucleus,
}

/// Writes captions, and can say what it did.
pub enum Writer {
    /// A model behind an address, and what its tokens cost.
    Served(Box<VlmCaptioner>, Option<Price>),
    /// BLIP in this process.
    Blip(Box<Blip>),
}

impl CaptionArgs {
    /// The captioner that was asked for, if any, for views of `size` pixels; `seed` decides what chance gives.
    pub fn open(&self, size: u32, seed: u64, on: &DeviceArg) -> anyhow::Result<Option<Writer>> {
        let usage = |text: &str| Err(Usage(text.to_owned()).into());
        let who = self.captions.or(self.caption_url.as_ref().map(|_| Who::Served));
        match (who, &self.caption_url, &self.caption_model) {
            (None, _, None) => Ok(None),
            (None, _, Some(_)) => usage("--caption-model needs --captions blip or --caption-url"),
            (Some(Who::Served), Some(url), Some(model)) => {
                Ok(Some(Writer::Served(Box::new(self.served(url, model)), self.served.caption_price)))
            }
            (Some(Who::Served), _, _) => {
                usage("captions by a served model need --caption-url and --caption-model")
            }
            (Some(Who::Blip), Some(_), _) => usage("--captions blip takes no --caption-url"),
            (Some(Who::Blip), None, model) => {
                let generation = self.generation()?;
                let name = model.as_deref().unwrap_or(USUAL_BLIP);
                Ok(Some(Writer::Blip(Box::new(Blip::open(name, generation, (size, seed), on)?))))
            }
        }
    }

    fn served(&self, url: &str, model: &str) -> VlmCaptioner {
        let usual = VlmConfig::new(url, model);
        VlmCaptioner::new(VlmConfig {
            prompt: self.caption_prompt.clone().unwrap_or_else(|| usual.prompt.clone()),
            captions_per_request: self.sentences,
            per_view: !self.served.views_together,
            concurrency: self.served.concurrency,
            max_retries: self.served.caption_retries,
            timeout_s: self.served.caption_timeout,
            max_tokens: self.served.caption_max_tokens,
            api_key: self.served.caption_key.clone(),
            ..usual
        })
    }

    fn generation(&self) -> anyhow::Result<GenerationConfig> {
        let sentences = self.sentences as usize;
        let usual = if sentences > 1 { DecodingArg::Nucleus } else { DecodingArg::Beams };
        let decoding = match self.decoding.unwrap_or(usual) {
            DecodingArg::Nucleus => DecodingStrategy::Nucleus { top_p: TOP_P, sentences },
            _ if sentences > 1 => {
                let text = "beams and greedy give one sentence: --sentences above 1 needs --decoding nucleus";
                return Err(Usage(text.to_owned()).into());
            }
            DecodingArg::Beams => DecodingStrategy::BeamSearch(BEAMS),
            DecodingArg::Greedy => DecodingStrategy::Greedy,
        };
        let usual = GenerationConfig::default();
        Ok(GenerationConfig {
            prompt: self.caption_prompt.clone().unwrap_or(usual.prompt),
            decoding,
            ..usual
        })
    }
}

impl Writer {
    /// As data sets know it.
    pub fn captioner(&self) -> &dyn Captioner {
        match self {
            Self::Served(served, _) => served.as_ref(),
            Self::Blip(blip) => blip.as_ref(),
        }
    }

    /// Tells what it did in this time.
    pub fn report(&self, seconds: f64, json: bool) -> anyhow::Result<()> {
        let (counts, answers, text) = match self {
            Self::Served(served, price) => {
                let counts = served.counts();
                let mut value = serde_json::to_value(counts)?;
                let mut text = format!(
                    "{} refused, {} failed tries, {} + {} tokens",
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
        };
        tell(counts, answers, seconds, (json, text))
    }
}

/// Shows counts and rate as JSON or in a line that ends with `text`.
fn tell(
    counts: Value,
    [sentences, answered]: [u64; 2],
    seconds: f64,
    (json, text): (bool, String),
) -> anyhow::Result<()> {
    let per_minute = answered as f64 * 60.0 / seconds.max(1e-3);
    if json {
        let line = json!({ "event": "captioned", "counts": counts, "answers_per_minute": per_minute });
        return output::json(&line);
    }
    output::note(format!(
        "captions: {sentences} sentences from {answered} answers ({per_minute:.0} a minute), {text}"
    ));
    Ok(())
}

/// BLIP as data sets know captioners: one shape at a time, since a network uses all processors.
pub struct Blip {
    captioner: blip::Captioner,
    generation: GenerationConfig,
    seed: u64,
    turn: Mutex<()>,
    sentences: AtomicU64,
    views: AtomicU64,
}

impl Blip {
    fn open(
        name: &str,
        generation: GenerationConfig,
        (size, seed): (u32, u64),
        on: &DeviceArg,
    ) -> anyhow::Result<Self> {
        let captioner = blip::Captioner::open(name, &on.device)?;
        let best = captioner.config().vision.image_size;
        if (size as usize) < best {
            output::note(format!(
                "note: {name} enlarges views to {best} pixels: with --size {best} they are drawn so"
            ));
        }
        let (sentences, views) = Default::default();
        Ok(Self { captioner, generation, seed, turn: Mutex::new(()), sentences, views })
    }
}

/// FNV-1a of a shape's name: what chance gives depends on nothing else of the run.
fn hash(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Captioner for Blip {
    fn name(&self) -> String {
        let GenerationConfig { prompt, decoding, min_length, max_length } = &self.generation;
        let chance = match decoding {
            DecodingStrategy::Nucleus { .. } => format!(" seed={}", self.seed),
            _ => String::new(),
        };
        let id = self.captioner.id();
        format!("blip:{id} {decoding:?} shortest={min_length} longest={max_length} prompt={prompt:?}{chance}")
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
        let seed = hash(input.name) ^ self.seed;
        let said = {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.captioner.caption(&pictures, &self.generation, seed)
        };
        let said =
            said.map_err(|error| CaptionError::Server { reason: error.to_string(), hint: error.hint() })?;
        let from = format!("blip:{}", self.captioner.id());
        let mut all = CaptionOutput { requested: indices.len(), ..CaptionOutput::default() };
        for (view, sentences) in indices.into_iter().zip(said) {
            let before = all.captions.len();
            let about = |text: String| Caption { view: Some(view), ..Caption::new(text, from.clone()) };
            all.captions.extend(sentences.into_iter().filter(|text| !text.is_empty()).map(about));
            if all.captions.len() == before {
                all.errors.push(format!("view {view}: expected a sentence, found no words"));
            }
        }
        self.sentences.fetch_add(all.captions.len() as u64, Ordering::Relaxed);
        self.views.fetch_add(all.requested as u64, Ordering::Relaxed);
        Ok(all)
    }
}
