//! A vision-language model behind an OpenAI-compatible API (vLLM, Ollama, llama.cpp and others).
//!
//! Failed requests are retried with exponential backoff, or after the time that the server requests. If all retries fail, the view
//! has no caption if the server is healthy; otherwise the run stops. A server that rejected every request counts as unhealthy.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lexiform_formats::composite_on_white;
use lexiform_formats::view_format::{ViewFormat, decode_view};
use serde_json::{Value, json};

use super::vlm_config::{Counters, VlmConfig, VlmStats};
use super::{CaptionError, CaptionInput, CaptionOutput, Captioner, retry_after};
use crate::semaphore::Semaphore;
use crate::{Caption, Member};

/// Maximum size of a response in bytes.
const MAX_RESPONSE_BYTES: u64 = 4 << 20;
/// Maximum length of a caption in characters.
const MAX_CAPTION_CHARS: usize = 2000;
/// Maximum wait before a retry.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// Failures without a success, for two shapes at least, after which the server counts as rejecting every request.
const MAX_REJECTED_REQUESTS: u64 = 8;

/// A captioner that sends views to a vision-language model on a server.
pub struct VlmCaptioner {
    config: VlmConfig,
    agent: ureq::Agent,
    in_flight: Semaphore,
    counters: Counters,
}

/// Why a request failed.
enum RequestError {
    /// A retry may succeed, after the wait that the server requested.
    Transient(String, Option<Duration>),
    /// The request is rejected; others may succeed.
    Rejected(String),
    /// Every request will fail; with a hint.
    Fatal(String, &'static str),
}

impl VlmCaptioner {
    /// Creates a client. No request is sent before the first caption.
    pub fn new(config: VlmConfig) -> Self {
        let agent = ureq::Agent::config_builder()
            // The body of an error response has the reason.
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(config.timeout_s.max(1))))
            .build()
            .new_agent();
        Self { in_flight: Semaphore::new(config.concurrency), config, agent, counters: Counters::default() }
    }

    /// Counts so far.
    pub fn counts(&self) -> VlmStats {
        self.counters.stats()
    }

    /// Captions of some images, with retries.
    fn request_with_retries(&self, images: &[&Vec<u8>]) -> Result<Vec<String>, CaptionError> {
        let body = self.request(images).to_string();
        // Doubled after each attempt, so that an overloaded server gets time to recover.
        let mut backoff = Duration::from_millis(self.config.initial_backoff_ms);
        let mut attempt = 0;
        loop {
            // The permit is returned before waiting: a waiting request must not block others.
            let result = {
                let _permit = self.in_flight.acquire();
                self.send_request(&body)
            };
            let (reason, retry_after_wait) = match result {
                Ok(captions) => return Ok(captions),
                Err(RequestError::Rejected(reason)) => return Err(CaptionError::Shape(reason)),
                Err(RequestError::Fatal(reason, hint)) => return Err(server_error(reason, hint)),
                Err(RequestError::Transient(reason, retry_after_wait)) => (reason, retry_after_wait),
            };
            Counters::add(&self.counters.failed_requests, 1);
            if attempt >= self.config.max_retries {
                let reason = format!("{} tries failed, the last: {reason}", attempt + 1);
                // A healthy server that keeps failing on this image is a problem of the image.
                return Err(if self.is_healthy() {
                    CaptionError::Shape(reason)
                } else {
                    server_error(reason, "start the server, then run the same command again to resume")
                });
            }
            // Never shorter than the backoff, so that `Retry-After: 0` cannot cause a busy loop.
            std::thread::sleep(
                retry_after_wait.map_or(backoff, |retry_after_wait| retry_after_wait.max(backoff)),
            );
            backoff = (backoff * 2).min(MAX_BACKOFF);
            attempt += 1;
        }
    }

    /// The body of a request.
    fn request(&self, images: &[&Vec<u8>]) -> Value {
        let image_part = |jpeg: &&Vec<u8>| {
            let data = format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg));
            // A data URL, because the server cannot reach local files.
            json!({ "type": "image_url", "image_url": { "url": data } })
        };
        let text = [json!({ "type": "text", "text": self.config.prompt })];
        let content: Vec<Value> = text.into_iter().chain(images.iter().map(image_part)).collect();
        let mut request = json!({
            "model": self.config.model,
            "messages": [{ "role": "user", "content": content }],
            "max_tokens": self.config.max_tokens,
            // One caption is deterministic; several must differ.
            "temperature": if self.config.captions_per_request > 1 { 0.7 } else { 0.0 },
            "seed": 0,
        });
        if self.config.captions_per_request > 1 {
            // Left out for 1, the default of the API.
            request["n"] = self.config.captions_per_request.into();
        }
        request
    }

    /// Sends a request.
    fn send_request(&self, body: &str) -> Result<Vec<String>, RequestError> {
        let url = format!("{}/chat/completions", self.config.base_url);
        let transient = |reason: String| RequestError::Transient(format!("{url}: {reason}"), None);
        let request = self.authorized(self.agent.post(&url).header("Content-Type", "application/json"));
        let mut response = request.send(body.as_bytes()).map_err(|error| transient(error.to_string()))?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let retry_after_wait =
            header("retry-after").and_then(|text| retry_after::parse(text, header("date")));
        let answer = response.body_mut().with_config().limit(MAX_RESPONSE_BYTES).read_to_vec();
        let answer = answer.map_err(|error| transient(error.to_string()))?;
        let message = || format!("{url}: {status} {}", excerpt(&answer));
        match status {
            // A successful status without a caption counts as transient: the model may answer on the next attempt.
            200..=299 => self.captions(&answer).map_err(|reason| RequestError::Transient(reason, None)),
            // Timeout, too early, rate limit and server errors.
            408 | 425 | 429 | 500..=599 => Err(RequestError::Transient(message(), retry_after_wait)),
            _ => Err(match hint(status) {
                Some(hint) => RequestError::Fatal(message(), hint),
                None => RequestError::Rejected(message()),
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
    fn captions(&self, answer: &[u8]) -> Result<Vec<String>, String> {
        let wrong = |what: &str| format!("expected {what}, found {}", excerpt(answer));
        let answer_json: Value = serde_json::from_slice(answer).map_err(|_| wrong("JSON"))?;
        let choices =
            answer_json.get("choices").and_then(Value::as_array).ok_or_else(|| wrong("\"choices\""))?;
        let texts = choices
            .iter()
            .filter_map(|choice| choice.pointer("/message/content")?.as_str())
            .map(normalize_caption);
        let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
        if texts.is_empty() {
            return Err(wrong("a caption"));
        }
        let tokens = |key: &str| answer_json.pointer(key).and_then(Value::as_u64).unwrap_or(0);
        Counters::add(&self.counters.requests, 1);
        Counters::add(&self.counters.captions, texts.len() as u64);
        Counters::add(&self.counters.prompt_tokens, tokens("/usage/prompt_tokens"));
        Counters::add(&self.counters.completion_tokens, tokens("/usage/completion_tokens"));
        Ok(texts)
    }

    /// Counts a shape without captions.
    ///
    /// # Errors
    /// If the server rejected every request so far, and there were enough of them.
    fn check_all_rejected(&self, output: &CaptionOutput) -> Result<(), CaptionError> {
        let shapes = Counters::add(&self.counters.shapes_without_captions, 1);
        let VlmStats { requests, missing, .. } = self.counts();
        let Some(last) = output.errors.last().filter(|_| requests == 0) else { return Ok(()) };
        if missing < MAX_REJECTED_REQUESTS || shapes < 2 {
            return Ok(());
        }
        let hint = if self.config.per_view {
            "check the server's message: the model must accept images (--caption-model) and answer within --caption-max-tokens"
        } else {
            "if the server accepts only one image per request, omit --views-together"
        };
        Err(server_error(
            format!("none of the first {missing} requests returned a caption, the last: {last}"),
            hint,
        ))
    }

    /// The requests for a shape: images, and the view that the request is about unless it is about all.
    fn image_groups<'a>(&self, images: &'a [(usize, Vec<u8>)]) -> Vec<(Option<usize>, Vec<&'a Vec<u8>>)> {
        if self.config.per_view {
            return images.iter().map(|(view, bytes)| (Some(*view), vec![bytes])).collect();
        }
        vec![(None, images.iter().map(|(_, bytes)| bytes).collect())]
    }

    /// Health check: whether the server lists its models.
    fn is_healthy(&self) -> bool {
        let request = self.authorized(self.agent.get(format!("{}/models", self.config.base_url)));
        request.call().is_ok_and(|response| response.status().is_success())
    }
}

fn server_error(reason: String, hint: &str) -> CaptionError {
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
fn normalize_caption(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Models often quote the sentence that they were asked for.
    line.trim_matches('"').trim().chars().take(MAX_CAPTION_CHARS).collect()
}

/// The start of a response, for messages.
fn excerpt(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(160).collect();
    format!("{text:?}")
}

impl Captioner for VlmCaptioner {
    fn name(&self) -> String {
        let VlmConfig { model, prompt, captions_per_request, per_view, max_tokens, .. } = &self.config;
        format!(
            "vlm:{model} captions_per_request={captions_per_request} per_view={per_view} max_tokens={max_tokens} prompt={prompt:?}"
        )
    }

    fn source(&self) -> String {
        format!("vlm:{}", self.config.model)
    }

    fn concurrency(&self) -> usize {
        self.config.concurrency
    }

    fn caption(&self, input: &CaptionInput) -> Result<CaptionOutput, CaptionError> {
        let jpeg = |member: &Member| {
            let view = Member::view_index(&member.name)?;
            // Not every server reads WebP.
            let small = decode_view(&member.bytes)
                .and_then(|image| ViewFormat::Jpeg.encode(&composite_on_white(&image)));
            Some(small.map(|bytes| (view, bytes)))
        };
        let images: Vec<(usize, Vec<u8>)> =
            input.views.iter().filter_map(jpeg).collect::<Result<_, _>>().map_err(CaptionError::Shape)?;
        let from = self.source();
        let image_groups = self.image_groups(&images);
        let mut output = CaptionOutput { requested: image_groups.len(), ..CaptionOutput::default() };
        for (view, images) in image_groups {
            let caption = |text| Caption { view, ..Caption::new(text, from.clone()) };
            match self.request_with_retries(&images) {
                Ok(captions) => output.captions.extend(captions.into_iter().map(caption)),
                Err(CaptionError::Shape(reason)) => {
                    Counters::add(&self.counters.missing, 1);
                    output.errors.push(view.map_or(reason.clone(), |view| format!("view {view}: {reason}")));
                }
                Err(server_error) => return Err(server_error),
            }
        }
        if output.captions.is_empty() {
            self.check_all_rejected(&output)?;
        }
        Ok(output)
    }
}
