//! `/mcp`: tools for language models over
//! [streamable HTTP](https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http). Without sessions: each
//! request is answered alone, as JSON.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::app::{App, Work};
use super::body;
use crate::Problem;
use crate::mcp::{MAX_MESSAGE, McpHeaders, McpSession};

pub(super) async fn answer(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    check_type(&headers)?;
    let message = body::read(&headers, body, MAX_MESSAGE, app.receive_time).await?;
    let stated = McpHeaders {
        version: text(&headers, "mcp-protocol-version"),
        method: text(&headers, "mcp-method"),
        name: text(&headers, "mcp-name"),
    };
    let session = McpSession::remote(app.service().clone());
    // Tools render, too.
    let answered = app
        .call(Work::Render, move |_| Ok(session.answer_http(&String::from_utf8_lossy(&message), &stated)))
        .await?;
    let Some((status, answer)) = answered else { return Ok(StatusCode::ACCEPTED.into_response()) };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((status, headers, answer).into_response())
}

/// Only JSON: what forms of other pages can send is something else.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    match media_type.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(Problem::new(415, format!("expected application/json, found {given:?}"))),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
