//! Errors as problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), with a hint.

use std::time::Duration;

use lexiform_search::{Error, StoreError};
use serde::Serialize;

/// Why a request failed: a problem details object.
///
/// ```
/// use lexiform_server::Problem;
///
/// let problem = Problem::bad_request("expected a text").with_hint("give `text`");
/// assert_eq!((problem.status, problem.title), (400, "Bad Request"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// HTTP status code.
    pub status: u16,
    /// The status in words.
    pub title: &'static str,
    /// What failed, expected and found.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Seconds after which the request may succeed, as in the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem with a status code.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, title: title(status), detail: detail.into(), hint: None, retry_after: None }
    }

    /// 400: the request is invalid.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, detail)
    }

    /// 404: no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, detail)
    }

    /// 422: a file cannot be used.
    pub fn unusable(detail: impl Into<String>) -> Self {
        Self::new(422, detail)
    }

    /// 500: an error of the server.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(500, detail)
    }

    /// 429: more requests of one client than the server was started for.
    pub(crate) fn too_many_requests(wait: Duration) -> Self {
        let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
        let problem = Self::new(429, "more requests than the rate limit allows");
        Self { retry_after: Some(seconds), ..problem }.with_hint(format!("try again in {seconds} s"))
    }

    /// 503: more requests than the server can queue.
    pub fn overloaded() -> Self {
        Self::new(503, "too many requests at the same time").with_hint("try again in a second")
    }

    /// Adds what to do about it.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The reason phrases of [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-15).
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(Error::from(error))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Query { .. }
            | Error::Labels { .. }
            | Error::Store(
                StoreError::Filter(_) | StoreError::InvalidId { .. } | StoreError::Invalid { .. },
            ) => 400,
            Error::NotFound { .. } | Error::Store(StoreError::UnknownRecord { .. }) => 404,
            Error::Shape { .. } | Error::Image { .. } | Error::Split { .. } => 422,
            _ => 500,
        };
        // The paths of uploads are of no use to whoever sent them.
        let detail = match &error {
            Error::Shape { reason, .. } | Error::Image { reason, .. } => reason.clone(),
            _ => error.to_string(),
        };
        let hint = match &error {
            // Its commands read files that only this machine has.
            Error::Shape { .. } => None,
            _ => error.hint(),
        };
        Self { hint, ..Self::new(status, detail) }
    }
}
