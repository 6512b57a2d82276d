//! The HTTP server: routes, what is allowed, and connections.

mod app;
mod assets;
mod audit;
mod body;
mod guard;
mod mcp;
mod measure;
mod metrics;
mod options;
mod options_error;
mod page;
mod query_string;
mod rate_limit;
mod reply;
mod routes;
mod search;
mod serve;
mod tls;

pub use options::{ServerOptions, Surface};
pub use options_error::OptionsError;
pub use rate_limit::RateLimit;
pub use serve::Server;
pub use tls::TlsFiles;
