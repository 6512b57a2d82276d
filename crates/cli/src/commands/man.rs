//! `lexiform man`: manual pages.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use crate::failure::Verdict;
use crate::{Cli, output};

/// Write manual pages, one for each command
#[derive(Args)]
pub struct ManArgs {
    /// Folder to write into; made if it is not there
    folder: PathBuf,
}

impl ManArgs {
    /// Writes the pages.
    pub fn run(self) -> anyhow::Result<Verdict> {
        fs_err::create_dir_all(&self.folder)?;
        clap_mangen::generate_to(Cli::command(), &self.folder)?;
        output::note(format!("wrote manual pages to {}", self.folder.display()));
        Ok(Verdict::Done)
    }
}
