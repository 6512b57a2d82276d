//! Settings and counts of [`VlmCaptioner`](super::VlmCaptioner).

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Configuration of [`VlmCaptioner`](super::VlmCaptioner).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VlmConfig {
    /// Base URL of the API, including the version: `http://localhost:8000/v1`.
    pub base_url: String,
    /// Name of the model on the server.
    pub model: String,
    /// The prompt that is sent with each image.
    pub prompt: String,
    /// Captions per request (`n` in the API). Some servers always return one.
    pub captions_per_request: u32,
    /// One request per view, as in [ULIP-2](https://arxiv.org/abs/2305.08275); otherwise one request with all views.
    pub per_view: bool,
    /// Maximum number of concurrent requests.
    pub concurrency: usize,
    /// Retries per request.
    pub max_retries: u32,
    /// Wait before the first retry, in milliseconds; doubled for each further retry.
    pub initial_backoff_ms: u64,
    /// Timeout of a request, in seconds.
    pub timeout_s: u64,
    /// Maximum number of tokens per caption.
    pub max_tokens: u32,
    /// Bearer token. Not recorded in the data set.
    #[serde(skip)]
    pub api_key: Option<String>,
}

impl VlmConfig {
    /// The default settings for a model at a URL.
    pub fn new(base_url: &str, model: &str) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            model: model.to_owned(),
            prompt: "Describe the object in this picture in one short sentence: what it is, its shape, its colors. \
                Do not mention the background or the picture."
                .to_owned(),
            captions_per_request: 1,
            per_view: true,
            concurrency: 8,
            max_retries: 5,
            initial_backoff_ms: 500,
            timeout_s: 120,
            max_tokens: 96,
            api_key: None,
        }
    }
}

/// Number of requests, captions and tokens so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VlmStats {
    /// Successful requests.
    pub requests: u64,
    /// Failed requests, including those that were retried.
    pub failed_requests: u64,
    /// Captions.
    pub captions: u64,
    /// Prompt tokens, as counted by the server.
    pub prompt_tokens: u64,
    /// Completion tokens, as counted by the server.
    pub completion_tokens: u64,
    /// Missing captions.
    pub missing: u64,
}

/// The counters behind [`VlmStats`], which many threads increment.
#[derive(Default)]
pub(super) struct Counters {
    pub requests: AtomicU64,
    pub failed_requests: AtomicU64,
    pub captions: AtomicU64,
    pub prompt_tokens: AtomicU64,
    pub completion_tokens: AtomicU64,
    pub missing: AtomicU64,
    pub shapes_without_captions: AtomicU64,
}

impl Counters {
    /// Adds `n` to a counter and returns its new value.
    pub fn add(counter: &AtomicU64, n: u64) -> u64 {
        // Counters are independent of each other, so no ordering is needed.
        counter.fetch_add(n, Ordering::Relaxed) + n
    }

    pub fn stats(&self) -> VlmStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        VlmStats {
            requests: load(&self.requests),
            failed_requests: load(&self.failed_requests),
            captions: load(&self.captions),
            prompt_tokens: load(&self.prompt_tokens),
            completion_tokens: load(&self.completion_tokens),
            missing: load(&self.missing),
        }
    }
}
