//! `lexiform man`: manual pages, and the reference in docs/cli.md.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use lexiform_formats::SOFTWARE;

use crate::error::Outcome;
use crate::output;
use crate::output_file::ForceArg;

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
    #[command(flatten)]
    force: ForceArg,
}

impl ManArgs {
    /// Writes the pages.
    pub(crate) fn run(self, command: Command) -> anyhow::Result<Outcome> {
        let Some(folder) = self.folder else {
            output::line(reference(command)?.trim_end())?;
            return Ok(Outcome::Done);
        };
        let mut root = command.disable_help_subcommand(true);
        // Subcommands get their full names, such as `lexiform-data-prepare`, by this.
        root.build();
        let pages = pages(root)?;
        let names = pages.iter().map(|(name, _)| name.clone());
        let files = self.force.folder(&folder, &[])?.files(names)?;
        for (file, (_, page)) in files.iter().zip(&pages) {
            file.write(page)?;
        }
        output::note(format!("wrote manual pages to {}", folder.display()));
        Ok(Outcome::Done)
    }
}

/// File names and contents of the pages of a command and those below it.
fn pages(command: Command) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        pages.extend(self::pages(child.clone())?);
    }
    let page = Man::new(command);
    // The next run recognizes its own pages by this comment.
    let mut content = format!(".\\\" {SOFTWARE}\n").into_bytes();
    page.render(&mut content)?;
    pages.push((page.get_filename(), content));
    Ok(pages)
}

/// The help of every command, in Markdown.
fn reference(command: Command) -> Result<String, std::fmt::Error> {
    let mut text =
        "# Command line\n\nThe help of every command, as `lexiform COMMAND --help` prints it.\n".to_owned();
    let mut root = command.term_width(WIDTH).disable_help_subcommand(true);
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
