//! The server over real connections, with a model that knows three colors.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod attacks;
mod describe;
mod http;
mod mcp;
mod support;
