//! Bodies of requests, bounded in size and time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::Problem;

/// Largest JSON body.
const MAX_JSON: usize = 64 << 10;

/// The whole body.
///
/// # Errors
/// 413 if it is larger than `limit`, 408 if it does not arrive in `time`, 400 if the connection breaks.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    time: Duration,
) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("expected a body of at most {limit} bytes, found more");
        Problem::new(413, detail).with_hint("send less")
    };
    // Before anything is read.
    let stated =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if stated.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(time, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Problem::bad_request(format!("cannot read the body: {error}"))),
        Err(_) => {
            let detail = format!("the body did not arrive in {} s", time.as_secs());
            Err(Problem::new(408, detail))
        }
    }
}

/// A JSON body.
///
/// # Errors
/// As of [`read`]; 400 if it is not the expected JSON.
pub(super) async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    time: Duration,
) -> Result<T, Problem> {
    let bytes = read(headers, body, MAX_JSON, time).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Problem::bad_request(format!("invalid JSON body: {error}")).with_hint("see /openapi.json")
    })
}
