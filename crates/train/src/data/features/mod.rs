//! Features of a frozen model for shapes: computed once, kept in files, read when they are drawn.

mod compute;
pub(crate) mod dataset;
mod partial;
pub(crate) mod targets;
pub(crate) mod vectors;

use std::path::{Path, PathBuf};

/// Where a run keeps the features.
pub(crate) fn default_path(out: &Path, round: u64) -> PathBuf {
    out.join(if round == 0 {
        "features.safetensors".to_owned()
    } else {
        format!("features-{round}.safetensors")
    })
}
