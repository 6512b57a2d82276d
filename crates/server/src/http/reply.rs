//! Responses: JSON, problems, images with entity tags.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::{Derived, Problem};

/// How long browsers show an image before they ask whether it has changed.
const CACHE_CONTROL: &str = "private, max-age=60, must-revalidate";
/// Seconds after which a request that was refused for load may be tried again.
const RETRY_AFTER: u64 = 1;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Strings and a number: always valid JSON.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let is_busy = status == StatusCode::SERVICE_UNAVAILABLE;
        if let Some(seconds) = self.retry_after.or(is_busy.then_some(RETRY_AFTER)) {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Response, Problem> {
    Ok(json_bytes(serde_json::to_vec(value).map_err(|error| Problem::internal(error.to_string()))?))
}

/// JSON, sent without a copy.
pub(super) fn json_bytes(json: impl AsRef<[u8]> + Send + 'static) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::from(Bytes::from_owner(json))).into_response()
}

/// Bytes with an entity tag, sent without a copy; 304 if the client has them.
pub(super) fn tagged<T>(media_type: &'static str, derived: Derived<T>) -> Response
where
    T: AsRef<[u8]> + Send + 'static,
{
    let Derived { tag, content } = derived;
    let headers = [
        (header::ETAG, format!("\"{tag}\"")),
        (header::CACHE_CONTROL, CACHE_CONTROL.to_owned()),
        (header::CONTENT_TYPE, media_type.to_owned()),
    ];
    match content {
        Some(content) => (headers, Body::from(Bytes::from_owner(content))).into_response(),
        None => (StatusCode::NOT_MODIFIED, headers).into_response(),
    }
}

/// The entity tag that a client has, without quotes; the first one of several.
pub(super) fn known_tag(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::IF_NONE_MATCH)?.to_str().ok()?;
    let first = text.split(',').next()?.trim();
    Some(first.trim_start_matches("W/").trim_matches('"').to_owned())
}
