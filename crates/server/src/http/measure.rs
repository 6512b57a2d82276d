//! Measures requests, and shows what was measured: `/metrics`.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::app::{App, Work};
use crate::Problem;
use crate::lru::lock;

/// Measures every request.
pub(super) async fn measure(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let started = Instant::now();
    let response = next.run(request).await;
    app.metrics.record(&route, response.status().as_u16(), started.elapsed());
    response
}

/// `GET /metrics`.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let files = app.call(Work::Search, |service| service.len()).await?;
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = app.metrics.write(&mut text);
    let texts = &app.service().texts;
    let pictures = lock(&app.service().pictures).bytes();
    for (name, kind, help, value) in [
        ("lexiform_files", "gauge", "Files of the library.", files as u64),
        ("lexiform_rejected_total", "counter", "Requests refused because a queue was full.", app.rejected()),
        (
            "lexiform_text_cache_hits_total",
            "counter",
            "Texts found in the cache.",
            texts.hits.load(Ordering::Relaxed),
        ),
        (
            "lexiform_text_cache_misses_total",
            "counter",
            "Texts embedded by the model.",
            texts.misses.load(Ordering::Relaxed),
        ),
        (
            "lexiform_text_batches_total",
            "counter",
            "Batches of texts embedded by the model.",
            texts.batches.load(Ordering::Relaxed),
        ),
        (
            "lexiform_response_cache_hits_total",
            "counter",
            "Searches whose response was known.",
            app.service().responses.hits.load(Ordering::Relaxed),
        ),
        ("lexiform_picture_cache_bytes", "gauge", "Memory for rendered images.", pictures as u64),
        ("process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes()),
    ] {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// Resident memory where the system says so (Linux), else 0.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    1024 * kilobytes.unwrap_or(0)
}
