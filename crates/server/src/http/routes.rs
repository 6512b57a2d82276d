//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use super::app::App;
use super::guard::{Guard, guard};
use super::options::Surface;
use super::{assets, mcp, measure, page, search};
use crate::Problem;

/// Routes of the API, described by `openapi.json`.
fn api() -> [(&'static str, MethodRouter<Arc<App>>); 19] {
    [
        ("/v1/health", get(search::health)),
        ("/v1/ready", get(search::ready)),
        ("/v1/stats", get(search::statistics)),
        ("/v1/map", get(search::map)),
        ("/v1/search", get(search::search_url).post(search::search)),
        ("/v1/uploads", post(search::upload)),
        ("/v1/classify", post(search::classify)),
        ("/v1/caption", post(search::caption)),
        ("/v1/compare", post(search::compare)),
        ("/v1/embeddings", post(search::embeddings)),
        ("/v1/assets/{id}", get(assets::asset)),
        ("/v1/assets/{id}/labels", get(search::labels)),
        ("/v1/assets/{id}/similar", get(search::similar)),
        ("/v1/assets/{id}/thumbnail.png", get(assets::thumbnail)),
        ("/v1/assets/{id}/view.png", get(assets::view)),
        ("/v1/assets/{id}/mesh", get(assets::mesh)),
        ("/v1/assets/{id}/file", get(assets::download)),
        ("/metrics", get(measure::metrics)),
        ("/openapi.json", get(page::openapi)),
    ]
}

/// All routes, with checks in front of them.
pub(super) fn router(app: Arc<App>, checks: Arc<Guard>, surface: Surface) -> Router {
    let mut router = Router::new();
    for (path, methods) in api() {
        if surface == Surface::All || OPERATING.contains(&path) {
            router = router.route(path, methods);
        }
    }
    if surface == Surface::All {
        let login = post(page::log_in).with_state(checks.clone());
        router = router
            .route("/", get(page::index))
            .route("/static/{name}", get(page::static_file))
            .route_service("/v1/session", login);
    }
    router
        .route("/mcp", post(mcp::answer))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        // The last layer is the first that a request meets.
        .layer(from_fn_with_state(checks, guard))
        .layer(from_fn_with_state(app.clone(), measure::measure))
        .with_state(app)
}

/// Routes for whoever runs the server, whatever it serves.
const OPERATING: [&str; 3] = ["/v1/health", "/v1/ready", "/metrics"];

async fn unknown(uri: Uri) -> Problem {
    Problem::not_found(format!("no such route: {}", uri.path())).with_hint("see /openapi.json")
}

async fn not_allowed(uri: Uri) -> Problem {
    Problem::new(405, format!("{}: method not allowed", uri.path())).with_hint("see /openapi.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openapi_describes_exactly_the_routes() {
        let document: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        let mut described: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        let mut routes: Vec<&str> = api().iter().map(|(path, _)| *path).chain(["/v1/session"]).collect();
        routes.sort_unstable();
        described.sort_unstable();
        assert_eq!(described, routes);
    }
}
