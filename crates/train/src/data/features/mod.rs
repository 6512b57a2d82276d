//! A frozen teacher's features of shapes: computed once, cached in files.

mod compute;
pub(crate) mod dataset;
pub(crate) mod neighbor_file;
pub(crate) mod neighbors;
mod partial;
pub(crate) mod targets;
pub(crate) mod vectors;

use std::path::{Path, PathBuf};

/// Path of the features in the output folder, for each set of refreshed shapes.
pub(crate) fn default_path(out: &Path, round: u64) -> PathBuf {
    out.join(if round == 0 {
        "features.safetensors".to_owned()
    } else {
        format!("features-{round}.safetensors")
    })
}
