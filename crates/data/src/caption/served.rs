//! A vision-language model behind an OpenAI-compatible API (vLLM, Ollama, llama.cpp and others).
//!
//! Failed requests are retried with exponential backoff, or after the time that the server requests. If all retries fail, the view
//! has no caption if the server is healthy; otherwise the run stops. A server that rejected every request counts as unhealthy.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lexiform_formats::on_white;
use lexiform_formats::picture::{Picture, decode_picture};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CaptionError, Captioner, Said, Subject, pause};
use crate::gate::Gate;
use crate::{Caption, Member};

/// Maximum size of a response in bytes.
const LARGEST_ANSWER: u64 = 4 << 20;
/// Maximum length of a caption in characters.
const LONGEST: usize = 2000;
/// Maximum wait before a retry.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Failures without a success, for two shapes at least, after which the server counts as rejecting every request.
const MOST_REFUSED: u64 = 8;

/// Configuration of [`Served`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServedConfig {
    /// Base URL of the API, including the version: `http://localhost:8000/v1`.
    pub url: String,
    /// Name of the model on the server.
    pub model: String,
    /// The prompt that is sent with each image.
    pub prompt: String,
    /// Captions per request (`n` in the API). Some servers always return one.
    pub sentences: u32,
    /// One request per view, as in [ULIP-2](https://arxiv.org/abs/2305.08275); otherwise one request with all views.
    pub per_view: bool,
    /// Maximum number of concurrent requests.
    pub concurrency: usize,
    /// Retries per request.
    pub retries: u32,
    /// Wait before the first retry, in milliseconds; doubled for each further retry.
    pub pause_ms: u64,
    /// Timeout of a request, in seconds.
    pub timeout_s: u64,
    /// Maximum number of tokens per caption.
    pub max_tokens: u32,
    /// Bearer token. Not recorded in the data set.
    #[serde(skip)]
    pub api_key: Option<String>,
}

impl ServedConfig {
    /// The default settings for a model at a URL.
    pub fn new(url: &str, model: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            model: model.to_owned(),
            prompt: "Describe the object in this picture in one short sentence: what it is, its shape, its colors. \
                Do not mention the background or the picture."
                .to_owned(),
            sentences: 1,
            per_view: true,
            concurrency: 8,
            retries: 5,
            pause_ms: 500,
            timeout_s: 120,
            max_tokens: 96,
            api_key: None,
        }
    }
}

/// Counts of a captioner so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServedCounts {
    /// Successful requests.
    pub answered: u64,
    /// Failed requests, including those that were retried.
    pub failed_tries: u64,
    /// Captions.
    pub sentences: u64,
    /// Prompt tokens, as counted by the server.
    pub prompt_tokens: u64,
    /// Completion tokens, as counted by the server.
    pub answer_tokens: u64,
    /// Missing captions.
    pub refused: u64,
}

/// A captioner that sends views to a served model.
pub struct Served {
    config: ServedConfig,
    agent: ureq::Agent,
    turns: Gate,
    counts: [AtomicU64; 6],
    /// Number of shapes without captions.
    silent: AtomicU64,
}

/// Why a request failed.
enum Trouble {
    /// A retry may succeed, after the wait that the server requested.
    Passing(String, Option<Duration>),
    /// The request is rejected; others may succeed.
    Refused(String),
    /// Every request will fail; with a hint.
    Fatal(String, &'static str),
}

impl Served {
    /// Creates a client. No request is sent before the first caption.
    pub fn new(config: ServedConfig) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(config.timeout_s.max(1))))
            .build()
            .new_agent();
        Self {
            turns: Gate::new(config.concurrency),
            config,
            agent,
            counts: Default::default(),
            silent: AtomicU64::new(0),
        }
    }

    /// Counts so far.
    pub fn counts(&self) -> ServedCounts {
        let [answered, failed_tries, sentences, prompt_tokens, answer_tokens, refused] =
            self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        ServedCounts { answered, failed_tries, sentences, prompt_tokens, answer_tokens, refused }
    }

    fn count(&self, which: usize, n: u64) {
        self.counts[which].fetch_add(n, Ordering::Relaxed);
    }

    /// Captions of some images, with retries.
    fn ask(&self, pictures: &[&Vec<u8>]) -> Result<Vec<String>, CaptionError> {
        let body = self.request(pictures).to_string();
        let mut backoff = Duration::from_millis(self.config.pause_ms);
        let mut attempt = 0;
        loop {
            let tried = {
                let _turn = self.turns.enter();
                self.once(&body)
            };
            let (reason, asked) = match tried {
                Ok(sentences) => return Ok(sentences),
                Err(Trouble::Refused(reason)) => return Err(CaptionError::Shape(reason)),
                Err(Trouble::Fatal(reason, hint)) => return Err(server(reason, hint)),
                Err(Trouble::Passing(reason, asked)) => (reason, asked),
            };
            self.count(1, 1);
            if attempt >= self.config.retries {
                let reason = format!("{} tries failed, the last: {reason}", attempt + 1);
                return Err(if self.is_well() {
                    CaptionError::Shape(reason)
                } else {
                    server(reason, "start the server, then run the same command again to resume")
                });
            }
            std::thread::sleep(asked.map_or(backoff, |asked| asked.max(backoff)));
            backoff = (backoff * 2).min(LONGEST_PAUSE);
            attempt += 1;
        }
    }

    /// The body of a request.
    fn request(&self, pictures: &[&Vec<u8>]) -> Value {
        let picture = |jpeg: &&Vec<u8>| {
            let data = format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg));
            json!({ "type": "image_url", "image_url": { "url": data } })
        };
        let text = [json!({ "type": "text", "text": self.config.prompt })];
        let content: Vec<Value> = text.into_iter().chain(pictures.iter().map(picture)).collect();
        let mut request = json!({
            "model": self.config.model,
            "messages": [{ "role": "user", "content": content }],
            "max_tokens": self.config.max_tokens,
            "temperature": if self.config.sentences > 1 { 0.7 } else { 0.0 },
            "seed": 0,
        });
        if self.config.sentences > 1 {
            request["n"] = self.config.sentences.into();
        }
        request
    }

    /// Sends a request.
    fn once(&self, body: &str) -> Result<Vec<String>, Trouble> {
        let url = format!("{}/chat/completions", self.config.url);
        let passing = |reason: String| Trouble::Passing(format!("{url}: {reason}"), None);
        let request = self.authorized(self.agent.post(&url).header("Content-Type", "application/json"));
        let mut response = request.send(body.as_bytes()).map_err(|error| passing(error.to_string()))?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let asked = header("retry-after").and_then(|text| pause::asked(text, header("date")));
        let answer = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec();
        let answer = answer.map_err(|error| passing(error.to_string()))?;
        let message = || format!("{url}: {status} {}", excerpt(&answer));
        match status {
            200..=299 => self.sentences(&answer).map_err(|reason| Trouble::Passing(reason, None)),
            408 | 425 | 429 | 500..=599 => Err(Trouble::Passing(message(), asked)),
            _ => Err(match hint(status) {
                Some(hint) => Trouble::Fatal(message(), hint),
                None => Trouble::Refused(message()),
            }),
        }
    }

    /// Adds the API key, if there is one.
    fn authorized<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.config.api_key {
            Some(key) => request.header("Authorization", format!("Bearer {key}")),
            None => request,
        }
    }

    /// The captions in a response.
    fn sentences(&self, answer: &[u8]) -> Result<Vec<String>, String> {
        let wrong = |what: &str| format!("expected {what}, found {}", excerpt(answer));
        let answer_json: Value = serde_json::from_slice(answer).map_err(|_| wrong("JSON"))?;
        let choices =
            answer_json.get("choices").and_then(Value::as_array).ok_or_else(|| wrong("\"choices\""))?;
        let texts =
            choices.iter().filter_map(|choice| choice.pointer("/message/content")?.as_str()).map(tidy);
        let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
        if texts.is_empty() {
            return Err(wrong("a caption"));
        }
        let tokens = |key: &str| answer_json.pointer(key).and_then(Value::as_u64).unwrap_or(0);
        self.count(0, 1);
        self.count(2, texts.len() as u64);
        self.count(3, tokens("/usage/prompt_tokens"));
        self.count(4, tokens("/usage/completion_tokens"));
        Ok(texts)
    }

    /// Counts a shape without captions.
    ///
    /// # Errors
    /// If the server rejected every request so far, and there were enough of them.
    fn note_silence(&self, said: &Said) -> Result<(), CaptionError> {
        let shapes = self.silent.fetch_add(1, Ordering::Relaxed) + 1;
        let ServedCounts { answered, refused, .. } = self.counts();
        let Some(last) = said.refused.last().filter(|_| answered == 0) else { return Ok(()) };
        if refused < MOST_REFUSED || shapes < 2 {
            return Ok(());
        }
        let hint = if self.config.per_view {
            "check the server's message: the model must accept images (--caption-model) and answer within --caption-max-tokens"
        } else {
            "if the server accepts only one image per request, omit --views-together"
        };
        Err(server(
            format!("none of the first {refused} requests returned a caption, the last: {last}"),
            hint,
        ))
    }

    /// The requests for a shape: images, and the view that the request is about unless it is about all.
    fn questions<'a>(&self, pictures: &'a [(usize, Vec<u8>)]) -> Vec<(Option<usize>, Vec<&'a Vec<u8>>)> {
        if self.config.per_view {
            return pictures.iter().map(|(view, bytes)| (Some(*view), vec![bytes])).collect();
        }
        vec![(None, pictures.iter().map(|(_, bytes)| bytes).collect())]
    }

    /// Whether the server responds to a simple request.
    fn is_well(&self) -> bool {
        let request = self.authorized(self.agent.get(format!("{}/models", self.config.url)));
        request.call().is_ok_and(|response| response.status().is_success())
    }
}

fn server(reason: String, hint: &str) -> CaptionError {
    CaptionError::Server { reason, hint: Some(hint.to_owned()) }
}

/// The hint for a status that means that every request will fail.
fn hint(status: u16) -> Option<&'static str> {
    Some(match status {
        401 | 403 => "set the server's API key with --caption-api-key or LEXIFORM_CAPTION_API_KEY",
        402 => "the server requires payment; then run the same command again to resume",
        404 => {
            "check --caption-url, which ends with /v1, and --caption-model, the server's name of the model"
        }
        _ => return None,
    })
}

/// The text on one line, without surrounding quotes.
fn tidy(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_matches('"').trim().chars().take(LONGEST).collect()
}

/// The start of a response, for messages.
fn excerpt(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(160).collect();
    format!("{text:?}")
}

impl Captioner for Served {
    fn name(&self) -> String {
        let ServedConfig { model, prompt, sentences, per_view, max_tokens, .. } = &self.config;
        format!(
            "served:{model} sentences={sentences} per_view={per_view} max_tokens={max_tokens} prompt={prompt:?}"
        )
    }

    fn concurrency(&self) -> usize {
        self.config.concurrency
    }

    fn caption(&self, subject: &Subject) -> Result<Said, CaptionError> {
        let jpeg = |member: &Member| {
            let view = Member::view_index(&member.name)?;
            // Not every server reads WebP.
            let small =
                decode_picture(&member.bytes).and_then(|image| Picture::Jpeg.encode(&on_white(&image)));
            Some(small.map(|bytes| (view, bytes)))
        };
        let pictures: Vec<(usize, Vec<u8>)> =
            subject.views.iter().filter_map(jpeg).collect::<Result<_, _>>().map_err(CaptionError::Shape)?;
        let from = format!("served:{}", self.config.model);
        let questions = self.questions(&pictures);
        let mut said = Said { asked: questions.len(), ..Said::default() };
        for (view, pictures) in questions {
            let about = |text| Caption { view, ..Caption::new(text, from.clone()) };
            match self.ask(&pictures) {
                Ok(sentences) => said.captions.extend(sentences.into_iter().map(about)),
                Err(CaptionError::Shape(reason)) => {
                    self.count(5, 1);
                    said.refused.push(view.map_or(reason.clone(), |view| format!("view {view}: {reason}")));
                }
                Err(server) => return Err(server),
            }
        }
        if said.captions.is_empty() {
            self.note_silence(&said)?;
        }
        Ok(said)
    }
}
