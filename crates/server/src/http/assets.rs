//! Handlers of files: `/v1/assets/{id}` and what is derived from it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::io::AsyncReadExt as _;

use super::app::{App, Work};
use super::query_string::pairs;
use super::reply::{json, known_tag, tagged};
use crate::{Angle, Problem, ViewRequest};

type Reply = Result<Response, Problem>;

/// Pixels of a thumbnail.
const THUMBNAIL_SIZE: u32 = 256;
/// Pixels of a view.
const VIEW_SIZE: u32 = 512;
/// Bytes of a file in memory while it is sent.
const CHUNK: usize = 64 << 10;
/// Characters of a file name that need no escape in `filename*` (RFC 8187).
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

pub(super) async fn asset(State(app): State<Arc<App>>, Path(id): Path<String>) -> Reply {
    json(&app.call(Work::Search, move |service| service.asset(&id)).await?)
}

pub(super) async fn thumbnail(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Reply {
    let [size] = numbers(query.as_deref(), ["size"], [THUMBNAIL_SIZE as f32])?;
    let known = known_tag(&headers);
    let work = move |service: &crate::Service| service.thumbnail(&id, size as u32, known.as_deref());
    let picture = app.call(Work::Render, work).await?;
    Ok(tagged("image/png", picture))
}

pub(super) async fn view(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Reply {
    let names = ["azimuth", "elevation", "size"];
    let [azimuth_degrees, elevation_degrees, size] =
        numbers(query.as_deref(), names, [30.0, 20.0, VIEW_SIZE as f32])?;
    let request = ViewRequest { angle: Angle { azimuth_degrees, elevation_degrees }, size: size as u32 };
    let known = known_tag(&headers);
    let work = move |service: &crate::Service| service.view(&id, &request, known.as_deref());
    let picture = app.call(Work::Render, work).await?;
    Ok(tagged("image/png", picture))
}

pub(super) async fn mesh(State(app): State<Arc<App>>, Path(id): Path<String>, headers: HeaderMap) -> Reply {
    let known = known_tag(&headers);
    let buffers = app.call(Work::Render, move |service| service.mesh(&id, known.as_deref())).await?;
    Ok(tagged("application/octet-stream", buffers))
}

/// Sends the original file, a part at a time.
pub(super) async fn download(State(app): State<Arc<App>>, Path(id): Path<String>) -> Reply {
    let found = app.call(Work::Search, move |service| service.download(&id)).await?;
    let gone = |error: std::io::Error| Problem::not_found(format!("{}: {error}", found.name));
    let file = tokio::fs::File::open(&found.path).await.map_err(gone)?;
    let length = file.metadata().await.map_err(gone)?.len();
    let name = utf8_percent_encode(&found.name, NAME);
    let headers = [
        // Never a type that a browser shows: a file may contain HTML.
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    // Not more than stated, should the file grow while it is sent.
    Ok((headers, Body::new(StreamBody::new(chunks(file.take(length))))).into_response())
}

/// The parts of a file.
fn chunks(
    file: tokio::io::Take<tokio::fs::File>,
) -> impl futures_util::Stream<Item = std::io::Result<Frame<Bytes>>> {
    futures_util::stream::try_unfold(file, async |mut file| {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok((read > 0).then(|| (Frame::data(Bytes::from(chunk)), file)))
    })
}

/// Numbers by name in a query string, or their default values.
fn numbers<const N: usize>(
    query: Option<&str>,
    names: [&str; N],
    mut values: [f32; N],
) -> Result<[f32; N], Problem> {
    for (name, value) in pairs(query) {
        let at = names.iter().position(|known| **known == name);
        let invalid = || Problem::bad_request(format!("{name}: expected a number, found {value:?}"));
        let unknown =
            || Problem::bad_request(format!("unknown parameter {name:?}, expected {}", names.join(", ")));
        let number = value.parse::<f32>().ok().filter(|number| number.is_finite());
        values[at.ok_or_else(unknown)?] = number.ok_or_else(invalid)?;
    }
    Ok(values)
}
