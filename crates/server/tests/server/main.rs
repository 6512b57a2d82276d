//! The server over real connections, with a model that knows three colors.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod access;
mod attacks;
mod bombs;
mod describe;
mod http;
mod mcp;
mod mcp_http;
mod shutdown;
mod support;
mod tls;
