//! The HTTP server: routes, what is allowed, and connections.

mod app;
mod assets;
mod body;
mod guard;
mod measure;
mod metrics;
mod page;
mod query_string;
mod reply;
mod routes;
mod search;
mod serve;

pub use guard::ServerOptions;
pub use serve::Server;
