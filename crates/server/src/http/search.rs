//! Handlers that search and describe: `/v1/search`, `/v1/uploads`, `/v1/classify`, `/v1/caption`, `/v1/compare`, `/v1/embeddings`,
//! `/v1/map`, `/v1/stats`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::app::{App, Work};
use super::body;
use super::query_string::pairs;
use super::reply::{json, json_bytes};
use crate::uploads::MAX_UPLOAD;
use crate::{CaptionRequest, ClassifyRequest, CompareRequest, EmbeddingsRequest, Problem, SearchRequest};

type Reply = Result<Response, Problem>;

/// Files similar to one, if the request names no number.
const DEFAULT_SIMILAR: usize = 12;

pub(super) async fn search_url(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Reply {
    let request = SearchRequest::from_pairs(pairs(query.as_deref()))?;
    Ok(json_bytes(app.call(Work::Search, move |service| service.search_json(&request)).await?))
}

pub(super) async fn search(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Reply {
    let request: SearchRequest = body::json(&headers, body, app.receive_time).await?;
    Ok(json_bytes(app.call(Work::Search, move |service| service.search_json(&request)).await?))
}

pub(super) async fn similar(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Reply {
    let mut k = DEFAULT_SIMILAR;
    for (name, value) in pairs(query.as_deref()) {
        let invalid = || Problem::bad_request(format!("expected k=NUMBER, found {name}={value}"));
        k = value.parse().ok().filter(|_| name == "k").ok_or_else(invalid)?;
    }
    json(&app.call(Work::Search, move |service| service.similar(&id, k)).await?)
}

pub(super) async fn labels(State(app): State<Arc<App>>, Path(id): Path<String>) -> Reply {
    json(&app.call(Work::Search, move |service| service.labels(&id)).await?)
}

pub(super) async fn upload(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let name = pairs(query.as_deref()).into_iter().find(|(name, _)| name == "name").map(|(_, value)| value);
    let missing = || Problem::bad_request("no name").with_hint("POST the file to /v1/uploads?name=photo.jpg");
    let name = name.ok_or_else(missing)?;
    let place = app.upload_place()?;
    let content = body::read(&headers, body, MAX_UPLOAD, 10 * app.receive_time).await?;
    let work = move |service: &crate::Service| {
        let uploaded = service.upload(&name, &content);
        // Not earlier, also if the client is gone: the content is in memory until here.
        drop((content, place));
        uploaded
    };
    let uploaded = app.call(Work::Upload, work).await?;
    Ok((StatusCode::CREATED, json(&uploaded)?).into_response())
}

pub(super) async fn classify(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Reply {
    let request: ClassifyRequest = body::json(&headers, body, app.receive_time).await?;
    json(&app.call(Work::Search, move |service| service.classify(&request)).await?)
}

pub(super) async fn caption(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Reply {
    let request: CaptionRequest = body::json(&headers, body, app.receive_time).await?;
    json(&app.call(Work::Search, move |service| service.caption(&request)).await?)
}

pub(super) async fn embeddings(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Reply {
    let request: EmbeddingsRequest = body::json(&headers, body, app.receive_time).await?;
    json(&app.call(Work::Search, move |service| service.embeddings(request)).await?)
}

pub(super) async fn compare(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Reply {
    let request: CompareRequest = body::json(&headers, body, app.receive_time).await?;
    json(&app.call(Work::Search, move |service| service.compare(&request)).await?)
}

pub(super) async fn statistics(State(app): State<Arc<App>>) -> Reply {
    json(&app.call(Work::Search, |service| service.statistics()).await?)
}

pub(super) async fn map(State(app): State<Arc<App>>) -> Reply {
    // Among renders: it computes for seconds, and searches must not wait for it.
    json(&*app.call(Work::Render, |service| service.map()).await?)
}

pub(super) async fn health(State(app): State<Arc<App>>) -> Reply {
    // Reads the library: a server whose disk is gone is not healthy.
    app.call(Work::Search, |service| service.len()).await?;
    json(&serde_json::json!({ "status": "ok" }))
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> Reply {
    if app.is_stopping() {
        return Err(Problem::new(503, "the server is about to stop").with_hint("ask another one"));
    }
    app.call(Work::Search, |service| service.check_ready()).await?;
    json(&serde_json::json!({ "status": "ready" }))
}
