//! `lexiform completions`: shell completion scripts.

use std::io::Write as _;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::error::Outcome;

/// Print a shell completion script
#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// Shell, as in `lexiform completions bash > ~/.local/share/bash-completion/completions/lexiform`
    shell: Shell,
}

impl CompletionsArgs {
    /// Prints the script.
    pub(crate) fn run(self, mut command: Command) -> anyhow::Result<Outcome> {
        // Written at once: clap_complete panics if its writer fails, as a closed pipe does.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "lexiform", &mut script);
        std::io::stdout().lock().write_all(&script)?;
        Ok(Outcome::Done)
    }
}
