//! A vision-language model behind an OpenAI-compatible address (vLLM, Ollama, llama.cpp and others).
//!
//! Servers are slow, refuse, break off and answer nonsense. Each request is tried again with growing pauses, longer where
//! the server says so; what still fails is this view's fault if the server is otherwise well, and the run's end if not. A
//! server that has refused everything so far is not well.

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

/// Largest answer that is read, in bytes.
const LARGEST_ANSWER: u64 = 4 << 20;
/// Longest sentence that is kept, in characters.
const LONGEST: usize = 2000;
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Questions without a sentence, and no other yet, after which a server is taken to refuse them all; of two shapes at least,
/// for one may be odd.
const MOST_REFUSED: u64 = 8;

/// Which model, and how it is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServedConfig {
    /// Address up to and with the version: `http://localhost:8000/v1`.
    pub url: String,
    /// Name of the model on that server.
    pub model: String,
    /// What it is asked about each picture.
    pub prompt: String,
    /// Sentences for each request. Servers that know only one give one.
    pub sentences: u32,
    /// Ask about every view alone, as ULIP-2 does; otherwise about all views in one request.
    pub per_view: bool,
    /// Requests under way at the same time.
    pub concurrency: usize,
    /// Tries after the first.
    pub retries: u32,
    /// First pause before trying again, in milliseconds; doubled each time.
    pub pause_ms: u64,
    /// Time for one request, in seconds.
    pub timeout_s: u64,
    /// Longest answer in tokens.
    pub max_tokens: u32,
    /// Sent as a bearer token. Not recorded.
    #[serde(skip)]
    pub api_key: Option<String>,
}

impl ServedConfig {
    /// The usual settings for a model at an address.
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

/// What a captioner did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServedCounts {
    /// Requests that were answered well.
    pub answered: u64,
    /// Tries that failed.
    pub failed_tries: u64,
    /// Sentences.
    pub sentences: u64,
    /// Tokens the server counted for questions.
    pub prompt_tokens: u64,
    /// Tokens the server counted for answers.
    pub answer_tokens: u64,
    /// Questions that got no sentence.
    pub refused: u64,
}

/// The client.
pub struct Served {
    config: ServedConfig,
    agent: ureq::Agent,
    turns: Gate,
    counts: [AtomicU64; 6],
    /// Shapes that got no sentence.
    silent: AtomicU64,
}

/// Why a try failed.
enum Trouble {
    /// It may go well the next time, after the pause the server asked for.
    Passing(String, Option<Duration>),
    /// It will not go well for this picture.
    Refused(String),
    /// It will not go well at all, and what to do about it.
    Fatal(String, &'static str),
}

impl Served {
    /// A client; nothing is sent before the first caption.
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

    /// What it did so far.
    pub fn counts(&self) -> ServedCounts {
        let [answered, failed_tries, sentences, prompt_tokens, answer_tokens, refused] =
            self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        ServedCounts { answered, failed_tries, sentences, prompt_tokens, answer_tokens, refused }
    }

    fn count(&self, which: usize, n: u64) {
        self.counts[which].fetch_add(n, Ordering::Relaxed);
    }

    /// Sentences about some pictures; tried until it goes well or is hopeless.
    fn ask(&self, pictures: &[&Vec<u8>]) -> Result<Vec<String>, CaptionError> {
        let body = self.request(pictures).to_string();
        let mut pause = Duration::from_millis(self.config.pause_ms);
        for attempt in 0.. {
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
                    server(reason, "start the server, then run the same again: it goes on")
                });
            }
            std::thread::sleep(asked.map_or(pause, |asked| asked.max(pause)));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(Vec::new())
    }

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

    fn once(&self, body: &str) -> Result<Vec<String>, Trouble> {
        let passing = |reason: String| Trouble::Passing(reason, None);
        let url = format!("{}/chat/completions", self.config.url);
        let mut request = self.agent.post(&url).header("Content-Type", "application/json");
        if let Some(key) = &self.config.api_key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let mut response =
            request.send(body.as_bytes()).map_err(|error| passing(format!("{url}: {error}")))?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let asked = header("retry-after").and_then(|text| pause::asked(text, header("date")));
        let answer = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec();
        let answer = answer.map_err(|error| passing(format!("{url}: {error}")))?;
        let said = || format!("{url}: {status} {}", excerpt(&answer));
        match status {
            200..=299 => self.sentences(&answer).map_err(passing),
            408 | 425 | 429 | 500..=599 => Err(Trouble::Passing(said(), asked)),
            _ => Err(match hint(status) {
                Some(hint) => Trouble::Fatal(said(), hint),
                None => Trouble::Refused(said()),
            }),
        }
    }

    /// The sentences of an answer.
    fn sentences(&self, answer: &[u8]) -> Result<Vec<String>, String> {
        let wrong = |what: &str| format!("expected {what}, found {}", excerpt(answer));
        let answer_json: Value = serde_json::from_slice(answer).map_err(|_| wrong("JSON"))?;
        let choices =
            answer_json.get("choices").and_then(Value::as_array).ok_or_else(|| wrong("\"choices\""))?;
        let texts =
            choices.iter().filter_map(|choice| choice.pointer("/message/content")?.as_str()).map(tidy);
        let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
        if texts.is_empty() {
            return Err(wrong("a sentence"));
        }
        let tokens = |key: &str| answer_json.pointer(key).and_then(Value::as_u64).unwrap_or(0);
        self.count(0, 1);
        self.count(2, texts.len() as u64);
        self.count(3, tokens("/usage/prompt_tokens"));
        self.count(4, tokens("/usage/completion_tokens"));
        Ok(texts)
    }

    /// Notes that a shape got no sentence.
    ///
    /// # Errors
    /// If nothing got one so far and it has been asked often enough.
    fn note_silence(&self, said: &Said) -> Result<(), CaptionError> {
        let shapes = self.silent.fetch_add(1, Ordering::Relaxed) + 1;
        let ServedCounts { answered, refused, .. } = self.counts();
        let Some(last) = said.refused.last().filter(|_| answered == 0) else { return Ok(()) };
        if refused < MOST_REFUSED || shapes < 2 {
            return Ok(());
        }
        let hint = if self.config.per_view {
            "see what the server says: its model must look at pictures (--caption-model), within --caption-max-tokens"
        } else {
            "a server that takes one picture a request is asked about every view alone: leave out --views-together"
        };
        Err(server(format!("none of the first {refused} questions got a sentence, the last: {last}"), hint))
    }

    /// Questions about pictures: each with the view it is about, if it is about one.
    fn questions<'a>(&self, pictures: &'a [(usize, Vec<u8>)]) -> Vec<(Option<usize>, Vec<&'a Vec<u8>>)> {
        if self.config.per_view {
            return pictures.iter().map(|(view, bytes)| (Some(*view), vec![bytes])).collect();
        }
        vec![(None, pictures.iter().map(|(_, bytes)| bytes).collect())]
    }

    /// Whether the server answers the simplest question.
    fn is_well(&self) -> bool {
        let mut request = self.agent.get(format!("{}/models", self.config.url));
        if let Some(key) = &self.config.api_key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        request.call().is_ok_and(|response| response.status().is_success())
    }
}

fn server(reason: String, hint: &str) -> CaptionError {
    CaptionError::Server { reason, hint: Some(hint.to_owned()) }
}

/// What to do where a status means that no question will go well.
fn hint(status: u16) -> Option<&'static str> {
    Some(match status {
        401 | 403 => "give the server's key by --caption-key or LEXIFORM_CAPTION_KEY",
        402 => "the server wants to be paid: once it is, run the same again: it goes on",
        404 => "check --caption-url, which ends with /v1, and --caption-model, as the server calls it",
        _ => return None,
    })
}

/// One line, without quotes around it.
fn tidy(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_matches('"').trim().chars().take(LONGEST).collect()
}

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
            // Not every server reads WebP, and none needs more than this.
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
