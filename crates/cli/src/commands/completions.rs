//! `lexiform completions`: a script that completes the command in a shell.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::Cli;
use crate::failure::Verdict;

/// Print a script that completes commands and options in a shell
#[derive(Args)]
pub struct CompletionsArgs {
    /// The shell, such as `bash`: `lexiform completions bash > ~/.local/share/bash-completion/completions/lexiform`
    shell: Shell,
}

impl CompletionsArgs {
    /// Prints the script.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lexiform", &mut script);
        std::io::stdout().lock().write_all(&script)?;
        Ok(Verdict::Done)
    }
}
