//! `lexiform mcp`: tools for language models.

use std::io::{self, BufRead as _, Read as _};
use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use lexiform_server::{McpSession, Surface};

use super::serve::ServedLibrary;
use crate::access::{AccessArgs, listen};
use crate::error::{Outcome, UsageError, WithHint as _};
use crate::output;

/// Offer a library to language models as tools (Model Context Protocol)
///
/// Messages come over standard input and output, unless --listen names an address: then they come over HTTP, at /mcp.
#[derive(Args)]
pub(crate) struct McpArgs {
    #[command(flatten)]
    library: ServedLibrary,
    /// Address and port to listen on; port 0 for any
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    access: AccessArgs,
}

/// Bytes of a line that are kept: more than [`McpSession`] accepts, which then refuses the line.
const MAX_LINE: u64 = 2 << 20;

impl McpArgs {
    /// Answers messages until standard input ends, or the process is interrupted.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let Some(address) = self.listen else { return self.answer_standard_input() };
        let options = self.access.options(address, Surface::Mcp)?;
        let (server, url) = listen(self.library.open()?, &options)?;
        output::line(format!("{url}mcp"))?;
        output::note("press Ctrl-C to stop");
        server.run()?;
        Ok(Outcome::Done)
    }

    fn answer_standard_input(self) -> anyhow::Result<Outcome> {
        if let Some(option) = self.access.unused() {
            let message = format!("{option} is for a server, but nothing listens");
            return Err(UsageError(message)).hint("add `--listen 127.0.0.1:7071`, or leave it out");
        }
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
