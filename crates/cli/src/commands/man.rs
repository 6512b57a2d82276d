//! `lexiform man`: manual pages, and the reference in docs/cli.md.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _};

use crate::failure::Verdict;
use crate::{Cli, output};

/// Columns of help texts in the reference.
const WIDTH: usize = 110;

/// Write manual pages, one per command
#[derive(Args)]
pub(crate) struct ManArgs {
    /// Folder to write into; created if needed
    folder: Option<PathBuf>,
    /// Print the reference of all commands as one Markdown document instead
    #[arg(long, conflicts_with = "folder", required_unless_present = "folder")]
    markdown: bool,
}

impl ManArgs {
    /// Writes the pages.
    pub(crate) fn run(self) -> anyhow::Result<Verdict> {
        let Some(folder) = self.folder else {
            output::line(reference()?.trim_end())?;
            return Ok(Verdict::Done);
        };
        fs_err::create_dir_all(&folder)?;
        clap_mangen::generate_to(Cli::command(), &folder)?;
        output::note(format!("wrote manual pages to {}", folder.display()));
        Ok(Verdict::Done)
    }
}

/// The help of every command, in Markdown.
fn reference() -> Result<String, std::fmt::Error> {
    let mut text =
        "# Command line\n\nThe help of every command, as `lexiform COMMAND --help` prints it.\n".to_owned();
    let mut root = Cli::command().term_width(WIDTH).disable_help_subcommand(true);
    root.build();
    write_help(&mut text, &mut root, "", 2)?;
    Ok(text)
}

fn write_help(text: &mut String, command: &mut Command, parents: &str, level: usize) -> std::fmt::Result {
    let name = format!("{parents}{}", command.get_name());
    let help = command.render_long_help().to_string();
    write!(text, "\n{} {name}\n\n```text\n{}\n```\n", "#".repeat(level), help.trim_end())?;
    for child in command.get_subcommands_mut() {
        write_help(text, child, &format!("{name} "), (level + 1).min(4))?;
    }
    Ok(())
}
