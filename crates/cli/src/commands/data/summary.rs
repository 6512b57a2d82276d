//! A data set in one line.

use std::path::Path;

use lexiform_data::Manifest;
use serde_json::json;

use crate::output;

/// Prints the size of a data set: one line, or one JSON object.
pub(crate) fn print(dataset: &Path, manifest: &Manifest, json: bool) -> anyhow::Result<()> {
    let Manifest { shapes, views, bytes, failed, shards, .. } = manifest;
    if json {
        return output::json(&json!({
            "event": "merged", "dataset": dataset, "shapes": shapes, "views": views, "bytes": bytes, "failed": failed,
            "shards": shards.len(),
        }));
    }
    output::note(format!(
        "{}: {} in {} of {:.1} MB, {views} views, {failed} failed",
        dataset.display(),
        output::quantity(*shapes as usize, "shape"),
        output::quantity(shards.len(), "shard"),
        *bytes as f64 / 1e6
    ));
    Ok(())
}
