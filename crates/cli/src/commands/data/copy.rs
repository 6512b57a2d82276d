//! `lexiform data copy`: copy a finished data set to an object store, or back.

use std::path::PathBuf;

use clap::Args;
use lexiform_data::{copy, is_remote};
use serde_json::json;

use crate::error::Outcome;
use crate::output;
use crate::output_file::ForceArg;

/// Copy a finished data set to an object store, or back to a folder; files with the same size and checksum are skipped
#[derive(Args)]
pub(crate) struct CopyArgs {
    /// Folder of the data set, or its address (s3://bucket/folder, gs://, az://)
    from: PathBuf,
    /// Address or folder to copy to; an interrupted copy is resumed
    to: PathBuf,
    #[command(flatten)]
    force: ForceArg,
    /// Print one JSON object per file
    #[arg(long)]
    json: bool,
}

impl CopyArgs {
    /// Copies the data set.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if !is_remote(&self.to) {
            self.force.dataset(&self.to)?;
        }
        let mut output_result = Ok(());
        let copied = copy(&self.from, &self.to, &mut |file, bytes, is_new| {
            if self.json && output_result.is_ok() {
                output_result =
                    output::json(&json!({ "event": "file", "file": file, "bytes": bytes, "copied": is_new }));
            } else if is_new && !self.json {
                output::note(format!("{file}: {:.1} MB", bytes as f64 / 1e6));
            }
        })?;
        // The copy was finished even if standard output was closed.
        output_result?;
        if self.json {
            output::json(&json!({
                "event": "copied", "files": copied.files, "bytes": copied.bytes, "skipped": copied.skipped,
            }))?;
        } else {
            output::note(format!(
                "{} copied, {:.1} MB, {} skipped",
                output::quantity(copied.files, "file"),
                copied.bytes as f64 / 1e6,
                copied.skipped
            ));
        }
        Ok(Outcome::Done)
    }
}
