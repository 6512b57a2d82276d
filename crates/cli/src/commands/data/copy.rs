//! `lexiform data copy`: a finished data set to an object store, and back.

use std::path::PathBuf;

use clap::Args;
use lexiform_data::copy;
use serde_json::json;

use crate::failure::Verdict;
use crate::output;

/// Copy a finished data set to an object store, or from there to a folder; what is there with the same size and sum is passed over
#[derive(Args)]
pub struct CopyArgs {
    /// Folder of the data set, or its address (s3://bucket/folder, gs://, az://)
    from: PathBuf,
    /// Address or folder to copy it to; a copy that was cut off goes on there
    to: PathBuf,
    /// Print one JSON object a file
    #[arg(long)]
    json: bool,
}

impl CopyArgs {
    /// Copies.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let mut told = Ok(());
        let copied = copy(&self.from, &self.to, &mut |file, bytes, is_new| {
            if self.json && told.is_ok() {
                told =
                    output::json(&json!({ "event": "file", "file": file, "bytes": bytes, "copied": is_new }));
            } else if is_new && !self.json {
                output::note(format!("{file}: {:.1} MB", bytes as f64 / 1e6));
            }
        })?;
        told?;
        if self.json {
            output::json(&json!({
                "event": "copied", "files": copied.files, "bytes": copied.bytes, "before": copied.skipped,
            }))?;
        } else {
            output::note(format!(
                "{} copied, {:.1} MB, {} there before",
                output::count(copied.files, "file"),
                copied.bytes as f64 / 1e6,
                copied.skipped
            ));
        }
        Ok(Verdict::Done)
    }
}
