//! The page, which is part of the binary, and logging in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::body;
use super::guard::{COOKIE, Guard};
use crate::Problem;

/// Files of the page: name, media type, content.
pub(super) const FILES: [(&str, &str, &str); 10] = [
    ("index.html", "text/html; charset=utf-8", include_str!("../../page/index.html")),
    ("style.css", "text/css; charset=utf-8", include_str!("../../page/style.css")),
    ("app.js", "text/javascript; charset=utf-8", include_str!("../../page/app.js")),
    ("api.js", "text/javascript; charset=utf-8", include_str!("../../page/api.js")),
    ("cards.js", "text/javascript; charset=utf-8", include_str!("../../page/cards.js")),
    ("dialog.js", "text/javascript; charset=utf-8", include_str!("../../page/dialog.js")),
    ("map.js", "text/javascript; charset=utf-8", include_str!("../../page/map.js")),
    ("viewer.js", "text/javascript; charset=utf-8", include_str!("../../page/viewer.js")),
    ("words.js", "text/javascript; charset=utf-8", include_str!("../../page/words.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../page/icon.svg")),
];

/// The description of the API.
const OPENAPI: &str = include_str!("openapi.json");

pub(super) async fn index() -> Result<Response, Problem> {
    file("index.html")
}

pub(super) async fn static_file(Path(name): Path<String>) -> Result<Response, Problem> {
    file(&name)
}

fn file(name: &str) -> Result<Response, Problem> {
    let found = FILES.iter().find(|(known, ..)| *known == name);
    let (_, media_type, content) =
        found.ok_or_else(|| Problem::not_found(format!("no such file: {name:?}")))?;
    // A new version of the server has a new page under the same names.
    let headers = [(header::CONTENT_TYPE, *media_type), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, *content).into_response())
}

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// `POST /v1/session`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    token: String,
}

/// Sets a cookie with the token, because images of a page cannot send headers. Its path is `…/v1`, also behind a proxy.
pub(super) async fn log_in(
    State(guard): State<Arc<Guard>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Login { token } = body::json(&headers, body, guard.receive_time).await?;
    guard.verify(&token).await?;
    let secure = if guard.is_encrypted { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict{secure}");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
