//! `lexiform mcp`: tools for language models.

use std::io::{self, BufRead as _, Read as _};
use std::sync::Arc;

use clap::Args;
use lexiform_server::McpSession;

use super::serve::ServedLibrary;
use crate::error::Outcome;
use crate::output;

/// Offer a library to language models as tools (Model Context Protocol over standard input and output)
#[derive(Args)]
pub(crate) struct McpArgs {
    #[command(flatten)]
    library: ServedLibrary,
}

/// Bytes of a line that are kept: more than [`McpSession`] accepts, which then refuses the line.
const MAX_LINE: u64 = 2 << 20;

impl McpArgs {
    /// Answers messages until standard input ends.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let session = McpSession::new(Arc::new(self.library.open()?));
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
                return Ok(Outcome::Done);
            }
            if line.len() as u64 == MAX_LINE && !line.ends_with(b"\n") {
                // Its rest is no message of its own.
                input.skip_until(b'\n')?;
            }
            if let Some(answer) = session.answer(&String::from_utf8_lossy(&line)) {
                output::protocol_line(&answer)?;
            }
        }
    }
}
